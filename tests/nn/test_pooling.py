"""Pooling functions beside torch's: values, gradients, places, shapes and classes of errors.

The layers are in cases.py, the ops themselves in the registry test.
"""

from __future__ import annotations

import itertools

import pytest

import pytensor
import pytensor.nn.functional as F
from tests.nn.twins import assert_close, assert_threads_change_nothing, to_ours, torch
from tests.python.torch_pair import check_call, check_same_error

TF = torch.nn.functional
SHAPES = {1: (2, 3, 19), 2: (2, 3, 9, 21), 3: (1, 2, 5, 6, 7)}


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(1)


def both(name: str):
    return getattr(F, name), getattr(TF, name)


@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize(
    "arguments",
    [
        {"kernel_size": 2},
        {"kernel_size": 3, "stride": 2, "padding": 1},
        {"kernel_size": 3, "stride": 1, "padding": 1, "ceil_mode": True},
        {"kernel_size": 2, "stride": 3, "ceil_mode": True},
        {"kernel_size": 2, "stride": 1, "dilation": 3},
        {"kernel_size": 3, "stride": 2, "padding": 1, "dilation": 2, "ceil_mode": True},
    ],
    ids=str,
)
def test_max_pool(dims, arguments):
    ours, theirs = both(f"max_pool{dims}d")
    x = torch.randn(SHAPES[dims])
    for more in ({}, {"return_indices": True}):
        check_call(ours, theirs, x, **arguments, **more)
        check_call(ours, theirs, x[0], **arguments, **more)


@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize("dtype", ["float64", "float16", "bfloat16", "int32", "uint8"])
def test_max_pool_of_other_types(dims, dtype):
    ours, theirs = both(f"max_pool{dims}d")
    x = (torch.randn(SHAPES[dims]) * 20 + 50).to(getattr(torch, dtype))
    # torch adds gradients of 16-bit floats up in their own type
    tolerance = (1e-2, 1e-2) if "16" in dtype else (None, None)
    check_call(ours, theirs, x, 3, 2, 1, return_indices=True, tolerance=tolerance)


def test_first_of_equal_elements_wins_and_nan_beats_all():
    nan, inf = float("nan"), float("inf")
    rows = [
        [1.0, 1.0, 2.0, 2.0, nan, 3.0, nan, 1.0],
        [1.0, 1.0, 2.0, 5.0, 0.0, nan, 4.0, inf],
        [-inf, -inf, -inf, -inf, -inf, -inf, -inf, -inf],
        [-inf, -inf, -inf, -inf, 0.0, -0.0, -0.0, 0.0],
    ]
    x = torch.tensor([rows])
    for kernel, stride, padding in ((2, 2, 0), (3, 1, 1), (3, 2, 1), (4, 3, 2)):
        check_call(*both("max_pool2d"), x, kernel, stride, padding, return_indices=True, grad=False)
        check_call(*both("max_pool2d"), x, kernel, stride, padding, grad=False)


@pytest.mark.parametrize(
    ("size", "arguments"),
    [
        ((1, 1, 3, 300), (3, 2, 1)),
        ((1, 2, 70, 5), ((65, 2), 1)),  # more rows in a window than are buffered
        ((1, 1, 70, 1), ((70, 1), 1)),
        ((1, 1, 4, 70), (4, 70)),
        ((2, 1, 16, 16), (7, 5, 3)),
        ((1, 1, 1, 1), (1, 1)),
    ],
    ids=str,
)
def test_windows_of_all_sizes(size, arguments):
    x = torch.randn(size)
    check_call(*both("max_pool2d"), x, *arguments, return_indices=True)
    check_call(*both("max_pool2d"), x, *arguments)
    check_call(*both("avg_pool2d"), x, *arguments)


@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize(
    ("kernel", "stride", "padding"), [(2, None, 0), (3, 2, 1), (3, 1, 1), (2, 3, 1), (4, 4, 0)]
)
def test_avg_pool(dims, kernel, stride, padding):
    ours, theirs = both(f"avg_pool{dims}d")
    x = torch.randn(SHAPES[dims])
    for ceil_mode, count_pad in itertools.product((False, True), repeat=2):
        check_call(ours, theirs, x, kernel, stride, padding, ceil_mode, count_pad)
    if dims > 1:
        check_call(ours, theirs, x, kernel, stride, padding, divisor_override=3)
        check_call(ours, theirs, x[0], kernel, stride, padding, divisor_override=-2)


