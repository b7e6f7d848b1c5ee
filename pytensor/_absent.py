"""Functions of devices that a build does not have. Used by cuda, mps, xpu and accelerator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn


def absent(error: type[Exception], message: str) -> Callable[..., Any]:
    """A function that raises `error` whatever it is given."""

    def unavailable(*args: Any, **kwargs: Any) -> NoReturn:
        raise error(message)

    return unavailable


def nothing(*args: Any, **kwargs: Any) -> None:
    """Does nothing: there is no device to do it on."""


def no(*args: Any, **kwargs: Any) -> bool:
    """False: there is no such device."""
    return False


def zero(*args: Any, **kwargs: Any) -> int:
    """0: there is no such device."""
    return 0
