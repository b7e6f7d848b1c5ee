"""What the functions of this folder share: kinds of images, their sizes, dtypes and fill values."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any

import pytensor
from pytensor import Tensor
from pytensor.vision._pil import is_image

__all__ = [
    "InterpolationMode",
    "get_dimensions",
    "get_image_num_channels",
    "get_image_size",
]


class InterpolationMode(Enum):
    """How values between pixels are found. Tensors know the first four."""

    NEAREST = "nearest"
    NEAREST_EXACT = "nearest-exact"
    BILINEAR = "bilinear"
    BICUBIC = "bicubic"
    BOX = "box"
    HAMMING = "hamming"
    LANCZOS = "lanczos"


# Pillow's numbers of the modes, which older programs give.
_NUMBERS = {
    "nearest": 0,
    "nearest-exact": 0,
    "lanczos": 1,
    "bilinear": 2,
    "bicubic": 3,
    "box": 4,
    "hamming": 5,
}


def mode_of(interpolation: Any) -> InterpolationMode:
    """The mode of an ``InterpolationMode`` or of pillow's number."""
    if isinstance(interpolation, InterpolationMode):
        return interpolation
    if isinstance(interpolation, int):
        modes = {0: "nearest", 1: "lanczos", 2: "bilinear", 3: "bicubic", 4: "box", 5: "hamming"}
        if int(interpolation) in modes:
            return InterpolationMode(modes[int(interpolation)])
    raise TypeError(
        "Argument interpolation should be a InterpolationMode or a corresponding Pillow integer "
        "constant"
    )


def pil_mode(mode: InterpolationMode) -> int:
    """Pillow's number of a mode."""
    return _NUMBERS[mode.value]


def is_tensor(img: Any) -> bool:
    """Whether an image is a tensor; False: one of pillow's.

    Raises:
        TypeError: it is neither, or a tensor without height and width.
    """
    if isinstance(img, Tensor):
        if img.dim() < 2:
            raise TypeError("Tensor is not a torch image.")
        return True
    if not is_image(img):
        raise TypeError(f"Unexpected type {type(img)}")
    return False


def get_dimensions(img: Any) -> list[int]:
    """Channels, height and width of an image.

    Example::

        >>> pytensor.vision.transforms.functional.get_dimensions(pytensor.zeros(3, 5, 4))
        [3, 5, 4]
    """
    if is_tensor(img):
        return [1 if img.dim() == 2 else img.size(-3), img.size(-2), img.size(-1)]
    return [len(img.getbands()), img.height, img.width]


def get_image_size(img: Any) -> list[int]:
    """Width and height of an image."""
    return get_dimensions(img)[:0:-1]


def get_image_num_channels(img: Any) -> int:
    """Number of channels of an image."""
    return get_dimensions(img)[0]


def need_channels(img: Any, permitted: Sequence[int]) -> None:
    """Raises a TypeError for another number of channels."""
    channels = get_image_num_channels(img)
    if channels not in permitted:
        raise TypeError(
            f"Input image tensor permitted channel values are {list(permitted)}, but found "
            f"{channels}"
        )


_MAXIMA = {
    pytensor.uint8: 255,
    pytensor.int8: 127,
    pytensor.int16: 32767,
    pytensor.int32: 2**31 - 1,
    pytensor.int64: 2**63 - 1,
}


def max_value(dtype: Any) -> int:
    """The number that stands for full brightness."""
    return _MAXIMA.get(dtype, 1)


def in_float(
    img: Tensor, compute: Callable[[Tensor], Tensor], dtype: Any = pytensor.float32
) -> Tensor:
    """``compute(images)`` with the image as a batch (N, C, H, W) of floating point.

    Integers are rounded afterwards. float64 stays what it is.
    """
    given = img.dtype
    batch = img.reshape((-1, *img.shape[-3:])) if img.dim() != 4 else img
    if given not in (dtype, pytensor.float64):
        batch = batch.to(dtype)
    result = compute(batch)
    result = result.reshape((*img.shape[:-3], *result.shape[1 if img.dim() < 3 else -3 :]))
    if img.dim() == 2:
        result = result.reshape(result.shape[-2:])
    if result.dtype != given:
        if not given.is_floating_point:
            result = result.round()
        result = result.to(given)
    return result


def pil_fill(fill: Any, img: Any, name: str = "fillcolor") -> dict[str, Any]:
    """Pillow's keyword argument for the colour of what lies outside of an image.

    Raises:
        ValueError: a colour has not as many numbers as the image has channels.
    """
    bands = len(img.getbands())
    if fill is None:
        fill = 0
    if isinstance(fill, (int, float)) and bands > 1:
        fill = (fill,) * bands
    if isinstance(fill, (list, tuple)):
        if len(fill) == 1:
            fill = tuple(fill) * bands
        elif len(fill) != bands:
            raise ValueError(
                "The number of elements in 'fill' does not match the number of channels of the "
                f"image ({len(fill)} != {bands})"
            )
        fill = tuple(fill)
        if bands == 1:
            fill = fill[0]
    if img.mode != "F":
        whole = isinstance(fill, tuple)
        fill = tuple(int(f) for f in fill) if whole else int(fill)
    return {name: fill}


@functools.lru_cache(maxsize=64)
def channels_tensor(values: tuple[float, ...], dtype: Any) -> Tensor:
    """Numbers of channels as a tensor (C, 1, 1), kept because every image needs them again."""
    return pytensor.tensor(values, dtype=dtype).reshape(-1, 1, 1)