def test_avg_pool_of_other_types():
    for dtype in (torch.float64, torch.float16, torch.bfloat16, torch.int64):
        x = (torch.randn(2, 3, 9, 20) * 9).to(dtype)
        check_call(*both("avg_pool2d"), x, 3, 2, 1, grad=dtype == torch.float64)


@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_adaptive_pools(dims, size):
    x = torch.randn(SHAPES[dims])
    check_call(*both(f"adaptive_avg_pool{dims}d"), x, size)
    check_call(*both(f"adaptive_max_pool{dims}d"), x, size)
    check_call(*both(f"adaptive_max_pool{dims}d"), x[0], size, return_indices=True)
    check_call(*both(f"adaptive_max_pool{dims}d_with_indices"), x, size)


def test_adaptive_pools_keep_a_size():
    x = torch.randn(2, 3, 6, 10)
    for size in ((None, 4), (3, None), (None, None)):
        check_call(*both("adaptive_avg_pool2d"), x, size)
        check_call(*both("adaptive_max_pool2d"), x, size)


@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize("p", [1, 2, 3.5, float("inf"), -float("inf")])
def test_lp_pool(dims, p):
    x = torch.rand(SHAPES[dims]) + 0.1
    check_call(*both(f"lp_pool{dims}d"), x, p, 2)
    check_call(*both(f"lp_pool{dims}d"), x, p, 3, 2, True)


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_max_unpool(dims):
    x = torch.randn(SHAPES[dims])
    values, indices = getattr(TF, f"max_pool{dims}d")(x, 2, return_indices=True)
    ours, theirs = both(f"max_unpool{dims}d")

    def call(function, where):
        return lambda v, **options: function(v, where, 2, **options)

    pair = call(ours, to_ours(indices)), call(theirs, indices)
    check_call(*pair, values, output_size=x.shape[2:])
    check_call(*pair, values, output_size=x.shape)
    x = torch.randn(1, 2, *(6,) * dims)
    values, indices = getattr(TF, f"max_pool{dims}d")(x, 2, return_indices=True)
    check_call(call(ours, to_ours(indices)), call(theirs, indices), values)


def test_fractional_max_pool_draws_as_torch():
    for dims, size in ((2, (3, 5)), (3, (2, 3, 4))):
        x = torch.randn(SHAPES[dims])
        name = f"fractional_max_pool{dims}d"
        for arguments in ({"output_size": size}, {"output_ratio": (0.6,) * dims}):
            torch.manual_seed(3)
            want = getattr(TF, name)(x, 2, return_indices=True, **arguments)
            pytensor.manual_seed(3)
            got = getattr(F, name)(to_ours(x), 2, return_indices=True, **arguments)
            assert_close(list(got), list(want), name, 0, 0)
        samples = torch.rand(*x.shape[:2], dims)
        check_call(
            lambda x, s, name=name, size=size: getattr(F, name)(x, 2, size, _random_samples=s),
            lambda x, s, name=name, size=size: getattr(TF, name)(x, 2, size, _random_samples=s),
            x,
            samples,
            grad=False,
        )


def test_no_places_without_a_gradient():
    x = pytensor.randn(1, 2, 8, 8).requires_grad_()
    assert F.max_pool2d(x, 2).grad_fn is not None
    before = pytensor._C._live()["storages"]
    with pytensor.no_grad():
        y = F.max_pool2d(x, 2)
    made = pytensor._C._live()["storages"] - before
    assert y.grad_fn is None
    before = pytensor._C._live()["storages"]
    pooled = F.max_pool2d(x.detach(), 2, return_indices=True)
    assert pytensor._C._live()["storages"] - before > made > 0
    assert len(pooled) == 2


