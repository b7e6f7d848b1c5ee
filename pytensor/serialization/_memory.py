"""The memory of storages as buffers that files are written from and read into.

Not by the tensors' own buffer protocol: a tensor exported by it can never be resized again.
"""

from __future__ import annotations

import ctypes
import io
from typing import Any

import pytensor
from pytensor import _C


def buffer_of(elements: Any) -> memoryview:
    """The bytes of a contiguous tensor on the cpu, writable. The buffer keeps the tensor alive."""
    if elements.device.type != "cpu":
        raise TypeError(f"expected memory of the cpu, but got a tensor on {elements.device}")
    length = elements.numel() * elements.element_size()
    if not length:
        return memoryview(bytearray())
    memory: Any = (ctypes.c_ubyte * length).from_address(elements.data_ptr())
    memory.owner = elements
    return memoryview(memory).cast("B")


class MemoryFile:
    """Takes buffers without copying them and makes them the contents of an empty `io.BytesIO`.

    That copies once, in threads, where writing each would grow the file's memory again and again.
    """

    def __init__(self, file: io.BytesIO) -> None:
        self._file = file
        self._parts: list[Any] = []

    @staticmethod
    def suits(file: Any) -> bool:
        """Whether nobody can see that the contents are put there by `__init__`."""
        return type(file) is io.BytesIO and not file.tell() and not file.getbuffer().nbytes

    def write(self, data: Any) -> None:
        self._parts.append(data)

    def flush(self) -> None:
        io.BytesIO.__init__(self._file, _C.join(self._parts))
        self._file.seek(0, io.SEEK_END)


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
