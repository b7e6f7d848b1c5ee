"""Factorizations and triangular systems on a device: sizes around those of blocks, beside cpu."""

from __future__ import annotations

import pytest

import pytensor as pt

pytestmark = pytest.mark.skipif(not pt.cuda.is_available(), reason="no cuda device")
REALS = [pt.float32, pt.float64]
CLOSE = {pt.float32: {"rtol": 2e-3, "atol": 2e-4}, pt.float64: {"rtol": 1e-9, "atol": 1e-11}}
# Around the numbers of threads and the largest blocks: 64 for float64, 96 for float32.
SIZES = [(1, 1), (3, 2), (2, 16), (2, 17), (1, 33), (2, 64), (3, 65), (1, 96), (2, 97), (2, 200)]


def numbers(*shape: int, dtype: pt.dtype) -> pt.Tensor:
    return pt.randn(*shape, dtype=dtype, generator=pt.Generator().manual_seed(sum(shape)))


def positive(batch: int, n: int, dtype: pt.dtype) -> pt.Tensor:
    x = numbers(batch, n, n, dtype=pt.float64)
    return (x @ x.mT / n + pt.eye(n, dtype=pt.float64)).to(dtype)


def well_conditioned(batch: int, n: int, dtype: pt.dtype) -> pt.Tensor:
    return numbers(batch, n, n, dtype=dtype) / n**0.5 + 3 * pt.eye(n, dtype=dtype).flip(0)


def assert_same(there, here, dtype: pt.dtype) -> None:
    theirs, ours = (x if isinstance(x, (tuple, list)) else [x] for x in (there, here))
    for a, b in zip(theirs, ours, strict=True):
        assert a.is_cuda
        assert a.dtype == b.dtype
        assert a.shape == b.shape
        assert pt.allclose(a.cpu(), b, equal_nan=True, **CLOSE[dtype])


@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize("upper", [False, True])
@pytest.mark.parametrize(("batch", "n"), [*SIZES, (1, 700)])
def test_cholesky(batch, n, upper, dtype):
    a = positive(batch, n, dtype)
    # The other triangle is not read.
    every = pt.ones(n, n, dtype=pt.bool)
    given = a.masked_fill(every.tril(-1) if upper else every.triu(1), pt.nan)
    assert_same(
        pt.linalg.cholesky(given.cuda(), upper=upper), pt.linalg.cholesky(a, upper=upper), dtype
    )


@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize("left", [True, False])
@pytest.mark.parametrize("upper", [True, False])
@pytest.mark.parametrize("unit", [True, False])
def test_triangular_systems(dtype, left, upper, unit):
    for (batch, n), k in zip(SIZES, (1, 2, 1, 5, 32, 33, 3, 70, 1, 40), strict=True):
        a = numbers(batch, n, n, dtype=dtype) / n + 2 * pt.eye(n, dtype=dtype)
        b = numbers(batch, *((n, k) if left else (k, n)), dtype=dtype)
        for transposed in (False, True):
            x, y = (t.mT.contiguous().mT if transposed else t for t in (a, b))
            there, here = (
                pt.linalg.solve_triangular(p, q, upper=upper, left=left, unitriangular=unit)
                for p, q in ((x.cuda(), y.cuda()), (x, y))
            )
            assert_same(there, here, dtype)


@pytest.mark.parametrize("dtype", REALS)
def test_triangular_systems_of_broadcast_batches(dtype):
    a, b = numbers(3, 1, 5, 5, dtype=dtype), numbers(2, 5, 4, dtype=dtype)[:, :, ::2]
    a = a + 5 * pt.eye(5, dtype=dtype)
    x, y = a.cuda(), b.cuda()
    assert_same(
        pt.linalg.solve_triangular(x, y, upper=True),
        pt.linalg.solve_triangular(a, b, upper=True),
        dtype,
    )
    assert_same(pt.linalg.solve(x, y), pt.linalg.solve(a, b), dtype)


# Square ones, wide and tall ones, and panels of 32 and of 16 columns in shared memory or without.
SHAPES = [
    *((b, n, n) for b, n in SIZES),
    (2, 5, 130),
    (2, 130, 5),
    (1, 40, 400),
    (1, 150, 90),
    (1, 340, 40),
    (1, 600, 40),
    (1, 1300, 17),
    (2, 800, 33),
]


