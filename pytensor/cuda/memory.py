"""Figures of the caching allocator, and its limits. Without a device figures are zero."""

from __future__ import annotations

from typing import Any

from pytensor import _C
from pytensor.cuda._device import device_count, get_device_properties, index_of

__all__ = [
    "OutOfMemoryError",
    "caching_allocator_alloc",
    "caching_allocator_delete",
    "empty_cache",
    "get_allocator_backend",
    "get_per_process_memory_fraction",
    "max_memory_allocated",
    "max_memory_cached",
    "max_memory_reserved",
    "mem_get_info",
    "memory_allocated",
    "memory_cached",
    "memory_reserved",
    "memory_stats",
    "memory_stats_as_nested_dict",
    "memory_summary",
    "reset_accumulated_memory_stats",
    "reset_max_memory_allocated",
    "reset_max_memory_cached",
    "reset_peak_memory_stats",
    "set_per_process_memory_fraction",
]

OutOfMemoryError = _C.OutOfMemoryError

_fractions: dict[int, float] = {}


def memory_stats(device: Any = None) -> dict[str, int]:
    """All figures by PyTorch's names: "allocated_bytes.all.current" and so on.

    Each has ".current", ".peak", ".allocated" and ".freed", for "all", "small_pool" and
    "large_pool".
    """
    if device_count() == 0:
        return {}
    stats = _C.cuda_memory(index_of(device))
    return dict(sorted((k, v) for k, v in stats.items() if k not in ("free", "total")))


def memory_stats_as_nested_dict(device: Any = None) -> dict[str, Any]:
    """The figures as dicts of dicts: ``["allocated_bytes"]["all"]["current"]``."""
    nested: dict[str, Any] = {}
    for name, value in memory_stats(device).items():
        *path, last = name.split(".")
        at = nested
        for part in path:
            at = at.setdefault(part, {})
        at[last] = value
    return nested


def _figure(device: Any, name: str) -> int:
    return memory_stats(device).get(name, 0)


def memory_allocated(device: Any = None) -> int:
    """Bytes that tensors hold."""
    return _figure(device, "allocated_bytes.all.current")


def max_memory_allocated(device: Any = None) -> int:
    """The most bytes that tensors held since the last reset_peak_memory_stats()."""
    return _figure(device, "allocated_bytes.all.peak")


def memory_reserved(device: Any = None) -> int:
    """Bytes taken from the device, the cache included."""
    return _figure(device, "reserved_bytes.all.current")


def max_memory_reserved(device: Any = None) -> int:
    """The most bytes taken from the device since the last reset_peak_memory_stats()."""
    return _figure(device, "reserved_bytes.all.peak")


def reset_peak_memory_stats(device: Any = None) -> None:
    """The peaks start from what is in use now."""
    _C.cuda_reset_stats(index_of(device), True)


def reset_accumulated_memory_stats(device: Any = None) -> None:
    """The sums "allocated" and "freed" start from zero."""
    _C.cuda_reset_stats(index_of(device), False)


memory_cached = memory_reserved
max_memory_cached = max_memory_reserved
reset_max_memory_allocated = reset_peak_memory_stats
reset_max_memory_cached = reset_peak_memory_stats


def empty_cache() -> None:
    """Gives cached memory back to the device. While a graph is captured it does nothing."""
    if device_count() > 0:
        _C.cuda_empty_cache()


def mem_get_info(device: Any = None) -> tuple[int, int]:
    """Free and total bytes of a device."""
    stats = _C.cuda_memory(index_of(device))
    return stats["free"], stats["total"]


def set_per_process_memory_fraction(fraction: float, device: Any = None) -> None:
    """Limits what is taken from a device; more raises an OutOfMemoryError.

    Args:
        fraction: of the device's memory, 0 to 1. 1 takes the limit away.
        device: by default the current one.

    Raises:
        TypeError: `fraction` is no float.
        ValueError: it is below 0 or above 1.
    """
    index = index_of(device)
    if not isinstance(fraction, float):
        raise TypeError("Invalid type for fraction argument, must be `float`")
    if not 0 <= fraction <= 1:
        raise ValueError(f"Invalid fraction value: {fraction}. Allowed range: 0~1")
    total = get_device_properties(index).total_memory
    _C.cuda_set_limit(index, 0 if fraction == 1 else max(1, int(fraction * total)))
    _fractions[index] = fraction


def get_per_process_memory_fraction(device: Any = None) -> float:
    """What set_per_process_memory_fraction() was last given, else 1."""
    return _fractions.get(index_of(device), 1.0)


def get_allocator_backend() -> str:
    """ "native": memory is cached by this library."""
    return "native"


_held: dict[int, Any] = {}


def caching_allocator_alloc(size: int, device: Any = None, stream: Any = None) -> int:
    """Takes memory for another library to use; caching_allocator_delete() gives it back.

    Args:
        size: bytes.
        device: by default the current one.
        stream: a stream or its handle, on which the memory is used.

    Returns:
        The address.
    """
    import pytensor
    from pytensor.cuda.streams import Stream
    from pytensor.cuda.streams import stream as on_stream

    index = index_of(device)
    if isinstance(stream, int):
        stream = Stream._of(stream, index)
    with pytensor.cuda.device(index), on_stream(stream):
        t = pytensor.empty(size, dtype=pytensor.uint8, device=pytensor.device("cuda", index))
    _held[t.data_ptr()] = t
    return t.data_ptr()


def caching_allocator_delete(mem_ptr: int) -> None:
    """Gives memory of caching_allocator_alloc() back."""
    _held.pop(mem_ptr, None)


def memory_summary(device: Any = None, abbreviated: bool = False) -> str:
    """The figures as a table.

    Args:
        device: by default the current one.
        abbreviated: leaves out the rows of small and large blocks.
    """
    index = index_of(device)
    stats = memory_stats(index)
    rows = [
        ("Held by tensors", "allocated_bytes", True),
        ("Asked for", "requested_bytes", True),
        ("Reserved", "reserved_bytes", True),
        ("Blocks", "allocation", False),
        ("Segments", "segment", False),
    ]
    columns = ("current", "peak", "allocated", "freed")

    def cell(value: int, is_bytes: bool) -> str:
        if not is_bytes:
            return str(value)
        for unit in ("B", "KiB", "MiB"):
            if value < 10 * 1024:
                return f"{value} {unit}"
            value //= 1024
        return f"{value} GiB"

    lines = [
        f"Memory of cuda:{index}; out of memory: {stats.get('num_ooms', 0)}, "
        f"retries: {stats.get('num_alloc_retries', 0)}",
        f"{'':24}" + "".join(f"{c:>14}" for c in ("now", "peak", "taken", "given back")),
    ]
    for title, name, is_bytes in rows:
        for pool in ("all",) if abbreviated else ("all", "large_pool", "small_pool"):
            label = title if pool == "all" else f"  {pool.split('_')[0]} blocks"
            values = (stats.get(f"{name}.{pool}.{c}", 0) for c in columns)
            lines.append(f"{label:24}" + "".join(f"{cell(v, is_bytes):>14}" for v in values))
    return "\n".join(lines)
