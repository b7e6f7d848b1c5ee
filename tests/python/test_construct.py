"""Tensors from Python data: tensor(), as_tensor() and their kin, the legacy constructors."""

import array
import collections
import gc
import weakref

import pytest

import pytensor

torch = pytest.importorskip("torch")
np = pytest.importorskip("numpy")


def outcome(module, expression):
    """What an expression gives: (dtype, shape, values) or (class, message) of its exception."""
    try:
        t = eval(expression, {"torch": module, "np": np, "array": array})
    except Exception as e:
        return type(e).__name__, str(e)
    if isinstance(t, (bool, tuple)):
        return t
    return str(t.dtype), tuple(t.shape), repr(t.tolist()), t.requires_grad


SAME_VALUES = """
torch.tensor(3)
torch.tensor(True)
torch.tensor(2.5)
torch.tensor([])
torch.tensor(())
torch.tensor([[]])
torch.tensor([[], []])
torch.tensor([[[]], [[]]])
torch.tensor([[], [1]])
torch.tensor([], dtype=torch.int32)
torch.tensor([1, 2, 3])
torch.tensor((1, 2, 3))
torch.tensor([True, False])
torch.tensor([True, 1])
torch.tensor([True, 1.0])
torch.tensor([1, 2.0])
torch.tensor([[1, 2], (3, 4.5)])
torch.tensor(range(4))
torch.tensor(array.array('f', [1, 2]))
torch.tensor([range(3), [1, 2, 3]])
torch.tensor(data=[1])
torch.tensor([1.], requires_grad=True)
torch.tensor([2**63 - 1, -2**63])
torch.tensor([2**70], dtype=torch.float32)
torch.tensor(-1, dtype=torch.uint8)
torch.tensor([255, 0, -1], dtype=torch.uint8)
torch.tensor([127, -128], dtype=torch.int8)
torch.tensor([1.9, -1.9], dtype=torch.int64)
torch.tensor(1e39, dtype=torch.float32)
torch.tensor([1e10, float('inf'), 70000.0, 1/3], dtype=torch.float16)
torch.tensor([1e10, float('-inf'), 70000.0, 1/3], dtype=torch.bfloat16)
torch.tensor([2, 0.5, 0, float('nan')], dtype=torch.bool)
torch.tensor([2**53 + 1, 16777217], dtype=torch.float32)
torch.tensor([1e300, -1e300])
torch.tensor(np.float32(1.5))
torch.tensor([np.float32(1.5)])
torch.tensor([np.float64(1.5)])
torch.tensor([np.float16(1.5), True])
torch.tensor([np.int32(1), np.int64(2)])
torch.tensor([np.int32(1), 2])
torch.tensor([np.bool_(True)])
torch.tensor([np.uint8(3), np.int8(-3)])
torch.tensor(np.float64(2.5), dtype=torch.int32)
torch.tensor(np.zeros((), 'i4'))
torch.tensor(np.arange(6).reshape(2, 3))
torch.tensor(np.arange(6).reshape(2, 3).T)
torch.tensor(np.ones(3, 'f2'), dtype=torch.float64)
torch.tensor([np.zeros(2), np.ones(2)])
torch.tensor([np.zeros((2, 2), 'f'), np.ones((2, 2), 'f')])
torch.tensor([np.array([1, 2], 'i4'), [3, 4]])
torch.tensor([[1, 2], np.array([3.5, 4])])
torch.tensor([np.arange(3)[::-1], np.arange(3)])
torch.tensor([1, np.array(3)])
torch.tensor([torch.tensor(1), torch.tensor(2)])
torch.tensor([torch.tensor(1.), torch.tensor(2)])
torch.tensor([torch.tensor(1., dtype=torch.float64), 2])
torch.tensor([torch.tensor(1., dtype=torch.float16)])
torch.tensor([torch.tensor(1, dtype=torch.int8), True])
torch.tensor([torch.tensor(1, dtype=torch.int8), 1])
torch.tensor([torch.tensor([1]), torch.tensor([2])])
torch.tensor([[1], torch.tensor([2])])
torch.tensor([torch.tensor(1., requires_grad=True)])
torch.tensor([1, 2], device='cpu')
torch.tensor([1, 2], dtype=float)
torch.tensor([1, 2], dtype=bool)
torch.as_tensor([1, 2])
torch.as_tensor([1, 2], dtype=torch.float64)
torch.as_tensor(np.arange(3))
torch.as_tensor(np.arange(3), dtype=torch.float32)
torch.as_tensor(torch.zeros(2, requires_grad=True), dtype=torch.float64)
torch.asarray([1, 2], copy=True)
torch.asarray(b'abcd', dtype=torch.uint8)
torch.asarray(array.array('i', [1, 2]), dtype=torch.int32)
torch.asarray(5)
torch.asarray(np.float32(2))
torch.asarray(np.int32(2))
torch.tensor([9223372036854774784.0, -9223372036854775808.0], dtype=torch.int64)
torch.tensor([254.9, 0.5], dtype=torch.uint8)
torch.asarray(np.zeros(2), copy=False)
torch.asarray(torch.zeros(2, requires_grad=True))
torch.asarray(torch.zeros(2), requires_grad=True)
torch.frombuffer(bytearray(range(8)), dtype=torch.int32)
torch.frombuffer(bytearray(range(8)), dtype=torch.int32, offset=4)
torch.frombuffer(bytearray(range(8)), dtype=torch.int16, count=2, offset=2)
torch.frombuffer(bytearray(8), dtype=torch.float32, requires_grad=True)
torch.scalar_tensor(3)
torch.scalar_tensor(True)
torch.scalar_tensor(3, dtype=torch.int8)
torch.Tensor()
torch.Tensor([1, 2])
torch.Tensor((1, 2))
torch.Tensor([[1, 2], [3, 4]])
torch.Tensor(range(3))
torch.Tensor(np.zeros(2))
torch.Tensor(data=[1])
torch.Tensor(torch.tensor([1, 2]))
torch.Tensor(torch.tensor(3))
torch.Tensor(torch.zeros(2, requires_grad=True))
torch.LongTensor([1.5])
torch.LongTensor(torch.tensor([1]))
torch.LongTensor()
torch.HalfTensor([1, 2])
torch.BoolTensor([0, 2])
torch.FloatTensor(np.arange(3))
torch.zeros(2).new([1, 2])
torch.zeros(2).new()
torch.zeros(2, dtype=torch.int64).new([1, 2])
torch.zeros(2).new(torch.ones(2))
torch.zeros(2).new_tensor([1, 2])
torch.zeros(2, dtype=torch.int32).new_tensor([1.5, 2])
torch.zeros(2).new_tensor(torch.ones(2, dtype=torch.int64))
torch.zeros(2).new_tensor([1, 2], dtype=torch.int64)
torch.zeros(2).new_tensor([1, 2], requires_grad=True)
isinstance(torch.zeros(2), torch.FloatTensor)
isinstance(torch.zeros(2), torch.LongTensor)
isinstance(torch.zeros(2, dtype=torch.int64), torch.LongTensor)
isinstance(3, torch.FloatTensor)
torch.Tensor(3).shape == (3,)
torch.Tensor(2, 3).shape == (2, 3)
torch.Tensor(torch.Size([2, 3])).shape == (2, 3)
torch.Tensor(size=(2, 3)).shape == (2, 3)
torch.Tensor(2, 3, device='cpu').shape == (2, 3)
torch.LongTensor(2, 3).shape == (2, 3)
torch.zeros(2).new(3, 4).shape == (3, 4)
torch.LongTensor.dtype == torch.int64
torch.LongTensor(2).dtype == torch.int64
torch.zeros(2).type(torch.LongTensor).dtype == torch.int64
torch.tensor(np.asfortranarray(np.ones((2, 3)))).stride() == (1, 2)
torch.tensor(torch.ones(2, 3).t()).stride() == (1, 3)
""".strip().splitlines()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("expression", SAME_VALUES)
def test_same_as_torch(expression):
    assert outcome(pytensor, expression) == outcome(torch, expression)