@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize("shape", SHAPES)
def test_lu(shape, dtype):
    a = numbers(*shape, dtype=dtype)
    (lu, pivots), (wanted, order) = pt.linalg.lu_factor(a.cuda()), pt.linalg.lu_factor(a)
    assert pt.equal(pivots.cpu(), order)
    assert_same(lu, wanted, dtype)
    assert_same(pt.linalg.lu_factor(a.mT.cuda())[0], pt.linalg.lu_factor(a.mT)[0], dtype)


@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize(("batch", "n"), SIZES)
def test_what_follows_from_lu(batch, n, dtype):
    a = well_conditioned(batch, n, dtype)
    b, row = numbers(batch, n, 3, dtype=dtype), numbers(batch, 2, n, dtype=dtype)
    x = a.cuda()
    assert_same(pt.linalg.inv(x), pt.linalg.inv(a), dtype)
    assert_same(pt.linalg.solve(x, b.cuda()), pt.linalg.solve(a, b), dtype)
    assert_same(pt.linalg.solve(x, b[..., 0].cuda()), pt.linalg.solve(a, b[..., 0]), dtype)
    assert_same(
        pt.linalg.solve(x, row.cuda(), left=False), pt.linalg.solve(a, row, left=False), dtype
    )
    assert_same(pt.linalg.slogdet(x), pt.linalg.slogdet(a), dtype)
    assert_same(pt.linalg.det(x[..., :20, :20]), pt.linalg.det(a[..., :20, :20]), dtype)


@pytest.mark.parametrize("dtype", REALS)
def test_nothing_to_do(dtype):
    for shape in ((0, 0), (0, 3, 3), (2, 0, 0)):
        a = pt.zeros(shape, dtype=dtype)
        x = a.cuda()
        assert_same(pt.linalg.cholesky(x), pt.linalg.cholesky(a), dtype)
        assert_same(pt.linalg.inv(x), pt.linalg.inv(a), dtype)
        assert_same(pt.linalg.det(x), pt.linalg.det(a), dtype)
        assert_same(pt.linalg.slogdet(x), pt.linalg.slogdet(a), dtype)
        assert_same(tuple(pt.linalg.lu_factor(x)), tuple(pt.linalg.lu_factor(a)), dtype)
        for k in (0, 2):
            b = pt.zeros(*shape[:-1], k, dtype=dtype)
            assert_same(pt.linalg.solve(x, b.cuda()), pt.linalg.solve(a, b), dtype)
            there = pt.linalg.solve_triangular(x, b.cuda(), upper=False)
            assert_same(there, pt.linalg.solve_triangular(a, b, upper=False), dtype)
    tall = pt.zeros(2, 5, 0, dtype=dtype)
    assert_same(tuple(pt.linalg.lu_factor(tall.cuda())), tuple(pt.linalg.lu_factor(tall)), dtype)


@pytest.mark.parametrize("dtype", REALS)
def test_zeros_ties_and_nan_choose_the_pivots_of_the_cpu(dtype):
    nan, inf = pt.nan, pt.inf
    tables = (
        [[0.0, 2, 1], [0, 2, 3], [0, 0, 0]],
        [[1.0, 2, 3], [-1, 5, 1], [1, 1, 1]],
        [[nan, 1, 2], [9, 1, 1], [3, 2, 2]],
        [[1.0, 1, 2], [nan, 1, 1], [3, 2, 2]],
        [[1.0, 1, 2], [inf, 1, 1], [3, 2, 2]],
        [[0.0, 0, 0], [nan, 1, 1], [0, 2, 2]],
        [[0.0, 0, 0], [0, 0, 0], [0, 0, 0]],
    )
    a = pt.tensor(tables, dtype=dtype)
    there, (wanted, order, info) = pt.linalg.lu_factor_ex(a.cuda()), pt.linalg.lu_factor_ex(a)
    assert pt.equal(there.pivots.cpu(), order)
    assert pt.equal(there.info.cpu(), info)
    assert info.tolist() == [1, 0, 0, 0, 0, 1, 1]
    assert_same(there.LU, wanted, dtype)
    assert_same(pt.linalg.det(a.cuda()), pt.linalg.det(a), dtype)
    assert_same(pt.linalg.slogdet(a.cuda()), pt.linalg.slogdet(a), dtype)
    assert_same(
        pt.linalg.solve_triangular(a.cuda(), a[:1].cuda(), upper=False),
        pt.linalg.solve_triangular(a, a[:1], upper=False),
        dtype,
    )


