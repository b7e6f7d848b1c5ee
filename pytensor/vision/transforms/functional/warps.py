"""Images turned, sheared and seen from another side: ``affine``, ``rotate``, ``perspective``.

A result's pixel is taken from the place in the image that the inverse of the map gives.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pytensor
from pytensor import Tensor
from pytensor.nn import functional
from pytensor.vision._pil import pil
from pytensor.vision.transforms.functional.common import (
    InterpolationMode,
    get_dimensions,
    in_float,
    is_tensor,
    mode_of,
    pil_fill,
    pil_mode,
)

__all__ = ["affine", "perspective", "rotate"]

_TENSOR_MODES = ("nearest", "bilinear")


def _inverse_matrix(
    center: Sequence[float],
    angle: float,
    translate: Sequence[float],
    scale: float,
    shear: Sequence[float],
) -> list[float]:
    """Six numbers of the inverse of: scale, shear and turn about a centre, then shift."""
    turn = math.radians(angle)
    shear_x, shear_y = (math.radians(s) for s in shear)
    # Columns of turn @ shear: its determinant is 1, so its inverse only exchanges elements.
    a = math.cos(turn - shear_y) / math.cos(shear_y)
    c = math.sin(turn - shear_y) / math.cos(shear_y)
    b = -a * math.tan(shear_x) - math.sin(turn)
    d = -c * math.tan(shear_x) + math.cos(turn)
    rows = [[d / scale, -b / scale], [-c / scale, a / scale]]
    x, y = -center[0] - translate[0], -center[1] - translate[1]
    return [
        number for (p, q), middle in zip(rows, center) for number in (p, q, p * x + q * y + middle)
    ]


def _pixels(x0: float, y0: float, w: int, h: int, dtype: Any) -> Tensor:
    """Rows (x, y, 1) of all pixels, the first of which is at (x0, y0)."""
    x = pytensor.linspace(x0, x0 + w - 1, w, dtype=dtype).expand(h, w)
    y = pytensor.linspace(y0, y0 + h - 1, h, dtype=dtype).unsqueeze(-1).expand(h, w)
    return pytensor.stack([x, y, pytensor.ones(h, w, dtype=dtype)], dim=-1).reshape(-1, 3)


def _places(img: Tensor, matrix: Sequence[float], out_w: int, out_h: int) -> Tensor:
    """The grid for ``grid_sample`` of a map of pixels, with the middle as origin."""
    dtype = _grid_dtype(img)
    theta = pytensor.tensor(list(matrix), dtype=dtype).reshape(2, 3)
    base = _pixels(0.5 - out_w * 0.5, 0.5 - out_h * 0.5, out_w, out_h, dtype)
    half = pytensor.tensor([0.5 * img.size(-1), 0.5 * img.size(-2)], dtype=dtype)
    return (base @ (theta.t() / half)).reshape(1, out_h, out_w, 2)


def _grid_dtype(img: Tensor) -> Any:
    return img.dtype if img.is_floating_point() else pytensor.float32


def _sample(img: Tensor, grid: Tensor, mode: str, fill: Any) -> Tensor:
    """The image at the places of a grid; outside of it is `fill`, or 0."""
    channels = img.size(-3) if img.dim() > 2 else 1
    if fill is not None:
        fill = [fill] if isinstance(fill, (int, float)) else list(fill)
        if len(fill) not in (1, channels):
            raise ValueError(
                "The number of elements in 'fill' cannot broadcast to match the number of channels "
                f"of the image ({len(fill)} != {channels})"
            )

    def sampled(batch: Tensor) -> Tensor:
        places = grid.to(batch.dtype).expand(batch.size(0), -1, -1, -1)
        if fill is None:
            return functional.grid_sample(batch, places, mode, "zeros", align_corners=False)
        # One channel more tells how much of a result's pixel comes from inside.
        ones = pytensor.ones((batch.size(0), 1, *batch.shape[-2:]), dtype=batch.dtype)
        both = functional.grid_sample(
            pytensor.cat([batch, ones], 1), places, mode, "zeros", align_corners=False
        )
        values, inside = both[:, :-1], both[:, -1:]
        colour = pytensor.tensor(fill, dtype=batch.dtype).reshape(1, -1, 1, 1)
        if mode == "nearest":
            return pytensor.where(inside < 0.5, colour, values)
        return values * inside + (1.0 - inside) * colour

    return in_float(img, sampled)


def _tensor_mode(mode: InterpolationMode, name: str) -> str:
    if mode.value not in _TENSOR_MODES:
        raise ValueError(f"{name}(): tensors have no interpolation mode {mode.value}")
    return mode.value


def rotate(
    img: Any,
    angle: float,
    interpolation: Any = InterpolationMode.NEAREST,
    expand: bool = False,
    center: Sequence[int] | None = None,
    fill: Any = None,
) -> Any:
    """The image turned.

    Args:
        img: the image.
        angle: degrees, counter-clockwise.
        interpolation: nearest or bilinear; for pillow's images also bicubic. Default: nearest.
        expand: whether the result is as large as the turned image needs. Default: ``False``.
        center: the pixel (x, y) about which it turns. Default: the middle.
        fill: colour of what lies outside: a number, or one for each channel. Default: black.

    Raises:
        TypeError, ValueError: an argument has another form, or the mode is not for tensors.
    """
    mode = mode_of(interpolation)
    if not isinstance(angle, (int, float)):
        raise TypeError("Argument angle should be int or float")
    if center is not None and not isinstance(center, (list, tuple)):
        raise TypeError("Argument center should be a sequence")
    if not is_tensor(img):
        return img.rotate(
            angle, pil_mode(mode), expand=expand, center=center, **pil_fill(fill, img)
        )
    _, h, w = get_dimensions(img)
    middle = [0.0, 0.0] if center is None else [center[0] - w * 0.5, center[1] - h * 0.5]
    matrix = _inverse_matrix(middle, -angle, [0.0, 0.0], 1.0, [0.0, 0.0])
    out_w, out_h = _expanded(matrix, w, h) if expand else (w, h)
    return _sample(img, _places(img, matrix, out_w, out_h), _tensor_mode(mode, "rotate"), fill)


def _expanded(matrix: Sequence[float], w: int, h: int) -> tuple[int, int]:
    """Width and height that hold the corners of the turned image, as pillow counts them."""
    corners = pytensor.tensor(
        [[sx * 0.5 * w, sy * 0.5 * h, 1.0] for sx, sy in ((-1, -1), (-1, 1), (1, 1), (1, -1))]
    )
    turned = corners @ pytensor.tensor(list(matrix)).reshape(2, 3).t()
    middle = pytensor.tensor([w * 0.5, h * 0.5])
    tolerance = 1e-4  # corners that miss a pixel's edge by rounding need no further pixel
    low, high = (turned.amin(0) + middle), (turned.amax(0) + middle)
    high = ((high / tolerance).trunc() * tolerance).ceil()
    low = ((low / tolerance).trunc() * tolerance).floor()
    size = (high - low).tolist()
    return int(size[0]), int(size[1])


def affine(
    img: Any,
    angle: float,
    translate: Sequence[float],
    scale: float,
    shear: float | Sequence[float],
    interpolation: Any = InterpolationMode.NEAREST,
    fill: Any = None,
    center: Sequence[int] | None = None,
) -> Any:
    """The image scaled, sheared and turned about a centre, and shifted.

    Args:
        img: the image.
        angle: degrees, clockwise.
        translate: shift to the right and down, in pixels.
        scale: factor.
        shear: degrees along x; or along x and y.
        interpolation: nearest or bilinear; for pillow's images also bicubic. Default: nearest.
        fill: colour of what lies outside: a number, or one for each channel. Default: black.
        center: the pixel (x, y) that stays. Default: the middle.

    Raises:
        TypeError, ValueError: an argument has another form, or the mode is not for tensors.
    """
    mode = mode_of(interpolation)
    if not isinstance(angle, (int, float)):
        raise TypeError("Argument angle should be int or float")
    if not isinstance(translate, (list, tuple)):
        raise TypeError("Argument translate should be a sequence")
    if len(translate) != 2:
        raise ValueError("Argument translate should be a sequence of length 2")
    if scale <= 0.0:
        raise ValueError("Argument scale should be positive")
    if not isinstance(shear, (int, float, list, tuple)):
        raise TypeError("Shear should be either a single value or a sequence of two values")
    shears = [shear, 0.0] if isinstance(shear, (int, float)) else list(shear)
    shears = shears * 2 if len(shears) == 1 else shears
    if len(shears) != 2:
        raise ValueError(f"Shear should be a sequence containing two values. Got {shear}")
    if center is not None and not isinstance(center, (list, tuple)):
        raise TypeError("Argument center should be a sequence")
    _, h, w = get_dimensions(img)
    if not is_tensor(img):
        middle = [w * 0.5, h * 0.5] if center is None else center
        matrix = _inverse_matrix(middle, angle, translate, scale, shears)
        return img.transform(
            img.size, pil().Transform.AFFINE, matrix, pil_mode(mode), **pil_fill(fill, img)
        )
    middle = [0.0, 0.0] if center is None else [center[0] - w * 0.5, center[1] - h * 0.5]
    matrix = _inverse_matrix(middle, angle, translate, scale, shears)
    return _sample(img, _places(img, matrix, w, h), _tensor_mode(mode, "affine"), fill)


def perspective(
    img: Any,
    startpoints: Sequence[Sequence[int]],
    endpoints: Sequence[Sequence[int]],
    interpolation: Any = InterpolationMode.BILINEAR,
    fill: Any = None,
) -> Any:
    """The image seen from another side.

    Args:
        img: the image.
        startpoints: four pixels (x, y) of the image.
        endpoints: where they are in the result.
        interpolation: nearest or bilinear; for pillow's images also bicubic. Default: bilinear.
        fill: colour of what lies outside: a number, or one for each channel. Default: black.

    Raises:
        ValueError: there are not four points, or the mode is not for tensors.
    """
    mode = mode_of(interpolation)
    if len(startpoints) != 4 or len(endpoints) != 4:
        raise ValueError(
            "Please provide exactly four corners, got "
            f"{len(startpoints)} startpoints and {len(endpoints)} endpoints."
        )
    numbers = _homography(endpoints, startpoints)
    if not is_tensor(img):
        return img.transform(
            img.size, pil().Transform.PERSPECTIVE, numbers, pil_mode(mode), **pil_fill(fill, img)
        )
    _, h, w = get_dimensions(img)
    dtype = _grid_dtype(img)
    base = _pixels(0.5, 0.5, w, h, dtype)
    upper = pytensor.tensor(numbers[:6], dtype=dtype).reshape(2, 3).t()
    lower = pytensor.tensor([*numbers[6:], 1.0], dtype=dtype).reshape(3, 1)
    half = pytensor.tensor([0.5 * w, 0.5 * h], dtype=dtype)
    grid = (base @ (upper / half)) / (base @ lower) - 1.0
    mode_name = _tensor_mode(mode, "perspective")
    return _sample(img, grid.reshape(1, h, w, 2), mode_name, fill)


def _homography(source: Sequence[Sequence[int]], target: Sequence[Sequence[int]]) -> list[float]:
    """Eight numbers of the projective map that takes four points to four others."""
    rows = []
    for (x, y), (u, v) in zip(source, target):
        rows.append([x, y, 1, 0, 0, 0, -u * x, -u * y])
        rows.append([0, 0, 0, x, y, 1, -v * x, -v * y])
    left = pytensor.tensor(rows, dtype=pytensor.float64)
    right = pytensor.tensor([float(c) for point in target for c in point], dtype=pytensor.float64)
    return pytensor.linalg.solve(left, right).to(pytensor.float32).tolist()
