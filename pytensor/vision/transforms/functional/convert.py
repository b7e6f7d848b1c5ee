"""Images to tensors and back, dtypes, ``normalize`` and ``erase``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import pytensor
from pytensor import Tensor
from pytensor.vision._pil import is_image, pil
from pytensor.vision.transforms.functional.common import channels_tensor, max_value

__all__ = [
    "convert_image_dtype",
    "erase",
    "normalize",
    "pil_to_tensor",
    "to_pil_image",
    "to_tensor",
]

_PIL_DTYPES = {"I": "int32", "I;16": "int16", "F": "float32"}
# Modes that `to_pil_image` knows by number of channels; the first is the default.
_MODES = {2: ("LA",), 3: ("RGB", "YCbCr", "HSV"), 4: ("RGBA", "CMYK", "RGBX")}
_GRAY = {"uint8": "L", "int16": "I;16", "int32": "I", "float32": "F"}


def _is_array(pic: Any) -> bool:
    numpy = sys.modules.get("numpy")  # without it nothing can be one of its arrays
    return numpy is not None and isinstance(pic, numpy.ndarray)


def _pixels(pic: Any) -> Tensor:
    """The numbers of a pillow image, (C, H, W), in memory of their own."""
    kind = _PIL_DTYPES.get(pic.mode)
    if kind is not None or pic.mode == "1":
        import numpy as np

        array = np.array(pic, dtype=kind or "uint8", copy=True)
        return pytensor.from_numpy(array * 255 if kind is None else array).unsqueeze(0)
    data = bytearray(pic.tobytes())
    shape = pic.height, pic.width, len(pic.getbands())
    if not data:
        return pytensor.empty(shape[2], *shape[:2], dtype=pytensor.uint8)
    flat = pytensor.frombuffer(data, dtype=pytensor.uint8)
    if shape[2] == 1:
        return flat.reshape(1, *shape[:2])
    return flat.reshape(shape).permute(2, 0, 1).contiguous()


def to_tensor(pic: Any) -> Tensor:
    """An image of pillow, or an array (H, W) or (H, W, C), as a tensor (C, H, W).

    Bytes become floating point in [0, 1]; other numbers stay what they are.

    Args:
        pic: the image.

    Raises:
        TypeError: it is neither of them.
        ValueError: an array has another number of dimensions.

    Example::

        >>> import numpy as np
        >>> pytensor.vision.transforms.functional.to_tensor(np.full((1, 2), 51, dtype="uint8"))
        tensor([[[0.2000, 0.2000]]])
    """
    if is_image(pic):
        t = _pixels(pic)
    elif _is_array(pic):
        if pic.ndim not in (2, 3):
            raise ValueError(f"pic should be 2/3 dimensional. Got {pic.ndim} dimensions.")
        t = pytensor.tensor(pic)
        t = t.unsqueeze(0) if pic.ndim == 2 else t.permute(2, 0, 1).contiguous()
    else:
        raise TypeError(f"pic should be PIL Image or ndarray. Got {type(pic)}")
    return t / 255 if t.dtype == pytensor.uint8 else t


def pil_to_tensor(pic: Any) -> Tensor:
    """An image of pillow as a tensor (C, H, W) of its numbers.

    Raises:
        TypeError: it is no image of pillow.
    """
    if not is_image(pic):
        raise TypeError(f"pic should be PIL Image. Got {type(pic)}")
    if pic.mode == "1":
        return _pixels(pic) / 255 != 0
    return _pixels(pic)


def to_pil_image(pic: Any, mode: str | None = None) -> Any:
    """A tensor (C, H, W) or (H, W), or an array (H, W, C) or (H, W), as an image of pillow.

    Floating point in tensors is taken to be in [0, 1].

    Args:
        pic: the image.
        mode: pillow's name of the colour space. Default: by number of channels and dtype.

    Raises:
        TypeError: `pic` is neither, or its dtype has no mode.
        ValueError: dimensions, or `mode`, do not go with an image.
    """
    if isinstance(pic, Tensor):
        if pic.dim() not in (2, 3):
            raise ValueError(f"pic should be 2/3 dimensional. Got {pic.dim()} dimensions.")
        t = pic.detach().unsqueeze(0) if pic.dim() == 2 else pic.detach()
        if t.size(0) > 4:
            raise ValueError(f"pic should not have > 4 channels. Got {t.size(0)} channels.")
        if t.is_floating_point() and mode != "F":
            t = t.mul(255).to(pytensor.uint8)
        array = t.permute(1, 2, 0).contiguous().numpy()
    elif _is_array(pic):
        if pic.ndim not in (2, 3):
            raise ValueError(f"pic should be 2/3 dimensional. Got {pic.ndim} dimensions.")
        array = pic[:, :, None] if pic.ndim == 2 else pic
        if array.shape[-1] > 4:
            raise ValueError(f"pic should not have > 4 channels. Got {array.shape[-1]} channels.")
    else:
        raise TypeError(f"pic should be Tensor or ndarray. Got {type(pic)}.")
    channels = array.shape[2]
    if channels == 1:
        array = array[:, :, 0]
        expected = _GRAY.get(str(array.dtype))
        if mode is not None and mode != expected:
            raise ValueError(
                f"Incorrect mode ({mode}) supplied for input type {array.dtype.type}. Should be "
                f"{expected}"
            )
        mode = expected
    else:
        modes = _MODES[channels]
        if mode is not None and mode not in modes:
            raise ValueError(f"Only modes {list(modes)} are supported for {channels}D inputs")
        if array.dtype != "uint8":
            mode = None
        elif mode is None:
            mode = modes[0]
    if mode is None:
        raise TypeError(f"Input type {array.dtype} is not supported")
    image = pil().fromarray(array)
    if image.mode != mode:  # the numbers mean another colour space than pillow takes them for
        image = pil().frombytes(mode, image.size, image.tobytes())
    return image


def convert_image_dtype(image: Tensor, dtype: Any = pytensor.float32) -> Tensor:
    """The image in another dtype, brightness scaled from one's full value to the other's.

    Args:
        image: a tensor.
        dtype: of the result. Default: float32.

    Raises:
        RuntimeError: floating point cannot hold the integers of `dtype`.

    Example::

        >>> F = pytensor.vision.transforms.functional
        >>> F.convert_image_dtype(pytensor.tensor([0, 51, 255], dtype=pytensor.uint8))
        tensor([0.0000, 0.2000, 1.0000])
    """
    if not isinstance(image, Tensor):
        raise TypeError("Input img should be Tensor Image")
    if image.dtype == dtype:
        return image
    top = max_value(dtype)
    if image.is_floating_point():
        if dtype.is_floating_point:
            return image.to(dtype)
        exact = image.dtype == pytensor.float64
        if (not exact and top > 2**24) or top > 2**53:
            raise RuntimeError(
                f"The cast from {image.dtype} to {dtype} cannot be performed safely."
            )
        # A little less than one more than the top, so that each integer gets an equal share.
        return image.mul(top + 1.0 - 1e-3).to(dtype)
    full = max_value(image.dtype)
    if dtype.is_floating_point:
        return image.to(dtype) / full
    if full > top:
        return pytensor.div(image, (full + 1) // (top + 1), rounding_mode="floor").to(dtype)
    return image.to(dtype) * ((top + 1) // (full + 1))


def normalize(
    tensor: Tensor, mean: Sequence[float], std: Sequence[float], inplace: bool = False
) -> Tensor:
    """``(tensor - mean) / std`` for each channel.

    Args:
        tensor: ``(..., C, H, W)``, floating point.
        mean: a number for each channel.
        std: a number for each channel.
        inplace: whether `tensor` itself is changed. Default: ``False``.

    Raises:
        TypeError: `tensor` is no tensor of floating point.
        ValueError: it has fewer than three dimensions, or `std` has a zero.

    Example::

        >>> image = pytensor.tensor([[[0.0, 1.0]]])
        >>> pytensor.vision.transforms.functional.normalize(image, [0.5], [0.5])
        tensor([[[-1.,  1.]]])
    """
    if not isinstance(tensor, Tensor):
        raise TypeError(f"img should be Tensor Image. Got {type(tensor)}")
    if not tensor.is_floating_point():
        raise TypeError(f"Input tensor should be a float tensor. Got {tensor.dtype}.")
    if tensor.dim() < 3:
        raise ValueError(
            "Expected tensor to be a tensor image of size (..., C, H, W). Got tensor.size() = "
            f"{tensor.size()}"
        )
    shift, scale = (_per_channel(values, tensor.dtype) for values in (mean, std))
    if any(s == 0 for s in (std if isinstance(std, (list, tuple)) else scale.flatten().tolist())):
        raise ValueError(
            f"std evaluated to zero after conversion to {tensor.dtype}, leading to division by "
            "zero."
        )
    if inplace:
        return tensor.sub_(shift).div_(scale)
    return (tensor - shift) / scale


def _per_channel(values: Any, dtype: Any) -> Tensor:
    if isinstance(values, (list, tuple)) and all(type(v) in (float, int) for v in values):
        return channels_tensor(tuple(values), dtype)
    t = pytensor.as_tensor(values, dtype=dtype)
    return t.reshape(-1, 1, 1) if t.dim() == 1 else t


def erase(img: Tensor, i: int, j: int, h: int, w: int, v: Tensor, inplace: bool = False) -> Tensor:
    """The image with a rectangle of another value.

    Args:
        img: ``(..., C, H, W)``.
        i, j: top and left of the rectangle.
        h, w: its height and width.
        v: the value, or values, in it.
        inplace: whether `img` itself is changed. Default: ``False``.

    Raises:
        TypeError: `img` is no tensor.
    """
    if not isinstance(img, Tensor):
        raise TypeError(f"img should be Tensor Image. Got {type(img)}")
    if not inplace:
        img = img.clone()
    img[..., i : i + h, j : j + w] = v
    return img
