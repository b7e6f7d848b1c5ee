"""Pooling to a given size, with random windows, and back. Part of ``pytensor.nn.functional``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytensor
from pytensor import Tensor, _ops

__all__ = [
    "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
    "adaptive_avg_pool3d",
    "adaptive_max_pool1d",
    "adaptive_max_pool1d_with_indices",
    "adaptive_max_pool2d",
    "adaptive_max_pool2d_with_indices",
    "adaptive_max_pool3d",
    "adaptive_max_pool3d_with_indices",
    "fractional_max_pool2d",
    "fractional_max_pool2d_with_indices",
    "fractional_max_pool3d",
    "fractional_max_pool3d_with_indices",
    "max_unpool1d",
    "max_unpool2d",
    "max_unpool3d",
]

Sizes = int | tuple[int, ...]
OptionalSizes = int | None | tuple[int | None, ...]

_adaptive_avg_pool2d = _ops.internal["adaptive_avg_pool2d"]
_adaptive_avg_pool3d = _ops.internal["adaptive_avg_pool3d"]
_adaptive_max_pool = _ops.internal["_adaptive_max_pool"]
_fractional_max_pool = _ops.internal["_fractional_max_pool"]
_max_unpool = _ops.internal["_max_unpool"]


def _output_size(input: Tensor, output_size: Any, spatial: int) -> tuple[int, ...]:
    """A size for each dimension; None stands for the input's own."""
    if isinstance(output_size, int):
        return (output_size,) * spatial
    if input.dim() <= len(output_size):
        raise ValueError(
            f"Input dimension should be at least {len(output_size) + 1}, but got {input.dim()}"
        )
    if len(output_size) != spatial:
        raise RuntimeError(
            f"adaptive pooling: output_size must be {spatial} ints, but got {tuple(output_size)}"
        )
    own = input.shape[-spatial:]
    return tuple(n if wanted is None else wanted for n, wanted in zip(own, output_size))


def adaptive_avg_pool1d(input: Tensor, output_size: Sizes) -> Tensor:
    """Averages of `output_size` windows that cover the last dimension evenly.

    Args:
        input: ``(N, C, L)`` or ``(C, L)``.
        output_size: the number of windows. Window i goes from ``i * L / output_size``, rounded
            down, to ``(i + 1) * L / output_size``, rounded up.

    Example::

        >>> row = pytensor.tensor([[1.0, 5.0, 2.0, 4.0]])
        >>> pytensor.nn.functional.adaptive_avg_pool1d(row, 2)
        tensor([[3., 3.]])
    """
    return _ops.adaptive_avg_pool1d(input, output_size)


def adaptive_avg_pool2d(input: Tensor, output_size: OptionalSizes) -> Tensor:
    """Averages of windows that cover the last two dimensions evenly.

    Args:
        input: ``(N, C, H, W)`` or ``(C, H, W)``.
        output_size: an int, or two, of which one may be None for the input's own size.

    Example::

        >>> pytensor.nn.functional.adaptive_avg_pool2d(pytensor.ones(1, 8, 8), (2, None)).shape
        torch.Size([1, 2, 8])
    """
    result: Tensor = _adaptive_avg_pool2d(input, _output_size(input, output_size, 2))
    return result


def adaptive_avg_pool3d(input: Tensor, output_size: OptionalSizes) -> Tensor:
    """Averages of windows that cover the last three dimensions evenly.

    Args:
        input: ``(N, C, D, H, W)`` or ``(C, D, H, W)``.
        output_size: an int, or three, of which some may be None for the input's own sizes.

    Example::

        >>> pytensor.nn.functional.adaptive_avg_pool3d(pytensor.ones(1, 8, 8, 8), 2).shape
        torch.Size([1, 2, 2, 2])
    """
    result: Tensor = _adaptive_avg_pool3d(input, _output_size(input, output_size, 3))
    return result


def _max(input: Tensor, output_size: Any, return_indices: bool, spatial: int) -> Any:
    pooled = _adaptive_max_pool(input, _output_size(input, output_size, spatial))
    return pooled if return_indices else pooled[0]


def adaptive_max_pool1d(input: Tensor, output_size: Sizes, return_indices: bool = False) -> Any:
    """Maxima of `output_size` windows that cover the last dimension evenly.

    Args:
        input: ``(N, C, L)`` or ``(C, L)``.
        output_size: the number of windows.
        return_indices: also return where the maxima were found. Default: ``False``.

    Example::

        >>> row = pytensor.tensor([[1.0, 5.0, 2.0, 4.0]])
        >>> pytensor.nn.functional.adaptive_max_pool1d(row, 2)
        tensor([[5., 4.]])
    """
    pooled = _ops.adaptive_max_pool1d(input, output_size)
    return pooled if return_indices else pooled[0]


