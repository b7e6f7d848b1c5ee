"""Layers that exchange channels and pixels: ``PixelShuffle``, ``PixelUnshuffle``."""

from __future__ import annotations

from pytensor import Tensor
from pytensor.nn import functional as F
from pytensor.nn.modules.module import Module

__all__ = ["PixelShuffle", "PixelUnshuffle"]


class PixelShuffle(Module):
    """Channels become pixels (Shi et al., "Real-time single image and video super-resolution using
    an efficient sub-pixel convolutional neural network", 2016).

    Args:
        upscale_factor: r.

    Shape:
        ``(*, C * r * r, H, W)`` to ``(*, C, H * r, W * r)``.

    Example::

        >>> pytensor.nn.PixelShuffle(3)(pytensor.ones(1, 9, 4, 4)).shape
        torch.Size([1, 1, 12, 12])
    """

    def __init__(self, upscale_factor: int) -> None:
        super().__init__()
        self.upscale_factor = upscale_factor

    def forward(self, input: Tensor) -> Tensor:
        return F.pixel_shuffle(input, self.upscale_factor)

    def extra_repr(self) -> str:
        return f"upscale_factor={self.upscale_factor}"


class PixelUnshuffle(Module):
    """Pixels become channels: the inverse of ``PixelShuffle``.

    Args:
        downscale_factor: r.

    Shape:
        ``(*, C, H * r, W * r)`` to ``(*, C * r * r, H, W)``.

    Example::

        >>> pytensor.nn.PixelUnshuffle(3)(pytensor.ones(1, 1, 12, 12)).shape
        torch.Size([1, 9, 4, 4])
    """

    def __init__(self, downscale_factor: int) -> None:
        super().__init__()
        self.downscale_factor = downscale_factor

    def forward(self, input: Tensor) -> Tensor:
        return F.pixel_unshuffle(input, self.downscale_factor)

    def extra_repr(self) -> str:
        return f"downscale_factor={self.downscale_factor}"
