"""Memory shared with NumPy, the buffer protocol and DLPack."""

import gc
import io
import sys
import threading
import weakref

import pytest

import pytensor

torch = pytest.importorskip("torch")
np = pytest.importorskip("numpy")

DTYPES = ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64"]


def counted(n, dtype=pytensor.int64):
    return pytensor.tensor(range(n), dtype=dtype)


def random_array(dtype, shape):
    values = np.random.default_rng(1).integers(0, 100, shape)
    return values.astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (2, 0, 3), (2, 3, 4, 5)])
def test_from_numpy_and_back(dtype, shape):
    a = random_array(dtype, shape)
    t = pytensor.from_numpy(a)
    expected = torch.from_numpy(a)
    assert str(t.dtype) == str(expected.dtype)
    assert tuple(t.shape) == tuple(expected.shape)
    assert t.tolist() == expected.tolist()
    b = t.numpy()
    assert b.dtype == a.dtype
    assert b.shape == a.shape
    assert (b == a).all()
    if a.size:
        assert np.shares_memory(a, b)
        assert t.data_ptr() == a.ctypes.data


@pytest.mark.parametrize(
    "view",
    ["a.T", "a[:, ::2]", "a[1:, 2:]", "a[:, 0]", "np.broadcast_to(a[0], (3, 6))", "a[2, 3:4]"],
)
def test_strides(view):
    a = np.arange(24.0).reshape(4, 6)
    v = eval(view)
    t = pytensor.from_numpy(v)
    e = torch.from_numpy(v.copy() if not v.flags.writeable else v)
    assert t.tolist() == e.tolist()
    if v.flags.writeable:
        assert t.stride() == e.stride()
    assert (t.numpy() == v).all()
    assert np.shares_memory(t.numpy(), a)


def test_writes_are_seen_by_both():
    a = np.zeros(4, "float32")
    t = pytensor.from_numpy(a)
    a[1] = 2
    t.add_(1)
    assert a.tolist() == [1, 3, 1, 1]
    b = t[1:].numpy()
    b[0] = 9
    assert t.tolist() == [1, 9, 1, 1]


def test_read_only_arrays():
    a = np.arange(3.0)
    a.flags.writeable = False
    t = pytensor.from_numpy(a)
    with pytest.raises(RuntimeError):
        t.add_(1)
    with pytest.raises(RuntimeError):
        t[0] = 1
    assert (t + 1).tolist() == [1, 2, 3]
    assert not t.numpy().flags.writeable
    assert a.tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    "make",
    [
        "np.arange(3)[::-1]",
        "np.zeros(3, '>f4')",
        "np.zeros(3, [('a', 'i4'), ('b', 'i1')])['a']",
        "[1]",
        "None",
        "np.float32(1)",
    ],
)
def test_from_numpy_errors(make):
    with pytest.raises(Exception) as expected:
        torch.from_numpy(eval(make))
    with pytest.raises(expected.type) as got:
        pytensor.from_numpy(eval(make))
    assert str(got.value) == str(expected.value)


@pytest.mark.parametrize(
    ("make", "name"),
    [
        ("np.array(['a'])", "numpy.str_"),
        ("np.array([object()])", "numpy.object_"),
        ("np.zeros(3, 'M8[s]')", "numpy.datetime64"),
        ("np.zeros(3, [('a', 'i4')])", "numpy.void"),
        ("np.zeros(3, 'u2')", "numpy.uint16"),
        ("np.zeros(3, 'u4')", "numpy.uint32"),
        ("np.zeros(3, 'u8')", "numpy.uint64"),
        ("np.zeros(3, 'c8')", "numpy.complex64"),
        ("np.zeros(3, 'S4')", "numpy.bytes_"),
        ("np.zeros(3, 'g')", "numpy.longdouble"),
    ],
)
def test_unsupported_array_types(make, name):
    for function in (pytensor.from_numpy, pytensor.tensor, pytensor.as_tensor):
        with pytest.raises(TypeError, match=f"can't convert np.ndarray of type {name}. The only"):
            function(eval(make))