def adaptive_max_pool2d(
    input: Tensor, output_size: OptionalSizes, return_indices: bool = False
) -> Any:
    """Maxima of windows that cover the last two dimensions evenly.

    Args:
        input: ``(N, C, H, W)`` or ``(C, H, W)``.
        output_size: an int, or two, of which one may be None for the input's own size.
        return_indices: also return where the maxima were found. Default: ``False``.

    Example::

        >>> pytensor.nn.functional.adaptive_max_pool2d(pytensor.ones(1, 8, 8), 2).shape
        torch.Size([1, 2, 2])
    """
    return _max(input, output_size, return_indices, 2)


def adaptive_max_pool3d(
    input: Tensor, output_size: OptionalSizes, return_indices: bool = False
) -> Any:
    """Maxima of windows that cover the last three dimensions evenly.

    Args:
        input: ``(N, C, D, H, W)`` or ``(C, D, H, W)``.
        output_size: an int, or three, of which some may be None for the input's own sizes.
        return_indices: also return where the maxima were found. Default: ``False``.

    Example::

        >>> pytensor.nn.functional.adaptive_max_pool3d(pytensor.ones(1, 8, 8, 8), 2).shape
        torch.Size([1, 2, 2, 2])
    """
    return _max(input, output_size, return_indices, 3)


def adaptive_max_pool1d_with_indices(
    input: Tensor, output_size: Sizes, return_indices: bool = False
) -> tuple[Tensor, Tensor]:
    """``adaptive_max_pool1d`` with ``return_indices=True``; the last argument is ignored."""
    pooled: tuple[Tensor, Tensor] = adaptive_max_pool1d(input, output_size, True)
    return pooled


def adaptive_max_pool2d_with_indices(
    input: Tensor, output_size: OptionalSizes, return_indices: bool = False
) -> tuple[Tensor, Tensor]:
    """``adaptive_max_pool2d`` with ``return_indices=True``; the last argument is ignored."""
    pooled: tuple[Tensor, Tensor] = _max(input, output_size, True, 2)
    return pooled


def adaptive_max_pool3d_with_indices(
    input: Tensor, output_size: OptionalSizes, return_indices: bool = False
) -> tuple[Tensor, Tensor]:
    """``adaptive_max_pool3d`` with ``return_indices=True``; the last argument is ignored."""
    pooled: tuple[Tensor, Tensor] = _max(input, output_size, True, 3)
    return pooled


def _fractional(
    input: Tensor,
    kernel_size: Sizes,
    output_size: Sizes | None,
    output_ratio: Any,
    samples: Tensor | None,
    spatial: int,
) -> tuple[Tensor, Tensor]:
    name = f"fractional_max_pool{spatial}d"
    if output_size is None:
        if output_ratio is None:
            raise ValueError(f"{name} requires specifying either an output_size or an output_ratio")
        ratios = (output_ratio,) * spatial if isinstance(output_ratio, float) else output_ratio
        output_size = tuple(int(n * r) for n, r in zip(input.shape[-spatial:], ratios))
    elif isinstance(output_size, int):
        output_size = (output_size,) * spatial
    if isinstance(kernel_size, int):
        kernel_size = (kernel_size,) * spatial
    if samples is None:
        batch = input.shape[0] if input.dim() == spatial + 2 else 1
        channels = input.shape[-spatial - 1] if input.dim() > spatial else 1
        dtype = input.dtype if input.is_floating_point() else None
        samples = pytensor.rand(batch, channels, spatial, dtype=dtype, device=input.device)
    elif samples.dtype != input.dtype:
        raise RuntimeError(
            f"{name}(): expected _random_samples to have the same dtype as input, but got "
            f"{samples.dtype} and {input.dtype}"
        )
    pooled: tuple[Tensor, Tensor] = _fractional_max_pool(input, kernel_size, output_size, samples)
    return pooled


