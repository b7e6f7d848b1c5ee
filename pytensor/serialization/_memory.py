"""The memory of storages as buffers that files are written from and read into.

Not by the tensors' own buffer protocol: a tensor exported by it can never be resized again.
"""

from __future__ import annotations

import ctypes
from typing import Any

import pytensor


def buffer_of(elements: Any) -> memoryview:
    """The bytes of a contiguous tensor on the cpu, writable. The caller keeps the tensor alive."""
    if elements.device.type != "cpu":
        raise TypeError(f"expected memory of the cpu, but got a tensor on {elements.device}")
    length = elements.numel() * elements.element_size()
    if not length:
        return memoryview(bytearray())
    return memoryview((ctypes.c_ubyte * length).from_address(elements.data_ptr())).cast("B")


def allocate(length: int) -> Any:
    """A new storage of `length` bytes, as its uint8 elements; uninitialised."""
    return pytensor.empty((length,), dtype=pytensor.uint8)


def swap_bytes(elements: Any, item: int) -> None:
    """Reverses the bytes of each of the storage's items, for files of the other byte order."""
    whole = elements[: elements.numel() // item * item].view(-1, item)
    whole.copy_(whole.flip(1))


def make_valid(elements: Any, dtype: Any) -> None:
    """Turns bytes that are no value of the dtype into some: a bool is one of 0 and 1."""
    if dtype == pytensor.bool and elements.numel() and int(elements.max()) > 1:
        elements.copy_(elements != 0)