def test_numpy_of_tensors_that_need_grad():
    t = pytensor.ones(2, requires_grad=True)
    words = "Use tensor.detach\\(\\).numpy\\(\\) instead."
    for refuse in (t.numpy, t.__array__, lambda: np.asarray(t), (t * 2).numpy):
        with pytest.raises(RuntimeError, match=words):
            refuse()
    with pytest.raises(BufferError, match=words):
        memoryview(t)
    assert t.detach().numpy().tolist() == [1, 1]
    assert t.numpy(force=True).tolist() == [1, 1]


def test_bfloat16_has_no_array():
    t = pytensor.ones(2, dtype=pytensor.bfloat16)
    with pytest.raises(TypeError, match="Got unsupported ScalarType BFloat16"):
        t.numpy()
    with pytest.raises(BufferError):
        memoryview(t)


def test_numpy_arguments():
    t = pytensor.ones(2)
    with pytest.raises(TypeError, match="numpy\\(\\) takes 0 positional arguments but 1 was given"):
        t.numpy(1)
    with pytest.raises(TypeError, match="unexpected keyword argument 'x'"):
        t.numpy(x=1)


def test_array_protocol():
    t = pytensor.tensor([1.5, 2.5])
    assert np.asarray(t).dtype == np.float32
    assert np.shares_memory(np.asarray(t), t.numpy())
    assert t.__array__(np.int32).tolist() == [1, 2]
    assert not np.shares_memory(t.__array__(copy=True), t.numpy())
    assert not np.shares_memory(np.array(t, copy=True), t.numpy())
    with pytest.raises(ValueError):
        t.__array__(np.float64, copy=False)
    assert np.stack([t, t]).shape == (2, 2)


def test_operators_with_numpy():
    t, e = pytensor.ones(2), torch.ones(2)
    for scalar in (np.float32(2), np.float64(2), np.int64(3)):
        got, expected = scalar * t, scalar * e
        assert type(got) is pytensor.Tensor
        assert str(got.dtype) == str(expected.dtype)
        assert got.tolist() == expected.tolist()
    assert type(np.sin(t)) is pytensor.Tensor
    assert np.sin(t).tolist() == pytest.approx(torch.ones(2).sin().tolist())


def test_buffer_protocol():
    t = counted(6).reshape(2, 3)
    m = memoryview(t)
    assert m.shape == (2, 3)
    assert m.strides == (24, 8)
    assert m.itemsize == 8
    assert not m.readonly
    assert m.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert memoryview(t.t()).strides == (8, 24)
    assert bytes(pytensor.tensor([1, 2], dtype=pytensor.uint8)) == b"\x01\x02"
    assert memoryview(pytensor.tensor(3.5)).tolist() == 3.5
    out = pytensor.zeros(4, dtype=pytensor.uint8)
    memoryview(out)[:] = b"abcd"
    assert out.tolist() == [97, 98, 99, 100]


def test_contiguity_requests():
    t = pytensor.zeros(2, 3)
    with pytest.raises((BufferError, TypeError)):
        b"".join([t.t()])
    assert len(b"".join([t])) == 24


def test_read_only_export():
    t = pytensor.frombuffer(b"abcd", dtype=pytensor.uint8)
    assert memoryview(t).readonly
    with pytest.raises((BufferError, TypeError)):
        io.BytesIO(b"xyzw").readinto(t)


def test_export_outlives_the_tensor():
    t = counted(1000, pytensor.float64)
    a = t.numpy()
    m = memoryview(t)
    t.data = pytensor.zeros(3)
    del t
    gc.collect()
    assert a[999] == 999
    assert m[998] == 998


def test_tensor_keeps_the_array():
    class Array(np.ndarray):
        pass

    a = np.zeros(100).view(Array)
    alive = weakref.ref(a)
    t = pytensor.from_numpy(a)
    view = t[10:20]
    del a, t
    gc.collect()
    assert alive() is not None
    assert view.sum().item() == 0
    del view
    gc.collect()
    assert alive() is None


