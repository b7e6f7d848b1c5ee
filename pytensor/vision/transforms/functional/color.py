"""Brightness, contrast, saturation, hue, gamma and gray of images."""

from __future__ import annotations

from typing import Any

import pytensor
from pytensor import Tensor
from pytensor.vision._pil import pil
from pytensor.vision.transforms.functional.common import (
    get_image_num_channels,
    is_tensor,
    max_value,
    need_channels,
)
from pytensor.vision.transforms.functional.convert import convert_image_dtype

__all__ = [
    "adjust_brightness",
    "adjust_contrast",
    "adjust_gamma",
    "adjust_hue",
    "adjust_saturation",
    "rgb_to_grayscale",
    "to_grayscale",
]


def _enhanced(img: Any, what: str, factor: float) -> Any:
    from PIL import ImageEnhance

    return getattr(ImageEnhance, what)(img).enhance(factor)


def blend(img: Tensor, other: Any, factor: float) -> Tensor:
    """`factor` of one image and the rest of another, within the dtype's bounds."""
    mixed = img * float(factor) + other * (1.0 - float(factor))
    return mixed.clamp(0, max_value(img.dtype)).to(img.dtype)


def _not_negative(name: str, factor: float) -> None:
    if factor < 0:
        raise ValueError(f"{name} ({factor}) is not non-negative.")


def _gray(img: Tensor) -> Tensor:
    """Luma of ITU-R BT.601, in the image's dtype, (..., 1, H, W)."""
    r, g, b = img.unbind(-3)
    return (r * 0.2989 + g * 0.587 + b * 0.114).to(img.dtype).unsqueeze(-3)


def rgb_to_grayscale(img: Any, num_output_channels: int = 1) -> Any:
    """The image in gray.

    Args:
        img: the image.
        num_output_channels: 1, or 3 equal ones; a tensor of one channel stays that. Default: 1.

    Raises:
        ValueError: another number of channels is asked for.
    """
    if num_output_channels not in (1, 3):
        raise ValueError("num_output_channels should be either 1 or 3")
    if not is_tensor(img):
        return to_grayscale(img, num_output_channels)
    need_channels(img, (1, 3))
    if img.size(-3) == 1:
        return img.clone()
    gray = _gray(img)
    if num_output_channels == 3:
        return gray.expand((*gray.shape[:-3], 3, *gray.shape[-2:]))
    return gray


def to_grayscale(img: Any, num_output_channels: int = 1) -> Any:
    """``rgb_to_grayscale`` of pillow's images."""
    if is_tensor(img):
        raise TypeError("Input should be PIL Image")
    if num_output_channels not in (1, 3):
        raise ValueError("num_output_channels should be either 1 or 3")
    gray = img.convert("L")
    return gray if num_output_channels == 1 else pil().merge("RGB", (gray, gray, gray))


def adjust_brightness(img: Any, brightness_factor: float) -> Any:
    """The image darker (below 1) or brighter (above 1).

    Args:
        img: the image.
        brightness_factor: 0 is black, 1 the image itself.

    Example::

        >>> F = pytensor.vision.transforms.functional
        >>> F.adjust_brightness(pytensor.tensor([[[0.25, 0.75]]]), 2.0)
        tensor([[[0.5000, 1.0000]]])
    """
    if not is_tensor(img):
        return _enhanced(img, "Brightness", brightness_factor)
    _not_negative("brightness_factor", brightness_factor)
    need_channels(img, (1, 3))
    return blend(img, pytensor.zeros((), dtype=pytensor.float32), brightness_factor)


def adjust_contrast(img: Any, contrast_factor: float) -> Any:
    """The image with less (below 1) or more contrast.

    Args:
        img: the image.
        contrast_factor: 0 is plain gray, 1 the image itself.
    """
    if not is_tensor(img):
        return _enhanced(img, "Contrast", contrast_factor)
    _not_negative("contrast_factor", contrast_factor)
    need_channels(img, (1, 3))
    gray = _gray(img) if img.size(-3) == 3 else img
    if not img.is_floating_point():
        gray = gray.to(pytensor.float32)
    return blend(img, gray.mean((-3, -2, -1), keepdim=True), contrast_factor)


