"""Parts, borders, mirror images and sizes of images."""

from __future__ import annotations

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

__all__ = [
    "center_crop",
    "crop",
    "five_crop",
    "hflip",
    "pad",
    "resize",
    "resized_crop",
    "ten_crop",
    "vflip",
]

_PADDING_MODES = ("constant", "edge", "reflect", "symmetric")


def hflip(img: Any) -> Any:
    """The image with left and right exchanged."""
    if is_tensor(img):
        return img.flip(-1)
    return img.transpose(pil().Transpose.FLIP_LEFT_RIGHT)


def vflip(img: Any) -> Any:
    """The image upside down."""
    if is_tensor(img):
        return img.flip(-2)
    return img.transpose(pil().Transpose.FLIP_TOP_BOTTOM)


def crop(img: Any, top: int, left: int, height: int, width: int) -> Any:
    """A rectangle of the image; what lies outside of it is black.

    Args:
        img: the image.
        top, left: of the rectangle.
        height, width: of the rectangle.
    """
    if not is_tensor(img):
        return img.crop((left, top, left + width, top + height))
    h, w = img.shape[-2:]
    bottom, right = top + height, left + width
    inside = img[..., max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
    if top < 0 or left < 0 or bottom > h or right > w:
        # as much as is missing on each side: the part that is inside has at most what was asked
        rows, columns = inside.shape[-2:]
        above, before = min(max(-top, 0), height), min(max(-left, 0), width)
        borders = [before, width - before - columns, above, height - above - rows]
        return functional.pad(inside, borders)
    return inside


def _two(size: Any) -> tuple[int, int]:
    if isinstance(size, (int, float)):
        return int(size), int(size)
    if isinstance(size, (tuple, list)) and len(size) == 1:
        return size[0], size[0]
    height, width = size
    return height, width


def center_crop(img: Any, output_size: int | Sequence[int]) -> Any:
    """The middle of the image, which gets a black border where it is smaller.

    Args:
        img: the image.
        output_size: height and width, or one number for both.

    Example::

        >>> pytensor.vision.transforms.functional.center_crop(pytensor.ones(1, 1, 3), (1, 1))
        tensor([[[1.]]])
    """
    height, width = _two(output_size)
    _, h, w = get_dimensions(img)
    if width > w or height > h:
        x, y = max(width - w, 0), max(height - h, 0)
        img = pad(img, [x // 2, y // 2, (x + 1) // 2, (y + 1) // 2])
        _, h, w = get_dimensions(img)
        if (width, height) == (w, h):
            return img
    return crop(img, round((h - height) / 2.0), round((w - width) / 2.0), height, width)


def five_crop(img: Any, size: int | Sequence[int]) -> tuple[Any, ...]:
    """Four corners (top left, top right, bottom left, bottom right) and the middle.

    Args:
        img: the image.
        size: height and width of each, or one number for both.

    Raises:
        ValueError: the image is smaller.
    """
    if not isinstance(size, int) and len(size) not in (1, 2):
        raise ValueError("Please provide only two dimensions (h, w) for size.")
    height, width = _two(size)
    _, h, w = get_dimensions(img)
    if width > w or height > h:
        raise ValueError(
            f"Requested crop size {(height, width)} is bigger than input size {(h, w)}"
        )
    corners = [(y, x) for y in (0, h - height) for x in (0, w - width)]
    parts = [crop(img, y, x, height, width) for y, x in corners]
    return (*parts, center_crop(img, [height, width]))


def ten_crop(img: Any, size: int | Sequence[int], vertical_flip: bool = False) -> tuple[Any, ...]:
    """``five_crop`` of the image and of its mirror image.

    Args:
        img: the image.
        size: as of ``five_crop``.
        vertical_flip: whether the mirror is horizontal. Default: ``False``.
    """
    mirrored = vflip(img) if vertical_flip else hflip(img)
    return five_crop(img, size) + five_crop(mirrored, size)


def pad(
    img: Any, padding: int | Sequence[int], fill: Any = 0, padding_mode: str = "constant"
) -> Any:
    """The image with a border.

    Args:
        img: the image.
        padding: its width: one number; left-and-right and top-and-bottom; or left, top, right and
            bottom.
        fill: its colour. Default: 0.
        padding_mode: ``"constant"``, or ``"edge"`` (the outermost pixels again), ``"reflect"`` or
            ``"symmetric"`` (the image mirrored at the centre or the edge of its outermost
            pixels). Default: ``"constant"``.

    Raises:
        TypeError, ValueError: an argument has another form.

    Example::

        >>> F = pytensor.vision.transforms.functional
        >>> F.pad(pytensor.tensor([[[1, 2]]]), [1, 0], padding_mode="edge")
        tensor([[[1, 1, 2, 2]]])
    """
    if not isinstance(padding, (int, tuple, list)):
        raise TypeError("Got inappropriate padding arg")
    if not isinstance(padding_mode, str):
        raise TypeError("Got inappropriate padding_mode arg")
    if padding_mode not in _PADDING_MODES:
        raise ValueError("Padding mode should be either constant, edge, reflect or symmetric")
    left, top, right, bottom = _four(padding)
    if is_tensor(img):
        if padding_mode == "constant":
            if isinstance(fill, (list, tuple)):
                if len(fill) != 1:
                    raise ValueError("pad(): a tensor has one fill value for all channels")
                fill = fill[0]
            return functional.pad(img, [left, right, top, bottom], value=fill or 0)
        rows = _places(img.size(-2), top, bottom, padding_mode)
        columns = _places(img.size(-1), left, right, padding_mode)
        return img.index_select(-2, rows).index_select(-1, columns)
    return _pad_pil(img, (left, top, right, bottom), fill, padding_mode)


def _four(padding: Any) -> tuple[int, int, int, int]:
    if isinstance(padding, int):
        return padding, padding, padding, padding
    if len(padding) == 1:
        return padding[0], padding[0], padding[0], padding[0]
    if len(padding) == 2:
        return padding[0], padding[1], padding[0], padding[1]
    if len(padding) == 4:
        return padding[0], padding[1], padding[2], padding[3]
    raise ValueError(
        f"Padding must be an int or a 1, 2, or 4 element tuple, not a {len(padding)} element tuple"
    )


def _places(n: int, before: int, after: int, mode: str) -> Tensor:
    """Which of n elements stands at each place of the bordered line."""
    limit = n - 1 if mode == "reflect" else n
    if mode != "edge" and max(before, after) > limit:
        raise ValueError(
            f"pad(): {mode} padding of {max(before, after)} needs a larger image than {n} pixels"
        )
    at = pytensor.arange(-before, n + after)
    if mode == "edge":
        return at.clamp(0, n - 1)
    mirror = 0 if mode == "reflect" else -1
    at = pytensor.where(at < 0, mirror - at, at)
    return pytensor.where(at >= n, 2 * (n - 1) - mirror - at, at)


def _pad_pil(img: Any, borders: tuple[int, int, int, int], fill: Any, mode: str) -> Any:
    left, top, right, bottom = borders
    if mode == "constant":
        from PIL import ImageOps

        image = ImageOps.expand(img, border=borders, **pil_fill(fill, img, name="fill"))
        if img.mode == "P":
            image.putpalette(img.getpalette())
        return image
    import numpy as np

    # Negative borders cut pixels off.
    img = img.crop(
        (max(-left, 0), max(-top, 0), img.width + min(right, 0), img.height + min(bottom, 0))
    )
    widths: list[tuple[int, int]] = [(max(top, 0), max(bottom, 0)), (max(left, 0), max(right, 0))]
    array = np.asarray(img)
    if array.ndim == 3:
        widths.append((0, 0))
    image = pil().fromarray(np.pad(array, widths, mode=mode))  # type: ignore[call-overload]
    if img.mode == "P":
        image.putpalette(img.getpalette())
    return image


def _new_size(img: Any, size: int | Sequence[int] | None, max_size: int | None) -> tuple[int, int]:
    """Height and width after ``resize``."""
    _, h, w = get_dimensions(img)
    if size is not None and not isinstance(size, int) and len(size) == 2:
        if max_size is not None:
            raise ValueError(
                "max_size should only be passed if size specifies the length of the smaller edge, "
                "i.e. size should be an int or a sequence of length 1 in torchscript mode."
            )
        return size[0], size[1]
    short, long = (w, h) if w <= h else (h, w)
    if size is None:
        if max_size is None:
            raise ValueError("max_size must be an integer when size is None.")
        new_short, new_long = int(max_size * short / long), max_size
    else:
        new_short = size if isinstance(size, int) else size[0]
        new_long = int(new_short * long / short)
        if max_size is not None:
            if max_size <= new_short:
                raise ValueError(
                    f"max_size = {max_size} must be strictly greater than the requested size for "
                    f"the smaller edge size = [{new_short}]"
                )
            if new_long > max_size:
                new_short, new_long = int(max_size * new_short / new_long), max_size
    return (new_long, new_short) if w <= h else (new_short, new_long)


def resize(
    img: Any,
    size: int | Sequence[int] | None,
    interpolation: Any = InterpolationMode.BILINEAR,
    max_size: int | None = None,
    antialias: bool | None = True,
) -> Any:
    """The image in another size.

    Args:
        img: the image.
        size: height and width; or the length of the shorter edge, which keeps the proportions; or
            None, which makes the longer edge `max_size`.
        interpolation: an ``InterpolationMode``. Default: bilinear.
        max_size: length that the longer edge must not exceed.
        antialias: whether the filter of tensors is widened where the image shrinks, as pillow does
            in any case. Default: ``True``.

    Raises:
        TypeError, ValueError: an argument has another form, or the mode is not for tensors.

    Example::

        >>> image = pytensor.rand(3, 20, 40)
        >>> pytensor.vision.transforms.functional.resize(image, 10).shape
        torch.Size([3, 10, 20])
    """
    mode = mode_of(interpolation)
    if isinstance(size, (list, tuple)) and len(size) not in (1, 2):
        raise ValueError(f"Size must be an int or a 1 or 2 element tuple/list, not a {len(size)}")
    height, width = _new_size(img, size, max_size)
    _, h, w = get_dimensions(img)
    if (h, w) == (height, width):
        return img
    if not is_tensor(img):
        return img.resize((width, height), pil_mode(mode))
    if mode.value not in ("nearest", "nearest-exact", "bilinear", "bicubic"):
        raise ValueError(f"resize(): tensors have no interpolation mode {mode.value}")
    smooth = mode in (InterpolationMode.BILINEAR, InterpolationMode.BICUBIC)

    def scaled(batch: Tensor) -> Tensor:
        result = functional.interpolate(
            batch,
            size=[height, width],
            mode=mode.value,
            align_corners=False if smooth else None,
            antialias=bool(antialias) and smooth,
        )
        if mode is InterpolationMode.BICUBIC and img.dtype == pytensor.uint8:
            return result.clamp(0, 255)
        return result

    return in_float(img, scaled)


def resized_crop(
    img: Any,
    top: int,
    left: int,
    height: int,
    width: int,
    size: int | Sequence[int],
    interpolation: Any = InterpolationMode.BILINEAR,
    antialias: bool | None = True,
) -> Any:
    """``crop`` and ``resize``; arguments as theirs."""
    part = crop(img, top, left, height, width)
    return resize(part, size, interpolation, antialias=antialias)
