"""Where files are read from: a path or a file-like object, as bytes at offsets."""

from __future__ import annotations

import mmap
import os
from collections.abc import Callable
from typing import Any

from pytensor.serialization._memory import buffer_of

_PART = 256 << 10
Seen = Callable[[memoryview], None]


def _fill(view: memoryview, read_into: Callable[[memoryview], int], seen: Seen | None) -> int:
    done = 0
    while done < len(view):
        part = view[done : done + _PART]
        count = read_into(part)
        if not count:
            break
        if seen is not None:
            seen(part[:count])
        done += count
    return done


class FileSource:
    """A file on disk. Closed by `close`."""

    def __init__(self, path: Any) -> None:
        self._file = open(path, "rb", buffering=0)  # noqa: SIM115
        self.size = os.fstat(self._file.fileno()).st_size
        self._map: mmap.mmap | None = None

    def read(self, offset: int, length: int) -> bytes:
        """Bytes from `offset`; fewer where the file ends."""
        self._file.seek(offset)
        parts = []
        while length > 0 and (part := self._file.read(length)):
            parts.append(part)
            length -= len(part)
        return b"".join(parts)

    def read_into(self, offset: int, elements: Any, seen: Seen | None = None) -> int:
        """Fills a tensor of bytes from `offset`; returns how many there were.

        `seen` is called with each part while it is in the processor's cache.
        """
        self._file.seek(offset)
        return _fill(buffer_of(elements), self._file.readinto, seen)

    def mapped(self) -> mmap.mmap:
        """The file mapped into memory; writes to the memory do not reach the file."""
        if self._map is None:
            self._map = mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_COPY)
        return self._map

    def whole(self) -> bytes | mmap.mmap:
        """All bytes, without reading them yet."""
        return self.mapped() if self.size else b""

    def finish(self, offset: int) -> None:
        """Tells that everything before `offset` was read."""

    def close(self) -> None:
        self._file.close()


class ObjectSource:
    """A file-like object with read, seek and tell, from where it stands.

    Raises:
        AttributeError: the object lacks one of these methods.
    """

    def __init__(self, file: Any) -> None:
        for name in ("read", "seek", "tell"):
            if not hasattr(file, name):
                raise AttributeError(
                    f"'{type(file).__name__}' object has no attribute '{name}'. You can only load "
                    "from a path or a file that is seekable. Please pre-load the data into a "
                    "buffer like io.BytesIO and try to load from it instead."
                )
        self._file = file
        self._base = file.tell()
        file.seek(0, 2)
        self.size = file.tell() - self._base
        file.seek(self._base)

    def read(self, offset: int, length: int) -> bytes:
        """Bytes from `offset`; fewer where the file ends."""
        self._file.seek(self._base + offset)
        parts = []
        while length > 0 and (part := self._file.read(length)):
            if not isinstance(part, bytes):
                raise TypeError(
                    "load(): the file must be opened in binary mode: read() gave "
                    f"{type(part).__name__}, not bytes"
                )
            parts.append(part)
            length -= len(part)
        return b"".join(parts)

    def read_into(self, offset: int, elements: Any, seen: Seen | None = None) -> int:
        """Fills a tensor of bytes from `offset`; returns how many there were.

        `seen` is called with each part while it is in the processor's cache.
        """
        self._file.seek(self._base + offset)
        return _fill(buffer_of(elements), getattr(self._file, "readinto", self._copy_into), seen)

    def _copy_into(self, part: memoryview) -> int:
        data = self._file.read(len(part))
        part[: len(data)] = data
        return len(data)

    def whole(self) -> bytes:
        """All bytes."""
        return self.read(0, self.size)

    def finish(self, offset: int) -> None:
        """Tells that everything before `offset` was read: the next read starts there."""
        self._file.seek(self._base + offset)

    def close(self) -> None:
        """Leaves the file to its owner."""


Source = FileSource | ObjectSource


def open_source(f: Any) -> Source:
    """The source for what `load` was given."""
    if isinstance(f, (str, os.PathLike)):
        return FileSource(f)
    return ObjectSource(f)