def adjust_saturation(img: Any, saturation_factor: float) -> Any:
    """The image with fainter (below 1) or stronger colours.

    Args:
        img: the image.
        saturation_factor: 0 is gray, 1 the image itself.
    """
    if not is_tensor(img):
        return _enhanced(img, "Color", saturation_factor)
    _not_negative("saturation_factor", saturation_factor)
    need_channels(img, (1, 3))
    return img if img.size(-3) == 1 else blend(img, _gray(img), saturation_factor)


def adjust_hue(img: Any, hue_factor: float) -> Any:
    """The image with its colours moved around the colour circle.

    Args:
        img: the image.
        hue_factor: part of the circle, from -0.5 to 0.5.

    Raises:
        ValueError: the factor is out of range.
    """
    if not -0.5 <= hue_factor <= 0.5:
        raise ValueError(f"hue_factor ({hue_factor}) is not in [-0.5, 0.5].")
    if not is_tensor(img):
        return _adjust_hue_pil(img, hue_factor)
    need_channels(img, (1, 3))
    if img.size(-3) == 1:
        return img
    rgb = convert_image_dtype(img, pytensor.float32)
    h, s, v = _to_hsv(rgb)
    return convert_image_dtype(_to_rgb((h + hue_factor) % 1.0, s, v), img.dtype)


def _adjust_hue_pil(img: Any, hue_factor: float) -> Any:
    if img.mode in ("L", "1", "I", "F"):
        return img
    step = int(hue_factor * 255)
    h, s, v = img.convert("HSV").split()
    h = h.point([(i + step) % 256 for i in range(256)])
    return pil().merge("HSV", (h, s, v)).convert(img.mode)


def _to_hsv(rgb: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Hue, saturation and value; gray has hue and saturation 0."""
    r, g, b = rgb.unbind(-3)
    high, low = rgb.amax(-3), rgb.amin(-3)
    gray = high == low
    one = pytensor.ones_like(high)
    chroma = high - low
    s = chroma / pytensor.where(gray, one, high)
    divisor = pytensor.where(gray, one, chroma)
    # Distances of the channels from the brightest one.
    dr, dg, db = ((high - c) / divisor for c in (r, g, b))
    is_r = high == r
    is_g = (high == g) & ~is_r
    is_b = ~(high == g) & ~is_r
    h = is_r * (db - dg) + is_g * (2.0 + dr - db) + is_b * (4.0 + dg - dr)
    return (h / 6.0 + 1.0).fmod(1.0), s, high


def _to_rgb(h: Tensor, s: Tensor, v: Tensor) -> Tensor:
    sector = (h * 6.0).floor()
    f = h * 6.0 - sector
    number = sector.to(pytensor.int32) % 6
    p = (v * (1.0 - s)).clamp(0.0, 1.0)
    q = (v * (1.0 - s * f)).clamp(0.0, 1.0)
    t = (v * (1.0 - s * (1.0 - f))).clamp(0.0, 1.0)
    # Which of the four each channel is, by sixth of the circle.
    orders = ((v, q, p, p, t, v), (t, v, v, q, p, p), (p, p, t, v, v, q))
    channels = []
    for choices in orders:
        channel = choices[0]
        for i in range(1, 6):
            channel = pytensor.where(number == i, choices[i], channel)
        channels.append(channel)
    return pytensor.stack(channels, dim=-3)


def adjust_gamma(img: Any, gamma: float, gain: float = 1) -> Any:
    """``gain * image ** gamma`` of brightness in [0, 1].

    Args:
        img: the image.
        gamma: above 1 makes shadows darker, below 1 brighter.
        gain: factor. Default: 1.

    Raises:
        ValueError: `gamma` is negative.
    """
    if gamma < 0:
        raise ValueError("Gamma should be a non-negative real number")
    if is_tensor(img):
        need_channels(img, (1, 3))
        light = img if img.is_floating_point() else convert_image_dtype(img, pytensor.float32)
        return convert_image_dtype((gain * light**gamma).clamp(0, 1), img.dtype)
    mode = img.mode
    rgb = img.convert("RGB")
    table = [int((255 + 1 - 1e-3) * gain * (i / 255.0) ** gamma) for i in range(256)]
    return rgb.point(table * get_image_num_channels(rgb)).convert(mode)