SAME_ERRORS = """
torch.tensor('a')
torch.tensor(['a'])
torch.tensor(b'ab')
torch.tensor(['', 1])
torch.tensor([1, 'a'])
torch.tensor([1, 'a'], dtype=torch.float32)
torch.tensor(None)
torch.tensor([1, None])
torch.tensor([None], dtype=torch.float32)
torch.tensor([None], dtype=torch.int32)
torch.tensor(object())
torch.tensor([[object()]])
torch.tensor({1})
torch.tensor({1: 2})
torch.tensor([[1, 2, 3], [1, 2]])
torch.tensor([[[1, 2], [3, 4]], [[5, 6], [7]]])
torch.tensor([[[1, 2], [3, 4]], [[5, 6]]])
torch.tensor([[1, 2], 3])
torch.tensor([[1], torch.tensor(2)])
torch.tensor([1, [2, 3]])
torch.tensor([1, [2, 3]], dtype=torch.float32)
torch.tensor([np.array([1, 2]), np.array([3])])
torch.tensor([np.zeros((2, 2)), np.zeros((2, 3))])
torch.tensor([1, np.zeros(2)])
torch.tensor([torch.tensor([1., 2]), torch.tensor([2, 3])])
torch.tensor(2**63)
torch.tensor([2**64])
torch.tensor(10**400, dtype=torch.float32)
torch.tensor(300, dtype=torch.uint8)
torch.tensor(-300, dtype=torch.uint8)
torch.tensor(128, dtype=torch.int8)
torch.tensor([2**31], dtype=torch.int32)
torch.tensor(float('nan'), dtype=torch.int64)
torch.tensor(1e30, dtype=torch.int64)
torch.tensor(-255.0, dtype=torch.uint8)
torch.tensor(255.9, dtype=torch.uint8)
torch.tensor(-128.9, dtype=torch.int8)
torch.tensor(2147483647.5, dtype=torch.int32)
torch.tensor([float('inf')], dtype=torch.int32)
torch.tensor([1], requires_grad=True)
torch.tensor(1, 2)
torch.tensor()
torch.tensor(dtype=torch.float)
torch.tensor(1, foo=2)
torch.tensor(1, dtype=3)
torch.tensor(1, device=1.5)
torch.tensor([1, 2], device='cuda')
torch.tensor(1, requires_grad=None)
torch.tensor(1, pin_memory=3)
torch.as_tensor('x')
torch.asarray('x')
torch.asarray([1], copy=False)
torch.asarray([1], requires_grad=True)
torch.frombuffer(bytearray(8), dtype=torch.int32, offset=8)
torch.frombuffer(bytearray(8), dtype=torch.int32, offset=-1)
torch.frombuffer(bytearray(8), dtype=torch.int32, offset=5)
torch.frombuffer(bytearray(8), dtype=torch.int32, count=3)
torch.frombuffer(bytearray(8), dtype=torch.int32, count=0)
torch.frombuffer(bytearray(8), dtype=torch.int32, count=2, offset=4)
torch.frombuffer(bytearray(7), dtype=torch.int32)
torch.frombuffer(bytearray(0), dtype=torch.int32)
torch.frombuffer([1], dtype=torch.int32)
torch.frombuffer(bytearray(8))
torch.frombuffer(bytearray(8), dtype=torch.int32, requires_grad=True)
torch.frombuffer(np.zeros((4, 4))[:, ::2], dtype=torch.float64)
torch.scalar_tensor('x')
torch.Tensor('x')
torch.Tensor(2.5)
torch.Tensor(True)
torch.Tensor(None)
torch.Tensor(-1)
torch.Tensor(2, 'a')
torch.Tensor(2, 2.5)
torch.Tensor([2, 'a'])
torch.Tensor([[1, 2], [3]])
torch.FloatTensor(3.5)
torch.zeros(2).new_tensor('x')
torch.zeros(2).new_tensor()
torch.zeros(2).new_tensor(1, 2)
""".strip().splitlines()


