"""``pad``. Part of ``pytensor.nn.functional``."""

from __future__ import annotations

from collections.abc import Sequence

from pytensor import Tensor, _ops

__all__ = ["pad"]

_pad = _ops.internal["pad"]


def pad(
    input: Tensor, pad: Sequence[int], mode: str = "constant", value: float | None = None
) -> Tensor:
    """A copy with elements added around it, or with its borders cut off.

    Args:
        input: any shape for ``"constant"``; with the dimensions to pad, one more and perhaps a
            batch for the other modes.
        pad: how many elements to add: before and after the last dimension, then before and after
            the one before it, and so on. Negative numbers cut elements off.
        mode: ``"constant"``; ``"reflect"``, which mirrors at the border elements; ``"replicate"``,
            which repeats them; or ``"circular"``, which goes on at the other end.
        value: of the new elements in mode ``"constant"``. Default: 0.

    Raises:
        RuntimeError: there are more numbers than dimensions for them, or the input is too small.
        NotImplementedError: the mode is unknown or does not work for that many dimensions.

    Example::

        >>> row = pytensor.tensor([[1.0, 2.0, 3.0]])
        >>> pytensor.nn.functional.pad(row, (1, 2))
        tensor([[0., 1., 2., 3., 0., 0.]])
        >>> pytensor.nn.functional.pad(row, (1, 2), "reflect")
        tensor([[2., 1., 2., 3., 2., 1.]])
    """
    result: Tensor = _pad(input, pad, mode, value)
    return result
