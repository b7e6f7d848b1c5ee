"""``torch.cpu``: the CPU by the functions that accelerators have."""

from __future__ import annotations

from typing import Any

from pytensor._absent import nothing

synchronize = nothing
set_device = nothing


def is_available() -> bool:
    """True: there always is a CPU."""
    return True


def device_count() -> int:
    """1: the CPU counts as one device."""
    return 1


def current_device() -> str:
    """The name of the device: "cpu"."""
    return "cpu"


class Stream:
    """A queue of work: none is needed, everything is done when a call returns."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass

    def wait_stream(self, stream: Any) -> None:
        """Does nothing: the work is done."""


def current_stream(device: Any = None) -> Stream:
    """The queue of the CPU."""
    return Stream()
