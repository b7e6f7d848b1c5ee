"""Anomaly detection: remember where each op was called, and stop at the first NaN of a backward.

Used as ``with autograd.detect_anomaly():`` or ``autograd.set_detect_anomaly(True)``. The state
lives in the extension; this file sets and restores it.
"""

from __future__ import annotations

from pytensor import _C

__all__ = ["detect_anomaly", "set_detect_anomaly"]


class detect_anomaly:
    """Context in which a failing backward pass names the forward call that caused it.

    Each op called inside remembers its Python line, and a gradient that becomes NaN raises an
    error. Slow: for debugging only.

    Args:
        check_nan: whether a NaN in a gradient is an error.

    Raises:
        RuntimeError: from backward(), when a function returned NaN.

    Example::

        >>> x = pytensor.tensor([-1.0], requires_grad=True)
        >>> with pytensor.autograd.detect_anomaly():  # doctest: +SKIP
        ...     x.sqrt().backward()
        Traceback (most recent call last):
        RuntimeError: Function 'SqrtBackward0' returned nan values in its 0th output.
    """

    def __init__(self, check_nan: bool = True) -> None:
        import warnings

        self.check_nan = check_nan
        warnings.warn(
            "Anomaly Detection has been enabled. This mode will increase the runtime and should "
            "only be enabled for debugging.",
            stacklevel=2,
        )

    def __enter__(self) -> None:
        self._previous = _C.set_anomaly(True, self.check_nan)

    def __exit__(self, *exc: object) -> None:
        _C.set_anomaly(*self._previous)


class set_detect_anomaly:
    """Turns anomaly detection on or off, at once; as a context, until it is left.

    Args:
        mode: whether anomaly detection is on.
        check_nan: whether a NaN in a gradient is an error.

    Example::

        >>> with pytensor.autograd.set_detect_anomaly(False):
        ...     pass
    """

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        self._previous = _C.set_anomaly(mode, check_nan)

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exc: object) -> None:
        _C.set_anomaly(*self._previous)
