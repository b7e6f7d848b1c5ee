"""Images and grids: ``pixel_shuffle``, ``channel_shuffle``, ``grid_sample``, ``affine_grid``.

Part of ``pytensor.nn.functional``; resizing is in ``interpolate.py``, padding in ``padding.py``.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import pytensor
from pytensor import Tensor, _ops

__all__ = [
    "affine_grid",
    "channel_shuffle",
    "grid_sample",
    "native_channel_shuffle",
    "pixel_shuffle",
    "pixel_unshuffle",
]

pixel_shuffle = _ops.pixel_shuffle
pixel_unshuffle = _ops.pixel_unshuffle
channel_shuffle = _ops.channel_shuffle
native_channel_shuffle = _ops.channel_shuffle

_MODES = {"bilinear": 0, "nearest": 1, "bicubic": 2}
_PADDING_MODES = {"zeros": 0, "border": 1, "reflection": 2}


def _align_corners(align_corners: bool | None) -> bool:
    if align_corners is None:
        warnings.warn(
            "Default grid_sample and affine_grid behavior has changed to align_corners=False since "
            "1.3.0. Please specify align_corners=True if the old behavior is desired. See the "
            "documentation of grid_sample for details.",
            stacklevel=3,
        )
    return bool(align_corners)


def grid_sample(
    input: Tensor,
    grid: Tensor,
    mode: str = "bilinear",
    padding_mode: str = "zeros",
    align_corners: bool | None = None,
) -> Tensor:
    """Values of an image or volume at the places that a grid names.

    Args:
        input: ``(N, C, H, W)`` or ``(N, C, D, H, W)``, floating point.
        grid: ``(N, H', W', 2)`` or ``(N, D', H', W', 3)``: x, y (and z) of each place, from -1 at
            one end of the image to 1 at the other.
        mode: ``"bilinear"`` (for volumes trilinear), ``"nearest"`` or ``"bicubic"`` (images only).
            Default: ``"bilinear"``.
        padding_mode: what lies outside: ``"zeros"``, the ``"border"`` elements, or a
            ``"reflection"`` of the image. Default: ``"zeros"``.
        align_corners: whether -1 and 1 are the centres of the corner elements, or the corners of
            the image. Default: ``False``, with a warning.

    Shape:
        The result is ``(N, C, H', W')`` or ``(N, C, D', H', W')``.

    Raises:
        ValueError: the mode is unknown.
        RuntimeError: the shapes or dtypes of input and grid do not go together.

    Example::

        >>> image = pytensor.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
        >>> centre = pytensor.zeros(1, 1, 1, 2)
        >>> pytensor.nn.functional.grid_sample(image, centre, align_corners=False)
        tensor([[[[2.5000]]]])
    """
    if mode not in _MODES:
        raise ValueError(
            "nn.functional.grid_sample(): expected mode to be 'bilinear', 'nearest' or 'bicubic', "
            f"but got: '{mode}'"
        )
    if padding_mode not in _PADDING_MODES:
        raise ValueError(
            "nn.functional.grid_sample(): expected padding_mode to be 'zeros', 'border', or "
            f"'reflection', but got: '{padding_mode}'"
        )
    aligned = _align_corners(align_corners)
    return _ops.grid_sampler(input, grid, _MODES[mode], _PADDING_MODES[padding_mode], aligned)


def _coordinates(n: int, align_corners: bool, like: Tensor) -> Tensor:
    """n places from -1 to 1: the centres of the first and last element, or the outer edges."""
    if n == 1:
        return pytensor.zeros(1, dtype=like.dtype, device=like.device)
    places = pytensor.linspace(-1, 1, n, dtype=like.dtype, device=like.device)
    return places if align_corners else places * ((n - 1) / n)


def affine_grid(theta: Tensor, size: Sequence[int], align_corners: bool | None = None) -> Tensor:
    """The grid for ``grid_sample`` that an affine map makes of an image's own places.

    Args:
        theta: ``(N, 2, 3)`` or ``(N, 3, 4)``, a matrix and a shift for each image or volume.
        size: of the result of ``grid_sample``: ``(N, C, H, W)`` or ``(N, C, D, H, W)``.
        align_corners: as of ``grid_sample``.

    Shape:
        The result is ``(N, H, W, 2)`` or ``(N, D, H, W, 3)``.

    Raises:
        ValueError: theta does not go with the size, or is not floating point.
        NotImplementedError: the size is not of an image or volume.

    Example::

        >>> same = pytensor.tensor([[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]])
        >>> pytensor.nn.functional.affine_grid(same, (1, 1, 1, 2), align_corners=False)
        tensor([[[[-0.5000,  0.0000],
                  [ 0.5000,  0.0000]]]])
    """
    if not theta.is_floating_point():
        raise ValueError(f"Expected theta to have floating point type, but got {theta.dtype}")
    n = len(size) - 2
    if n not in (2, 3):
        raise NotImplementedError(
            "affine_grid only supports 4D and 5D sizes, for 2D and 3D affine transforms, "
            f"respectively. Got size {tuple(size)}."
        )
    if theta.dim() != 3 or tuple(theta.shape[1:]) != (n, n + 1):
        raise ValueError(
            f"Expected a batch of {n}D affine matrices of shape Nx{n}x{n + 1} for size "
            f"{tuple(size)}. Got {theta.shape}."
        )
    if min(size) <= 0:
        raise ValueError(f"Expected non-zero, positive output size. Got {tuple(size)}")
    if theta.shape[0] != size[0]:
        raise RuntimeError(
            f"affine_grid(): expected {size[0]} matrices for size {tuple(size)}, but theta has "
            f"{theta.shape[0]}"
        )
    if align_corners and min(size[2:]) == 1:
        warnings.warn(
            "Since version 1.3.0, affine_grid behavior has changed for unit-size grids when "
            "align_corners=True. This is not an intended use case of affine_grid. See the "
            "documentation of affine_grid for details.",
            stacklevel=2,
        )
    aligned = _align_corners(align_corners)
    spatial = tuple(size[2:])
    # x first, then y, z and a one for the shift.
    columns = [
        _coordinates(spatial[d], aligned, theta)
        .reshape([-1 if i == d else 1 for i in range(n)])
        .expand(spatial)
        for d in reversed(range(n))
    ]
    columns.append(pytensor.ones(spatial, dtype=theta.dtype, device=theta.device))
    points = pytensor.stack(columns, -1).reshape(1, -1, n + 1).expand(size[0], -1, -1)
    return pytensor.bmm(points, theta.transpose(1, 2)).reshape(size[0], *spatial, n)
