"""``torch.cuda`` for a build without the CUDA backend: no device is ever available.

Questions are answered, and what programs call on any machine does nothing; the rest raises
PyTorch's error.
"""

from __future__ import annotations

from typing import Any

from pytensor._absent import absent, no, nothing, zero

_unavailable = absent(AssertionError, "Torch not compiled with CUDA enabled")

is_available = no
is_initialized = no
is_bf16_supported = no
is_current_stream_capturing = no
device_count = zero
memory_allocated = zero
memory_reserved = zero
max_memory_allocated = zero
max_memory_reserved = zero
manual_seed = nothing
manual_seed_all = nothing
seed = nothing
seed_all = nothing
empty_cache = nothing

current_device = _unavailable
current_stream = _unavailable
default_stream = _unavailable
get_device_name = _unavailable
get_device_capability = _unavailable
get_device_properties = _unavailable
get_rng_state = _unavailable
init = _unavailable
initial_seed = _unavailable
ipc_collect = _unavailable
mem_get_info = _unavailable
memory_summary = _unavailable
reset_max_memory_allocated = _unavailable
reset_peak_memory_stats = _unavailable
set_device = _unavailable
set_per_process_memory_fraction = _unavailable
set_rng_state = _unavailable
synchronize = _unavailable
utilization = _unavailable


def get_arch_list() -> list[str]:
    """The architectures the build has code for: none."""
    return []


def get_rng_state_all() -> list[Any]:
    """The generators' states of all devices: none."""
    return []


def set_rng_state_all(new_states: Any) -> None:
    """Restores the generators of all devices.

    Raises:
        AssertionError: there is a state, but no device.
    """
    for _ in new_states:
        _unavailable()


class OutOfMemoryError(RuntimeError):
    """A device's memory is exhausted."""


class Stream:
    """A queue of work on a device.

    Raises:
        RuntimeError: always: there is no device.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise RuntimeError("torch.cuda.Stream requires CUDA support")


class Event:
    """A mark in a stream.

    Raises:
        RuntimeError: always: there is no device.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise RuntimeError("torch.cuda.Event requires CUDA support")


class _OnDevice:
    """A context in which a device is the current one; a negative index or None changes nothing."""

    def __init__(self, device: Any) -> None:
        self._device = device

    def __enter__(self) -> None:
        if self._device is not None and self._device != -1:
            raise RuntimeError("PyTorch was compiled without CUDA support")

    def __exit__(self, *exc: object) -> None:
        pass


class device(_OnDevice):
    """Context in which a device is the current one.

    Args:
        device: its index, or -1 for no change.

    Raises:
        RuntimeError: when it is entered with a device: there is none.
    """


class stream(_OnDevice):
    """Context in which work goes to a stream; with None it changes nothing."""

    def __init__(self, stream: Any) -> None:
        super().__init__(stream)


def __getattr__(name: str) -> Any:
    if name == "amp":
        import importlib

        return importlib.import_module("pytensor.cuda.amp")
    if name.endswith(("Tensor", "Storage")) and not name.startswith("_"):
        return _unavailable
    raise AttributeError(f"module 'pytensor.cuda' has no attribute {name!r}")
