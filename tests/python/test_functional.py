"""The functions written in Python against torch's: values, gradients, dtypes, errors."""

from __future__ import annotations

import math

import pytest

import pytensor
from tests.python.torch_pair import assert_same, check_call, check_same_error, to_pytensor, torch

nan, inf = math.nan, math.inf
torch.manual_seed(0)


def rand(*shape, dtype=torch.float64):
    return torch.rand(shape, dtype=dtype) + 0.25


A, B, V, S = rand(2, 3), rand(3, 4), rand(3), rand()
CUBE = rand(2, 3, 4)
INTS = torch.arange(6).reshape(2, 3)
NANS = torch.tensor([[1.0, nan, 3.0], [nan, nan, nan], [5.0, 4.0, 0.5]], dtype=torch.float64)
CASES = [
    ("atleast_1d", (S,), {}),
    ("atleast_1d", (S, V, A), {}),
    ("atleast_2d", ((S, V, A),), {}),
    ("atleast_3d", (S, V, A, CUBE), {}),
    ("hstack", ([V, V],), {}),
    ("hstack", ([S, V],), {}),
    ("hstack", ((A, A),), {}),
    ("vstack", ([V, A],), {}),
    ("row_stack", ([V, S.expand(3)],), {}),
    ("dstack", ([V, V],), {}),
    ("dstack", ([A, A],), {}),
    ("dstack", ([CUBE, CUBE],), {}),
    ("column_stack", ([V, B],), {}),
    ("column_stack", ([V, V],), {}),
    ("tensor_split", (A, 2), {}),
    ("tensor_split", (CUBE, 3), {"dim": -1}),
    ("tensor_split", (CUBE, (1, 3)), {"dim": 2}),
    ("tensor_split", (CUBE, [3, 1, -1, 10]), {"dim": 2}),
    ("tensor_split", (CUBE,), {"sections": 5, "dim": 2}),
    ("tensor_split", (CUBE,), {"indices": (2,), "dim": 2}),
    ("hsplit", (A, 3), {}),
    ("hsplit", (V, [1]), {}),
    ("vsplit", (A, 2), {}),
    ("vsplit", (A, (1,)), {}),
    ("dsplit", (CUBE, 2), {}),
    *(("rot90", (CUBE, k), {"dims": [0, 2]}) for k in range(-2, 6)),
    ("rot90", (A,), {}),
    ("rot90", (A, 1, (-1, 0)), {}),
    ("fliplr", (A,), {}),
    ("flipud", (A,), {}),
    ("block_diag", (A, V, S), {}),
    ("block_diag", (A, INTS), {}),
    ("block_diag", (), {}),
    ("cartesian_prod", (V, V), {}),
    ("cartesian_prod", (V,), {}),
    ("cartesian_prod", (V, rand(2), rand(1)), {}),
    ("combinations", (V,), {}),
    ("combinations", (V, 2, True), {}),
    ("combinations", (rand(5), 3), {}),
    ("combinations", (rand(4), 3, True), {}),
    ("combinations", (V, 0), {}),
    ("combinations", (V, 1), {}),
    ("combinations", (V, 5), {}),
    ("unravel_index", (torch.tensor([5, 7, 11]), (3, 4)), {}),
    ("unravel_index", (torch.tensor([[1, 23]]), (2, 3, 4)), {}),
    ("unravel_index", (torch.tensor(5), 4), {}),
    ("unravel_index", (torch.tensor(-1), (3, 4)), {}),
    ("unravel_index", (torch.tensor(50), (3, 4)), {}),
    ("tril_indices", (3, 4), {}),
    ("tril_indices", (3, 4, -1), {"dtype": torch.int32}),
    ("tril_indices", (0, 4), {}),
    ("triu_indices", (4, 3, 1), {}),
    ("triu_indices", (3, 3, -1), {}),
    ("triu_indices", (3, 3, 5), {}),
    ("diff", (V,), {}),
    ("diff", (A,), {"dim": 0}),
    ("diff", (rand(6), 3), {}),
    ("diff", (V, 7), {}),
    ("diff", (V, 0), {}),
    ("diff", (A,), {"prepend": rand(2, 1), "append": rand(2, 2)}),
    ("diff", (A > 0.7,), {}),
    ("diff", (INTS.to(torch.uint8).flip(1),), {}),
    ("gradient", (rand(5),), {}),
    ("gradient", (CUBE,), {}),
    ("gradient", (CUBE,), {"spacing": 2.0, "dim": 1}),
    ("gradient", (A,), {"spacing": [2.0, 3.0]}),
    ("gradient", (A,), {"spacing": (V[:2].clone(), torch.tensor([0.0, 1.0, 3.0]).double())}),
    ("gradient", (rand(5),), {"edge_order": 2}),
    ("gradient", (rand(5),), {"edge_order": 2, "spacing": 0.5}),
    ("gradient", (rand(4),), {"spacing": [torch.tensor([0.0, 1.0, 3.0, 3.5]).double()]}),
    (
        "gradient",
        (rand(4),),
        {"spacing": [torch.tensor([0.0, 1.0, 3.0, 3.5]).double()], "edge_order": 2},
    ),
    ("gradient", (INTS,), {}),
    ("gradient", (rand(2),), {}),
    ("trapezoid", (V,), {}),
    ("trapezoid", (A,), {"dx": 2.0}),
    ("trapezoid", (A, V), {}),
    ("trapezoid", (A, rand(2)), {"dim": 0}),
    ("trapezoid", (CUBE, rand(3, 4)), {"dim": 1}),
    ("trapezoid", (INTS,), {}),
    ("trapezoid", (rand(1),), {}),
    ("trapezoid", (rand(0),), {}),
    ("trapz", (V, V), {}),
    ("trapz", (V,), {"dx": 3}),
    ("cumulative_trapezoid", (A,), {}),
    ("cumulative_trapezoid", (A, V), {}),
    ("cumulative_trapezoid", (A,), {"dx": 2.0, "dim": 0}),
    ("cumulative_trapezoid", (INTS,), {}),
    ("cumulative_trapezoid", (rand(0),), {}),
    ("vander", (V,), {"grad": False}),
    ("vander", (V, 5), {"increasing": True, "grad": False}),
    ("vander", (torch.arange(3, dtype=torch.int32),), {}),
    ("vander", (V, 0), {}),
    ("vander", (V, 1), {}),
    ("cov", (A,), {}),
    ("cov", (V,), {}),
    ("cov", (INTS,), {}),
    ("cov", (A,), {"correction": 0}),
    ("cov", (A,), {"fweights": torch.tensor([1, 2, 3])}),
    ("cov", (A,), {"aweights": V}),
    ("cov", (A,), {"fweights": torch.tensor([1, 2, 3]), "aweights": V, "correction": 2}),
    ("corrcoef", (A,), {}),
    ("corrcoef", (V,), {}),
    ("corrcoef", (INTS,), {}),
    ("corrcoef", (rand(4, 10),), {}),
    ("quantile", (A, 0.3), {}),
    ("quantile", (S, 0.3), {}),
    ("quantile", (A, torch.tensor([0.1, 0.5, 1.0]).double()), {"dim": 1}),
    ("quantile", (CUBE, torch.tensor([0.1, 0.5]).double()), {"dim": 1, "keepdim": True}),
    ("quantile", (A, 0.5), {"keepdim": True}),
    ("quantile", (NANS, 0.5), {"dim": 1}),
    *(
        ("quantile", (rand(3, 6), 0.37), {"dim": 0, "interpolation": how})
        for how in ("linear", "lower", "higher", "midpoint", "nearest")
    ),
    ("nanquantile", (NANS, 0.5), {"dim": 1}),
    ("nanquantile", (NANS, torch.tensor([0.0, 0.4]).double()), {}),
    ("nanquantile", (NANS, 0.7), {"dim": 0, "keepdim": True, "interpolation": "midpoint"}),
    ("nanmean", (NANS,), {}),
    ("nanmean", (NANS, 1), {"keepdim": True, "grad": False}),
    ("nanmean", (NANS.float(),), {"dim": (0, 1), "dtype": torch.float64}),
    ("nanmedian", (NANS,), {}),
    ("nanmedian", (NANS, 1), {}),
    ("nanmedian", (NANS, 0), {"keepdim": True}),
    ("nanmedian", (INTS,), {}),
    ("nanmedian", (S, 0), {}),
    ("nanmedian", (torch.tensor([nan, nan]),), {"grad": False}),
    ("cdist", (A, rand(5, 3)), {}),
    ("cdist", (rand(2, 1, 4, 3), rand(3, 5, 3)), {}),
    *(("cdist", (A, rand(5, 3)), {"p": p}) for p in (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, inf)),
    ("cdist", (rand(30, 3), rand(40, 3)), {}),
    ("cdist", (rand(0, 3), A), {}),
    ("cdist", (A, rand(4, 3)), {"compute_mode": "use_mm_for_euclid_dist"}),
    ("pdist", (rand(5, 3),), {}),
    ("pdist", (rand(5, 3), 1), {}),
    ("pdist", (rand(1, 3),), {}),
    ("pairwise_distance", (A, rand(2, 3)), {}),
    ("pairwise_distance", (A, V), {"p": 1.0, "keepdim": True}),
    ("pairwise_distance", (V, V), {}),
    ("cosine_similarity", (A, rand(2, 3)), {}),
    ("cosine_similarity", (CUBE, rand(3, 4)), {"dim": -1}),
    ("cosine_similarity", (A, torch.zeros(2, 3).double()), {}),
    ("renorm", (CUBE, 2, 0, 1.5), {}),
    ("renorm", (CUBE, 1, -1, 2.0), {}),
    ("renorm", (CUBE, 3, 1, 100.0), {}),
    *(("norm", (A, p), {}) for p in ("fro", 0, 0.5, 1, 2, 3, -1, -2.5, inf, -inf, None)),
    ("norm", (CUBE,), {}),
    ("norm", (CUBE, 2, 1), {}),
    ("norm", (CUBE, "fro", (0, 2)), {"keepdim": True}),
    ("norm", (CUBE, 2, None, True), {}),
    ("norm", (CUBE, 1, [0, 2]), {}),
    ("norm", (A, "nuc"), {}),
    ("norm", (CUBE, "nuc", (0, 1)), {}),
    ("norm", (A.float(),), {"dtype": torch.float64}),
    ("norm", (S,), {}),
    ("norm", (rand(0),), {}),
    ("norm", (torch.zeros(3, dtype=torch.float64),), {}),
    ("norm", (torch.zeros(3, dtype=torch.float64), 3), {}),
    ("norm", (torch.zeros(3, dtype=torch.float64), 1), {}),
    ("norm", (torch.tensor([0.0, 1.0, 2.0]), 1.5), {}),
    ("norm", (rand(100).half(),), {}),
    ("tensordot", (A, B), {"dims": 1}),
    ("tensordot", (A, B), {"dims": 0}),
    ("tensordot", (A, rand(2, 3)), {}),
    ("tensordot", (CUBE, rand(4, 5, 3)), {"dims": ([1, 2], [2, 0])}),
    ("tensordot", (CUBE, rand(4, 5, 3)), {"dims": ([-1], [0])}),
    ("tensordot", (A, rand(3, 1)), {"dims": ([0], [1])}),
    ("tensordot", (INTS, INTS), {"dims": ([0, 1], [0, 1])}),
    ("chain_matmul", (A, B, rand(4, 2)), {}),
    ("cross", (rand(4, 3), rand(4, 3)), {}),
    ("cross", (rand(3, 4), rand(3, 1)), {}),
    ("cross", (rand(3, 3), rand(3, 3), 1), {}),
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("case", CASES, ids=lambda c: c[0])
def test_like_torch(case):
    name, args, kwargs = case
    ours, theirs = getattr(pytensor, name), getattr(torch, name)
    half = any(isinstance(a, torch.Tensor) and a.dtype == torch.float16 for a in args)
    check_call(ours, theirs, *args, **{"grad": not half, **kwargs})


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "name", ["hann_window", "hamming_window", "blackman_window", "bartlett_window", "kaiser_window"]
)
@pytest.mark.parametrize("length", [0, 1, 2, 7, 64])
def test_windows(name, length):
    ours, theirs = getattr(pytensor, name), getattr(torch, name)
    for kwargs in ({}, {"periodic": False}, {"dtype": torch.float64}):
        check_call(ours, theirs, length, grad=False, tolerance=(1e-4, 2e-6), **kwargs)
    assert ours(3, requires_grad=True).requires_grad
    check_same_error(ours, theirs, -1)
    check_same_error(ours, theirs, 2.5)
    check_same_error(ours, theirs, 5, dtype=torch.int64)


