"""Pooling with windows that slide: ``max_pool``, ``avg_pool`` and ``lp_pool`` in 1 to 3 dimensions.

Part of ``pytensor.nn.functional``. Pooling to a given size is in ``adaptive_pooling.py``.
"""

from __future__ import annotations

from math import inf, prod
from typing import Any

from pytensor import Tensor, _ops

__all__ = [
    "avg_pool1d",
    "avg_pool2d",
    "avg_pool3d",
    "lp_pool1d",
    "lp_pool2d",
    "lp_pool3d",
    "max_pool1d",
    "max_pool1d_with_indices",
    "max_pool2d",
    "max_pool2d_with_indices",
    "max_pool3d",
    "max_pool3d_with_indices",
]

Sizes = int | tuple[int, ...]

_max_with_indices = (
    _ops.max_pool1d_with_indices,
    _ops.internal["max_pool2d_with_indices"],
    _ops.internal["max_pool3d_with_indices"],
)
_max_values = (_ops.max_pool1d, _ops.max_pool2d, _ops.max_pool3d)
_avg_pool2d = _ops.internal["avg_pool2d"]
_avg_pool3d = _ops.internal["avg_pool3d"]


def max_pool1d(
    input: Tensor,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest element of each window along the last dimension.

    Args:
        input: ``(N, C, L)`` or ``(C, L)``.
        kernel_size: elements of a window.
        stride: distance of windows. Default: `kernel_size`.
        padding: places added at both ends, smaller than any number. Default: 0.
        dilation: distance of the elements of a window. Default: 1.
        ceil_mode: windows may begin that do not end within the input. Default: ``False``.
        return_indices: also return where the maxima were found. Default: ``False``.

    Shape:
        ``L`` becomes ``(L + 2 * padding - dilation * (kernel_size - 1) - 1) / stride + 1``, rounded
        down, or up in `ceil_mode`.

    Raises:
        RuntimeError: the numbers make no sense, or no window fits.

    Example::

        >>> pytensor.nn.functional.max_pool1d(pytensor.tensor([[1.0, 5.0, 2.0, 4.0]]), 2)
        tensor([[5., 4.]])
    """
    function = _max_with_indices[0] if return_indices else _max_values[0]
    return function(
        input, kernel_size, () if stride is None else stride, padding, dilation, ceil_mode
    )


def max_pool2d(
    input: Tensor,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest element of each window of the last two dimensions.

    Args:
        input: ``(N, C, H, W)`` or ``(C, H, W)``.
        kernel_size, stride, padding, dilation: as of ``max_pool1d``; an int or one for each
            dimension.
        ceil_mode, return_indices: as of ``max_pool1d``; places are ``row * W + column``.

    Raises:
        RuntimeError: the numbers make no sense, or no window fits.

    Example::

        >>> values, indices = pytensor.nn.functional.max_pool2d(
        ...     pytensor.tensor([[[1.0, 5.0], [2.0, 4.0]]]), 2, return_indices=True
        ... )
        >>> values, indices
        (tensor([[[5.]]]), tensor([[[1]]]))
    """
    function = _max_with_indices[1] if return_indices else _max_values[1]
    return function(
        input, kernel_size, () if stride is None else stride, padding, dilation, ceil_mode
    )


def max_pool3d(
    input: Tensor,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest element of each window of the last three dimensions.

    Args:
        input: ``(N, C, D, H, W)`` or ``(C, D, H, W)``.
        kernel_size, stride, padding, dilation: as of ``max_pool1d``; an int or one for each
            dimension.
        ceil_mode, return_indices: as of ``max_pool1d``.

    Raises:
        RuntimeError: the numbers make no sense, or no window fits.

    Example::

        >>> pytensor.nn.functional.max_pool3d(pytensor.ones(1, 4, 4, 4), 2).shape
        torch.Size([1, 2, 2, 2])
    """
    function = _max_with_indices[2] if return_indices else _max_values[2]
    return function(
        input, kernel_size, () if stride is None else stride, padding, dilation, ceil_mode
    )


def max_pool1d_with_indices(
    input: Tensor,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
    return_indices: bool = True,
) -> tuple[Tensor, Tensor]:
    """``max_pool1d`` with ``return_indices=True``; the last argument is ignored.

    Example::

        >>> row = pytensor.tensor([[1.0, 5.0, 2.0, 4.0]])
        >>> pytensor.nn.functional.max_pool1d_with_indices(row, 2)
        (tensor([[5., 4.]]), tensor([[1, 3]]))
    """
    pooled: tuple[Tensor, Tensor] = max_pool1d(
        input, kernel_size, stride, padding, dilation, ceil_mode, True
    )
    return pooled


def max_pool2d_with_indices(
    input: Tensor,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
    return_indices: bool = True,
) -> tuple[Tensor, Tensor]:
    """``max_pool2d`` with ``return_indices=True``; the last argument is ignored.

    Example::

        >>> pytensor.nn.functional.max_pool2d_with_indices(pytensor.ones(1, 2, 2), 2)
        (tensor([[[1.]]]), tensor([[[0]]]))
    """
    pooled: tuple[Tensor, Tensor] = max_pool2d(
        input, kernel_size, stride, padding, dilation, ceil_mode, True
    )
    return pooled


def max_pool3d_with_indices(
    input: Tensor,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
    return_indices: bool = True,
) -> tuple[Tensor, Tensor]:
    """``max_pool3d`` with ``return_indices=True``; the last argument is ignored.

    Example::

        >>> pytensor.nn.functional.max_pool3d_with_indices(pytensor.ones(1, 2, 2, 2), 2)
        (tensor([[[[1.]]]]), tensor([[[[0]]]]))
    """
    pooled: tuple[Tensor, Tensor] = max_pool3d(
        input, kernel_size, stride, padding, dilation, ceil_mode, True
    )
    return pooled


def avg_pool1d(
    input: Tensor,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """The average of each window along the last dimension.

    Args:
        input: ``(N, C, L)`` or ``(C, L)``.
        kernel_size: elements of a window.
        stride: distance of windows. Default: `kernel_size`.
        padding: zeros added at both ends. Default: 0.
        ceil_mode: windows may begin that do not end within the input. Default: ``False``.
        count_include_pad: whether the zeros count as elements. Default: ``True``.

    Raises:
        RuntimeError: the numbers make no sense, or no window fits.

    Example::

        >>> pytensor.nn.functional.avg_pool1d(pytensor.tensor([[1.0, 5.0, 2.0, 4.0]]), 2)
        tensor([[3., 3.]])
    """
    return _ops.avg_pool1d(
        input, kernel_size, () if stride is None else stride, padding, ceil_mode, count_include_pad
    )


def avg_pool2d(
    input: Tensor,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """The average of each window of the last two dimensions.

    Args:
        input: ``(N, C, H, W)`` or ``(C, H, W)``.
        kernel_size, stride, padding: as of ``avg_pool1d``; an int or one for each dimension.
        ceil_mode, count_include_pad: as of ``avg_pool1d``.
        divisor_override: what sums are divided by. Default: the size of the window.

    Raises:
        RuntimeError: the numbers make no sense, or no window fits.

    Example::

        >>> pytensor.nn.functional.avg_pool2d(pytensor.tensor([[[1.0, 5.0], [2.0, 4.0]]]), 2)
        tensor([[[3.]]])
    """
    step = () if stride is None else stride
    result: Tensor = _avg_pool2d(
        input, kernel_size, step, padding, ceil_mode, count_include_pad, divisor_override
    )
    return result


def avg_pool3d(
    input: Tensor,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """The average of each window of the last three dimensions.

    Args:
        input: ``(N, C, D, H, W)`` or ``(C, D, H, W)``.
        kernel_size, stride, padding: as of ``avg_pool1d``; an int or one for each dimension.
        ceil_mode, count_include_pad: as of ``avg_pool1d``.
        divisor_override: what sums are divided by. Default: the size of the window.

    Raises:
        RuntimeError: the numbers make no sense, or no window fits.

    Example::

        >>> pytensor.nn.functional.avg_pool3d(pytensor.ones(1, 4, 4, 4), 2).shape
        torch.Size([1, 2, 2, 2])
    """
    step = () if stride is None else stride
    result: Tensor = _avg_pool3d(
        input, kernel_size, step, padding, ceil_mode, count_include_pad, divisor_override
    )
    return result


def _lp_pool(
    input: Tensor,
    norm_type: float,
    kernel_size: Sizes,
    stride: Sizes | None,
    ceil_mode: bool,
    spatial: int,
) -> Tensor:
    if abs(norm_type) == inf:
        size = input.abs() if norm_type > 0 else -input.abs()
        pool = (max_pool1d, max_pool2d, max_pool3d)[spatial - 1]
        extreme: Tensor = pool(size, kernel_size, stride, 0, 1, ceil_mode)
        return extreme if norm_type > 0 else -extreme
    average = (avg_pool1d, avg_pool2d, avg_pool3d)[spatial - 1]
    mean = average(input.pow(norm_type), kernel_size, stride, 0, ceil_mode)
    sizes = (kernel_size,) * spatial if isinstance(kernel_size, int) else kernel_size
    # relu stops the gradient where a sum is zero: the root has none there.
    return (mean.sign() * mean.abs().relu()).mul(prod(sizes)).pow(1.0 / norm_type)


def lp_pool1d(
    input: Tensor,
    norm_type: float,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    ceil_mode: bool = False,
) -> Tensor:
    """The p-norm of each window along the last dimension, without absolute values.

    Args:
        input: ``(N, C, L)`` or ``(C, L)``.
        norm_type: the exponent p; infinity takes the largest absolute value.
        kernel_size, stride, ceil_mode: as of ``avg_pool1d``.

    Example::

        >>> pytensor.nn.functional.lp_pool1d(pytensor.tensor([[3.0, 4.0]]), 2, 2)
        tensor([[5.]])
    """
    return _lp_pool(input, norm_type, kernel_size, stride, ceil_mode, 1)


def lp_pool2d(
    input: Tensor,
    norm_type: float,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    ceil_mode: bool = False,
) -> Tensor:
    """The p-norm of each window of the last two dimensions; arguments as of ``lp_pool1d``.

    Example::

        >>> pytensor.nn.functional.lp_pool2d(pytensor.ones(1, 2, 2), 2, 2)
        tensor([[[2.]]])
    """
    return _lp_pool(input, norm_type, kernel_size, stride, ceil_mode, 2)


def lp_pool3d(
    input: Tensor,
    norm_type: float,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    ceil_mode: bool = False,
) -> Tensor:
    """The p-norm of each window of the last three dimensions; arguments as of ``lp_pool1d``.

    Example::

        >>> pytensor.nn.functional.lp_pool3d(pytensor.ones(1, 2, 2, 2), 3, 2)
        tensor([[[[2.]]]])
    """
    return _lp_pool(input, norm_type, kernel_size, stride, ceil_mode, 3)
