"""Memory: the allocator's figures and limits, streams that use memory, pinned memory."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import namedtuple

import pytest

import pytensor as pt
from pytensor.utils.data import DataLoader, TensorDataset
from tests.cuda.settings import CACHED, QUEUED

pytestmark = pytest.mark.skipif(not pt.cuda.is_available(), reason="no cuda device")


def test_figures():
    pt.cuda.empty_cache()
    pt.cuda.reset_peak_memory_stats()
    pt.cuda.reset_accumulated_memory_stats()
    before = pt.cuda.memory_stats()
    t = pt.empty(1000, 1000, device="cuda")
    small = pt.empty(10, device="cuda")
    now = pt.cuda.memory_stats()
    gained = {k: now[k] - before[k] for k in now}
    assert gained["allocated_bytes.large_pool.current"] >= 4_000_000
    assert 40 <= gained["allocated_bytes.small_pool.current"] <= 512
    assert gained["requested_bytes.all.current"] == 4_000_040
    assert gained["allocation.all.current"] == 2
    assert gained["allocated_bytes.all.allocated"] == gained["allocated_bytes.all.current"]
    del t, small
    assert pt.cuda.memory_allocated() == before["allocated_bytes.all.current"]
    assert pt.cuda.max_memory_allocated() >= before["allocated_bytes.all.current"] + 4_000_000
    pt.cuda.reset_peak_memory_stats()
    assert pt.cuda.max_memory_allocated() == pt.cuda.memory_allocated()
    nested = pt.cuda.memory_stats_as_nested_dict()
    assert nested["allocated_bytes"]["all"]["current"] == pt.cuda.memory_allocated()
    free, total = pt.cuda.mem_get_info()
    assert 0 < free <= total
    assert "Held by tensors" in pt.cuda.memory_summary()
    assert pt.cuda.memory_summary(abbreviated=True).count("\n") == 6


@pytest.mark.skipif(not CACHED, reason="the cache is off")
def test_freed_memory_is_used_again():
    pt.empty(3000, device="cuda")
    t = pt.empty(3000, device="cuda")
    at = t.data_ptr()
    del t
    assert pt.empty(3000, device="cuda").data_ptr() == at


@pytest.mark.skipif(not CACHED, reason="the cache is off")
def test_memory_that_another_stream_uses_is_not_given_out():
    side = pt.cuda.Stream()
    x = pt.ones(5000, device="cuda")
    at = x.data_ptr()
    side.wait_stream(pt.cuda.current_stream())
    with pt.cuda.stream(side):
        y = x.sum()
    x.record_stream(side)
    del x
    new = pt.zeros(5000, device="cuda")
    if QUEUED:
        assert new.data_ptr() != at
    pt.cuda.current_stream().wait_stream(side)
    assert y.item() == 5000
    with pytest.raises(RuntimeError, match="does not depend on streams"):
        pt.ones(2).record_stream(side)
    with pytest.raises(TypeError, match="must be Stream, not int"):
        new.record_stream(3)


def test_limits():
    try:
        pt.cuda.empty_cache()
        pt.cuda.set_per_process_memory_fraction(0.001)
        assert pt.cuda.get_per_process_memory_fraction() == 0.001
        with pytest.raises(pt.cuda.OutOfMemoryError, match=r"allowed by set_per_process") as error:
            pt.empty(5_000_000, device="cuda")
        text = str(error.value)
        assert "Tried to allocate 19.07 MiB. GPU 0 has a total capacity of" in text
        assert isinstance(error.value, RuntimeError)
    finally:
        pt.cuda.set_per_process_memory_fraction(1.0)
    assert pt.empty(5_000_000, device="cuda").numel() == 5_000_000
    with pytest.raises(ValueError, match="Allowed range"):
        pt.cuda.set_per_process_memory_fraction(1.5)
    with pytest.raises(TypeError, match="must be `float`"):
        pt.cuda.set_per_process_memory_fraction(1)


def test_memory_for_other_libraries():
    before = pt.cuda.memory_allocated()
    at = pt.cuda.caching_allocator_alloc(1 << 12)
    assert at
    assert pt.cuda.memory_allocated() == before + (1 << 12)
    pt.cuda.caching_allocator_delete(at)
    assert pt.cuda.memory_allocated() == before


# --- pinned ---------------------------------------------------------------------------------------


def test_pinned_tensors():
    x = pt.arange(12.0).reshape(3, 4)
    assert not x.is_pinned()
    pinned = x.pin_memory()
    assert pinned.is_pinned()
    assert pt.equal(pinned, x)
    assert pinned.pin_memory() is pinned
    assert pinned[1:].is_pinned()
    assert pinned.t().is_pinned()
    assert x.t().pin_memory().stride() == x.t().stride()
    assert not pinned.clone().is_pinned()
    assert not pinned.cuda().is_pinned()
    with pytest.raises(RuntimeError, match=r"cannot pin 'torch\.cuda\.FloatTensor' only dense CPU"):
        x.cuda().pin_memory()
    pinned.resize_(5, 5)
    assert pinned.is_pinned()
    assert pinned[0].tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    "make",
    [
        lambda **k: pt.zeros(2, 3, **k),
        lambda **k: pt.empty(4, **k),
        lambda **k: pt.full((2,), 7, **k),
        lambda **k: pt.arange(5, **k),
        lambda **k: pt.randn(3, **k),
        lambda **k: pt.ones_like(pt.zeros(2), **k),
        lambda **k: pt.tensor([1.0, 2.0], **k),
        lambda **k: pt.zeros(2).new_zeros(3, **k),
        lambda **k: pt.zeros(2).new_tensor([3], **k),
    ],
)
def test_factories_make_pinned_tensors(make):
    assert make(pin_memory=True).is_pinned()
    assert not make(pin_memory=False).is_pinned()
    assert not make().is_pinned()


def test_only_the_cpu_has_pinned_memory():
    with pytest.raises(RuntimeError, match="Only dense CPU tensors can be pinned"):
        pt.zeros(2, device="cuda", pin_memory=True)


def test_copies_from_pinned_memory_need_not_be_waited_for():
    source = pt.zeros(4).pin_memory()
    there = source.to("cuda", non_blocking=True)
    if QUEUED:  # the copy has not happened yet: it reads what is there then
        source.fill_(5)
        assert there.tolist() == [5.0] * 4
    else:
        pt.cuda.synchronize()
        assert there.tolist() == [0.0] * 4
    waited = source.fill_(1).cuda()
    source.fill_(2)
    assert waited.tolist() == [1.0] * 4
    plain = pt.ones(4)
    staged = plain.cuda(non_blocking=True)
    plain.fill_(9)
    assert staged.tolist() == [1.0] * 4


def test_copies_to_the_cpu_that_are_not_waited_for_are_pinned():
    x = pt.arange(4.0, device="cuda")
    here = x.to("cpu", non_blocking=True)
    assert here.is_pinned()
    assert not x.cpu().is_pinned()
    pt.cuda.synchronize()
    assert here.tolist() == [0, 1, 2, 3]
    half = pt.zeros(4, dtype=pt.float16).pin_memory()
    half.copy_(x, non_blocking=True)
    pt.cuda.synchronize()
    assert half.tolist() == [0, 1, 2, 3]
    plain = pt.zeros(4)
    plain.copy_(x, non_blocking=True)  # pageable: waited for
    assert plain.tolist() == [0, 1, 2, 3]


def test_pinned_memory_waits_for_its_copies_before_it_is_used_again():
    for _ in range(5):
        there = []
        for value in range(20):
            batch = pt.full((100,), float(value)).pin_memory()
            there.append(batch.to("cuda", non_blocking=True))
            del batch
        assert [t[7].item() for t in there] == list(range(20))


def test_pinned_memory_is_reused():
    pinned = pt.zeros(1000, pin_memory=True)
    at = pinned.data_ptr()
    del pinned
    assert pt.zeros(1000, pin_memory=True).data_ptr() == at


Pair = namedtuple("Pair", ["x", "y"])


class Custom:
    def __init__(self, x):
        self.x = x

    def pin_memory(self):
        self.x = self.x.pin_memory()
        return self


@pytest.mark.parametrize("workers", [0, 1])
def test_loaders_pin_batches(workers):
    data = TensorDataset(pt.arange(10.0).reshape(5, 2), pt.arange(5))
    for x, y in DataLoader(data, batch_size=2, pin_memory=True, num_workers=workers):
        assert x.is_pinned()
        assert y.is_pinned()
    assert not next(iter(DataLoader(data)))[0].is_pinned()


def test_loaders_pin_what_is_inside_containers():
    x = pt.ones(2)

    def batch_of(value):
        return next(iter(DataLoader([0], collate_fn=lambda _: value, pin_memory=True)))

    assert batch_of({"a": x, "b": "text"})["a"].is_pinned()
    assert batch_of({"a": x, "b": "text"})["b"] == "text"
    pair = batch_of(Pair(x, [x, 3]))
    assert isinstance(pair, Pair)
    assert pair.x.is_pinned()
    assert pair.y[0].is_pinned()
    assert batch_of(Custom(x)).x.is_pinned()
    assert batch_of((x, None))[1] is None


def test_without_a_device_nothing_can_be_pinned():
    program = """
import warnings
import pytensor as pt
from pytensor.utils.data import DataLoader
for make in (lambda: pt.zeros(2, pin_memory=True), lambda: pt.zeros(2).pin_memory()):
    try:
        make()
    except RuntimeError as e:
        print(e)
print(pt.zeros(2).is_pinned())
with warnings.catch_warnings(record=True) as seen:
    warnings.simplefilter("always")
    print(next(iter(DataLoader([1.0], pin_memory=True))).tolist(), len(seen))
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTENSOR_CUDA_LIBRARY": "/nowhere"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == [
        "pin_memory=True requires a CUDA or other accelerator backend; no pinned memory allocator "
        "is available on this system.",
        "Cannot access accelerator device when none is available.",
        "False",
        "[1.0] 1",
    ]