def test_gradients_torch_cannot_give():
    from pytensor.autograd.gradcheck import gradcheck, gradgradcheck

    v = to_pytensor(V).requires_grad_()
    assert gradcheck(pytensor.vander, (v,))
    assert gradgradcheck(pytensor.vander, (v,))


def test_window_parameters():
    check_call(pytensor.hamming_window, torch.hamming_window, 5, True, 0.3, 0.2, grad=False)
    check_call(pytensor.kaiser_window, torch.kaiser_window, 5, False, 3.0, grad=False)


@pytest.mark.parametrize("density", [False, True])
def test_histogram(density):
    values = torch.tensor([0.0, 0.1, 0.5, 0.5, 0.99, 1.0, 2.0, -1.0])
    weight = torch.arange(8.0)
    edges = torch.tensor([0.0, 0.25, 0.5, 1.0])
    for args, kwargs in [
        ((4,), {}),
        ((3,), {"range": (0.0, 1.0)}),
        ((edges,), {}),
        ((4,), {"weight": weight}),
        ((edges,), {"weight": weight}),
        ((5,), {"range": (1.0, 1.0)}),
    ]:
        kwargs["density"] = density
        ours, theirs = pytensor.histogram, torch.histogram
        check_call(ours, theirs, values, *args, grad=False, **kwargs)
    result = pytensor.histogram(pytensor.tensor([1.0, nan]), 4, range=(0, 1))
    assert result.hist.tolist() == [0.0, 0.0, 0.0, 1.0]
    assert result.bin_edges.numel() == 5


