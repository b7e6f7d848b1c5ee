"""``torch.cuda.nvtx``: marks for NVIDIA's profilers, which this library does not send.

Ranges are counted, so that programs which use them run.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["mark", "range", "range_end", "range_pop", "range_push", "range_start"]

_depth = 0
_started = 0


def range_push(msg: str) -> int:
    """Opens a range and returns how many were open."""
    global _depth
    _depth += 1
    return _depth - 1


def range_pop() -> int:
    """Closes the last range and returns how many are still open; -1 if none was."""
    global _depth
    _depth = max(_depth - 1, -1)
    left, _depth = _depth, max(_depth, 0)
    return left


def range_start(msg: str) -> int:
    """Opens a range that need not be the last to close, and returns its number."""
    global _started
    _started += 1
    return _started


def range_end(range_id: int) -> None:
    """Closes a range of range_start()."""


def mark(msg: str) -> None:
    """A moment."""


@contextmanager
def range(msg: str, *args: Any, **kwargs: Any) -> Iterator[None]:
    """Context in which a range is open; `msg` is formatted with the arguments."""
    range_push(msg.format(*args, **kwargs))
    try:
        yield
    finally:
        range_pop()
