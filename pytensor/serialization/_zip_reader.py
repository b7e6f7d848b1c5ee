"""Reads the zip archives that `save` and PyTorch write, and believes nothing they say.

Sizes and places are checked against the file before any memory is reserved. Only uncompressed
records are read: a storage is then never larger than the file. Follows PKWARE's APPNOTE 6.3.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

from pytensor import _C
from pytensor.serialization._memory import allocate
from pytensor.serialization._source import Source

_END = struct.Struct("<4s4H2IH")
_LOCATOR = struct.Struct("<4sIQI")
_END64 = struct.Struct("<4sQ2H2I4Q")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_LOCAL = struct.Struct("<4s5H3I2H")
_ENCRYPTED = 1


@dataclass(frozen=True)
class _Record:
    name: bytes
    offset: int  # of the local header
    size: int  # in the file
    crc: int
    readable: bool  # neither compressed nor encrypted


def _broken(why: str) -> RuntimeError:
    return RuntimeError(f"load(): the zip archive is broken: {why}")


class ZipReader:
    """The records of an archive by their names below its folder.

    Args:
        source: the file.

    Raises:
        RuntimeError: the archive is damaged, or uses what such archives never use.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        records = self._read_directory(*self._find_directory())
        if sum(r.size for r in records) > source.size:
            raise _broken("its records overlap")
        folders = {r.name.split(b"/", 1)[0] for r in records if b"/" in r.name}
        if len(folders) != 1:
            raise _broken("its records are not all in one folder")
        skip = len(folders.pop()) + 1
        self._records = {r.name[skip:].decode("utf-8", "replace"): r for r in records}
        if len(self._records) != len(records):
            raise _broken("it has two records of the same name")

    def _find_directory(self) -> tuple[int, int, int]:
        """Start, length and number of entries of the directory."""
        size = self._source.size
        tail_start = max(0, size - _END.size - 0xFFFF)
        tail = self._source.read(tail_start, size - tail_start)
        at = tail.rfind(b"PK\5\6")
        if at < 0 or len(tail) - at < _END.size:
            raise RuntimeError(
                "PytorchStreamReader failed reading zip archive: failed finding central "
                "directory. The file is cut off or damaged: copy or download it again"
            )
        _, disk, start_disk, _, count, length, start, _ = _END.unpack_from(tail, at)
        if 0xFFFF in (disk, count) or 0xFFFFFFFF in (length, start):
            end64 = self._find_end64(tail_start + at)
            _, _, _, _, disk, start_disk, _, count, length, start = end64
        if disk or start_disk:
            raise _broken("it is one of several parts")
        if start + length > size or count * _CENTRAL.size > length:
            raise _broken("its directory lies outside of the file")
        return start, length, count

    def _find_end64(self, end: int) -> tuple[Any, ...]:
        if end < _LOCATOR.size:
            raise _broken("its zip64 record is missing")
        locator = self._source.read(end - _LOCATOR.size, _LOCATOR.size)
        magic, _, at, _ = _LOCATOR.unpack(locator)
        record = self._source.read(at, _END64.size) if at < self._source.size else b""
        if magic != b"PK\6\7" or len(record) < _END64.size or record[:4] != b"PK\6\6":
            raise _broken("its zip64 record is missing")
        return _END64.unpack(record)

    def _read_directory(self, start: int, length: int, count: int) -> list[_Record]:
        data = self._source.read(start, length)
        records, at = [], 0
        for _ in range(count):
            if at + _CENTRAL.size > len(data):
                raise _broken("its directory is cut off")
            fields = _CENTRAL.unpack_from(data, at)
            magic, _, _, flags, method, _, _, crc, packed, size, names, extras, comments = fields[
                :13
            ]
            offset = fields[16]
            at += _CENTRAL.size
            name = data[at : at + names]
            extra = data[at + names : at + names + extras]
            at += names + extras + comments
            if magic != b"PK\1\2" or at > len(data):
                raise _broken("its directory is damaged")
            if 0xFFFFFFFF in (size, packed, offset):
                size, packed, offset = _read_zip64(extra, size, packed, offset)
            if offset + _LOCAL.size + packed > self._source.size:
                shown = name.decode("utf-8", "replace")
                raise _broken(f"record {shown!r} lies outside of the file")
            readable = method == 0 and size == packed and not flags & _ENCRYPTED
            records.append(_Record(name, offset, packed, crc, readable))
        return records

    def __contains__(self, name: str) -> bool:
        return name in self._records

    def names(self) -> list[str]:
        """The names of all records, below the archive's folder."""
        return list(self._records)

    def size(self, name: str) -> int:
        """The length of a record in bytes."""
        return self._find(name).size

    def _find(self, name: str) -> _Record:
        record = self._records.get(name)
        if record is None:
            raise RuntimeError(
                f"PytorchStreamReader failed locating file {name}: file not found. The archive "
                "was not written by save(), or not completely"
            )
        if not record.readable:
            raise RuntimeError(
                f"load(): record {name!r} is compressed or encrypted, which is not supported: "
                "unpack the archive and pack it again without compression (zip -0)"
            )
        return record

    def offset(self, name: str) -> int:
        """Where a record's bytes start in the file."""
        record = self._find(name)
        header = self._source.read(record.offset, _LOCAL.size + len(record.name))
        if len(header) < _LOCAL.size or header[:4] != b"PK\3\4":
            raise _broken(f"record {name!r} has no header")
        *_, names, extras = _LOCAL.unpack_from(header)
        if header[_LOCAL.size :] != record.name or names != len(record.name):
            raise _broken(f"record {name!r} has another name in its header")
        start = record.offset + _LOCAL.size + names + extras
        if start + record.size > self._source.size:
            raise _broken(f"record {name!r} lies outside of the file")
        return int(start)

    def read(self, name: str) -> bytes:
        """The bytes of a record.

        Raises:
            RuntimeError: there is no such record, or its checksum is wrong.
        """
        record = self._find(name)
        data = self._source.read(self.offset(name), record.size)
        self._check(name, _C.crc32(data))
        return data

    def read_storage(self, name: str) -> Any:
        """The bytes of a record as a new tensor."""
        offset, length = self.offset(name), self._find(name).size
        elements = allocate(length)
        crc = 0

        def add(part: memoryview) -> None:
            nonlocal crc
            crc = _C.crc32(part, crc)

        if self._source.read_into(offset, elements, add) != length:
            raise _broken(f"record {name!r} is cut off")
        self._check(name, crc)
        return elements

    def _check(self, name: str, crc: int) -> None:
        if crc != self._find(name).crc:
            raise RuntimeError(
                f"load(): the checksum of record {name!r} is wrong: the file was damaged after it "
                "was saved. Copy or download it again"
            )


def _read_zip64(extra: bytes, size: int, packed: int, offset: int) -> tuple[int, int, int]:
    """The sizes and the offset with those that did not fit replaced from the extra fields."""
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, at)
        body = extra[at + 4 : at + 4 + length]
        at += 4 + length
        if kind != 1:
            continue
        values = iter(struct.unpack(f"<{len(body) // 8}Q", body[: len(body) // 8 * 8]))
        try:
            size = next(values) if size == 0xFFFFFFFF else size
            packed = next(values) if packed == 0xFFFFFFFF else packed
            offset = next(values) if offset == 0xFFFFFFFF else offset
        except StopIteration:
            break
        return size, packed, offset
    raise _broken("its zip64 sizes are missing")
