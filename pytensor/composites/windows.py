"""Window functions for the analysis of signals."""

from __future__ import annotations

import math

from pytensor import _C

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from pytensor import Tensor

__all__ = [
    "bartlett_window",
    "blackman_window",
    "hamming_window",
    "hann_window",
    "kaiser_window",
]


def _window(
    name: str,
    length: int,
    periodic: bool,
    values: Callable[[Tensor, int], Tensor],
    dtype: Any,
    device: Any,
    requires_grad: bool,
) -> Tensor:
    """The window whose values at 0, 1, ... steps - 1 a function gives; a periodic one lacks the
    last of one more."""
    if not isinstance(length, int):
        raise TypeError(
            f"{name}(): argument 'window_length' (position 1) must be int, "
            f"not {type(length).__name__}"
        )
    dtype = _C.get_default_dtype() if dtype is None else dtype
    if not dtype.is_floating_point:
        raise RuntimeError(f"{name} expects floating point dtypes, got: {dtype}")
    if length < 0:
        raise RuntimeError(
            f"{name} requires non-negative window_length, got window_length={length}"
        )
    if length <= 1:
        result = _C.ones(length, dtype=dtype, device=device)
    else:
        steps = length + 1 if periodic else length
        # float64 throughout: windows are short and rounding their values once is enough
        places = _C.arange(length, dtype=_C.float64, device=device)
        result = values(places, steps).to(dtype)
    return result.requires_grad_(requires_grad)


def _cosines(*weights: float) -> Callable[[Tensor, int], Tensor]:
    """A sum of cosines of once, twice, ... the frequency, with alternating signs."""

    def values(places: Tensor, steps: int) -> Tensor:
        angle = places * (2 * math.pi / (steps - 1))
        total = _C.full_like(places, weights[0])
        for k, weight in enumerate(weights[1:], 1):
            total = total + (angle * k).cos() * ((-1) ** k * weight)
        return total

    return values


def hann_window(
    window_length: int,
    periodic: bool = True,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """The Hann window ``0.5 - 0.5 * cos(2 * pi * n / (N - 1))``.

    Args:
        window_length: number of values.
        periodic: whether the window is one period (for transforms) or symmetric.
        dtype: a floating-point dtype; the default dtype when None.
        layout: accepted; results are always strided.
        device: where the result lies.
        pin_memory: accepted.
        requires_grad: whether gradients of the result are wanted.

    Shape:
        ``(window_length)``.

    Raises:
        RuntimeError: for a negative length or a dtype that is not floating-point.

    Example::

        >>> pytensor.hann_window(4)
        tensor([0.0000, 0.5000, 1.0000, 0.5000])
    """
    values = _cosines(0.5, 0.5)
    return _window("hann_window", window_length, periodic, values, dtype, device, requires_grad)


def hamming_window(
    window_length: int,
    periodic: bool = True,
    alpha: float = 0.54,
    beta: float = 0.46,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """The Hamming window ``alpha - beta * cos(2 * pi * n / (N - 1))``.

    Args:
        alpha: the constant part.
        beta: the weight of the cosine.

    The other arguments, shape and errors are those of :func:`hann_window`.

    Example::

        >>> pytensor.hamming_window(4)
        tensor([0.0800, 0.5400, 1.0000, 0.5400])
    """
    values = _cosines(alpha, beta)
    return _window("hamming_window", window_length, periodic, values, dtype, device, requires_grad)


def blackman_window(
    window_length: int,
    periodic: bool = True,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """The Blackman window ``0.42 - 0.5 * cos(2 * pi * n / (N - 1)) + 0.08 * cos(4 * ...)``.

    Arguments, shape and errors are those of :func:`hann_window`.

    Example::

        >>> pytensor.blackman_window(5, periodic=False)[1:4]
        tensor([0.3400, 1.0000, 0.3400])
    """
    values = _cosines(0.42, 0.5, 0.08)
    return _window("blackman_window", window_length, periodic, values, dtype, device, requires_grad)


def bartlett_window(
    window_length: int,
    periodic: bool = True,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """The Bartlett window, a triangle from 0 up to 1 and down to 0.

    Arguments, shape and errors are those of :func:`hann_window`.

    Example::

        >>> pytensor.bartlett_window(4)
        tensor([0.0000, 0.5000, 1.0000, 0.5000])
    """

    def values(places: Tensor, steps: int) -> Tensor:
        return 1 - (places * (2 / (steps - 1)) - 1).abs()

    return _window("bartlett_window", window_length, periodic, values, dtype, device, requires_grad)


def kaiser_window(
    window_length: int,
    periodic: bool = True,
    beta: float = 12.0,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """The Kaiser window ``i0(beta * sqrt(1 - (2 * n / (N - 1) - 1)**2)) / i0(beta)``.

    Args:
        beta: how narrow the window is.

    The other arguments, shape and errors are those of :func:`hann_window`.

    Example::

        >>> pytensor.kaiser_window(4, beta=0.0)
        tensor([1., 1., 1., 1.])
    """

    def values(places: Tensor, steps: int) -> Tensor:
        ratio = places * (2 / (steps - 1)) - 1
        top = _C.i0(_C.full_like(places, beta))
        return _C.i0(beta * (1 - ratio * ratio).clamp(min=0).sqrt()) / top

    return _window("kaiser_window", window_length, periodic, values, dtype, device, requires_grad)