@pytest.mark.parametrize("expression", SAME_ERRORS)
def test_same_error_as_torch(expression):
    if "cuda" in expression and pytensor.backends.cuda.is_built():
        pytest.skip("the PyTorch to compare with has no devices, this build does")
    expected = outcome(torch, expression)
    assert len(expected) == 2, "torch accepts it"
    assert outcome(pytensor, expression) == expected


# Where the class is PyTorch's but the message is ours.
SAME_ERROR_CLASS = """
torch.tensor(1, device='zz')
torch.LongTensor(torch.tensor([1.]))
torch.zeros(2).new(torch.zeros(2, dtype=torch.int64))
torch.zeros(2).new(requires_grad=True)
torch.Tensor(dtype=torch.int)
torch.Tensor(2, [3])
torch.Tensor(device='cuda')
torch.asarray(torch.zeros(2), dtype=torch.int32, copy=False)
""".strip().splitlines()


@pytest.mark.parametrize("expression", SAME_ERROR_CLASS)
def test_same_error_class_as_torch(expression):
    assert outcome(pytensor, expression)[0] == outcome(torch, expression)[0]


def test_complex_numbers_are_refused():
    for data in (1j, [1, 1j], np.complex64(3), np.zeros(2, "c8")):
        with pytest.raises(TypeError):
            pytensor.tensor(data)


