"""Convolutions, ``unfold`` and ``fold`` of ``pytensor.nn.functional``."""

from __future__ import annotations

from collections.abc import Sequence

from pytensor import Tensor, _ops

__all__ = [
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_tbc",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
    "fold",
    "unfold",
]

conv1d = _ops.conv1d
conv2d = _ops.conv2d
conv3d = _ops.conv3d
conv_transpose1d = _ops.conv_transpose1d
conv_transpose2d = _ops.conv_transpose2d
conv_transpose3d = _ops.conv_transpose3d
conv_tbc = _ops.conv_tbc

_Size = int | Sequence[int]


def unfold(
    input: Tensor, kernel_size: _Size, dilation: _Size = 1, padding: _Size = 0, stride: _Size = 1
) -> Tensor:
    """The blocks that a sliding kernel sees, each as a column.

    Args:
        input: ``(N, C, H, W)`` or ``(C, H, W)``.
        kernel_size: height and width of a block, or one int for both, as for all sizes.
        dilation: spacing of the elements of a block. Default: 1.
        padding: zeros added on both sides. Default: 0.
        stride: step from block to block. Default: 1.

    Shape:
        The result is ``(N, C * height * width, blocks)``, or without ``N``.

    Raises:
        RuntimeError: when sizes are not positive or no block fits.

    Example::

        >>> pytensor.nn.functional.unfold(pytensor.ones(1, 3, 10, 12), (4, 5)).shape
        torch.Size([1, 60, 56])
    """
    result: Tensor = _ops.internal["im2col"](input, kernel_size, dilation, padding, stride)
    return result


def fold(
    input: Tensor,
    output_size: _Size,
    kernel_size: _Size,
    dilation: _Size = 1,
    padding: _Size = 0,
    stride: _Size = 1,
) -> Tensor:
    """Adds up blocks into an image: each column of ``unfold`` goes back to where it came from.

    Args:
        input: ``(N, C * height * width, blocks)``, or without ``N``.
        output_size: height and width of the image, or one int for both, as for all sizes.
        kernel_size, dilation, padding, stride: as given to ``unfold``.

    Shape:
        The result is ``(N, C, *output_size)``, or without ``N``.

    Raises:
        RuntimeError: when the sizes do not give the number of blocks in ``input``.

    Example::

        >>> pytensor.nn.functional.fold(pytensor.ones(1, 4, 1), (2, 2), 2)
        tensor([[[[1., 1.],
                  [1., 1.]]]])
    """
    result: Tensor = _ops.internal["col2im"](
        input, output_size, kernel_size, dilation, padding, stride
    )
    return result
