"""Devices that are current, default devices, streams and events."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import pytest

import pytensor as pt
from tests.cuda.settings import CHECKED_LIBRARY, EMULATED, QUEUED

pytestmark = pytest.mark.skipif(not pt.cuda.is_available(), reason="no cuda device")


def run(program: str, **setting: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", "import pytensor as pt\n" + program],
        env={**os.environ, **setting},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


# --- default device -------------------------------------------------------------------------------


def test_new_tensors_go_to_the_default_device():
    with pt.device("cuda") as d:
        assert d == pt.device("cuda")
        assert pt.get_default_device() == pt.device("cuda", 0)
        for made in (
            pt.zeros(2),
            pt.empty(2),
            pt.arange(3),
            pt.randn(2),
            pt.randperm(4),
            pt.linspace(0, 1, 3),
            pt.eye(2),
            pt.full((2,), 3),
            pt.tensor([1, 2]),
            pt.as_tensor([1.0]),
            pt.scalar_tensor(3),
            pt.asarray([1]),
            pt.hann_window(4),
            pt.nn.Linear(2, 3).weight,
            pt.nn.BatchNorm1d(2).running_mean,
        ):
            assert made.is_cuda
        assert pt.zeros(2, device="cpu").is_cpu
        with pt.device("cpu"):
            assert pt.zeros(2).is_cpu
            assert pt.tensor([1]).is_cpu
        assert pt.ones(1).is_cuda
    assert pt.zeros(2).is_cpu
    assert pt.get_default_device() == pt.device("cpu")


def test_tensors_made_of_others_stay_where_those_are():
    x = pt.ones(2)
    with pt.device("cuda"):
        for made in (pt.zeros_like(x), x.new_zeros(3), x + 1, x.sum(), pt.cat([x, x])):
            assert made.is_cpu
        assert (pt.ones(2) * 2).is_cuda


def test_the_default_device_is_put_back_after_errors_and_belongs_to_the_thread():
    with pytest.raises(KeyError), pt.device("cuda"):
        raise KeyError
    assert pt.zeros(1).is_cpu
    seen = []
    pt.set_default_device("cuda")
    try:
        assert pt.zeros(1).is_cuda
        other = threading.Thread(target=lambda: seen.append(pt.zeros(1).device.type))
        other.start()
        other.join()
    finally:
        pt.set_default_device(None)
    assert seen == ["cpu"]
    assert pt.zeros(1).is_cpu


def test_training_with_a_default_device():
    with pt.device("cuda"):
        net = pt.nn.Sequential(pt.nn.Linear(4, 8), pt.nn.ReLU(), pt.nn.Linear(8, 2))
        optimizer = pt.optim.Adam(net.parameters(), fused=True)
        x, t = pt.randn(6, 4), pt.randint(0, 2, (6,))
        first = last = pt.nn.functional.cross_entropy(net(x), t)
        for _ in range(5):
            optimizer.zero_grad()
            last = pt.nn.functional.cross_entropy(net(x), t)
            last.backward()
            optimizer.step()
    assert last.is_cuda
    assert last.item() < first.item()


# --- which device ---------------------------------------------------------------------------------


def test_indices_that_do_not_exist():
    for call in (
        lambda: pt.zeros(2, device="cuda:7"),
        lambda: pt.zeros(2).to("cuda:7"),
        lambda: pt.cuda.set_device(7),
        lambda: pt.device("cuda:7").__enter__(),
        lambda: pt.cuda.device(7).__enter__(),
    ):
        with pytest.raises(RuntimeError, match="invalid device ordinal"):
            call()
    assert pt.cuda.current_device() == 0
    assert pt.zeros(1).is_cpu
    with pytest.raises(AssertionError, match="Invalid device id"):
        pt.cuda.get_device_properties(7)


def test_two_devices():
    if not EMULATED:
        pytest.skip("devices can be added to the emulator alone")
    program = """
x = pt.ones(2, device="cuda:1")
print(pt.cuda.device_count(), pt.cuda.current_device(), x.device)
with pt.cuda.device(1):
    print(pt.zeros(1, device="cuda").device, pt.cuda.current_device())
print(pt.cuda.current_device(), (x + 1).device)
pt.cuda.set_device(1)
print(pt.zeros(1, device="cuda").device, pt.zeros(1, device="cuda:0").device)
pt.cuda.set_device(0)
with pt.device("cuda:1"):
    print(pt.zeros(2).device, pt.cuda.Stream(1).device)
with pt.cuda.device_of(x):
    print(pt.cuda.current_device())
y = pt.arange(3.0, device="cuda:0").to("cuda:1")
print(y.device, y.tolist(), y.__dlpack_device__())
try:
    x + pt.ones(2, device="cuda:0")
except RuntimeError as e:
    print(e)
s = pt.cuda.Stream(1)
with pt.cuda.stream(s):
    print(pt.cuda.current_device(), pt.cuda.current_stream() == s, (x * 2).tolist())
