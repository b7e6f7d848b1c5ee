"""Random numbers of transforms, and checks of their arguments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytensor

__all__ = ["happens", "integer", "pair", "symmetric_range", "uniform"]


def uniform(low: float, high: float) -> float:
    """A float32 from a range."""
    return float(pytensor.empty(1).uniform_(low, high).item())


def integer(low: int, high: int) -> int:
    """An integer from ``low`` to ``high - 1``."""
    return int(pytensor.randint(low, high, size=(1,)).item())


def happens(p: float) -> bool:
    """True with a probability."""
    return bool(pytensor.rand(1).item() < p)


def pair(size: Any, message: str) -> tuple[int, int]:
    """Height and width from a number or a sequence of one or two."""
    if isinstance(size, (int, float)):
        return int(size), int(size)
    if isinstance(size, Sequence) and len(size) == 1:
        return size[0], size[0]
    if len(size) != 2:
        raise ValueError(message)
    height, width = size
    return height, width


def symmetric_range(value: Any, name: str, lengths: Sequence[int] = (2,)) -> list[float]:
    """A range: from ``-value`` to ``value``, or as it is given."""
    if isinstance(value, (int, float)):
        if value < 0:
            raise ValueError(f"If {name} is a single number, it must be positive.")
        return [-float(value), float(value)]
    check_sequence(value, name, lengths)
    return [float(v) for v in value]


def check_sequence(value: Any, name: str, lengths: Sequence[int]) -> None:
    """Raises unless a value is a sequence of one of some lengths."""
    wanted = " or ".join(str(n) for n in lengths)
    if not isinstance(value, Sequence):
        raise TypeError(f"{name} should be a sequence of length {wanted}.")
    if len(value) not in lengths:
        raise ValueError(f"{name} should be a sequence of length {wanted}.")
