"""``interpolate`` and the names it had before. Part of ``pytensor.nn.functional``."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

from pytensor import Tensor, _ops
from pytensor.nn.functional.adaptive_pooling import (
    adaptive_avg_pool1d,
    adaptive_avg_pool2d,
    adaptive_avg_pool3d,
)

__all__ = ["interpolate", "upsample", "upsample_bilinear", "upsample_nearest"]

_resample = _ops.internal["_resample"]

# Spatial dimensions that a mode is for (0: any), and the weights it takes.
_MODES = {
    "nearest": (0, "nearest"),
    "nearest-exact": (0, "nearest-exact"),
    "area": (0, ""),
    "linear": (1, "linear"),
    "bilinear": (2, "linear"),
    "trilinear": (3, "linear"),
    "bicubic": (2, "cubic"),
    "lanczos": (2, "lanczos"),
}


def _as_list(name: str, value: object, spatial: int, sizes: object) -> list[object]:
    """One entry a dimension."""
    if not isinstance(value, (list, tuple)):
        return [value] * spatial
    if len(value) != spatial:
        raise ValueError(
            f"interpolate(): the input has {spatial} spatial dimensions {sizes}, but {name} has "
            f"{len(value)} entries: {value}"
        )
    return list(value)


def interpolate(
    input: Tensor,
    size: int | Sequence[int] | None = None,
    scale_factor: float | Sequence[float] | None = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Tensor:
    """Resizes the dimensions after the second.

    Args:
        input: ``(N, C, L)``, ``(N, C, H, W)`` or ``(N, C, D, H, W)``.
        size: the new size, an int or one for each dimension.
        scale_factor: instead of it, what sizes are multiplied by, one number or one for each
            dimension.
        mode: ``"nearest"``, ``"nearest-exact"`` (with pixel centres where image libraries have
            them), ``"linear"``, ``"bilinear"``, ``"trilinear"``, ``"bicubic"``, ``"area"`` (an
            adaptive average) or, with `antialias`, ``"lanczos"``. Default: ``"nearest"``.
        align_corners: whether the centres of the corner elements stay where they are, or the
            corners of the image. For the linear and cubic modes. Default: ``False``.
        recompute_scale_factor: whether the factor is computed from the rounded sizes, instead of
            taken as given. Default: ``False``.
        antialias: whether bilinear and bicubic widen their filter where they shrink the image.
            Default: ``False``.

    Raises:
        ValueError: not exactly one of `size` and `scale_factor` is given, it has another number
            of entries than there are dimensions, or an option does not go with the mode.
        NotImplementedError: the mode does not work for that many dimensions.

    Example::

        >>> row = pytensor.tensor([[[1.0, 3.0]]])
        >>> pytensor.nn.functional.interpolate(row, scale_factor=2)
        tensor([[[1., 1., 3., 3.]]])
        >>> pytensor.nn.functional.interpolate(row, size=3, mode="linear", align_corners=True)
        tensor([[[1., 2., 3.]]])
    """
    smooth = mode not in ("nearest", "nearest-exact", "area")
    if align_corners is not None and not smooth:
        raise ValueError(f"interpolate(): align_corners does not go with mode {mode!r}")
    spatial = input.dim() - 2
    shape = input.shape[2:]
    if (size is None) == (scale_factor is None):
        raise ValueError("interpolate(): give either size or scale_factor, and not both")
    scales: list[float] | None = None
    if size is not None:
        if recompute_scale_factor:
            raise ValueError("interpolate(): recompute_scale_factor means nothing with a size")
        sizes = _as_list("size", size, spatial, list(shape))
        for n in sizes:
            if not hasattr(n, "__index__"):
                raise TypeError(f"interpolate(): expected size to be of ints, but got {size}")
    else:
        factors: list[float] = _as_list(  # type: ignore[assignment]
            "scale_factor", scale_factor, spatial, list(shape)
        )
        sizes = [int(n * factor) for n, factor in zip(shape, factors)]
        if not (recompute_scale_factor or mode == "area"):
            scales = factors
    if antialias and not (mode in ("bilinear", "bicubic", "lanczos") and spatial == 2):
        raise ValueError(
            "interpolate(): antialias goes with the modes bilinear, bicubic and lanczos and 4-D "
            f"inputs, but got mode {mode!r} and {input.dim()}-D input"
        )
    wanted, weights = _MODES.get(mode, (-1, ""))
    if wanted < 0 or spatial not in (1, 2, 3) or wanted not in (0, spatial):
        raise NotImplementedError(
            f"interpolate(): mode {mode!r} is not there for {input.dim()}-D input; there are "
            "nearest, nearest-exact and area for 3-D to 5-D, linear for 3-D, bilinear, bicubic "
            "and lanczos for 4-D, trilinear for 5-D"
        )
    if mode == "lanczos" and (align_corners or not antialias):
        raise ValueError("interpolate(): lanczos needs antialias=True and align_corners=False")
    if mode == "area":
        average = (adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d)[spatial - 1]
        return average(input, tuple(sizes))  # type: ignore[arg-type]
    result: Tensor = _resample(input, sizes, weights, bool(align_corners), scales, antialias)
    return result


def upsample(
    input: Tensor,
    size: int | Sequence[int] | None = None,
    scale_factor: float | Sequence[float] | None = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
) -> Tensor:
    """Deprecated: ``interpolate``, whose arguments it takes."""
    warnings.warn(
        "`nn.functional.upsample` is deprecated. Use `nn.functional.interpolate` instead.",
        stacklevel=2,
    )
    return interpolate(input, size, scale_factor, mode, align_corners)


def upsample_nearest(
    input: Tensor,
    size: int | Sequence[int] | None = None,
    scale_factor: float | Sequence[float] | None = None,
) -> Tensor:
    """Deprecated: ``interpolate`` in mode ``"nearest"``."""
    warnings.warn(
        "`nn.functional.upsample_nearest` is deprecated. Use `nn.functional.interpolate` instead.",
        stacklevel=2,
    )
    return interpolate(input, size, scale_factor, "nearest")


def upsample_bilinear(
    input: Tensor,
    size: int | Sequence[int] | None = None,
    scale_factor: float | Sequence[float] | None = None,
) -> Tensor:
    """Deprecated: ``interpolate`` in mode ``"bilinear"`` with ``align_corners=True``."""
    warnings.warn(
        "`nn.functional.upsample_bilinear` is deprecated. Use `nn.functional.interpolate` instead.",
        stacklevel=2,
    )
    return interpolate(input, size, scale_factor, "bilinear", align_corners=True)
