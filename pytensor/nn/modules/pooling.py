"""Pooling layers: ``MaxPool``, ``AvgPool``, ``LPPool``, ``AdaptiveAvgPool``, ``AdaptiveMaxPool``,
``FractionalMaxPool`` and ``MaxUnpool``, in 1 to 3 dimensions.

The functions of the same names in ``pytensor.nn.functional`` describe the arguments.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from pytensor import Tensor
from pytensor.nn import functional as F
from pytensor.nn.modules.module import Module

__all__ = [
    "AdaptiveAvgPool1d",
    "AdaptiveAvgPool2d",
    "AdaptiveAvgPool3d",
    "AdaptiveMaxPool1d",
    "AdaptiveMaxPool2d",
    "AdaptiveMaxPool3d",
    "AvgPool1d",
    "AvgPool2d",
    "AvgPool3d",
    "FractionalMaxPool2d",
    "FractionalMaxPool3d",
    "LPPool1d",
    "LPPool2d",
    "LPPool3d",
    "MaxPool1d",
    "MaxPool2d",
    "MaxPool3d",
    "MaxUnpool1d",
    "MaxUnpool2d",
    "MaxUnpool3d",
]

Sizes = int | tuple[int, ...]


def _tuple_of(value: Sizes, n: int) -> tuple[int, ...]:
    return (value,) * n if isinstance(value, int) else tuple(value)


class _MaxPoolNd(Module):
    return_indices: bool
    ceil_mode: bool

    def __init__(
        self,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        dilation: Sizes = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.dilation = dilation
        self.return_indices = return_indices
        self.ceil_mode = ceil_mode

    def _pool(self, function: Any, input: Tensor) -> Any:
        return function(
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
            ceil_mode=self.ceil_mode,
            return_indices=self.return_indices,
        )

    def extra_repr(self) -> str:
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, "
            f"dilation={self.dilation}, ceil_mode={self.ceil_mode}"
        )


class MaxPool1d(_MaxPoolNd):
    """The largest element of each window of the last dimension.

    Args:
        kernel_size, stride, padding, dilation, ceil_mode, return_indices: as of
            ``functional.max_pool1d``.

    Shape:
        ``(N, C, L)`` or ``(C, L)``; sizes shrink as of ``functional.max_pool1d``.

    Example::

        >>> pytensor.nn.MaxPool1d(2)(pytensor.ones(2, 4, 16)).shape
        torch.Size([2, 4, 8])
    """

    def forward(self, input: Tensor) -> Any:
        """The maxima, and their places if asked for."""
        return self._pool(F.max_pool1d, input)


class MaxPool2d(_MaxPoolNd):
    """The largest element of each window of the last two dimensions.

    Args:
        kernel_size, stride, padding, dilation, ceil_mode, return_indices: as of
            ``functional.max_pool2d``.

    Shape:
        ``(N, C, H, W)`` or ``(C, H, W)``; sizes shrink as of ``functional.max_pool1d``.

    Example::

        >>> pytensor.nn.MaxPool2d(2)(pytensor.ones(2, 4, 16, 16)).shape
        torch.Size([2, 4, 8, 8])
    """

    def forward(self, input: Tensor) -> Any:
        """The maxima, and their places if asked for."""
        return self._pool(F.max_pool2d, input)


class MaxPool3d(_MaxPoolNd):
    """The largest element of each window of the last three dimensions.

    Args:
        kernel_size, stride, padding, dilation, ceil_mode, return_indices: as of
            ``functional.max_pool3d``.

    Shape:
        ``(N, C, D, H, W)`` or ``(C, D, H, W)``; sizes shrink as of ``functional.max_pool1d``.

    Example::

        >>> pytensor.nn.MaxPool3d(2)(pytensor.ones(2, 4, 8, 8, 8)).shape
        torch.Size([2, 4, 4, 4, 4])
    """

    def forward(self, input: Tensor) -> Any:
        """The maxima, and their places if asked for."""
        return self._pool(F.max_pool3d, input)


class _AvgPoolNd(Module):
    kernel_size: Sizes
    stride: Sizes
    padding: Sizes

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AvgPool1d(_AvgPoolNd):
    """The average of each window of the last dimension.

    Args:
        kernel_size, stride, padding, ceil_mode, count_include_pad: as of
            ``functional.avg_pool1d``.

    Shape:
        ``(N, C, L)`` or ``(C, L)``.

    Example::

        >>> pytensor.nn.AvgPool1d(2)(pytensor.ones(2, 4, 16)).shape
        torch.Size([2, 4, 8])
    """

    def __init__(
        self,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        super().__init__()
        self.kernel_size = _tuple_of(kernel_size, 1)
        self.stride = self.kernel_size if stride is None else _tuple_of(stride, 1)
        self.padding = _tuple_of(padding, 1)
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad

    def forward(self, input: Tensor) -> Tensor:
        return F.avg_pool1d(
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.ceil_mode,
            self.count_include_pad,
        )


class _AvgPoolWithDivisor(_AvgPoolNd):
    def __init__(
        self,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad
        self.divisor_override = divisor_override

    def _pool(self, function: Any, input: Tensor) -> Tensor:
        pooled: Tensor = function(
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.ceil_mode,
            self.count_include_pad,
            self.divisor_override,
        )
        return pooled


class AvgPool2d(_AvgPoolWithDivisor):
    """The average of each window of the last two dimensions.

    Args:
        kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override: as of
            ``functional.avg_pool2d``.

    Shape:
        ``(N, C, H, W)`` or ``(C, H, W)``.

    Example::

        >>> pytensor.nn.AvgPool2d(2)(pytensor.ones(2, 4, 16, 16)).shape
        torch.Size([2, 4, 8, 8])
    """

    def forward(self, input: Tensor) -> Tensor:
        return self._pool(F.avg_pool2d, input)


class AvgPool3d(_AvgPoolWithDivisor):
    """The average of each window of the last three dimensions.

    Args:
        kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override: as of
            ``functional.avg_pool3d``.

    Shape:
        ``(N, C, D, H, W)`` or ``(C, D, H, W)``.

    Example::

        >>> pytensor.nn.AvgPool3d(2)(pytensor.ones(2, 4, 8, 8, 8)).shape
        torch.Size([2, 4, 4, 4, 4])
    """

    def forward(self, input: Tensor) -> Tensor:
        return self._pool(F.avg_pool3d, input)


class _LPPoolNd(Module):
    def __init__(
        self,
        norm_type: float,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.norm_type = norm_type
        self.kernel_size = kernel_size
        self.stride = stride
        self.ceil_mode = ceil_mode

    def extra_repr(self) -> str:
        return (
            f"norm_type={self.norm_type}, kernel_size={self.kernel_size}, stride={self.stride}, "
            f"ceil_mode={self.ceil_mode}"
        )


class LPPool1d(_LPPoolNd):
    """The p-norm of each window of the last dimension, without absolute values.

    Args:
        norm_type, kernel_size, stride, ceil_mode: as of ``functional.lp_pool1d``.

    Shape:
        ``(N, C, L)`` or ``(C, L)``.

    Example::

        >>> pytensor.nn.LPPool1d(2, 2)(pytensor.ones(2, 4, 16)).shape
        torch.Size([2, 4, 8])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.lp_pool1d(
            input, float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode
        )