def message(f, *args) -> str:
    with pytest.raises(RuntimeError) as error:
        f(*args)
    assert isinstance(error.value, pt.linalg.LinAlgError) == (f is not pt.linalg.lu_factor)
    return str(error.value)


@pytest.mark.parametrize("dtype", REALS)
def test_errors_are_those_of_the_cpu(dtype):
    for n, at in ((3, 1), (64, 63), (130, 0), (130, 100), (130, 129)):
        a = positive(1, n, dtype)[0]
        a[at, at] = -1
        singular = pt.eye(n, dtype=dtype)
        singular[at, at] = 0
        b = numbers(n, 2, dtype=dtype)
        cases = [
            (pt.linalg.cholesky, a),
            (pt.linalg.inv, singular),
            (pt.linalg.lu_factor, singular),
            (pt.linalg.solve, singular, b),
        ]
        good = pt.eye(n, dtype=dtype)
        cases += [
            (f, pt.stack([good, bad, bad]), *rest) for f, bad, *rest in cases if n in (3, 130)
        ]
        for f, *args in cases:
            assert message(f, *(x.cuda() for x in args)) == message(f, *args)
    for f in (pt.linalg.cholesky, pt.linalg.inv):
        assert pt.equal(f(pt.eye(3, dtype=dtype).cuda()).cpu(), pt.eye(3, dtype=dtype))
    nan = pt.full((2, 2), pt.nan, dtype=dtype)
    assert message(pt.linalg.cholesky, nan.cuda()) == message(pt.linalg.cholesky, nan)


@pytest.mark.parametrize("dtype", REALS)
def test_infos_are_those_of_the_cpu(dtype):
    for n, at in ((3, 1), (70, 66), (130, 100)):
        good, bad = positive(1, n, dtype)[0], pt.eye(n, dtype=dtype)
        bad[at, at] = 0
        a, b = pt.stack([good, bad, good]), numbers(3, n, 2, dtype=dtype)
        for f, *more in (
            (pt.linalg.cholesky_ex,),
            (pt.linalg.inv_ex,),
            (pt.linalg.solve_ex, b),
        ):
            there, here = f(a.cuda(), *(x.cuda() for x in more)), f(a, *more)
            assert_same(there[0], here[0], dtype)
            assert there.info.tolist() == here.info.tolist() == [0, at + 1, 0]
            assert here[0].isnan().flatten(1).all(1).tolist() == [False, True, False]
            with pytest.raises(pt.linalg.LinAlgError, match=r"_ex: .Batch element 1"):
                f(a.cuda(), *(x.cuda() for x in more), check_errors=True)


def test_what_raises_nothing_can_be_captured():
    a = well_conditioned(2, 70, pt.float64)
    b = numbers(2, 70, 3, dtype=pt.float64)
    x, y, p = a.cuda(), b.cuda(), positive(2, 70, pt.float64).cuda()

    def compute():
        return [
            *pt.linalg.lu_factor_ex(x),
            *pt.linalg.inv_ex(x),
            *pt.linalg.solve_ex(x, y),
            *pt.linalg.cholesky_ex(p),
            pt.linalg.det(x),
            *pt.linalg.slogdet(x),
            pt.linalg.solve_triangular(x, y, upper=True),
        ]

    g = pt.cuda.CUDAGraph()
    with pt.cuda.graph(g):
        made = compute()
    x.mul_(1.5).add_(pt.eye(70, dtype=pt.float64, device="cuda"))
    p[1, 30, 30] = -1
    g.replay()
    for replayed, eager in zip(made, compute(), strict=True):
        assert pt.equal(replayed.cpu().nan_to_num(7), eager.cpu().nan_to_num(7))


def test_two_runs_give_the_same_bits():
    x = well_conditioned(3, 150, pt.float32).cuda()
    assert pt.equal(pt.linalg.inv(x), pt.linalg.inv(x))
    p = positive(3, 150, pt.float32).cuda()
    assert pt.equal(pt.linalg.cholesky(p), pt.linalg.cholesky(p))
