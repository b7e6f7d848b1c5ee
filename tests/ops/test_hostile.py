"""Wrong, extreme and contradictory arguments raise what torch raises, and say what is wrong.

Each program is the text of an expression over a library; the text of our exception must contain
one of the words given with it: the op's name, the argument's, or the fact.
"""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import pytensor
from tests.ops.registry import compatible

torch = pytest.importorskip("torch")

X = "torch.ones(3, 4)"
TYPES = [
    ("torch.add()", "add"),
    (f"torch.add({X})", "add other"),
    (f"torch.add({X}, 'a')", "add other"),
    (f"torch.add({X}, None)", "add other"),
    (f"torch.add({X}, {X}, {X}, {X})", "add"),
    (f"torch.add({X}, {X}, beta=2)", "beta"),
    (f"torch.add({X}, {X}, alpha='x')", "alpha"),
    (f"torch.exp({X}, 2)", "exp"),
    ("torch.exp([1.0])", "exp input"),
    ("torch.exp(1.0)", "exp input"),
    (f"{X}.exp(1)", "exp"),
    (f"{X}.sum(dim='a')", "sum dim"),
    (f"{X}.sum(dim=1.5)", "sum dim"),
    (f"{X}.sum(keepdim=None, dim=0)", "sum keepdim"),
    (f"{X}.reshape('a')", "reshape shape"),
    (f"{X}.reshape((3, 4.0))", "reshape shape"),
    (f"{X}.view(3, 'a')", "view size"),
    (f"{X}.transpose(0)", "transpose"),
    (f"{X}.transpose(0, 1, 2)", "transpose"),
    (f"{X}.transpose(0.0, 1)", "transpose"),
    (f"torch.cat({X})", "cat tensors"),
    ("torch.cat([1, 2])", "cat tensors"),
    (f"torch.cat([{X}, None])", "cat tensors"),
    ("torch.cat([])", "cat non-empty"),
    ("torch.stack([])", "stack non-empty"),
    ("torch.zeros('a')", "zeros size"),
    ("torch.zeros(2.5)", "zeros size"),
    ("torch.zeros(2, dtype='float32')", "zeros dtype"),
    ("torch.zeros(2, device='nonsense')", "device"),
    (f"{X}.to('nonsense')", "device"),
    (f"torch.where({X})", "where"),
    (f"torch.where({X}, {X}, {X})", "where bool"),
    (f"torch.matmul({X}, 2)", "matmul other"),
    (f"{X} @ 2", "matmul other unsupported"),
    (f"{X} + 'a'", "add unsupported other"),
    (f"{X} + None", "add unsupported other"),
    (f"{X} & {X}", "and"),
    (f"~{X}", "not integer"),
    (f"{X} << {X}", "shift"),
    ("-torch.tensor([True])", "bool"),
    ("torch.tensor([True]) - torch.tensor([True])", "bool"),
    (f"torch.clamp({X})", "min"),
    (f"{X}.item()", "Scalar scalar"),
    (f"float({X})", "scalar converted element"),
    ("bool(torch.ones(2))", "ambiguous"),
    ("bool(torch.ones(0))", "ambiguous"),
    ("len(torch.tensor(1.0))", "0-d"),
    (f"{X}.requires_grad_('a')", "requires_grad"),
    ("torch.ones(2, dtype=torch.int64).requires_grad_()", "float"),
    ("torch.ones(2, dtype=torch.int64, requires_grad=True)", "float"),
    ("torch.mean(torch.ones(2, dtype=torch.int64))", "mean dtype"),
    (f"torch.softmax({X})", "softmax dim"),
    (f"torch.nonzero({X}, 3)", "nonzero"),
]
DIMS = [
    (f"{X}.sum(2)", "imension"),
    (f"{X}.sum(-3)", "imension"),
    (f"{X}.sum((0, 0))", "dim"),
    (f"{X}.mean(5)", "imension"),
    (f"{X}.max(2)", "imension"),
    (f"{X}.argmax(-4)", "imension"),
    (f"{X}.softmax(2)", "imension"),
    (f"{X}.cumsum(2)", "imension"),
    (f"{X}.sort(2)", "imension"),
    (f"{X}.topk(5)", "range k"),
    (f"{X}.topk(-1)", "range k"),
    (f"{X}.kthvalue(9)", "range k"),
    (f"{X}.transpose(0, 2)", "imension"),
    (f"{X}.permute(0)", "permute"),
    (f"{X}.permute(0, 0)", "permute repeated duplicate"),
    (f"{X}.permute(0, 2)", "imension"),
    (f"{X}.unsqueeze(3)", "imension"),
    (f"{X}.squeeze(2)", "imension"),
    (f"{X}.select(2, 0)", "imension"),
    (f"{X}.select(0, 3)", "select index"),
    (f"{X}.select(0, -4)", "select index"),
    (f"{X}.narrow(0, 2, 2)", "start length"),
    (f"{X}.narrow(0, 0, -1)", "narrow length"),
    (f"{X}.narrow(2, 0, 1)", "imension"),
    (f"{X}.unbind(2)", "imension"),
    (f"{X}.split(0)", "split"),
    (f"{X}.split(-1)", "split"),
    (f"{X}.split([1, 1])", "split"),
    (f"{X}.chunk(0)", "chunk"),
    (f"{X}.chunk(-2)", "chunk"),
    (f"{X}.flip(2)", "imension"),
    (f"{X}.flip((0, 0))", "dim"),
    (f"{X}.roll(1, 2)", "imension"),
    (f"{X}.unfold(0, 4, 1)", "size"),
    (f"{X}.unfold(0, 2, 0)", "step"),
    (f"{X}.unfold(0, 2, -1)", "step"),
    (f"{X}.unfold(0, -1, 1)", "size"),
    (f"{X}.diagonal(0, 0, 0)", "dim"),
    (f"torch.cat([{X}, torch.ones(3, 5)])", "cat size"),
    (f"torch.cat([{X}, {X}], 2)", "imension"),
    (f"torch.stack([{X}, torch.ones(4, 3)])", "stack size"),
    ("torch.tensor(1.0).sum(1)", "imension"),
    ("torch.tensor(1.0)[0]", "dim"),
    (f"{X}[5]", "index"),
    (f"{X}[-4]", "index"),
    (f"{X}[0, 0, 0]", "indices"),
    (f"{X}[::-1]", "step"),
    (f"{X}[::0]", "step"),
    (f"{X}['a']", "index indices str"),
    (f"{X}[1.5]", "index indices"),
    (f"{X}[torch.tensor([0, 3])]", "index"),
    (f"{X}[torch.tensor([-4])]", "index"),
    (f"{X}[torch.tensor([0.5])]", "indices"),
    (f"{X}[torch.tensor([True, False])]", "index mask"),
    (f"{X}[torch.tensor([0, 1]), torch.tensor([0, 1, 2])]", "shape"),
]
SHAPES = [
    (f"{X} + torch.ones(5)", "size"),
    (f"{X}.add_(torch.ones(2, 3, 4))", "shape"),
    (f"torch.ones(1).add_({X})", "shape"),
    (f"{X} @ torch.ones(5)", "size mat"),
    (f"{X} @ {X}", "mat1"),
    ("torch.ones(()) @ torch.ones(())", "dim 1D"),
    (f"torch.mm({X}, {X})", "mat1"),
    (f"torch.mm({X}, torch.ones(4))", "mat2 matrices 2D"),
    (f"torch.bmm({X}, {X})", "3D batch"),
    ("torch.dot(torch.ones(2), torch.ones(3))", "dot inconsistent"),
    (f"torch.dot({X}, {X})", "1D"),
    (f"{X}.view(5)", "invalid"),
    (f"{X}.view(-1, -1)", "inferred"),
    (f"{X}.view(-2, 6)", "invalid"),
    (f"{X}.reshape(7, -1)", "invalid"),
    (f"{X}.t().view(12)", "view"),
    ("torch.ones(0, 3).view(0, -1)", "ambiguous"),
    (f"{X}.expand(2, 4)", "expand"),
    (f"{X}.expand(4)", "expand"),
    (f"{X}.expand(-1, 3, 4)", "expand"),
    (f"{X}.repeat(2)", "repeat"),
    (f"{X}.repeat(-1, 2)", "repeat negative"),
    ("torch.ones(2, 3, 4).t()", "t()"),
    (f"{X}.unflatten(0, (2, 2))", "unflatten"),
    (f"{X}.unflatten(1, (2**63 - 1, 8, -1))", "unflatten"),
    (f"{X}.unflatten(1, (2, 1, 4, 2**63 - 1, -2))", "unflatten"),
    (f"{X}.unflatten(1, (2, -2))", "unflatten"),
    (f"{X}.unflatten(1, (-2, -2))", "invalid"),
    ("torch.ones(1).unflatten(0, (-1, -1))", "inferred"),
    ("torch.ones(0).unflatten(0, (0, -1))", "ambiguous"),
    (f"{X}.flatten(1, 0)", "flatten"),
    (f"{X}.gather(0, torch.tensor([0]))", "gather index dim"),
    (f"{X}.gather(1, torch.ones(3, 4))", "gather index int64"),
    (f"{X}.gather(0, torch.full((1, 4), 7))", "index bounds"),
    (f"{X}.gather(0, torch.full((1, 4), -1))", "index bounds"),
    (f"{X}.scatter(0, torch.full((1, 4), 3), 1.0)", "index bounds"),
    (f"{X}.index_select(0, torch.tensor([3]))", "index"),
    (f"{X}.index_select(0, torch.tensor([-1]))", "index"),
    (f"{X}.index_select(0, torch.tensor([[0]]))", "index_select index"),
    (f"{X}.take(torch.tensor([12]))", "range index"),
    (f"{X}.index_add(0, torch.tensor([5]), torch.ones(1, 4))", "index"),
    (f"{X}.index_fill(0, torch.tensor([9]), 1.0)", "index"),
    (f"{X}.masked_fill(torch.ones(3, 4), 1.0)", "mask bool"),
    (f"{X}.masked_fill(torch.ones(5, dtype=torch.bool), 1.0)", "size"),
    (f"{X}.half().masked_fill({X} > 0, -1e9)", "Half overflow"),
    ("torch.full((2,), 300, dtype=torch.uint8)", "uint8 overflow"),
    ("torch.zeros(2).fill_(1e39)", "float overflow"),
    ("torch.tensor(3.0).roll(1, 0)", "imension"),
    (f"{X}.repeat_interleave(torch.tensor([1, 2]))", "repeats"),
    (f"{X}.repeat_interleave(torch.tensor([-1]))", "negative"),
    (f"{X}.masked_select(torch.ones(3, 4))", "masked_select bool"),
    ("torch.full((2,), 2).multinomial(1)", "multinomial float"),
    ("torch.tensor([-1.0, 2.0]).multinomial(1)", "probability"),
    ("torch.tensor([0.0, 0.0]).multinomial(1)", "sum probability"),
    ("torch.tensor([2.0]).bernoulli()", "p"),
    (f"{X}.bernoulli_(2.0)", "p"),
    (f"{X}.uniform_(2, 1)", "uniform from"),
    (f"{X}.normal_(0, -1)", "std"),
    (f"{X}.random_(5, 5)", "from to"),
    ("torch.randint(5, 5, (2,))", "from to"),
    ("torch.randperm(-1)", "n"),
    ("torch.bincount(torch.tensor([-1]))", "bincount non-negative"),
    ("torch.bincount(torch.tensor([[1]]))", "bincount 1-d"),
    ("torch.linalg.inv(torch.ones(2, 3))", "square inv"),
    ("torch.linalg.inv(torch.zeros(2, 2))", "singular"),
    ("torch.linalg.cholesky(-torch.eye(2))", "positive"),
    ("torch.linalg.solve(torch.zeros(2, 2), torch.ones(2))", "singular"),
    ("torch.linalg.solve(torch.eye(2), torch.ones(2, 1, dtype=torch.float64))", "dtype"),
    ("torch.linalg.lstsq(torch.eye(2), torch.ones(2, 1, dtype=torch.float64))", "dtype"),
    ("torch.zeros(0).multinomial(1, replacement=True)", "probabilities"),
    (f"{X}.copy_(torch.ones(5))", "size expand"),
    (f"torch.exp({X}, out=torch.ones(3, 4, dtype=torch.int64))", "cast"),
    (f"torch.exp({X}, out=1)", "out"),
    (f"torch.exp({X}, out=torch.ones(3, 4, requires_grad=True))", "grad"),
    ("torch.ones(2, dtype=torch.int64).add_(1.5)", "cast"),
    ("torch.ones(2, dtype=torch.bool).add_(1)", "cast"),
    ("torch.ones(2, dtype=torch.int64).div_(2)", "cast"),
]
SIZES = [
    ("torch.zeros(-1)", "negative"),
    ("torch.empty((2, -3))", "negative"),
    ("torch.ones((2**40, 2**40))", "size overflow large big memory"),
    ("torch.empty((2**62,))", "size overflow large big memory"),
    ("torch.empty((2**63,))", "size verflow int"),
    ("torch.empty((2**32, 2**32))", "size overflow large big memory"),
    ("torch.empty((2**61, 4), dtype=torch.float64)", "size overflow large big memory"),
    ("torch.ones(1).expand(2**62).clone()", "size overflow large big memory"),
    ("torch.ones(1).repeat(2**62)", "size overflow large big memory"),
    ("torch.ones(2).repeat(2**32, 2**32)", "size overflow large big memory"),
    ("torch.arange(0, 2**62)", "size overflow large big memory"),
    ("torch.arange(0, 10, 0)", "step"),
    ("torch.arange(0, 10, -1)", "step bound"),
    ("torch.arange(float('inf'))", "range"),
    ("torch.arange(0, float('nan'))", "range"),
    ("torch.linspace(0, 1, -1)", "steps"),
    ("torch.eye(-1)", "n"),
    ("torch.eye(2, -1)", "m"),
    ("torch.eye(2**40)", "size overflow large big memory"),
    ("torch.full((2**62,), 1.0)", "size overflow large big memory"),
    ("torch.tril_indices(-1, 2)", "row"),
    ("torch.ones(2).resize_(-1)", "negative"),
    ("torch.ones(2).resize_(2**62)", "size overflow large big memory"),
    ("torch.ones(4).as_strided((3,), (2,))", "bounds storage"),
    ("torch.ones(4).as_strided((2,), (-1,))", "Negative"),
    ("torch.ones(4).as_strided((-2,), (1,))", "negative"),
    ("torch.ones(4).as_strided((2, 2), (1,))", "as_strided length"),
    ("torch.ones(4).as_strided((2,), (1,), -1)", "offset"),
    ("torch.ones(4).as_strided((2,), (1,), 2**62)", "Storage overflow"),
    ("torch.ones(4).as_strided((2**62, 4), (1, 1))", "bounds storage overflow size"),
    (f"{X}.narrow(0, 2, 2**63 - 1)", "length exceeds"),
    (f"{X}.split_with_sizes([2**63 - 1, 2])", "sum"),
    (f"{X}.repeat(2**62, 2)", "repeat overflow"),
    (f"{X}.repeat(2**62, -(2**62))", "repeat overflow"),
    (f"{X}.tile(2**62)", "repeat overflow"),
    (f"{X}.repeat_interleave(2**62)", "overflow"),
    (f"{X}.diagflat(offset=-(2**63))", "overflow"),
    (f"{X}.diag_embed(offset=2**63 - 1)", "overflow"),
    ("torch.ones(0).view(0, 7, 2, 2**63 - 1)", "overflow"),
    ("torch.ones(0).reshape(2**40, 2**40, 0)", "overflow"),
    ("torch.zeros(2).new_zeros(-2)", "negative"),
    ("torch.frombuffer(bytearray(3), dtype=torch.float32)", "buffer size"),
    ("torch.frombuffer(b'', dtype=torch.float32)", "buffer size length"),
    ("torch.frombuffer(bytearray(8), dtype=torch.float32, count=3)", "buffer size"),
    ("torch.frombuffer(bytearray(8), dtype=torch.float32, offset=9)", "offset"),
    ("torch.tensor([[1, 2], [3]])", "sequence length"),
    ("torch.tensor(['a'])", "str"),
    ("torch.tensor([2**70])", "Overflow"),
    ("torch.tensor([300], dtype=torch.uint8)", "uint8 overflow"),
    ("torch.tensor(2**70)", "Overflow"),
    ("torch.ones(2, dtype=torch.uint8).fill_(2**70)", "verflow int"),
    ("torch.tensor(object())", "type"),
    ("torch.manual_seed('a')", "seed int"),
    ("torch.set_num_threads(0)", "positive"),
    ("torch.set_num_threads(-1)", "positive"),
]
OVERLAPS = [
    ("torch.ones(1).expand(3).add_(1)", "memory"),
    ("torch.ones(1, 4).expand(3, 4).mul_(2)", "memory"),
    ("torch.ones(1).expand(3).zero_()", "memory"),
    ("torch.ones(1).expand(3).fill_(1)", "memory"),
    ("torch.ones(1).expand(3).exp_()", "memory"),
    ("torch.ones(1).expand(3).copy_(torch.ones(3))", "memory"),
    ("torch.ones(1).expand(3).normal_()", "memory"),
    ("torch.ones(1).expand(3).scatter_(0, torch.tensor([0]), 1.0)", "memory"),
    ("torch.ones(1).expand(3).index_add_(0, torch.tensor([0]), torch.ones(1))", "memory"),
    ("torch.exp(torch.ones(3), out=torch.ones(1).expand(3))", "memory"),
    ("(lambda t: t[:3].add_(t[1:]))(torch.ones(4))", "memory"),
    ("(lambda t: t[:3].copy_(t[1:]))(torch.ones(4))", ""),
    ("(lambda t: torch.exp(t[:3], out=t[1:]))(torch.ones(4))", "memory"),
    ("torch.ones(2, requires_grad=True).add_(1)", "leaf"),
    ("torch.ones(2, requires_grad=True).unbind()[0].add_(1)", "view"),
]
NUMPY = [
    ("torch.from_numpy([1.0])", "ndarray"),
    ("torch.from_numpy(numpy.array(['a']))", "type"),
    ("torch.from_numpy(numpy.array([object()]))", "type"),
    ("torch.from_numpy(numpy.arange(4.0)[::-1])", "negative"),
    ("torch.from_numpy(numpy.zeros(3, dtype='>f4'))", "byte order"),
    ("torch.from_numpy(numpy.zeros(2, dtype='f4,i4'))", "type"),
    ("torch.ones(2, requires_grad=True).numpy()", "grad"),
    ("torch.ones(2, dtype=torch.bfloat16).numpy()", "BFloat16 bfloat16"),
]
PROGRAMS = TYPES + DIMS + SHAPES + SIZES + OVERLAPS + NUMPY


