"""Blur, sharpness and maps of brightness."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytensor
from pytensor import Tensor
from pytensor.nn import functional
from pytensor.vision.transforms.functional.color import blend
from pytensor.vision.transforms.functional.common import (
    in_float,
    is_tensor,
    max_value,
    need_channels,
)
from pytensor.vision.transforms.functional.convert import pil_to_tensor, to_pil_image

__all__ = [
    "adjust_sharpness",
    "autocontrast",
    "equalize",
    "gaussian_blur",
    "invert",
    "posterize",
    "solarize",
]


def _bell(size: int, sigma: float, dtype: Any) -> Tensor:
    half = (size - 1) * 0.5 / sigma
    weights = pytensor.linspace(-half, half, size, dtype=dtype).square().mul(-0.5).exp()
    return weights / weights.sum()


def gaussian_blur(img: Any, kernel_size: Any, sigma: Any = None) -> Any:
    """The image with each pixel averaged with its neighbours by a bell curve.

    Args:
        img: the image.
        kernel_size: width and height of the neighbourhood, odd; or one number for both.
        sigma: of the curve, in x and y; or one number for both. Default: grows with the kernel.

    Raises:
        TypeError, ValueError: an argument has another form.
    """
    if not isinstance(kernel_size, (int, list, tuple)):
        raise TypeError(
            f"kernel_size should be int or a sequence of integers. Got {type(kernel_size)}"
        )
    sizes = [kernel_size] * 2 if isinstance(kernel_size, int) else list(kernel_size)
    if len(sizes) != 2:
        raise ValueError(f"If kernel_size is a sequence its length should be 2. Got {len(sizes)}")
    for size in sizes:
        if size % 2 == 0 or size < 0:
            raise ValueError(f"kernel_size should have odd and positive integers. Got {sizes}")
    if sigma is None:
        sigmas = [size * 0.15 + 0.35 for size in sizes]
    elif isinstance(sigma, (int, float)):
        sigmas = [float(sigma)] * 2
    elif isinstance(sigma, (list, tuple)):
        sigmas = [float(s) for s in sigma]
        sigmas = sigmas * 2 if len(sigmas) == 1 else sigmas
        if len(sigmas) != 2:
            raise ValueError(f"If sigma is a sequence, its length should be 2. Got {len(sigmas)}")
    else:
        raise TypeError(f"sigma should be either float or sequence of floats. Got {type(sigma)}")
    for s in sigmas:
        if s <= 0.0:
            raise ValueError(f"sigma should have positive values. Got {sigmas}")
    if not is_tensor(img):
        return to_pil_image(_blurred(pil_to_tensor(img), sizes, sigmas), mode=img.mode)
    return _blurred(img, sizes, sigmas)


def _blurred(img: Tensor, sizes: Sequence[int], sigmas: Sequence[float]) -> Tensor:
    dtype = img.dtype if img.is_floating_point() else pytensor.float32
    x, y = (_bell(n, s, dtype) for n, s in zip(sizes, sigmas))
    kernel = y.unsqueeze(-1) * x

    def averaged(batch: Tensor) -> Tensor:
        channels = batch.size(1)
        border = [n // 2 for n in sizes]
        padded = functional.pad(batch, [border[0], border[0], border[1], border[1]], mode="reflect")
        weight = kernel.to(batch.dtype).expand(channels, 1, *kernel.shape).contiguous()
        return functional.conv2d(padded, weight, groups=channels)

    return in_float(img, averaged, dtype)


def invert(img: Any) -> Any:
    """The negative of the image."""
    if not is_tensor(img):
        from PIL import ImageOps

        return ImageOps.invert(img)
    need_channels(img, (1, 3))
    return max_value(img.dtype) - img


def posterize(img: Any, bits: int) -> Any:
    """The image with only the highest bits of each number.

    Args:
        img: the image; a tensor of bytes.
        bits: how many, from 0 to 8.
    """
    if not 0 <= bits <= 8:
        raise ValueError(f"The number if bits should be between 0 and 8. Got {bits}")
    if not is_tensor(img):
        from PIL import ImageOps

        return ImageOps.posterize(img, bits)
    if img.dtype != pytensor.uint8:
        raise TypeError(f"Only torch.uint8 image tensors are supported, but found {img.dtype}")
    need_channels(img, (1, 3))
    return img & (256 - (1 << (8 - bits)) & 255)


def solarize(img: Any, threshold: float) -> Any:
    """The image with what is as bright as a threshold, or brighter, inverted.

    Args:
        img: the image.
        threshold: a brightness.
    """
    if not is_tensor(img):
        from PIL import ImageOps

        return ImageOps.solarize(img, threshold)  # type: ignore[arg-type]
    need_channels(img, (1, 3))
    if threshold > max_value(img.dtype):
        raise TypeError("Threshold should be less than bound of img.")
    return pytensor.where(img >= threshold, invert(img), img)


def autocontrast(img: Any) -> Any:
    """The image with each channel stretched to the whole range."""
    if not is_tensor(img):
        from PIL import ImageOps

        return ImageOps.autocontrast(img)
    need_channels(img, (1, 3))
    full = max_value(img.dtype)
    dtype = img.dtype if img.is_floating_point() else pytensor.float32
    low = img.amin((-2, -1), keepdim=True).to(dtype)
    high = img.amax((-2, -1), keepdim=True).to(dtype)
    scale = (high - low).reciprocal() * full  # as PyTorch rounds full / (high - low)
    flat = ~scale.isfinite()  # one brightness everywhere: nothing to stretch
    low = pytensor.where(flat, pytensor.zeros_like(low), low)
    scale = pytensor.where(flat, pytensor.ones_like(scale), scale)
    return ((img - low) * scale).clamp(0, full).to(img.dtype)


def equalize(img: Any) -> Any:
    """The image with all brightnesses about equally frequent.

    Args:
        img: the image; a tensor of bytes.
    """
    if not is_tensor(img):
        from PIL import ImageOps

        return ImageOps.equalize(img)
    need_channels(img, (1, 3))
    if img.dtype != pytensor.uint8:
        raise TypeError(f"Only torch.uint8 image tensors are supported, but found {img.dtype}")
    planes = img.reshape(-1, img.size(-2) * img.size(-1))
    return pytensor.stack([_equalized(plane) for plane in planes]).reshape(img.shape)


def _equalized(plane: Tensor) -> Tensor:
    counts = pytensor.bincount(plane.to(pytensor.int64), minlength=256)
    used = counts[counts != 0]
    step = int(used[:-1].sum().item()) // 255
    if step == 0:
        return plane
    table = (counts.cumsum(0) - counts + step // 2) // step
    return table.clamp(0, 255).to(pytensor.uint8)[plane.to(pytensor.int64)]


def adjust_sharpness(img: Any, sharpness_factor: float) -> Any:
    """The image blurred (below 1) or sharpened (above 1).

    Args:
        img: the image.
        sharpness_factor: 0 is blurred, 1 the image itself.
    """
    if not is_tensor(img):
        from PIL import ImageEnhance

        return ImageEnhance.Sharpness(img).enhance(sharpness_factor)
    if sharpness_factor < 0:
        raise ValueError(f"sharpness_factor ({sharpness_factor}) is not non-negative.")
    need_channels(img, (1, 3))
    if img.size(-1) <= 2 or img.size(-2) <= 2:
        return img
    dtype = img.dtype if img.is_floating_point() else pytensor.float32
    kernel = pytensor.ones(3, 3, dtype=dtype)
    kernel[1, 1] = 5.0
    kernel /= kernel.sum()

    def smoothed(batch: Tensor) -> Tensor:
        channels = batch.size(1)
        weight = kernel.to(batch.dtype).expand(channels, 1, 3, 3).contiguous()
        result = batch.clone()
        result[..., 1:-1, 1:-1] = functional.conv2d(batch, weight, groups=channels)
        return result

    return blend(img, in_float(img, smoothed, dtype), sharpness_factor)
