"""``pytensor.signal.windows``: window functions under SciPy's names.

Symmetric windows are for filters; periodic ones (``sym=False``), one period of a window one point
longer, for transforms.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import pytensor
from pytensor import Tensor

__all__ = [
    "bartlett",
    "blackman",
    "cosine",
    "exponential",
    "gaussian",
    "general_cosine",
    "general_hamming",
    "hamming",
    "hann",
    "kaiser",
    "nuttall",
]

_OPTIONS = """

    Args:
        M: the number of points.{more}
        sym: whether the window is symmetric, or periodic.
        dtype: float32 or float64. Default: the default dtype.
        layout: only strided.
        device: where the result lies.
        requires_grad: whether gradients of the result are wanted.

    Shape:
        ``(M)``.

    Raises:
        ValueError: for a negative length, or another dtype or layout.
        TypeError: for a length that is no integer.
"""


def _documented(more: str = "") -> Callable[[Callable[..., Tensor]], Callable[..., Tensor]]:
    """Puts the arguments that all windows have into a docstring, after its first paragraph."""

    def document(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
        first, _, rest = (function.__doc__ or "").partition("\n\n")
        function.__doc__ = first + _OPTIONS.format(more=more) + "\n" + rest
        return function

    return document


def _points(name: str, M: Any, options: dict[str, Any]) -> Tensor:
    """0, 1, ... M - 1, once the arguments are in order."""
    dtype = options.get("dtype") or pytensor.get_default_dtype()
    layout = options.get("layout", pytensor.strided)
    if not isinstance(M, int):
        raise TypeError(f"{name}(): argument 'M' must be int, not {type(M).__name__}")
    if M < 0:
        raise ValueError(f"{name} requires non-negative window length, got M={M}")
    if layout is not pytensor.strided:
        raise ValueError(f"{name} is implemented for strided tensors only, got: {layout}")
    if dtype not in (pytensor.float32, pytensor.float64):
        raise ValueError(f"{name} expects float32 or float64 dtypes, got: {dtype}")
    return pytensor.arange(M, dtype=dtype, device=options.get("device"))


def _window(
    name: str,
    M: int,
    sym: bool,
    options: dict[str, Any],
    values: Callable[[Tensor, int], Tensor],
    single: float = 1.0,
) -> Tensor:
    """The window whose values at its points a function gives, by the distance of its ends; a
    window of one point has a value of its own."""
    known = {"dtype", "layout", "device", "requires_grad"}
    if not options.keys() <= known:
        unknown = min(options.keys() - known)
        raise TypeError(f"{name}() got an unexpected keyword argument '{unknown}'")
    places = _points(name, M, options)
    if M > 1:
        places = values(places, M - 1 if sym else M)
    elif M == 1:
        places = pytensor.full_like(places, single)
    return places.requires_grad_(options.get("requires_grad", False))


@_documented("\n        a: the weights of the cosines.")
def general_cosine(M: int, *, a: Iterable[float], sym: bool = True, **options: Any) -> Tensor:
    """A sum of cosines of growing frequency with weights of alternating sign.

    Example::

        >>> pytensor.signal.windows.general_cosine(3, a=[0.5, 0.5])
        tensor([0., 1., 0.])
    """
    if not isinstance(a, (list, tuple)):
        raise TypeError("Coefficients must be a list/tuple")
    if not a:
        raise ValueError("Coefficients cannot be empty")

    def values(places: Tensor, length: int) -> Tensor:
        angle = places * (2 * math.pi / length)
        return sum(
            ((angle * k).cos() * ((-1) ** k * weight) for k, weight in enumerate(a)),
            pytensor.zeros_like(places),
        )

    return _window("general_cosine", M, sym, options, values)


@_documented("\n        alpha: the weight of the constant; the cosine has the rest.")
def general_hamming(M: int, *, alpha: float = 0.54, sym: bool = True, **options: Any) -> Tensor:
    """The generalized Hamming window ``alpha - (1 - alpha) * cos``.

    Example::

        >>> pytensor.signal.windows.general_hamming(3, alpha=0.5)
        tensor([0., 1., 0.])
    """
    return general_cosine(M, a=[alpha, 1.0 - alpha], sym=sym, **options)


@_documented()
def hamming(M: int, *, sym: bool = True, **options: Any) -> Tensor:
    """The Hamming window ``0.54 - 0.46 * cos``.

    Example::

        >>> pytensor.signal.windows.hamming(3)
        tensor([0.0800, 1.0000, 0.0800])
    """
    return general_hamming(M, sym=sym, **options)


@_documented()
def hann(M: int, *, sym: bool = True, **options: Any) -> Tensor:
    """The Hann window ``0.5 - 0.5 * cos``.

    Example::

        >>> pytensor.signal.windows.hann(3)
        tensor([0., 1., 0.])
    """
    return general_hamming(M, alpha=0.5, sym=sym, **options)


@_documented()
def blackman(M: int, *, sym: bool = True, **options: Any) -> Tensor:
    """The Blackman window, of three terms.

    Example::

        >>> pytensor.signal.windows.blackman(5)[1:4]
        tensor([0.3400, 1.0000, 0.3400])
    """
    _points("blackman", M, options)
    return general_cosine(M, a=[0.42, 0.5, 0.08], sym=sym, **options)


@_documented()
def nuttall(M: int, *, sym: bool = True, **options: Any) -> Tensor:
    """Nuttall's window of four terms with the lowest side lobes.

    Example::

        >>> pytensor.signal.windows.nuttall(5)[1:4]
        tensor([0.2270, 1.0000, 0.2270])
    """
    return general_cosine(M, a=[0.3635819, 0.4891775, 0.1365995, 0.0106411], sym=sym, **options)


@_documented()
def bartlett(M: int, *, sym: bool = True, **options: Any) -> Tensor:
    """A triangle from 0 to 1 and back to 0.

    Example::

        >>> pytensor.signal.windows.bartlett(3)
        tensor([0., 1., 0.])
    """

    def values(places: Tensor, length: int) -> Tensor:
        return 1 - (places * (2 / length) - 1).abs()

    return _window("bartlett", M, sym, options, values)


@_documented()
def cosine(M: int, *, sym: bool = True, **options: Any) -> Tensor:
    """Half a wave of a sine, sampled between its zeros.

    Example::

        >>> pytensor.signal.windows.cosine(3)
        tensor([0.5000, 1.0000, 0.5000])
    """
    return _window(
        "cosine", M, sym, options, lambda n, length: ((n + 0.5) * (math.pi / (length + 1))).sin()
    )


@_documented(
    "\n        center: where the highest point is, for periodic windows. Default: the middle."
    "\n        tau: the distance in which values fall to 1 / e."
)
def exponential(
    M: int, *, center: float | None = None, tau: float = 1.0, sym: bool = True, **options: Any
) -> Tensor:
    """Exponential to both sides of the center.

    Example::

        >>> pytensor.signal.windows.exponential(3)
        tensor([0.3679, 1.0000, 0.3679])
    """
    if tau <= 0:
        raise ValueError(f"Tau must be positive, got: {tau} instead.")
    if sym and center is not None:
        raise ValueError("Center must be None for symmetric windows")

    def values(places: Tensor, length: int) -> Tensor:
        middle = length / 2 if center is None else center
        return (-(places - middle).abs() / tau).exp()

    single = 1.0 if center is None else math.exp(-abs(center) / tau)
    return _window("exponential", M, sym, options, values, single)


@_documented("\n        std: the standard deviation.")
def gaussian(M: int, *, std: float = 1.0, sym: bool = True, **options: Any) -> Tensor:
    """A bell with its top in the middle.

    Example::

        >>> pytensor.signal.windows.gaussian(3)
        tensor([0.6065, 1.0000, 0.6065])
    """
    if std <= 0:
        raise ValueError(f"Standard deviation must be positive, got: {std} instead.")

    def values(places: Tensor, length: int) -> Tensor:
        z = (places - length / 2) / (std * math.sqrt(2))
        return (-z.square()).exp()

    return _window("gaussian", M, sym, options, values)


@_documented("\n        beta: how narrow the window is.")
def kaiser(M: int, *, beta: float = 12.0, sym: bool = True, **options: Any) -> Tensor:
    """The Kaiser window, made of Bessel functions.

    Example::

        >>> pytensor.signal.windows.kaiser(3, beta=0.0)
        tensor([1., 1., 1.])
    """
    if beta < 0:
        raise ValueError(f"beta must be non-negative, got: {beta} instead.")

    def values(places: Tensor, length: int) -> Tensor:
        ratio = places * (2 / length) - 1
        top = pytensor.i0(pytensor.full_like(places, beta))
        return pytensor.i0(beta * (1 - ratio.square()).clamp(min=0).sqrt()) / top

    return _window("kaiser", M, sym, options, values)