def test_broadcast_shapes():
    for shapes in [((2, 1), (3,), (1, 1, 1)), (3, (2, 1)), (), ((0,), (1,)), ((5,),)]:
        got, want = pytensor.broadcast_shapes(*shapes), torch.broadcast_shapes(*shapes)
        assert tuple(got) == tuple(want)
        assert isinstance(got, pytensor.Size)
    message = check_same_error(pytensor.broadcast_shapes, torch.broadcast_shapes, (2, 3), (4,))
    assert "Attempting to broadcast a dimension of length 4 at -1" in message
    check_same_error(pytensor.broadcast_shapes, torch.broadcast_shapes, (-1, 3))


def test_gradient_of_distances_between_equal_points_is_zero():
    x = pytensor.ones(3, 2, dtype=pytensor.float64, requires_grad=True)
    for distance in (
        pytensor.cdist(x, x),
        pytensor.cdist(x, x, p=1.5),
        pytensor.cdist(x, x, compute_mode="use_mm_for_euclid_dist"),
        pytensor.pdist(x),
    ):
        x.grad = None
        distance.sum().backward()
        assert x.grad.abs().max().item() == 0


def test_out_argument():
    x = to_pytensor(A)
    out = pytensor.empty(0, dtype=pytensor.float64)
    assert pytensor.hstack([x, x], out=out) is out
    assert_same(out, torch.hstack([A, A]))
    assert_same(pytensor.norm(x, out=out), A.norm())


