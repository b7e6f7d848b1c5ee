"""Blocks of images as columns, and back: ``Unfold`` and ``Fold``."""

from __future__ import annotations

from collections.abc import Sequence

from pytensor import Tensor
from pytensor.nn import functional as F
from pytensor.nn.modules.module import Module

__all__ = ["Fold", "Unfold"]

_Size = int | Sequence[int]


class Unfold(Module):
    """The blocks that a sliding kernel sees, each as a column; see ``functional.unfold``.

    Args:
        kernel_size: height and width of a block, or one int for both, as for all sizes.
        dilation: spacing of the elements of a block. Default: 1.
        padding: zeros added on both sides. Default: 0.
        stride: step from block to block. Default: 1.

    Shape:
        ``(N, C, H, W)`` to ``(N, C * height * width, blocks)``, also without ``N``.

    Example::

        >>> pytensor.nn.Unfold(2)(pytensor.ones(1, 3, 4, 4)).shape
        torch.Size([1, 12, 9])
    """

    def __init__(
        self, kernel_size: _Size, dilation: _Size = 1, padding: _Size = 0, stride: _Size = 1
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.dilation = dilation
        self.padding = padding
        self.stride = stride

    def forward(self, input: Tensor) -> Tensor:
        return F.unfold(input, self.kernel_size, self.dilation, self.padding, self.stride)

    def extra_repr(self) -> str:
        return (
            f"kernel_size={self.kernel_size}, dilation={self.dilation}, padding={self.padding}, "
            f"stride={self.stride}"
        )


class Fold(Module):
    """Adds up blocks into an image, the inverse order of ``Unfold``; see ``functional.fold``.

    Args:
        output_size: height and width of the image, or one int for both, as for all sizes.
        kernel_size: height and width of a block.
        dilation: spacing of the elements of a block. Default: 1.
        padding: zeros that were added on both sides. Default: 0.
        stride: step from block to block. Default: 1.

    Shape:
        ``(N, C * height * width, blocks)`` to ``(N, C, *output_size)``, also without ``N``.

    Example::

        >>> pytensor.nn.Fold((4, 5), 2)(pytensor.ones(1, 12, 12)).shape
        torch.Size([1, 3, 4, 5])
    """

    def __init__(
        self,
        output_size: _Size,
        kernel_size: _Size,
        dilation: _Size = 1,
        padding: _Size = 0,
        stride: _Size = 1,
    ) -> None:
        super().__init__()
        self.output_size = output_size
        self.kernel_size = kernel_size
        self.dilation = dilation
        self.padding = padding
        self.stride = stride

    def forward(self, input: Tensor) -> Tensor:
        return F.fold(
            input, self.output_size, self.kernel_size, self.dilation, self.padding, self.stride
        )

    def extra_repr(self) -> str:
        return (
            f"output_size={self.output_size}, kernel_size={self.kernel_size}, "
            f"dilation={self.dilation}, padding={self.padding}, stride={self.stride}"
        )
