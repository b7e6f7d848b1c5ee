"""Padding, interpolation, grids and shuffles beside torch's: values, gradients, classes of errors.

The layers are in cases.py, the ops themselves in the registry test.
"""

from __future__ import annotations

import itertools
import warnings

import numpy as np
import pytest

import pytensor
import pytensor.nn.functional as F
from tests.nn.twins import assert_threads_change_nothing, torch
from tests.python.torch_pair import check_call, check_same_error

TF = torch.nn.functional


@pytest.fixture(autouse=True)
def _quiet():
    torch.manual_seed(1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def both(name: str):
    return getattr(F, name), getattr(TF, name)


# --- padding -------------------------------------------------------------------------------------

SHAPES = {1: (2, 3, 9), 2: (2, 3, 7, 20), 3: (2, 2, 4, 5, 6)}


@pytest.mark.parametrize("mode", ["constant", "reflect", "replicate", "circular"])
@pytest.mark.parametrize("dims", [1, 2, 3])
def test_pad(dims, mode):
    x = torch.randn(SHAPES[dims])
    for numbers in ((1, 2, 3, 0, 2, 1), (0, 0, 2, 2, 0, 0), (-1, -2, 0, -1, -1, 0)):
        for given in (x, x[0], x.transpose(0, 1), x[..., 1:]):
            check_call(*both("pad"), given, numbers[: 2 * dims], mode)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "int64", "int32", "uint8", "bool"])
def test_pad_of_other_types(dtype):
    x = (torch.randn(2, 3, 4, 40) * 9).to(getattr(torch, dtype))
    for value in (None, 1, 2.5):
        check_call(*both("pad"), x, (1, 2, 0, 1), value=value)
    # torch adds gradients of 16-bit floats up in their own type
    rough = {"tolerance": (4e-2, 4e-2)} if "16" in dtype else {}
    check_call(*both("pad"), x, (3, 1, 1, 2), "circular", **rough)
    if dtype != "bool":
        check_call(*both("pad"), x, (3, 1, 1, 2), "reflect", **rough)


def test_pad_of_many_dimensions_and_of_nothing():
    x = torch.randn(2, 1, 3, 2, 2, 3)
    check_call(*both("pad"), x, tuple(range(12)), value=1.5)
    check_call(*both("pad"), x, (0, 0, 1, 0, 0, 0, -1, 2))
    check_call(*both("pad"), torch.ones(0, 3), (1, 1, 2, 0), value=4.0)
    check_call(*both("pad"), torch.ones(3), ())
    check_call(*both("pad"), torch.ones(0, 2, 3), (1, 1), "reflect")