def test_results_have_names():
    result = pytensor.nanmedian(pytensor.tensor([[1.0, 2.0]]), 1)
    values, indices = result
    assert result.values is values
    assert result.indices is indices
    assert "return_types.nanmedian(" in repr(result)


X = torch.arange(24.0).reshape(4, 6)
ERRORS = [
    ("hstack", ([],)),
    ("hstack", (V,)),
    ("hstack", ([V, A],)),
    ("vstack", ([V, B],)),
    ("column_stack", ([],)),
    ("atleast_1d", (3,)),
    ("tensor_split", (X, 0)),
    ("tensor_split", (X, -1)),
    ("tensor_split", (X, 2.5)),
    ("tensor_split", (X, torch.tensor([1.0]))),
    ("tensor_split", (X, torch.tensor([[1]]))),
    ("tensor_split", (S, 2)),
    ("tensor_split", (X, 2, 3)),
    ("hsplit", (X, 4)),
    ("hsplit", (X, 0)),
    ("hsplit", (S, 4)),
    ("vsplit", (V, 3)),
    ("dsplit", (X, 3)),
    ("rot90", (X, 1, [0])),
    ("rot90", (V,)),
    ("rot90", (X, 1, [0, 0])),
    ("rot90", (X, 1, [0, 5])),
    ("rot90", (X, 1, [0, -2])),
    ("fliplr", (V,)),
    ("flipud", (S,)),
    ("block_diag", (CUBE,)),
    ("block_diag", (3,)),
    ("cartesian_prod", (A,)),
    ("cartesian_prod", ()),
    ("combinations", (A,)),
    ("combinations", (V, -1)),
    ("unravel_index", (torch.tensor(5), (3, -4))),
    ("unravel_index", (torch.tensor(5.0), (3, 4))),
    ("unravel_index", (torch.tensor(5), (3.0, 4))),
    ("tril_indices", (-1, 4)),
    ("triu_indices", (3, -4)),
    ("diff", (S,)),
    ("diff", (V, -1)),
    ("diff", (A, 1, 3)),
    ("diff", (A, 1, -1, V)),
    ("diff", (A, 1, -1, torch.ones(3, 1).double())),
    ("gradient", (torch.ones(1),)),
    ("trapezoid", (A, torch.ones(2))),
    ("trapezoid", (A > 0,)),
    ("trapezoid", (S,)),
    ("trapezoid", (V, V > 0)),
    ("cumulative_trapezoid", (S,)),
    ("vander", (A,)),
    ("vander", (V, -1)),
    ("cov", (CUBE,)),
    ("cov", (A > 0,)),
    ("corrcoef", (CUBE,)),
    ("quantile", (INTS, 0.5)),
    ("quantile", (A, 1.5)),
    ("quantile", (A, torch.tensor([1.5]).double())),
    ("quantile", (A, torch.tensor([0.5]))),
    ("quantile", (A, torch.ones(1, 1).double())),
    ("quantile", (torch.ones(0), 0.5)),
    ("quantile", (A, [0.5])),
    ("nanmean", (INTS,)),
    ("nanmedian", (torch.ones(2, 0), 1)),
    ("histogram", (V, 0)),
    ("histogram", (V, torch.ones(2, 2).double())),
    ("histogram", (V, torch.ones(2))),
    ("cdist", (A, B)),
    ("cdist", (A, A, -1.0)),
    ("cdist", (INTS, INTS)),
    ("cdist", (V, V)),
    ("cdist", (A, A.float())),
    ("cdist", (A, A, 2.0, "x")),
    ("pdist", (V,)),
    ("pdist", (A, -1)),
    ("pdist", (INTS,)),
    ("cosine_similarity", (INTS, INTS)),
    ("cosine_similarity", (A, B)),
    ("renorm", (A, -1, 0, 1)),
    ("renorm", (A, 2, 5, 1)),
    ("renorm", (A, 2, 0, -1)),
    ("renorm", (V, 2, 0, 1)),
    ("norm", (INTS,)),
    ("norm", (A, "x")),
    ("norm", (A, "nuc", 0)),
    ("norm", (CUBE, "nuc")),
    ("norm", (CUBE, "fro", (0, 1, 2))),
    ("norm", (A, "fro", (0, 0))),
    ("norm", (torch.ones(0, 2), inf)),
    ("tensordot", (A, B, 3)),
    ("tensordot", (A, B, -1)),
    ("tensordot", (A, B, ([0], [0]))),
    ("tensordot", (A, B, ([0, 1], [0]))),
    ("tensordot", (A, A, ([0, 0], [0, 0]))),
    ("tensordot", (A, B, [1, 0])),
    ("tensordot", (A, B, ([5], [0]))),
    ("chain_matmul", ()),
    ("chain_matmul", (V, B)),
    ("chain_matmul", (A, A)),
    ("cross", (B[:2], B[:2], 0)),
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("case", ERRORS, ids=lambda c: c[0])
def test_errors_like_torch(case):
    name, args = case
    check_same_error(getattr(pytensor, name), getattr(torch, name), *args)


def test_errors_of_keyword_arguments():
    ours, theirs = pytensor.cov, torch.cov
    for weights in ([1.0, 2.0, 3.0], [1, 2], [1, -2, 3]):
        check_same_error(ours, theirs, A, fweights=torch.tensor(weights))
    for weights in ([1, 2, 3], [1.0, 2.0], [-1.0, 2.0, 3.0], [0.0, 0.0, 0.0]):
        check_same_error(ours, theirs, A, aweights=torch.tensor(weights))
    ours, theirs = pytensor.gradient, torch.gradient
    check_same_error(ours, theirs, A, spacing=[2.0, 3.0, 4.0])
    check_same_error(ours, theirs, V, edge_order=3)
    check_same_error(ours, theirs, A, dim=(0, 0))
    check_same_error(pytensor.histogram, torch.histogram, V, 4, range=(1.0, 0.0))
    check_same_error(pytensor.histogram, torch.histogram, V, 4, range=(0.0, inf))
    check_same_error(pytensor.quantile, torch.quantile, A, 0.5, interpolation="x")


def test_methods_are_the_functions():
    from pytensor.functional import TENSOR_METHODS

    for name in TENSOR_METHODS:
        assert hasattr(pytensor.Tensor, name), name