# torch has them; here no tensor of a complex dtype can come into being.
COMPLEX = """
zeros: torch.zeros(3, dtype=torch.complex64)
ones: torch.ones(3, dtype=torch.complex128)
empty: torch.empty(0, dtype=torch.cfloat)
empty: torch.empty((), dtype=torch.cdouble)
full: torch.full((3,), 1.0, dtype=torch.complex64)
arange: torch.arange(3, dtype=torch.complex64)
linspace: torch.linspace(0, 1, 3, dtype=torch.complex64)
eye: torch.eye(3, dtype=torch.complex64)
randn: torch.randn(3, dtype=torch.complex64)
zeros_like: torch.zeros_like(torch.ones(3), dtype=torch.complex64)
new_zeros: torch.ones(3).new_zeros(2, dtype=torch.complex64)
new_tensor: torch.ones(3).new_tensor([1.0], dtype=torch.complex64)
tensor: torch.tensor([1.0], dtype=torch.complex64)
tensor: torch.tensor(torch.ones(3), dtype=torch.complex64)
as_tensor: torch.as_tensor(np.ones(3), dtype=torch.complex64)
asarray: torch.asarray([1.0], dtype=torch.complex64)
scalar_tensor: torch.scalar_tensor(1.0, dtype=torch.complex64)
frombuffer: torch.frombuffer(bytearray(8), dtype=torch.complex64)
to: torch.ones(3).to(torch.complex64)
to: torch.ones(3).to(dtype=torch.complex128)
to: torch.nn.Linear(2, 2).to(torch.complex64)
type: torch.ones(3).type(torch.complex64)
type: torch.ones(3).type("torch.ComplexFloatTensor")
view: torch.ones(2).view(torch.complex64)
sum: torch.ones(3).sum(dtype=torch.complex64)
cumsum: torch.ones(3).cumsum(0, dtype=torch.complex64)
prod: torch.ones(3).prod(dtype=torch.complex64)
mean: torch.ones(3).mean(dtype=torch.complex64)
softmax: torch.ones(3).softmax(0, dtype=torch.complex64)
""".strip().splitlines()


@pytest.mark.filterwarnings("ignore:Modules with complex parameters")
@pytest.mark.parametrize("line", COMPLEX)
def test_complex_dtypes_are_refused(line):
    name, expression = line.split(": ", 1)
    message = rf"^{name}\(\): complex dtypes are not supported, got torch\.complex(64|128)$"
    with pytest.raises(NotImplementedError, match=message):
        eval(expression, {"torch": pytensor, "np": np})


def test_complex_dtypes_can_be_reasoned_about():
    c = pytensor.complex64
    assert c.is_complex
    assert pytensor.promote_types(c, pytensor.float64) == pytensor.complex128
    assert not pytensor.can_cast(c, pytensor.float32)


def test_first_float_above_int64_is_refused():  # torch wraps it to the lowest int64
    with pytest.raises(RuntimeError, match="cannot be converted to type int64 without overflow"):
        pytensor.tensor(2.0**63, dtype=pytensor.int64)