X = torch.ones(2, 3, 5, 4)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("pad", (X, (1,))),
        ("pad", (X, (1,) * 10)),
        ("pad", (X, (-3, -2))),
        ("pad", (X, (1, 1), "other")),
        ("pad", (X, (1, 1, 1, 1), "reflect", 1.0)),
        ("pad", (X, (2**62, 2**62))),
        ("pad", (X, (2**40, 2**40, 2**40, 2**40))),
        ("pad", (X, (1, 1), "reflect")),
        ("pad", (X[0, 0, 0], (1, 1), "replicate")),
        ("pad", (X, (4, 4, 1, 1), "reflect")),
        ("pad", (X, (5, 5, 1, 1), "circular")),
        ("pad", (X, (1, 1, -6, 0), "replicate")),
        ("pad", (X[:, :, :0], (1, 1, 1, 1), "reflect")),
        ("pad", (X.bool(), (1, 1, 1, 1), "reflect")),
        ("interpolate", (X,)),
        ("interpolate", (X, 3, 2.0)),
        ("interpolate", (X, (3,))),
        ("interpolate", (X, (3.5, 2))),
        ("interpolate", (X, None, (2.0,))),
        ("interpolate", (X, 3, None, "linear")),
        ("interpolate", (X, 3, None, "trilinear")),
        ("interpolate", (X[0], 3, None, "bilinear")),
        ("interpolate", (X[0], 3, None, "bicubic")),
        ("interpolate", (X[0, 0], 3)),
        ("interpolate", (X, 3, None, "other")),
        ("interpolate", (X, 3, None, "nearest", True)),
        ("interpolate", (X, 3, None, "bilinear", None, True)),
        ("interpolate", (X, 3, None, "nearest", None, None, True)),
        ("interpolate", (X, 3, None, "lanczos")),
        ("interpolate", (X, 0)),
        ("interpolate", (X, -2, None, "bilinear")),
        ("interpolate", (X, None, 0.1)),
        ("interpolate", (X.long(), 3, None, "bilinear")),
        ("interpolate", (X.long(), 3)),
        ("interpolate", (X[:, :0], 3)),
        ("interpolate", (X[:, :, :0], 3)),
        ("pixel_shuffle", (X, 2)),
        ("pixel_shuffle", (X, 0)),
        ("pixel_shuffle", (X[0, 0], 2)),
        ("pixel_unshuffle", (X, 2)),
        ("pixel_unshuffle", (X, -1)),
        ("channel_shuffle", (X, 2)),
        ("channel_shuffle", (X, 0)),
        ("channel_shuffle", (X[0, 0], 1)),
        ("grid_sample", (X, torch.zeros(2, 3, 3, 2), "other")),
        ("grid_sample", (X, torch.zeros(2, 3, 3, 2), "bilinear", "other")),
        ("grid_sample", (X, torch.zeros(1, 3, 3, 2))),
        ("grid_sample", (X, torch.zeros(2, 3, 2))),
        ("grid_sample", (X, torch.zeros(2, 3, 3, 3))),
        ("grid_sample", (X, torch.zeros(2, 3, 3, 2).double())),
        ("grid_sample", (X[:, :, :0], torch.zeros(2, 3, 3, 2))),
        ("grid_sample", (X[None], torch.zeros(1, 3, 3, 3, 3), "bicubic")),
        ("grid_sample", (X.long(), torch.zeros(2, 3, 3, 2))),
        ("affine_grid", (torch.ones(2, 2, 3), (2, 3, 4))),
        ("affine_grid", (torch.ones(2, 2, 3), (2, 3, 4, 5, 6))),
        ("affine_grid", (torch.ones(2, 2, 3), (1, 3, 4, 5))),
        ("affine_grid", (torch.ones(2, 3), (2, 3, 4, 5))),
        ("affine_grid", (torch.ones(2, 2, 3), (2, 3, 0, 5))),
        ("affine_grid", (torch.ones(2, 2, 3).long(), (2, 3, 4, 5))),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_errors(name, arguments):
    assert check_same_error(*both(name), *arguments)


# --- interpolation -------------------------------------------------------------------------------

MODES = {
    1: ["nearest", "nearest-exact", "linear", "area"],
    2: ["nearest", "nearest-exact", "bilinear", "bicubic", "area"],
    3: ["nearest", "nearest-exact", "trilinear", "area"],
}
RESIZED = {1: (2, 3, 11), 2: (2, 2, 7, 10), 3: (1, 2, 4, 5, 6)}


@pytest.mark.parametrize(
    ("dims", "mode"), [(dims, mode) for dims, modes in MODES.items() for mode in modes]
)
def test_interpolate(dims, mode):
    x = torch.randn(RESIZED[dims])
    smooth = mode not in ("nearest", "nearest-exact", "area")
    corners = ({"align_corners": True}, {"align_corners": False}) if smooth else ({},)
    sizes = (
        {"size": 5},
        {"size": (13, 3, 8)[:dims]},
        {"scale_factor": 2},
        {"scale_factor": 1.37},
        {"scale_factor": (0.6, 1.9, 1.6)[:dims]},
        {"scale_factor": 1.37, "recompute_scale_factor": True},
        {"size": RESIZED[dims][2:]},
    )
    for size, corner in itertools.product(sizes, corners):
        check_call(*both("interpolate"), x, mode=mode, **size, **corner)
    for corner in corners:
        # Where a factor leaves the size as it is, torch's gradients are not those of its values.
        check_call(*both("interpolate"), x, scale_factor=1.05, mode=mode, grad=False, **corner)