def test_arrays_released_on_other_threads():
    a = np.zeros(1000)
    before = sys.getrefcount(a)
    box = [pytensor.from_numpy(a) for _ in range(100)]

    def drop():
        while box:
            box.pop()

    threads = [threading.Thread(target=drop) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    gc.collect()
    assert sys.getrefcount(a) == before


# --- DLPack ---------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [*DTYPES, "bfloat16"])
def test_dlpack_with_torch(dtype):
    t = counted(6).reshape(2, 3).to(getattr(pytensor, dtype))
    there = torch.from_dlpack(t)
    assert str(there.dtype) == str(t.dtype)
    assert there.data_ptr() == t.data_ptr()
    back = pytensor.from_dlpack(there)
    assert back.dtype == t.dtype
    assert back.data_ptr() == t.data_ptr()
    assert back.tolist() == t.tolist()


def test_dlpack_strides_and_offset():
    t = counted(24, pytensor.float32).reshape(4, 6)[1:, ::2].t()
    e = torch.from_dlpack(t)
    assert e.tolist() == t.tolist()
    assert e.stride() == t.stride()
    u = pytensor.from_dlpack(torch.arange(24.0).reshape(4, 6)[1:, ::2].t())
    assert u.tolist() == t.tolist()


def test_dlpack_with_numpy():
    t = pytensor.ones(2, 3)
    a = np.from_dlpack(t)
    assert a.shape == (2, 3)
    assert np.shares_memory(a, t.numpy())
    u = pytensor.from_dlpack(np.arange(3.0))
    assert u.tolist() == [0, 1, 2]
    with pytest.raises(BufferError):
        pytensor.from_dlpack(np.zeros(3, "u2"))


def test_dlpack_read_only():
    a = np.arange(3.0)
    a.flags.writeable = False
    t = pytensor.from_numpy(a)
    assert "dltensor_versioned" in repr(t.__dlpack__(max_version=(1, 0)))
    with pytest.raises(BufferError):
        t.__dlpack__()
    with pytest.raises(RuntimeError):
        pytensor.from_dlpack(t).add_(1)


def test_dlpack_capsules_are_used_once():
    t = pytensor.ones(3)
    for version in (None, (1, 0)):
        capsule = t.__dlpack__(max_version=version)
        u = pytensor.from_dlpack(capsule)
        assert u.data_ptr() == t.data_ptr()
        with pytest.raises(RuntimeError, match="invalid capsule"):
            pytensor.from_dlpack(capsule)
    t.__dlpack__()  # a capsule that nobody takes gives its tensor back
    with pytest.raises(RuntimeError, match="invalid capsule"):
        pytensor.from_dlpack(3)


def test_dlpack_arguments():
    t = pytensor.ones(3)
    assert tuple(t.__dlpack_device__()) == tuple(torch.ones(3).__dlpack_device__())
    with pytest.raises(BufferError, match="Can't export tensors that require gradient"):
        pytensor.ones(3, requires_grad=True).__dlpack__()
    with pytest.raises(AssertionError):
        t.__dlpack__(stream=1)
    with pytest.raises(BufferError):
        t.__dlpack__(dl_device=(2, 0))
    assert pytensor.from_dlpack(t, copy=True).data_ptr() != t.data_ptr()
    assert pytensor.from_dlpack(t, copy=False).data_ptr() == t.data_ptr()
    assert pytensor.from_dlpack(torch.ones(3), copy=True).tolist() == [1, 1, 1]


def test_dlpack_keeps_memory_alive():
    a = np.arange(1000.0)
    alive = weakref.ref(a)
    t = pytensor.from_dlpack(a)
    del a
    gc.collect()
    assert t[999].item() == 999
    u = torch.from_dlpack(counted(1000, pytensor.float32))
    gc.collect()
    assert u[999].item() == 999
    del t
    gc.collect()
    assert alive() is None


def test_dlpack_of_an_old_producer():
    class Old:
        def __dlpack__(self, stream=None):
            return torch.arange(3).__dlpack__()

        def __dlpack_device__(self):
            return (1, 0)

    assert pytensor.from_dlpack(Old()).tolist() == [0, 1, 2]
    assert pytensor.asarray(Old()).tolist() == [0, 1, 2]
