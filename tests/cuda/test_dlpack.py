"""Tensors on devices shared with other libraries: DLPack and the CUDA array interface."""

from __future__ import annotations

import gc

import pytest

import pytensor as pt

pytestmark = pytest.mark.skipif(not pt.cuda.is_available(), reason="no cuda device")
DTYPES = ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32"]


class Producer:
    """Another library's array: notes what it is asked for."""

    def __init__(self, tensor):
        self.tensor, self.asked = tensor, {}

    def __dlpack_device__(self):
        return self.tensor.__dlpack_device__()

    def __dlpack__(self, **options):
        self.asked = options
        return self.tensor.__dlpack__(**options)


@pytest.mark.parametrize("dtype", DTYPES)
def test_memory_is_shared(dtype):
    x = pt.arange(6, device="cuda").reshape(2, 3).to(getattr(pt, dtype))
    assert x.__dlpack_device__() == (2, 0)
    y = pt.from_dlpack(x.t())
    assert y.device == x.device
    assert y.dtype == x.dtype
    assert y.shape == (3, 2)
    assert y.stride() == (1, 3)
    assert y.data_ptr() == x.data_ptr()
    x[0, 1] = 1
    assert y[1, 0].item() == x[0, 1].item()


def test_memory_lives_as_long_as_somebody_has_it():
    gc.collect()
    before = pt.cuda.memory_allocated()
    x = pt.full((1000,), 3.0, device="cuda")
    y = pt.from_dlpack(x)
    del x
    gc.collect()
    pt.full((1000,), 4.0, device="cuda")
    assert y.sum().item() == 3000
    assert pt.cuda.memory_allocated() > before
    del y
    gc.collect()
    assert pt.cuda.memory_allocated() == before
    capsule = pt.ones(1000, device="cuda").__dlpack__()
    assert pt.cuda.memory_allocated() > before
    del capsule
    assert pt.cuda.memory_allocated() == before


def test_the_consumer_tells_its_stream():
    producer = Producer(pt.ones(3, device="cuda"))
    pt.from_dlpack(producer)
    assert producer.asked["stream"] == 1
    assert producer.asked["max_version"] == (1, 0)
    side = pt.cuda.Stream()
    with pt.cuda.stream(side):
        pt.from_dlpack(producer)
    assert producer.asked["stream"] == side.cuda_stream


def test_the_consumers_stream_waits_for_the_producers():
    side = pt.cuda.Stream()
    with pt.cuda.stream(side):
        x = pt.ones(5000, device="cuda") * 3
        capsule = x.__dlpack__(stream=1)  # waits for `side`, without the host's waiting
    y = pt.from_dlpack(capsule)
    assert (y + 1).sum().item() == 20000


def test_streams_that_make_no_sense():
    x = pt.ones(2, device="cuda")
    x.__dlpack__(stream=-1)
    for stream in (0, 2):
        with pytest.raises(BufferError, match=f"unsupported stream {stream}"):
            x.__dlpack__(stream=stream)
    with pytest.raises(TypeError, match="stream must be"):
        x.__dlpack__(stream="default")
    with pytest.raises(AssertionError, match="stream should be None on cpu"):
        pt.ones(2).__dlpack__(stream=1)


def test_copies_to_the_cpu():
    x = pt.arange(3.0, device="cuda")
    y = pt.from_dlpack(x.__dlpack__(dl_device=(1, 0), max_version=(1, 0)))
    assert y.is_cpu
    assert y.tolist() == [0, 1, 2]
    with pytest.raises(BufferError, match="on cuda:0, not on device 1:0, and may not be copied"):
        x.__dlpack__(dl_device=(1, 0), copy=False)
    with pytest.raises(BufferError, match="not on device 2:1"):
        x.__dlpack__(dl_device=(2, 1))
    copied = pt.from_dlpack(x, copy=True)
    assert copied.is_cuda
    assert copied.data_ptr() != x.data_ptr()


def test_imported_memory_has_a_fixed_size():
    y = pt.from_dlpack(pt.arange(3.0, device="cuda"))
    with pytest.raises(RuntimeError, match="not resizable"):
        y.resize_(10)


@pytest.mark.parametrize(
    ("dtype", "typestr"),
    [
        ("bool", "|b1"),
        ("uint8", "|u1"),
        ("int64", "<i8"),
        ("float16", "<f2"),
        ("float32", "<f4"),
        ("bfloat16", "<V2"),
    ],
)
def test_cuda_array_interface(dtype, typestr):
    x = pt.ones(2, 3, device="cuda").to(getattr(pt, dtype))
    assert x.__cuda_array_interface__ == {
        "typestr": typestr,
        "shape": (2, 3),
        "strides": None,
        "data": (x.data_ptr(), False),
        "version": 2,
    }
    item = x.element_size()
    assert x.t().__cuda_array_interface__["strides"] == (item, 3 * item)


def test_who_has_no_cuda_array_interface():
    assert not hasattr(pt.ones(2), "__cuda_array_interface__")
    with pytest.raises(AttributeError, match=r"use tensor\.cuda"):
        _ = pt.ones(2).__cuda_array_interface__
    with pytest.raises(RuntimeError, match="requires grad"):
        _ = pt.ones(2, device="cuda", requires_grad=True).__cuda_array_interface__
    empty = pt.ones(0, 2, device="cuda").__cuda_array_interface__
    assert empty["data"] == (0, False)
    assert empty["shape"] == (0, 2)