@pytest.mark.parametrize("mode", ["bilinear", "bicubic", "lanczos"])
def test_interpolate_with_antialiasing(mode):
    x = torch.randn(2, 2, 17, 12)
    for size in ((5, 4), (30, 7), (9, 12)):
        check_call(*both("interpolate"), x, size, mode=mode, antialias=True)
    check_call(*both("interpolate"), x, scale_factor=(0.3, 0.7), mode=mode, antialias=True)
    # torch's gradient is not that of its values here
    check_call(*both("interpolate"), x, scale_factor=1.01, mode=mode, antialias=True, grad=False)


def test_interpolate_reads_the_places_torch_reads():
    """Rounding of the factor decides over the nearest element."""
    for n, factor in itertools.product((10, 63, 64, 100, 301), (0.3, 0.7, 1.01, 1.1, 2.0, 3.3)):
        for shape in ((1, 1, n), (1, 1, 3, n)):
            x = torch.arange(float(np.prod(shape))).reshape(shape)
            for mode in ("nearest", "nearest-exact"):
                if int(shape[2] * factor):
                    check_call(*both("interpolate"), x, scale_factor=factor, mode=mode, grad=False)


@pytest.mark.parametrize("dtype", ["float64", "float16", "bfloat16", "uint8"])
def test_interpolate_of_other_types(dtype):
    x = (torch.rand(2, 3, 9, 14) * (200 if dtype == "uint8" else 1)).to(getattr(torch, dtype))
    rough = {"tolerance": (1e-2, 1e-2)} if "16" in dtype else {}  # torch's weights are 16 bits
    for mode in ("nearest", "nearest-exact"):
        check_call(*both("interpolate"), x, scale_factor=1.7, mode=mode, grad=False)
    if dtype != "uint8":
        for mode in ("bilinear", "bicubic"):
            check_call(*both("interpolate"), x, scale_factor=1.7, mode=mode, grad=False, **rough)
        return
    # Of bytes torch rounds sums differently from size to size: one step may be between them.
    ours = F.interpolate(pytensor.from_numpy(x.numpy()), scale_factor=1.7, mode="bilinear")
    theirs = TF.interpolate(x, scale_factor=1.7, mode="bilinear")
    difference = ours.numpy().astype(int) - theirs.numpy().astype(int)
    assert abs(difference).max() <= 1


def test_names_of_old_for_interpolate():
    x = torch.randn(1, 2, 4, 5)
    for name in ("upsample", "upsample_nearest", "upsample_bilinear"):
        check_call(*both(name), x, scale_factor=2)
        with pytest.warns(UserWarning, match="deprecated"):
            getattr(F, name)(pytensor.ones(1, 2, 4, 5), 7)


# --- grids ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("align_corners", [False, True])
@pytest.mark.parametrize("padding_mode", ["zeros", "border", "reflection"])
@pytest.mark.parametrize("mode", ["bilinear", "nearest", "bicubic"])
def test_grid_sample(mode, padding_mode, align_corners):
    options = {"mode": mode, "padding_mode": padding_mode, "align_corners": align_corners}
    for shape, grid in (((2, 3, 6, 5), (2, 9, 31, 2)), ((1, 2, 1, 4), (1, 3, 4, 2))):
        x, places = torch.randn(shape).double(), (torch.randn(grid) * 1.5).double()
        check_call(*both("grid_sample"), x, places, **options)
        check_call(*both("grid_sample"), x.float(), places.float(), grad=False, **options)
    if mode != "bicubic":
        x, places = torch.randn(2, 3, 4, 5, 6).double(), torch.randn(2, 3, 4, 5, 3).double()
        check_call(*both("grid_sample"), x, places, **options)
        check_call(*both("grid_sample"), x.float(), places.float(), grad=False, **options)


