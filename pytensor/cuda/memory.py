"""Figures of the caching allocator. Without a device they are zero."""

from __future__ import annotations

from typing import Any

from pytensor import _C
from pytensor.cuda._device import device_count, index_of

OutOfMemoryError = _C.OutOfMemoryError


def memory_stats(device: Any = None) -> dict[str, int]:
    """All figures by PyTorch's names: "allocated_bytes.all.current" and so on."""
    if device_count() == 0:
        return {}
    stats = _C.cuda_memory(index_of(device))
    return {k: v for k, v in stats.items() if k not in ("free", "total")}


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


reset_max_memory_allocated = reset_peak_memory_stats


def empty_cache() -> None:
    """Gives cached memory back to the device."""
    if device_count() > 0:
        _C.cuda_empty_cache()


def mem_get_info(device: Any = None) -> tuple[int, int]:
    """Free and total bytes of a device."""
    stats = _C.cuda_memory(index_of(device))
    return stats["free"], stats["total"]


def memory_summary(device: Any = None, abbreviated: bool = False) -> str:
    """The most important figures as a text."""
    index = index_of(device)
    rows = [
        ("allocated", memory_allocated(index), max_memory_allocated(index)),
        ("reserved", memory_reserved(index), max_memory_reserved(index)),
    ]
    lines = [f"cuda:{index}      now (MiB)   peak (MiB)"]
    lines += [f"{name:10} {now / 2**20:12.2f} {peak / 2**20:12.2f}" for name, now, peak in rows]
    return "\n".join(lines)