def fractional_max_pool2d(
    input: Tensor,
    kernel_size: Sizes,
    output_size: Sizes | None = None,
    output_ratio: float | tuple[float, float] | None = None,
    return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> Any:
    """Maxima of windows with random starts (Graham, "Fractional max-pooling", 2014).

    Args:
        input: ``(N, C, H, W)`` or ``(C, H, W)``, floating point.
        kernel_size: the size of a window, an int or two.
        output_size: the size of the result, an int or two.
        output_ratio: instead of it, parts of the input's sizes between 0 and 1.
        return_indices: also return where the maxima were found. Default: ``False``.

    Raises:
        ValueError: neither size nor ratio is given.
        RuntimeError: the windows do not fit the input.

    Example::

        >>> image = pytensor.ones(1, 8, 8)
        >>> pytensor.nn.functional.fractional_max_pool2d(image, 2, output_ratio=0.75).shape
        torch.Size([1, 6, 6])
    """
    pooled = _fractional(input, kernel_size, output_size, output_ratio, _random_samples, 2)
    return pooled if return_indices else pooled[0]


def fractional_max_pool3d(
    input: Tensor,
    kernel_size: Sizes,
    output_size: Sizes | None = None,
    output_ratio: float | tuple[float, float, float] | None = None,
    return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> Any:
    """Maxima of windows with random starts in three dimensions.

    Args:
        input: ``(N, C, D, H, W)`` or ``(C, D, H, W)``, floating point.
        kernel_size, output_size, output_ratio, return_indices: as of ``fractional_max_pool2d``.

    Example::

        >>> volume = pytensor.ones(1, 8, 8, 8)
        >>> pytensor.nn.functional.fractional_max_pool3d(volume, 2, output_size=3).shape
        torch.Size([1, 3, 3, 3])
    """
    pooled = _fractional(input, kernel_size, output_size, output_ratio, _random_samples, 3)
    return pooled if return_indices else pooled[0]


def fractional_max_pool2d_with_indices(
    input: Tensor,
    kernel_size: Sizes,
    output_size: Sizes | None = None,
    output_ratio: float | tuple[float, float] | None = None,
    return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """``fractional_max_pool2d`` with ``return_indices=True``, which is ignored."""
    return _fractional(input, kernel_size, output_size, output_ratio, _random_samples, 2)


def fractional_max_pool3d_with_indices(
    input: Tensor,
    kernel_size: Sizes,
    output_size: Sizes | None = None,
    output_ratio: float | tuple[float, float, float] | None = None,
    return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """``fractional_max_pool3d`` with ``return_indices=True``, which is ignored."""
    return _fractional(input, kernel_size, output_size, output_ratio, _random_samples, 3)


def _tuple_of(value: Sizes, n: int) -> tuple[int, ...]:
    return (value,) * n if isinstance(value, int) else tuple(value)


def _unpool(
    input: Tensor,
    indices: Tensor,
    kernel_size: Sizes,
    stride: Sizes | None,
    padding: Sizes,
    output_size: Sequence[int] | None,
    spatial: int,
) -> Tensor:
    kernel = _tuple_of(kernel_size, spatial)
    steps = kernel if stride is None else _tuple_of(stride, spatial)
    pads = _tuple_of(padding, spatial)
    if spatial == 3 and min(steps) <= 0:
        raise RuntimeError(
            f"max_unpool3d(): strides should be greater than zero, but got {list(steps)}"
        )
    natural = [
        (n - 1) * s + k - 2 * p for n, k, s, p in zip(input.shape[-spatial:], kernel, steps, pads)
    ]
    if output_size is None:
        sizes = natural
    else:
        sizes = list(output_size)
        if len(sizes) == spatial + 2:
            sizes = sizes[2:]
        if len(sizes) != spatial:
            raise ValueError(
                f"output_size should be a sequence containing {spatial} or {spatial + 2} elements,"
                f" but it has a length of '{len(sizes)}'"
            )
        for d, (size, n, step) in enumerate(zip(sizes, natural, steps)):
            if not n - step < size < n + step:
                raise ValueError(
                    f'invalid output_size "{tuple(sizes)}" (dim {d} must be between {n - step} '
                    f"and {n + step})"
                )
    result: Tensor = _max_unpool(input, indices, sizes)
    return result


def max_unpool1d(
    input: Tensor,
    indices: Tensor,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    output_size: Sequence[int] | None = None,
) -> Tensor:
    """Puts maxima back where ``max_pool1d`` found them; other elements are zero.

    Args:
        input, indices: what ``max_pool1d(..., return_indices=True)`` returned.
        kernel_size, stride, padding: as given there.
        output_size: the size of the result, where several inputs pool to the same size.

    Raises:
        ValueError: `output_size` does not go with the input's size.
        RuntimeError: an index lies outside the result.

    Example::

        >>> row = pytensor.tensor([[1.0, 5.0, 2.0, 4.0]])
        >>> pooled, where = pytensor.nn.functional.max_pool1d(row, 2, return_indices=True)
        >>> pytensor.nn.functional.max_unpool1d(pooled, where, 2)
        tensor([[0., 5., 0., 4.]])
    """
    return _unpool(input, indices, kernel_size, stride, padding, output_size, 1)


def max_unpool2d(
    input: Tensor,
    indices: Tensor,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    output_size: Sequence[int] | None = None,
) -> Tensor:
    """Puts maxima back where ``max_pool2d`` found them; arguments as of ``max_unpool1d``.

    Example::

        >>> image = pytensor.tensor([[[1.0, 5.0], [2.0, 4.0]]])
        >>> pooled, where = pytensor.nn.functional.max_pool2d(image, 2, return_indices=True)
        >>> pytensor.nn.functional.max_unpool2d(pooled, where, 2)
        tensor([[[0., 5.],
                 [0., 0.]]])
    """
    return _unpool(input, indices, kernel_size, stride, padding, output_size, 2)


def max_unpool3d(
    input: Tensor,
    indices: Tensor,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    output_size: Sequence[int] | None = None,
) -> Tensor:
    """Puts maxima back where ``max_pool3d`` found them; arguments as of ``max_unpool1d``.

    Example::

        >>> volume = pytensor.ones(1, 2, 2, 2)
        >>> pooled, where = pytensor.nn.functional.max_pool3d(volume, 2, return_indices=True)
        >>> pytensor.nn.functional.max_unpool3d(pooled, where, 2).sum()
        tensor(1.)
    """
    return _unpool(input, indices, kernel_size, stride, padding, output_size, 3)