class LPPool2d(_LPPoolNd):
    """The p-norm of each window of the last two dimensions, without absolute values.

    Args:
        norm_type, kernel_size, stride, ceil_mode: as of ``functional.lp_pool1d``.

    Shape:
        ``(N, C, H, W)`` or ``(C, H, W)``.

    Example::

        >>> pytensor.nn.LPPool2d(2, 2)(pytensor.ones(2, 4, 16, 16)).shape
        torch.Size([2, 4, 8, 8])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.lp_pool2d(
            input, float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode
        )


class LPPool3d(_LPPoolNd):
    """The p-norm of each window of the last three dimensions, without absolute values.

    Args:
        norm_type, kernel_size, stride, ceil_mode: as of ``functional.lp_pool1d``.

    Shape:
        ``(N, C, D, H, W)`` or ``(C, D, H, W)``.

    Example::

        >>> pytensor.nn.LPPool3d(2, 2)(pytensor.ones(2, 4, 8, 8, 8)).shape
        torch.Size([2, 4, 4, 4, 4])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.lp_pool3d(
            input, float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode
        )


class _AdaptiveAvgPoolNd(Module):
    def __init__(self, output_size: Any) -> None:
        super().__init__()
        self.output_size = output_size

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


class _AdaptiveMaxPoolNd(Module):
    def __init__(self, output_size: Any, return_indices: bool = False) -> None:
        super().__init__()
        self.output_size = output_size
        self.return_indices = return_indices

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


