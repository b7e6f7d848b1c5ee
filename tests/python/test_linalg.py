"""pytensor.linalg and pytensor.special against torch's: values, gradients and errors."""

from __future__ import annotations

import math

import pytest

import pytensor
from tests.python.torch_pair import assert_same, check_call, check_same_error, to_pytensor, torch

inf = math.inf
torch.manual_seed(0)


def rand(*shape):
    return torch.randn(shape, dtype=torch.float64)


SQUARE, WIDE, V = rand(3, 3), rand(2, 3), rand(3)
BATCH = rand(2, 3, 4)
SYMMETRIC = SQUARE + SQUARE.t()
SINGULAR = torch.ones(2, 2).double()
ORDERS = ["fro", "nuc", 2, -2, 1, -1, inf, -inf]
CASES = [
    *(("matrix_norm", (SQUARE, p), {}) for p in ORDERS),
    *(("matrix_norm", (BATCH, p, (0, 2), True), {}) for p in ORDERS),
    ("matrix_norm", (rand(2, 0), 1), {}),
    ("matrix_norm", (rand(2, 2, 0), "nuc"), {}),
    *(("norm", (SQUARE, p), {}) for p in [*ORDERS, None]),
    ("norm", (V, 3), {}),
    ("norm", (V, 0), {}),
    ("norm", (BATCH,), {}),
    ("norm", (BATCH, None, None, True), {}),
    ("norm", (BATCH, 2, 1), {}),
    ("norm", (BATCH, 2, (0, 1)), {}),
    ("norm", (BATCH, None, (0, 1)), {}),
    ("norm", (rand(), None), {}),
    *(("vector_norm", (BATCH, p, (0, 2)), {}) for p in (0, 0.5, 1, 2, 3.5, -1, inf, -inf)),
    ("vector_norm", (SQUARE.float(),), {"dtype": torch.float64}),
    ("vector_norm", (SQUARE,), {"dim": (), "keepdim": True}),
    ("multi_dot", ([WIDE, rand(3, 4), rand(4, 2)],), {}),
    ("multi_dot", ([V, rand(3, 4), rand(4)],), {}),
    ("multi_dot", ([V, V],), {}),
    ("multi_dot", ([rand(2, 9), rand(9, 1), rand(1, 8), rand(8, 3), rand(3, 5)],), {}),
    ("matmul", (WIDE, SQUARE), {}),
    ("svdvals", (BATCH,), {}),
    ("eigvalsh", (SYMMETRIC,), {}),
    ("matrix_rank", (BATCH,), {}),
    ("matrix_rank", (SINGULAR,), {}),
    ("matrix_rank", (SYMMETRIC,), {"hermitian": True}),
    ("matrix_rank", (SQUARE,), {"tol": 1.0}),
    ("matrix_rank", (SQUARE,), {"atol": 0.7}),
    ("matrix_rank", (SQUARE,), {"rtol": 0.5}),
    ("matrix_rank", (SQUARE,), {"atol": torch.tensor([0.1, 2.0]).double()}),
    ("matrix_rank", (rand(0, 3),), {}),
    ("pinv", (WIDE,), {}),
    ("pinv", (BATCH,), {}),
    ("pinv", (rand(4, 2),), {}),
    ("pinv", (SYMMETRIC,), {"hermitian": True}),
    ("pinv", (rand(0, 3),), {}),
    ("cond", (WIDE,), {}),
    *(("cond", (SQUARE, p), {"grad": p in (2, -2)}) for p in ORDERS),
    ("cond", (torch.zeros(2, 2).double(), 1), {"grad": False}),
    *(("matrix_power", (SQUARE, n), {}) for n in (-3, -1, 0, 1, 2, 3, 7)),
    ("matrix_power", (torch.arange(9).reshape(3, 3), 2), {}),
    ("tensorinv", (rand(2, 3, 6),), {}),
    ("tensorinv", (rand(6, 2, 3),), {"ind": 1}),
    ("tensorsolve", (rand(2, 3, 6), rand(2, 3)), {}),
    ("tensorsolve", (rand(6, 2, 3).permute(1, 0, 2), rand(6)), {"dims": (0,)}),
    ("vander", (V,), {}),
    ("vander", (WIDE,), {"N": 5}),
    ("vander", (torch.arange(3),), {}),
    ("vecdot", (WIDE, V), {}),
    ("vecdot", (WIDE, WIDE), {"dim": 0}),
    ("cross", (rand(2, 3), rand(1, 3)), {}),
    ("cross", (rand(3, 2), rand(3, 2)), {"dim": 0}),
    ("diagonal", (BATCH,), {"offset": 1}),
    ("inv_ex", (SQUARE,), {}),
    ("solve_ex", (SQUARE, V), {}),
    ("solve_ex", (SQUARE, rand(3, 2)), {}),
    ("solve_ex", (SQUARE, rand(2, 3)), {"left": False}),
    ("cholesky_ex", (SQUARE @ SQUARE.t(),), {"grad": False}),
    ("cholesky_ex", (SQUARE @ SQUARE.t(),), {"upper": True, "grad": False}),
    ("lu", (SQUARE,), {"grad": False}),
    ("lu", (WIDE,), {"grad": False}),
    ("lu", (BATCH,), {"grad": False}),
    ("lu", (rand(4, 2),), {"grad": False}),
]