def error_of(library, text):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            value = eval(text, {"torch": library, "numpy": np})
        except Exception as error:
            return error
    return value


# Extreme numbers that have an answer: that of an ordinary number in their place.
TABLE = "torch.arange(12.0).reshape(3, 4)"
ENORMOUS = [
    (f"{TABLE}.roll(N, 0)", -(2**63), -2),
    (f"{TABLE}.roll(N, 1)", 2**63 - 1, 3),
    (f"{TABLE}.triu(N)", 2**63 - 1, 9),
    (f"{TABLE}.triu(N)", -(2**63), -9),
    (f"{TABLE}.tril(N)", 2**63 - 1, 9),
    (f"{TABLE}.tril(N)", -(2**63), -9),
    (f"torch.cat({TABLE}.chunk(N, 1))", 2**63 - 1, 9),
    (f"{TABLE}[-N:N:N]", 2**63 - 1, 9),
    (f"{TABLE}[1::N]", 2**62, 9),
    (f"{TABLE}.unfold(0, 2, N)", 2**63 - 1, 9),
    (f"{TABLE}.diagonal(N)", 2**63 - 1, 9),
    (f"{TABLE}.diagonal(N)", -(2**63), -9),
]


@pytest.mark.parametrize(("program", "number", "ordinary"), ENORMOUS)
def test_enormous_numbers(program, number, ordinary):
    got = eval(program, {"torch": pytensor, "N": number})
    want = eval(program, {"torch": torch, "N": ordinary})
    assert tuple(got.shape) == tuple(want.shape)
    assert got.tolist() == want.tolist()


