"""``torch.accelerator``: whichever accelerator the machine has, under one name.

CUDA is the only kind; without a device every question says so and the rest raises.
"""

from __future__ import annotations

from typing import Any

import pytensor
from pytensor import cuda
from pytensor._absent import absent

_MESSAGE = "Cannot access accelerator device when none is available."
_unavailable = absent(RuntimeError, _MESSAGE)


def is_available() -> bool:
    """Whether the machine has an accelerator that this build can use.

    Example::

        >>> device = "cuda" if pytensor.accelerator.is_available() else "cpu"
    """
    return device_count() > 0


def device_count() -> int:
    """The number of accelerators."""
    return cuda.device_count()


def current_accelerator(check_available: bool = False) -> Any:
    """The device, without an index, or None when there is no accelerator."""
    return pytensor.device("cuda") if is_available() else None


def _forward(name: str) -> Any:
    def call(*args: Any, **kwargs: Any) -> Any:
        if not is_available():
            _unavailable()
        return getattr(cuda, name)(*args, **kwargs)

    call.__name__ = name
    call.__doc__ = f"``cuda.{name}``; a RuntimeError when there is no accelerator."
    return call


current_device_index = current_device_idx = _forward("current_device")
current_stream = _forward("current_stream")
empty_cache = _forward("empty_cache")
get_device_capability = _forward("get_device_capability")
max_memory_allocated = _forward("max_memory_allocated")
max_memory_reserved = _forward("max_memory_reserved")
memory_allocated = _forward("memory_allocated")
memory_reserved = _forward("memory_reserved")
get_memory_info = _forward("mem_get_info")
memory_stats = _forward("memory_stats")
reset_accumulated_memory_stats = _forward("reset_accumulated_memory_stats")
reset_peak_memory_stats = _forward("reset_peak_memory_stats")
set_stream = _forward("set_stream")
set_device_index = set_device_idx = _forward("set_device")
synchronize = _forward("synchronize")


class device_index:
    """Context in which the accelerator of that index is the current one; None changes nothing.

    Raises:
        RuntimeError: when it is entered with an index and there is no accelerator.
    """

    def __init__(self, device: int | None) -> None:
        self._context = cuda.device(-1 if device is None else device)
        self._device = device

    def __enter__(self) -> None:
        if self._device is not None and not is_available():
            _unavailable()
        self._context.__enter__()

    def __exit__(self, *exc: object) -> None:
        self._context.__exit__(*exc)