@pytest.mark.parametrize("case", CASES, ids=lambda c: c[0])
def test_like_torch(case):
    name, args, kwargs = case
    ours, theirs = getattr(pytensor.linalg, name), getattr(torch.linalg, name)
    check_call(ours, theirs, *args, **kwargs)


@pytest.mark.parametrize("left", [True, False])
@pytest.mark.parametrize("adjoint", [True, False])
def test_lu_solve(left, adjoint):
    factors, pivots = torch.linalg.lu_factor(torch.stack([SQUARE, SYMMETRIC]))
    right = rand(2, 3, 3)
    want = torch.linalg.lu_solve(factors, pivots, right, left=left, adjoint=adjoint)
    factors, pivots = to_pytensor(factors), to_pytensor(pivots)
    solve = pytensor.linalg.lu_solve
    assert_same(solve(factors, pivots, to_pytensor(right), left=left, adjoint=adjoint), want)


def test_failures_are_reported_one_by_one():
    stack = pytensor.stack([pytensor.eye(2), pytensor.zeros(2, 2)])
    inverse, info = pytensor.linalg.inv_ex(stack)
    assert (info != 0).tolist() == [False, True]
    assert inverse[0].tolist() == [[1.0, 0.0], [0.0, 1.0]]
    solution, info = pytensor.linalg.solve_ex(stack, pytensor.ones(2))
    assert (info != 0).tolist() == [False, True]
    assert solution[0].tolist() == [1.0, 1.0]
    factor, info = pytensor.linalg.cholesky_ex(stack)
    assert (info != 0).tolist() == [False, True]
    assert factor[0].tolist() == [[1.0, 0.0], [0.0, 1.0]]
    stack = torch.stack([torch.eye(3), torch.ones(3, 3), torch.zeros(3, 3)])
    for name, *more in (("inv_ex",), ("cholesky_ex",), ("lu_factor_ex",), ("solve_ex", rand(3, 3))):
        ours, theirs = (getattr(library.linalg, name) for library in (pytensor, torch))
        args = [t.double() for t in (stack, *more)]
        moved = [to_pytensor(t) for t in args]
        assert ours(*moved).info.tolist() == theirs(*args).info.tolist()
        with pytest.raises(RuntimeError) as want:
            theirs(*args, check_errors=True)
        with pytest.raises(RuntimeError) as got:
            ours(*moved, check_errors=True)
        assert str(got.value) == str(want.value)
    with pytest.raises(RuntimeError, match=r"lu_factor: .Batch element 1.: U\[2,2\] is zero"):
        pytensor.linalg.lu_factor(to_pytensor(stack))


def test_pinv_gradients():
    from pytensor.autograd.gradcheck import gradcheck, gradgradcheck

    for shape in ((3, 2), (2, 3), (2, 2, 2)):
        m = pytensor.randn(*shape, dtype=pytensor.float64).requires_grad_()
        assert gradcheck(pytensor.linalg.pinv, (m,))
        assert gradgradcheck(pytensor.linalg.pinv, (m,))
    eye = pytensor.eye(3, dtype=pytensor.float64).requires_grad_()
    assert gradcheck(pytensor.linalg.pinv, (eye,))


def test_cond_gradients():
    from pytensor.autograd.gradcheck import gradcheck

    for p in ("fro", "nuc", 1, inf):
        m = to_pytensor(SQUARE).requires_grad_()
        assert gradcheck(lambda m, p=p: pytensor.linalg.cond(m, p), (m,))


@pytest.mark.parametrize(
    "a", [rand(5, 3), rand(2, 4), rand(2, 2, 5)], ids=["tall", "wide", "batch"]
)
def test_gradients_of_least_squares(a):
    b, grads = rand(*a.shape[:-1], 2), []
    for library, move in ((torch, torch.clone), (pytensor, to_pytensor)):
        leaves = [move(t).requires_grad_() for t in (a, b)]
        solution = library.linalg.lstsq(*leaves).solution
        grads.append(library.autograd.grad(solution.square().sum(), leaves))
    for ours, theirs in zip(grads[1], grads[0], strict=True):
        assert_same(ours, theirs, rtol=1e-8, atol=1e-10)