def test_windows_larger_than_any_image():
    x = pytensor.randn(1, 2, 5, 7)
    everything = F.max_pool2d(x, 2**62, 2**62, 2**61)
    assert everything.equal(x.amax((2, 3), keepdim=True))
    average = F.avg_pool2d(x, 2**20, 2**20, 2**19, count_include_pad=False)
    assert pytensor.allclose(average, x.mean((2, 3), keepdim=True), atol=1e-6)


IMAGE = torch.ones(2, 3, 8, 8)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("max_pool2d", (IMAGE, 0)),
        ("max_pool2d", (IMAGE, -2)),
        ("max_pool2d", (IMAGE, 2, 0)),
        ("max_pool2d", (IMAGE, 2, -1)),
        ("max_pool2d", (IMAGE, 2, None, 2)),
        ("max_pool2d", (IMAGE, 2, None, -1)),
        ("max_pool2d", (IMAGE, 2, None, 0, 0)),
        ("max_pool2d", (IMAGE, 9)),
        ("max_pool2d", (IMAGE, (2, 2, 2))),
        ("max_pool2d", (IMAGE, 2, (1, 1, 1))),
        ("max_pool2d", (IMAGE[0, 0], 2)),
        ("max_pool2d", (IMAGE[None], 2)),
        ("max_pool2d", (IMAGE[:, :, :0], 2)),
        ("max_pool2d", (IMAGE[:, :0], 2)),
        ("max_pool2d", (IMAGE.bool(), 2)),
        ("max_pool1d", (IMAGE, 2)),
        ("max_pool1d", (IMAGE[0].long(), 2)),
        ("max_pool3d", (IMAGE[0, 0], 2)),
        ("avg_pool2d", (IMAGE, 2, None, 2)),
        ("avg_pool2d", (IMAGE, 9)),
        ("avg_pool2d", (IMAGE, 2, None, 0, False, True, 0)),
        ("avg_pool2d", (IMAGE.int(), 2)),
        ("avg_pool1d", (IMAGE, 2)),
        ("avg_pool3d", (IMAGE, 9)),
        ("adaptive_avg_pool2d", (IMAGE, -1)),
        ("adaptive_avg_pool2d", (IMAGE, (1, 2, 3))),
        ("adaptive_avg_pool2d", (IMAGE.long(), 2)),
        ("adaptive_avg_pool2d", (IMAGE[:, :, :0], 2)),
        ("adaptive_max_pool2d", (IMAGE, -1)),
        ("adaptive_max_pool2d", (IMAGE[:, :0], 2)),
        ("fractional_max_pool2d", (IMAGE, 2)),
        ("fractional_max_pool2d", (IMAGE, 9, 2)),
        ("fractional_max_pool2d", (IMAGE.long(), 2, 2)),
        ("max_unpool2d", (IMAGE, IMAGE.long() + 10**6, 2)),
        ("max_unpool2d", (IMAGE, IMAGE.long() - 2, 2)),
        ("max_unpool2d", (IMAGE, IMAGE.int(), 2)),
        ("max_unpool2d", (IMAGE, IMAGE[:1].long(), 2)),
        ("max_unpool2d", (IMAGE, IMAGE.long(), 2, None, 0, (3, 4))),
        ("max_unpool2d", (IMAGE, IMAGE.long(), 2, None, 0, (3,))),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_errors(name, arguments):
    assert check_same_error(*both(name), *arguments)


def test_empty_batches():
    x = torch.ones(0, 3, 8, 8)
    for name, arguments in (
        ("max_pool2d", (2,)),
        ("avg_pool2d", (2,)),
        ("adaptive_avg_pool2d", (3,)),
        ("adaptive_avg_pool2d", (1,)),
        ("adaptive_max_pool2d", (3,)),
    ):
        check_call(*both(name), x, *arguments)


def test_one_thread_and_two_agree_bit_by_bit():
    x = pytensor.randn(4, 16, 60, 61)

    def run():
        leaf = x.clone().requires_grad_()
        pooled = [
            F.max_pool2d(leaf, 3, 2, 1),
            F.avg_pool2d(leaf, 3, 2, 1),
            F.adaptive_avg_pool2d(leaf, 7),
        ]
        sum((p * p).sum() for p in pooled).backward()
        return [*pooled, leaf.grad]

    assert_threads_change_nothing(run)
