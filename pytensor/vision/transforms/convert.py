"""Transforms from and to tensors, and such as only tensors know."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pytensor
from pytensor import Tensor, nn
from pytensor.vision.transforms import functional as F
from pytensor.vision.transforms.draws import happens, integer, uniform

__all__ = [
    "ConvertImageDtype",
    "LinearTransformation",
    "Normalize",
    "PILToTensor",
    "RandomErasing",
    "ToPILImage",
    "ToTensor",
]


class _Plain:
    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class ToTensor(_Plain):
    """An image of pillow or an array (H, W, C) becomes a tensor (C, H, W), bytes in [0, 1].

    Example::

        >>> import numpy as np
        >>> pytensor.vision.transforms.ToTensor()(np.zeros((28, 28), dtype="uint8")).shape
        torch.Size([1, 28, 28])
    """

    def __call__(self, pic: Any) -> Tensor:
        return F.to_tensor(pic)


class PILToTensor(_Plain):
    """An image of pillow becomes a tensor (C, H, W) of its numbers."""

    def __call__(self, pic: Any) -> Tensor:
        return F.pil_to_tensor(pic)


class ConvertImageDtype(nn.Module):
    """A tensor gets another dtype, its brightness scaled.

    Args:
        dtype: of the result.
    """

    def __init__(self, dtype: Any) -> None:
        super().__init__()
        self.dtype = dtype

    def forward(self, image: Tensor) -> Tensor:
        return F.convert_image_dtype(image, self.dtype)


class ToPILImage:
    """A tensor (C, H, W) or an array (H, W, C) becomes an image of pillow.

    Args:
        mode: pillow's name of the colour space. Default: by number of channels and dtype.
    """

    def __init__(self, mode: str | None = None) -> None:
        self.mode = mode

    def __call__(self, pic: Any) -> Any:
        return F.to_pil_image(pic, self.mode)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({'' if self.mode is None else f'mode={self.mode}'})"


class Normalize(nn.Module):
    """``(tensor - mean) / std`` for each channel.

    Args:
        mean: a number for each channel.
        std: a number for each channel.
        inplace: whether the tensor itself is changed. Default: ``False``.

    Example::

        >>> pytensor.vision.transforms.Normalize([0.5], [0.5])(pytensor.tensor([[[0.0, 1.0]]]))
        tensor([[[-1.,  1.]]])
    """

    def __init__(self, mean: Any, std: Any, inplace: bool = False) -> None:
        super().__init__()
        self.mean = mean
        self.std = std
        self.inplace = inplace

    def forward(self, tensor: Tensor) -> Tensor:
        return F.normalize(tensor, self.mean, self.std, self.inplace)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(mean={self.mean}, std={self.std})"


class LinearTransformation(nn.Module):
    """A tensor, flattened, minus a vector and times a matrix: whitening, for instance.

    Args:
        transformation_matrix: ``(n, n)`` with n = C * H * W.
        mean_vector: ``(n,)``.

    Raises:
        ValueError: sizes do not fit.
    """

    def __init__(self, transformation_matrix: Tensor, mean_vector: Tensor) -> None:
        super().__init__()
        rows, columns = transformation_matrix.shape
        if rows != columns:
            raise ValueError(
                f"transformation_matrix should be square. Got {list(transformation_matrix.shape)}."
            )
        if mean_vector.size(0) != rows:
            raise ValueError(
                f"mean_vector should have the same length {mean_vector.size(0)} as any one of the "
                f"dimensions of the transformation_matrix [{tuple(transformation_matrix.shape)}]"
            )
        self.transformation_matrix = transformation_matrix
        self.mean_vector = mean_vector

    def forward(self, tensor: Tensor) -> Tensor:
        n = math.prod(tensor.shape[-3:])
        if n != self.transformation_matrix.size(0):
            sizes = " x ".join(str(s) for s in tensor.shape[-3:])
            raise ValueError(
                "Input tensor and transformation matrix have incompatible shape."
                f"[{sizes}] != {self.transformation_matrix.size(0)}"
            )
        flat = tensor.reshape(-1, n) - self.mean_vector
        return (flat @ self.transformation_matrix.to(flat.dtype)).reshape(tensor.shape)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(transformation_matrix="
            f"{self.transformation_matrix.tolist()}, mean_vector={self.mean_vector.tolist()})"
        )


class RandomErasing(nn.Module):
    """A rectangle of a tensor gets another value, or noise.

    Args:
        p: probability of that. Default: 0.5.
        scale: range of the rectangle's part of the area. Default: ``(0.02, 0.33)``.
        ratio: range of its height over its width. Default: ``(0.3, 3.3)``.
        value: a number, one for each channel, or ``"random"``. Default: 0.
        inplace: whether the tensor itself is changed. Default: ``False``.

    Raises:
        TypeError, ValueError: an argument has another form.
    """

    def __init__(
        self,
        p: float = 0.5,
        scale: Sequence[float] = (0.02, 0.33),
        ratio: Sequence[float] = (0.3, 3.3),
        value: Any = 0,
        inplace: bool = False,
    ) -> None:
        super().__init__()
        if not isinstance(value, (int, float, str, tuple, list)):
            raise TypeError("Argument value should be either a number or str or a sequence")
        if isinstance(value, str) and value != "random":
            raise ValueError("If value is str, it should be 'random'")
        for name, given in (("Scale", scale), ("Ratio", ratio)):
            if not isinstance(given, Sequence):
                raise TypeError(f"{name} should be a sequence")
        if scale[0] < 0 or scale[1] > 1:
            raise ValueError("Scale should be between 0 and 1")
        if p < 0 or p > 1:
            raise ValueError("Random erasing probability should be between 0 and 1")
        self.p = p
        self.scale = scale
        self.ratio = ratio
        self.value = value
        self.inplace = inplace

    @staticmethod
    def get_params(
        img: Tensor,
        scale: Sequence[float],
        ratio: Sequence[float],
        value: Sequence[float] | None = None,
    ) -> tuple[int, int, int, int, Tensor]:
        """Draws top, left, height, width and values of the rectangle."""
        channels, height, width = img.shape[-3:]
        logs = pytensor.log(pytensor.tensor(list(ratio))).tolist()
        for _ in range(10):
            area = height * width * uniform(scale[0], scale[1])
            aspect = pytensor.exp(pytensor.empty(1).uniform_(logs[0], logs[1])).item()
            h = round(math.sqrt(area * aspect))
            w = round(math.sqrt(area / aspect))
            if not (h < height and w < width):
                continue
            if value is None:
                v = pytensor.empty([channels, h, w], dtype=pytensor.float32).normal_()
            else:
                v = pytensor.tensor(value)[:, None, None]
            return integer(0, height - h + 1), integer(0, width - w + 1), h, w, v
        return 0, 0, height, width, img

    def forward(self, img: Tensor) -> Tensor:
        if not happens(self.p):
            return img
        if isinstance(self.value, (int, float)):
            value: list[float] | None = [float(self.value)]
        else:
            value = None if isinstance(self.value, str) else [float(v) for v in self.value]
        if value is not None and len(value) not in (1, img.shape[-3]):
            raise ValueError(
                "If value is a sequence, it should have either a single value or "
                f"{img.shape[-3]} (number of input channels)"
            )
        return F.erase(img, *self.get_params(img, self.scale, self.ratio, value), self.inplace)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(p={self.p}, scale={self.scale}, ratio={self.ratio}, "
            f"value={self.value}, inplace={self.inplace})"
        )