print(pt.cuda.current_device(), len(pt.cuda.default_generators))
"""
    assert run(program, PYTENSOR_EMU_DEVICES="2") == [
        "2 0 cuda:1",
        "cuda:1 1",
        "0 cuda:1",
        "cuda:1 cuda:0",
        "cuda:1 cuda:1",
        "1",
        "cuda:1 [0.0, 1.0, 2.0] (2, 1)",
        "Expected all tensors to be on the same device, but found at least two devices, "
        "cuda:1 and cuda:0! (in add)",
        "1 True [2.0, 2.0]",
        "0 2",
    ]


def test_questions_about_the_device():
    p = pt.cuda.get_device_properties()
    assert p.name == pt.cuda.get_device_name()
    assert (p.major, p.minor) == pt.cuda.get_device_capability()
    assert p.total_memory > 1 << 20
    assert p.warp_size == 32
    assert pt.cuda.is_bf16_supported()
    assert pt.cuda.is_tf32_supported() == (p.major >= 8)
    assert pt.cuda.get_allocator_backend() == "native"
    assert len(pt.cuda.default_generators) == pt.cuda.device_count()
    assert pt.backends.cuda.is_built()
    assert pt.ones(2, device="cuda").type() == "torch.cuda.FloatTensor"


def test_legacy_types():
    x = pt.cuda.FloatTensor([1, 2])
    assert x.device == pt.device("cuda", 0)
    assert x.dtype == pt.float32
    assert pt.cuda.LongTensor(2, 3).shape == (2, 3)
    assert isinstance(x, pt.cuda.FloatTensor)
    assert not isinstance(x.cpu(), pt.cuda.FloatTensor)
    assert not isinstance(x, pt.cuda.LongTensor)
    assert x.cpu().type("torch.cuda.DoubleTensor").type() == "torch.cuda.DoubleTensor"
    assert x.type(pt.float64).is_cuda
    assert x.type("torch.FloatTensor").is_cpu


# --- streams and events ---------------------------------------------------------------------------


def test_streams():
    main, side = pt.cuda.current_stream(), pt.cuda.Stream()
    assert main == pt.cuda.default_stream()
    assert side != main
    assert hash(side) != hash(main)
    with pt.cuda.stream(side):
        assert pt.cuda.current_stream() == side
        with pt.cuda.stream(None):
            assert pt.cuda.current_stream() == side
        x = pt.ones(100, device="cuda") * 2
        assert QUEUED is None or side.query() is not QUEUED
    assert pt.cuda.current_stream() == main
    side.synchronize()
    assert side.query()
    main.wait_stream(side)
    assert (x + 1).sum().item() == 300
    assert pt.cuda.StreamContext is pt.cuda.stream
    assert pt.cuda.ExternalStream(side.cuda_stream) == side
    pt.cuda.set_stream(side)
    assert pt.cuda.current_stream() == side
    pt.cuda.set_stream(main)


def test_streams_belong_to_threads():
    side, seen = pt.cuda.Stream(), []
    with pt.cuda.stream(side):
        other = threading.Thread(target=lambda: seen.append(pt.cuda.current_stream()))
        other.start()
        other.join()
    assert seen == [pt.cuda.default_stream()]


def test_events():
    start, end = (pt.cuda.Event(enable_timing=True) for _ in range(2))
    assert start.query()
    start.record()
    x = pt.ones(10, device="cuda") + 1
    end.record()
    assert QUEUED is None or end.query() is not QUEUED
    end.synchronize()
    assert end.query()
    assert start.elapsed_time(end) >= 0
    side = pt.cuda.Stream()
    event = pt.cuda.current_stream().record_event()
    side.wait_event(event)
    event.wait(side)
    with pt.cuda.stream(side):
        y = x * 2
        done = side.record_event(pt.cuda.Event())
    done.wait()
    assert y.tolist() == [4.0] * 10
    with pytest.raises(ValueError, match="enable_timing"):
        pt.cuda.Event().elapsed_time(end)
    with pytest.raises(ValueError, match="must be recorded"):
        start.elapsed_time(pt.cuda.Event(enable_timing=True))


def test_many_streams_share_the_drivers():
    streams = [pt.cuda.Stream() for _ in range(40)]
    assert len({s.cuda_stream for s in streams}) == 32
    assert pt.cuda.Stream(priority=-1).cuda_stream not in {s.cuda_stream for s in streams}


# --- errors ---------------------------------------------------------------------------------------


def test_a_failed_launch_names_the_call_and_its_tensors():
    if not CHECKED_LIBRARY.exists():
        pytest.skip("no build with PYTENSOR_CUDA=CHECKED")
    program = """
try:
    pt.empty(3, 5, device="cuda") + pt.ones(5, device="cuda")
except RuntimeError as e:
    print(e)
print((pt.ones(2, device="cuda") + 1).tolist())
"""
    said, after = run(program, PYTENSOR_CUDA_LIBRARY=str(CHECKED_LIBRARY), PYTENSOR_EMU_LAZY="0")
    assert said.startswith("CUDA error: initcheck: read of device memory that nothing has written")
    assert said.endswith("(in add, called with float32[3, 5], float32[5])")
    assert after == "[2.0, 2.0]"


def test_nvtx_ranges_are_counted():
    nvtx = pt.cuda.nvtx
    assert nvtx.range_push("a") == 0
    with nvtx.range("b {}", 1):
        assert nvtx.range_push("c") == 2
        assert nvtx.range_pop() == 2
    assert nvtx.range_pop() == 0
    assert nvtx.range_pop() == -1
    nvtx.range_end(nvtx.range_start("d"))
    nvtx.mark("e")


def test_formulas_of_gradients_do_not_ask_for_the_default_device():
    x = pt.ones(3, 4, requires_grad=True)
    with pt.device("cuda"):
        (x[1:].prod(1).sum() + x.diagonal().sum() + x.cumsum(0).std() + x.norm()).backward()
    assert x.grad.is_cpu