class AdaptiveAvgPool1d(_AdaptiveAvgPoolNd):
    """Averages of windows that cover the last dimension evenly.

    Args:
        output_size: as of ``functional.adaptive_avg_pool1d``.

    Shape:
        ``(N, C, L)`` or ``(C, L)``; the result has `output_size` at the end.

    Example::

        >>> pytensor.nn.AdaptiveAvgPool1d(3)(pytensor.ones(2, 4, 16)).shape
        torch.Size([2, 4, 3])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.adaptive_avg_pool1d(input, self.output_size)


class AdaptiveMaxPool1d(_AdaptiveMaxPoolNd):
    """Maxima of windows that cover the last dimension evenly.

    Args:
        output_size, return_indices: as of ``functional.adaptive_max_pool1d``.

    Shape:
        ``(N, C, L)`` or ``(C, L)``; the result has `output_size` at the end.

    Example::

        >>> pytensor.nn.AdaptiveMaxPool1d(3)(pytensor.ones(2, 4, 16)).shape
        torch.Size([2, 4, 3])
    """

    def forward(self, input: Tensor) -> Any:
        """The maxima, and their places if asked for."""
        return F.adaptive_max_pool1d(input, self.output_size, self.return_indices)


class AdaptiveAvgPool2d(_AdaptiveAvgPoolNd):
    """Averages of windows that cover the last two dimensions evenly.

    Args:
        output_size: as of ``functional.adaptive_avg_pool2d``.

    Shape:
        ``(N, C, H, W)`` or ``(C, H, W)``; the result has `output_size` at the end.

    Example::

        >>> pytensor.nn.AdaptiveAvgPool2d(3)(pytensor.ones(2, 4, 16, 16)).shape
        torch.Size([2, 4, 3, 3])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.adaptive_avg_pool2d(input, self.output_size)


class AdaptiveMaxPool2d(_AdaptiveMaxPoolNd):
    """Maxima of windows that cover the last two dimensions evenly.

    Args:
        output_size, return_indices: as of ``functional.adaptive_max_pool2d``.

    Shape:
        ``(N, C, H, W)`` or ``(C, H, W)``; the result has `output_size` at the end.

    Example::

        >>> pytensor.nn.AdaptiveMaxPool2d(3)(pytensor.ones(2, 4, 16, 16)).shape
        torch.Size([2, 4, 3, 3])
    """

    def forward(self, input: Tensor) -> Any:
        """The maxima, and their places if asked for."""
        return F.adaptive_max_pool2d(input, self.output_size, self.return_indices)