def test_sizes_whose_sum_overflows_to_the_right_one():  # torch takes them
    with pytest.raises(RuntimeError, match="to sum exactly to 3"):
        pytensor.ones(3).split_with_sizes([2**63 - 1, 2**63 - 1, 5])


def test_gradient_of_windows_far_apart():
    x = pytensor.ones(3, 4, requires_grad=True)
    x.unfold(0, 2, 2**63 - 1).sum().backward()
    assert x.grad.tolist() == [[1.0] * 4, [1.0] * 4, [0.0] * 4]


@pytest.mark.parametrize(("text", "words"), PROGRAMS, ids=[p[0][:60] for p in PROGRAMS])
def test_same_class_of_error(text, words):
    want = error_of(torch, text)
    got = error_of(pytensor, text)
    assert isinstance(got, Exception) == isinstance(want, Exception), f"{got!r}, torch: {want!r}"
    if not isinstance(want, Exception):
        return
    assert compatible(got, want), f"{type(got).__name__}: {got}\ntorch: {want!r}"
    if words:
        message = str(got)
        assert any(word in message for word in words.split()), message


def test_array_that_is_not_writable():
    """torch warns and lets programs write; pytensor shares the memory and refuses to write."""
    array = np.arange(4.0)
    array.flags.writeable = False
    for make in (pytensor.from_numpy, pytensor.as_tensor):
        t = make(array)
        assert t.tolist() == [0.0, 1.0, 2.0, 3.0]
        for write in (lambda t: t.add_(1), lambda t: t.__setitem__(0, 5), lambda t: t[1:].zero_()):
            with pytest.raises(RuntimeError, match="read-only"):
                write(t)
        with pytest.raises(RuntimeError, match="read-only"):
            pytensor.exp(pytensor.ones(4, dtype=pytensor.float64), out=t)
    assert array.tolist() == [0.0, 1.0, 2.0, 3.0]


def test_mixed_types_of_a_triangular_system():
    """torch reads the one as if it were of the other's type."""
    a, b = pytensor.eye(2), pytensor.ones(2, 1, dtype=pytensor.float64)
    with pytest.raises(RuntimeError, match="same dtype"):
        pytensor.linalg.solve_triangular(a, b, upper=True)


def test_failed_calls_leave_nothing_behind():
    """An exception half-way frees what the call had made."""
    import gc

    failing = [text for text, _ in SHAPES + DIMS]
    for text in failing:
        error_of(pytensor, text)
    gc.collect()
    before = pytensor._C._live()
    for text in failing:
        error_of(pytensor, text)
    gc.collect()
    assert pytensor._C._live() == before