# Points around whole vectors and blocks of them, channels around those that are added together,
# rows too short for pairs.
@pytest.mark.parametrize("mode", ["bilinear", "nearest", "bicubic"])
@pytest.mark.parametrize(
    ("shape", "points"),
    [
        ((2, 1, 3, 1), (1, 1)),
        ((1, 3, 1, 2), (3, 5)),
        ((1, 5, 4, 3), (1, 17)),
        ((1, 9, 7, 5), (1, 255)),
        ((2, 33, 5, 6), (1, 257)),
        ((1, 64, 9, 16), (16, 33)),
    ],
    ids=str,
)
def test_grid_sample_of_odd_sizes(mode, shape, points):
    x, grid = torch.randn(shape), torch.randn(shape[0], *points, 2) * 1.2
    for padding_mode in ("zeros", "border", "reflection"):
        options = {"mode": mode, "padding_mode": padding_mode, "align_corners": False}
        check_call(*both("grid_sample"), x.double(), grid.double(), **options)
        check_call(*both("grid_sample"), x, grid, grad=False, **options)
        for dtype in (pytensor.float16, pytensor.bfloat16):
            half = [pytensor.tensor(t.numpy()).to(dtype) for t in (x, grid)]
            expected = F.grid_sample(*(t.float() for t in half), **options)
            assert pytensor.allclose(
                F.grid_sample(*half, **options).float(), expected, rtol=1e-2, atol=1e-2
            )