class AdaptiveAvgPool3d(_AdaptiveAvgPoolNd):
    """Averages of windows that cover the last three dimensions evenly.

    Args:
        output_size: as of ``functional.adaptive_avg_pool3d``.

    Shape:
        ``(N, C, D, H, W)`` or ``(C, D, H, W)``; the result has `output_size` at the end.

    Example::

        >>> pytensor.nn.AdaptiveAvgPool3d(3)(pytensor.ones(2, 4, 8, 8, 8)).shape
        torch.Size([2, 4, 3, 3, 3])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.adaptive_avg_pool3d(input, self.output_size)


class AdaptiveMaxPool3d(_AdaptiveMaxPoolNd):
    """Maxima of windows that cover the last three dimensions evenly.

    Args:
        output_size, return_indices: as of ``functional.adaptive_max_pool3d``.

    Shape:
        ``(N, C, D, H, W)`` or ``(C, D, H, W)``; the result has `output_size` at the end.

    Example::

        >>> pytensor.nn.AdaptiveMaxPool3d(3)(pytensor.ones(2, 4, 8, 8, 8)).shape
        torch.Size([2, 4, 3, 3, 3])
    """

    def forward(self, input: Tensor) -> Any:
        """The maxima, and their places if asked for."""
        return F.adaptive_max_pool3d(input, self.output_size, self.return_indices)


class _FractionalMaxPoolNd(Module):
    _spatial: ClassVar[int]
    _random_samples: Tensor | None

    def __init__(
        self,
        kernel_size: Sizes,
        output_size: Sizes | None = None,
        output_ratio: Any = None,
        return_indices: bool = False,
        _random_samples: Tensor | None = None,
    ) -> None:
        super().__init__()
        n = self._spatial
        self.kernel_size = _tuple_of(kernel_size, n)
        self.return_indices = return_indices
        self.register_buffer("_random_samples", _random_samples)
        self.output_size = None if output_size is None else _tuple_of(output_size, n)
        self.output_ratio = (
            (output_ratio,) * n if isinstance(output_ratio, (int, float)) else output_ratio
        )
        if output_size is None and output_ratio is None:
            raise ValueError(
                f"FractionalMaxPool{n}d requires specifying either an output size, or a pooling "
                "ratio"
            )
        if output_size is not None and output_ratio is not None:
            raise ValueError("only one of output_size and output_ratio may be specified")
        if self.output_ratio is not None and not all(0 < r < 1 for r in self.output_ratio):
            raise ValueError(f"output_ratio must be between 0 and 1 (got {output_ratio})")

    def _pool(self, function: Any, input: Tensor) -> Any:
        return function(
            input,
            self.kernel_size,
            self.output_size,
            self.output_ratio,
            self.return_indices,
            _random_samples=self._random_samples,
        )


class FractionalMaxPool2d(_FractionalMaxPoolNd):
    """Maxima of windows with random starts in the last two dimensions.

    Args:
        kernel_size, output_size, output_ratio, return_indices: as of
            ``functional.fractional_max_pool2d``.

    Shape:
        ``(N, C, H, W)`` or ``(C, H, W)``.

    Raises:
        ValueError: not exactly one of size and ratio is given, or a ratio is not in (0, 1).

    Example::

        >>> pytensor.nn.FractionalMaxPool2d(2, output_size=5)(pytensor.ones(2, 4, 16, 16)).shape
        torch.Size([2, 4, 5, 5])
    """

    _spatial = 2

    def forward(self, input: Tensor) -> Any:
        """The maxima, and their places if asked for."""
        return self._pool(F.fractional_max_pool2d, input)


class FractionalMaxPool3d(_FractionalMaxPoolNd):
    """Maxima of windows with random starts in the last three dimensions.

    Args:
        kernel_size, output_size, output_ratio, return_indices: as of
            ``functional.fractional_max_pool3d``.

    Shape:
        ``(N, C, D, H, W)`` or ``(C, D, H, W)``.

    Raises:
        ValueError: not exactly one of size and ratio is given, or a ratio is not in (0, 1).

    Example::

        >>> pytensor.nn.FractionalMaxPool3d(2, output_size=5)(pytensor.ones(2, 4, 8, 8, 8)).shape
        torch.Size([2, 4, 5, 5, 5])
    """

    _spatial = 3

    def forward(self, input: Tensor) -> Any:
        """The maxima, and their places if asked for."""
        return self._pool(F.fractional_max_pool3d, input)


class _MaxUnpoolNd(Module):
    _spatial: ClassVar[int]

    def __init__(self, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0) -> None:
        super().__init__()
        n = self._spatial
        self.kernel_size = _tuple_of(kernel_size, n)
        self.stride = self.kernel_size if stride is None else _tuple_of(stride, n)
        self.padding = _tuple_of(padding, n)

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class MaxUnpool1d(_MaxUnpoolNd):
    """Puts maxima back where ``MaxPool1d`` found them; other elements are zero.

    Args:
        kernel_size, stride, padding: as of the ``MaxPool1d``.

    Example::

        >>> pool = pytensor.nn.MaxPool1d(2, return_indices=True)
        >>> pytensor.nn.MaxUnpool1d(2)(*pool(pytensor.ones(1, 4))).sum()
        tensor(2.)
    """

    _spatial = 1

    def forward(
        self, input: Tensor, indices: Tensor, output_size: Sequence[int] | None = None
    ) -> Tensor:
        return F.max_unpool1d(
            input, indices, self.kernel_size, self.stride, self.padding, output_size
        )


class MaxUnpool2d(_MaxUnpoolNd):
    """Puts maxima back where ``MaxPool2d`` found them; other elements are zero.

    Args:
        kernel_size, stride, padding: as of the ``MaxPool2d``.

    Example::

        >>> pool = pytensor.nn.MaxPool2d(2, return_indices=True)
        >>> pytensor.nn.MaxUnpool2d(2)(*pool(pytensor.ones(1, 4, 4))).sum()
        tensor(4.)
    """

    _spatial = 2

    def forward(
        self, input: Tensor, indices: Tensor, output_size: Sequence[int] | None = None
    ) -> Tensor:
        return F.max_unpool2d(
            input, indices, self.kernel_size, self.stride, self.padding, output_size
        )


class MaxUnpool3d(_MaxUnpoolNd):
    """Puts maxima back where ``MaxPool3d`` found them; other elements are zero.

    Args:
        kernel_size, stride, padding: as of the ``MaxPool3d``.

    Example::

        >>> pool = pytensor.nn.MaxPool3d(2, return_indices=True)
        >>> pytensor.nn.MaxUnpool3d(2)(*pool(pytensor.ones(1, 4, 4, 4))).sum()
        tensor(8.)
    """

    _spatial = 3

    def forward(
        self, input: Tensor, indices: Tensor, output_size: Sequence[int] | None = None
    ) -> Tensor:
        return F.max_unpool3d(
            input, indices, self.kernel_size, self.stride, self.padding, output_size
        )
