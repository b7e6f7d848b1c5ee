"""Writes the zip archives that hold a pickle and its storages, uncompressed and aligned.

PyTorch maps such files into memory, so each record's bytes start at a multiple of 64. Sizes and
offsets of 4 GiB and more take the zip64 form. Follows PKWARE's APPNOTE 6.3.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

ALIGNMENT = 64
_LIMIT = 0xFFFFFFFF  # sizes and offsets from here on are written as 64 bits
_ELSEWHERE = 0xFFFFFFFF  # stands where such a number would be
_MANY = 0xFFFF  # the same for the number of records
_UTF8 = 0x800
_DATE = 0x21  # 1980-01-01: archives of equal contents are equal


def _short(number: int) -> int:
    return _ELSEWHERE if number >= _LIMIT else number


@dataclass
class _Entry:
    name: bytes
    crc: int
    size: int
    offset: int


class ZipWriter:
    """Writes one record after the other to `file.write`; `close` adds the directory.

    Args:
        file: what takes the bytes; it need not be seekable.
        folder: the folder inside the archive that holds all records.
    """

    def __init__(self, file: Any, folder: str) -> None:
        self._write = file.write
        self._folder = folder
        self._entries: list[_Entry] = []
        self._offset = 0

    def _put(self, data: Any) -> None:
        self._write(data)
        self._offset += len(data)

    def record(self, name: str, data: Any, crc: int) -> None:
        """Adds a record. `crc` is the CRC-32 of `data`, which is any buffer of bytes."""
        full = f"{self._folder}/{name}".encode()
        entry = _Entry(full, crc, len(data), self._offset)
        large = entry.size >= _LIMIT
        size = _short(entry.size)
        extra = struct.pack("<HHQQ", 1, 16, entry.size, entry.size) if large else b""
        # A field of a private kind pads the header up to the alignment.
        start = self._offset + 30 + len(full) + len(extra) + 4
        padding = -start % ALIGNMENT
        extra += struct.pack("<2sH", b"FB", padding) + bytes(padding)
        header = struct.pack(
            "<4s5H3I2H", b"PK\3\4", 45 if large else 20, _UTF8, 0, 0, _DATE, crc, size, size,
            len(full), len(extra),
        )  # fmt: skip
        self._put(header + full + extra)
        if entry.size:
            self._put(data)
        self._entries.append(entry)

    def close(self) -> None:
        """Writes the directory of all records."""
        start = self._offset
        directory = bytearray()
        for e in self._entries:
            large = [n for n in (e.size, e.size, e.offset) if n >= _LIMIT]
            extra = struct.pack(f"<HH{len(large)}Q", 1, 8 * len(large), *large) if large else b""
            size, offset = _short(e.size), _short(e.offset)
            directory += struct.pack(
                "<4s6H3I5H2I", b"PK\1\2", 45, 45 if large else 20, _UTF8, 0, 0, _DATE, e.crc, size,
                size, len(e.name), len(extra), 0, 0, 0, 0, offset,
            )  # fmt: skip
            directory += e.name + extra
        count = len(self._entries)
        if count >= _MANY or start + len(directory) >= _LIMIT:
            directory_size, end = len(directory), start + len(directory)
            directory += struct.pack(
                "<4sQ2H2I4Q", b"PK\6\6", 44, 45, 45, 0, 0, count, count, directory_size, start
            )
            directory += struct.pack("<4sIQI", b"PK\6\7", 0, end, 1)
        else:
            directory_size = len(directory)
        directory += struct.pack(
            "<4s4H2IH", b"PK\5\6", 0, 0, min(count, _MANY), min(count, _MANY),
            _short(directory_size), _short(start), 0,
        )  # fmt: skip
        self._put(directory)