@pytest.mark.parametrize("wanted", ["input", "grid"])
def test_grid_sample_gradient_of_one_argument(wanted):
    x, grid = torch.randn(2, 3, 6, 5), torch.randn(2, 9, 31, 2)
    for mode in ("bilinear", "nearest", "bicubic"):
        grads = []
        for module in (pytensor, torch):
            leaves = {"input": module.tensor(x.numpy()), "grid": module.tensor(grid.numpy())}
            leaves[wanted].requires_grad_()
            made = module.nn.functional.grid_sample(**leaves, mode=mode, align_corners=False)
            (made * made).sum().backward()
            assert leaves["grid" if wanted == "input" else "input"].grad is None
            grads.append(leaves[wanted].grad.numpy())
        np.testing.assert_allclose(*grads, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_grid_sample_gradients_of_halves(dtype):
    x, grid = pytensor.randn(2, 3, 6, 5), pytensor.randn(2, 4, 9, 2)
    grads = []
    for make in (lambda t: t.to(getattr(pytensor, dtype)), lambda t: t):
        leaves = [
            make(t.to(getattr(pytensor, dtype)).float()).detach().requires_grad_()
            for t in (x, grid)
        ]
        F.grid_sample(*leaves, align_corners=False).sum().backward()
        grads.append([leaf.grad for leaf in leaves])
    for half, full in zip(*grads, strict=True):
        assert str(half.dtype).endswith(dtype)
        assert pytensor.allclose(half.float(), full, rtol=2e-2, atol=2e-2)


def test_grid_sample_does_not_read_beside_the_points():
    # Only the elements that a point reads count, whatever stands next to them.
    x = torch.full((1, 1, 4, 6), float("inf"))
    x[..., 0] = 2
    x[..., 5] = 3
    x[:, :, 0, :] = 1
    rows = [[-1.1, 0.2], [-0.99, 0.5], [1.1, 0.1], [0.99, -0.3], [0.0, -1.1], [3.0, 0.0]]
    grid = torch.tensor(rows).reshape(1, 1, 6, 2)
    for dtype in (torch.float32, torch.float64):
        for mode in ("bilinear", "nearest"):
            check_call(
                *both("grid_sample"),
                x.to(dtype),
                grid.to(dtype),
                mode=mode,
                align_corners=False,
                grad=False,
            )


def test_grid_sample_at_no_number():
    x = torch.arange(1.0, 28).reshape(1, 1, 3, 3, 3)
    for place in (float("nan"), float("inf"), -float("inf")):
        for mode, padding in itertools.product(("bilinear", "nearest"), ("zeros", "border")):
            for given in (x[:, :, 0], x):
                if place != place and padding == "border" and given is x:
                    continue  # torch takes the other border in three dimensions only
                grid = torch.zeros(1, *[1] * (given.dim() - 2), given.dim() - 2)
                grid[..., 0] = place
                check_call(
                    *both("grid_sample"),
                    given,
                    grid,
                    mode=mode,
                    padding_mode=padding,
                    align_corners=False,
                    grad=False,
                )


def test_grid_sample_of_nothing():
    for shape, points in (((0, 3, 4, 5), (2, 2)), ((2, 0, 4, 5), (2, 2)), ((2, 3, 4, 5), (0, 2))):
        leaf = pytensor.ones(*shape).requires_grad_()
        grid = pytensor.zeros(shape[0], *points, 2).requires_grad_()
        made = F.grid_sample(leaf, grid, align_corners=False)
        assert made.shape == (shape[0], shape[1], *points)
        made.sum().backward()
        assert not leaf.grad.any()
        assert not grid.grad.any()


def test_grid_sample_far_outside():
    x = pytensor.ones(1, 1, 3, 3)
    for place in (float("nan"), float("inf"), -float("inf"), 1e30, -1e30):
        grid = pytensor.full((1, 1, 2, 2), place)
        for mode, padding in itertools.product(
            ("bilinear", "nearest", "bicubic"), ("zeros", "border", "reflection")
        ):
            tracked = F.grid_sample(x.clone().requires_grad_(), grid, mode, padding, False)
            assert tracked.shape == (1, 1, 1, 2)
            tracked.sum().backward()


def test_grid_sample_is_the_same_with_and_without_a_gradient():
    for dtype in (pytensor.float32, pytensor.float64, pytensor.bfloat16):
        x = pytensor.randn(2, 5, 8, 9).to(dtype)
        grid = pytensor.randn(2, 7, 40, 2).to(dtype)
        for mode in ("bilinear", "nearest", "bicubic"):
            plain = F.grid_sample(x, grid, mode, align_corners=False)
            tracked = F.grid_sample(x.clone().requires_grad_(), grid, mode, align_corners=False)
            tolerance = {"rtol": 1e-5, "atol": 1e-5} if x.element_size() > 2 else {"rtol": 1e-2}
            assert pytensor.allclose(plain, tracked.detach(), **tolerance)


@pytest.mark.parametrize("align_corners", [False, True])
def test_affine_grid(align_corners):
    for theta, size in (
        (torch.randn(2, 2, 3), (2, 3, 4, 5)),
        (torch.randn(2, 3, 4), (2, 1, 3, 4, 5)),
    ):
        check_call(*both("affine_grid"), theta, size, align_corners=align_corners)
    check_call(
        *both("affine_grid"), torch.randn(1, 2, 3), (1, 1, 1, 3), align_corners=align_corners
    )


def test_align_corners_warns_when_left_out():
    with pytest.warns(UserWarning, match="align_corners"):
        F.grid_sample(pytensor.ones(1, 1, 2, 2), pytensor.zeros(1, 1, 1, 2))
    with pytest.warns(UserWarning, match="align_corners"):
        F.affine_grid(pytensor.ones(1, 2, 3), (1, 1, 2, 2))


# --- all -----------------------------------------------------------------------------------------


def test_shuffles():
    x = torch.randn(2, 8, 4, 6)
    check_call(*both("pixel_shuffle"), x, 2)
    check_call(*both("pixel_shuffle"), x[None], 2)
    check_call(*both("pixel_unshuffle"), x, 2)
    check_call(*both("channel_shuffle"), x, 4)
    check_call(*both("native_channel_shuffle"), x, 2, grad=False)  # torch has no gradient
    check_call(*both("pixel_shuffle"), x[:, :0], 2, grad=False)


def test_one_thread_and_two_agree_bit_by_bit():
    x = pytensor.randn(2, 16, 50, 61)
    grid = pytensor.randn(2, 70, 80, 2)

    def run():
        leaf, places = x.clone().requires_grad_(), grid.clone().requires_grad_()
        made = [
            F.pad(leaf, (1, 2, 3, 4), "reflect"),
            F.interpolate(leaf, scale_factor=1.7, mode="bicubic"),
            F.interpolate(leaf, size=(20, 20), mode="bilinear", antialias=True),
            F.grid_sample(leaf, places, align_corners=False),
        ]
        sum((t * t).sum() for t in made).backward()
        return [*made, leaf.grad, places.grad]

    assert_threads_change_nothing(run)