def test_default_dtype_is_used():
    pytensor.set_default_dtype(pytensor.float64)
    try:
        assert pytensor.tensor([1.5, 2]).dtype == pytensor.float64
        assert pytensor.Tensor([1]).dtype == pytensor.float64
        assert pytensor.tensor([]).dtype == pytensor.float64
    finally:
        pytensor.set_default_dtype(pytensor.float32)


def test_large_nested_list():
    data = np.random.default_rng(0).standard_normal((37, 5, 11)).tolist()
    assert pytensor.tensor(data, dtype=pytensor.float64).tolist() == data


def test_tensor_copies():
    array_ = np.zeros(3)
    t = pytensor.tensor(array_)
    array_[0] = 1
    assert t.tolist() == [0, 0, 0]
    u = pytensor.tensor(t)
    t[1] = 5
    assert u.tolist() == [0, 0, 0]


def test_as_tensor_shares():
    array_ = np.zeros(3)
    t = pytensor.as_tensor(array_)
    array_[0] = 1
    assert t.tolist() == [1, 0, 0]
    assert pytensor.as_tensor(t) is t
    assert pytensor.asarray(t) is t
    u = pytensor.Tensor(pytensor.zeros(2))
    assert u.tolist() == [0, 0]


def test_legacy_tensor_of_tensor_shares():
    t = pytensor.zeros(2)
    u = pytensor.Tensor(t)
    t[0] = 1
    assert u.tolist() == [1, 0]


def test_foreign_sequences():
    class Pair:
        def __len__(self):
            return 2

        def __getitem__(self, i):
            if i >= 2:
                raise IndexError
            return [i, i + 0.5]

    assert pytensor.tensor(Pair()).tolist() == [[0, 0.5], [1, 1.5]]
    assert pytensor.tensor(collections.deque([1, 2])).tolist() == [1, 2]
    assert pytensor.tensor(memoryview(b"ab")).tolist() == [97, 98]


def test_numbers_of_other_classes():
    class Number:
        def __float__(self):
            return 2.5

        def __index__(self):
            return 2

    assert pytensor.tensor([Number()], dtype=pytensor.float32).tolist() == [2.5]
    assert pytensor.tensor([Number()], dtype=pytensor.int32).tolist() == [2]
    with pytest.raises(RuntimeError, match="Could not infer dtype of Number"):
        pytensor.tensor([Number()])


def test_list_that_changes_while_it_is_read():
    data = [0.0] * 8

    class Evil:
        def __float__(self):
            data.clear()
            return 1.0

    data[0] = Evil()
    with pytest.raises(ValueError, match="expected sequence of length 8"):
        pytensor.tensor(data, dtype=pytensor.float32)


def test_list_that_contains_itself():
    data = []
    data.append(data)
    with pytest.raises(ValueError, match="too many dimensions 'list'"):
        pytensor.tensor(data)


def test_exceptions_of_foreign_code_pass():
    class Broken:
        def __len__(self):
            return 1

        def __getitem__(self, i):
            raise KeyError("broken")

    with pytest.raises(KeyError, match="broken"):
        pytensor.tensor(Broken())


def test_subclass_construction():
    class MyTensor(pytensor.Tensor):
        pass

    t = MyTensor([1, 2])
    assert type(t) is MyTensor
    assert t.tolist() == [1, 2]
    assert isinstance(t, pytensor.FloatTensor)


def test_frombuffer_keeps_the_buffer():
    data = bytearray(8)
    t = pytensor.frombuffer(data, dtype=pytensor.uint8)
    data[0] = 7
    assert t[0].item() == 7
    with pytest.raises(BufferError):
        data.append(1)
    del t
    gc.collect()
    data.append(1)


def test_frombuffer_of_bytes_is_read_only():
    t = pytensor.frombuffer(b"abcd", dtype=pytensor.uint8)
    assert t.tolist() == [97, 98, 99, 100]
    with pytest.raises(RuntimeError):
        t.add_(1)


def test_no_leaks():
    class Item(float):
        pass

    item = Item(1.5)
    alive = weakref.ref(item)
    t = pytensor.tensor([item, item])
    del item
    gc.collect()
    assert alive() is None
    assert t.tolist() == [1.5, 1.5]