def test_primitives_resolve():
    linalg = pytensor.linalg
    for name in ("inv", "det", "solve", "qr", "svd", "eigh", "cholesky", "lstsq", "slogdet"):
        assert callable(getattr(linalg, name))
        assert name in dir(linalg)
    assert issubclass(linalg.LinAlgError, RuntimeError)
    with pytest.raises(AttributeError):
        linalg.nonsense  # noqa: B018


INTS = torch.arange(9).reshape(3, 3)
ERRORS = [
    ("multi_dot", ([WIDE],)),
    ("multi_dot", ([],)),
    ("multi_dot", ([WIDE, WIDE],)),
    ("multi_dot", ([WIDE, V, SQUARE],)),
    ("multi_dot", ([WIDE, BATCH],)),
    ("multi_dot", ([WIDE, SQUARE.float()],)),
    ("matrix_rank", (V,)),
    ("pinv", (V,)),
    ("pinv", (INTS,)),
    ("cond", (WIDE, 1)),
    ("cond", (SQUARE, 3)),
    ("cond", (SQUARE, "x")),
    ("cond", (V,)),
    ("matrix_power", (WIDE, 2)),
    ("matrix_power", (V, 2)),
    ("matrix_power", (INTS, -1)),
    ("tensorinv", (torch.eye(6).reshape(2, 3, 6), 1)),
    ("tensorinv", (torch.eye(6).reshape(2, 3, 6), 0)),
    ("tensorsolve", (torch.eye(6).reshape(2, 3, 6), torch.ones(3))),
    ("vander", (torch.ones(1),)),
    ("vander", (V > 0,)),
    ("vecdot", (INTS, INTS)),
    ("vecdot", (WIDE, WIDE.float())),
    ("cross", (WIDE, V)),
    ("cross", (rand(3, 4), rand(3, 4))),
    ("cross", (rand(), rand())),
    ("diagonal", (V,)),
    ("matrix_norm", (SQUARE, 3)),
    ("matrix_norm", (SQUARE, "x")),
    ("matrix_norm", (V,)),
    ("matrix_norm", (SQUARE, "fro", (0,))),
    ("matrix_norm", (SQUARE, 2, (0, 0))),
    ("matrix_norm", (INTS,)),
    ("norm", (V, "fro")),
    ("norm", (BATCH, 2)),
    ("norm", (BATCH, 2, (0, 1, 2))),
    ("norm", (rand(), 2)),
    ("norm", (SQUARE, "x")),
    ("norm", (INTS,)),
    ("vector_norm", (SQUARE, 2, (0, 0))),
    ("vector_norm", (torch.ones(0), -1)),
    ("vector_norm", (torch.ones(0, 2), inf, 0)),
]


@pytest.mark.parametrize("case", ERRORS, ids=lambda c: c[0])
def test_errors_like_torch(case):
    name, args = case
    check_same_error(getattr(pytensor.linalg, name), getattr(torch.linalg, name), *args)


POINTS = torch.tensor([-30.0, -5.0, -1.0, -0.3, 0.0, 0.4, 1.0, 7.0], dtype=torch.float64)
UNIT = torch.tensor([0.001, 0.2, 0.5, 0.9], dtype=torch.float64)


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("entr", (POINTS,)),
        ("entr", (UNIT,)),
        ("ndtr", (POINTS,)),
        ("ndtr", (torch.arange(3),)),
        ("ndtri", (UNIT,)),
        ("xlog1py", (POINTS, UNIT[:1])),
        ("xlog1py", (UNIT, 2.0)),
        ("xlog1py", (0.0, UNIT)),
        ("expit", (POINTS,)),
        ("gammaln", (UNIT,)),
        ("digamma", (UNIT,)),
        ("logit", (UNIT,)),
        ("softmax", (POINTS, 0)),
    ],
)
def test_special(name, args):
    grad = not (name == "entr" and args[0] is POINTS)
    check_call(getattr(pytensor.special, name), getattr(torch.special, name), *args, grad=grad)


def test_special_edges():
    nan = math.nan
    for theirs, ours, args in [
        (torch.special.entr, pytensor.special.entr, (torch.tensor([nan, -1.0, 0.0, inf]),)),
        (
            torch.special.xlog1py,
            pytensor.special.xlog1py,
            (torch.tensor([0.0, 0.0, nan]), torch.tensor([nan, -1.0, 1.0])),
        ),
    ]:
        check_call(ours, theirs, *args, grad=False)
    with pytest.raises(AttributeError):
        pytensor.special.nonsense  # noqa: B018
