"""Event files: records framed as TensorFlow's TFRecord, each with two checksums."""

from __future__ import annotations

import itertools
import os
import socket
import struct
import time

from pytensor.utils.tensorboard import _wire

_numbers = itertools.count()


def _table() -> list[int]:
    """CRC-32C's table by bytes: the remainders of the reversed Castagnoli polynomial."""
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return table


_TABLE = _table()


def crc32c(data: bytes) -> int:
    """The CRC-32C checksum."""
    crc = 0xFFFFFFFF
    table = _TABLE
    for byte in data:
        crc = table[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


def masked_crc(data: bytes) -> bytes:
    """The checksum turned and shifted, so that one of data with checksums in it stays sound."""
    crc = crc32c(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def record(data: bytes) -> bytes:
    """Length, its checksum, data, their checksum."""
    length = struct.pack("<Q", len(data))
    return length + masked_crc(length) + data + masked_crc(data)


class EventFile:
    """Appends events to a new file of a directory.

    Args:
        directory: made if it is missing.
        suffix: put at the end of the file's name.
        flush_seconds: how long events may wait in memory.
    """

    def __init__(self, directory: str, suffix: str = "", flush_seconds: float = 120) -> None:
        os.makedirs(directory, exist_ok=True)
        self.directory = directory
        # Readers go by the names' order: numbers of one width keep it within a second.
        name = (
            f"events.out.tfevents.{int(time.time()):010d}.{socket.gethostname()}."
            f"{os.getpid()}.{next(_numbers):06d}{suffix}"
        )
        self.path = os.path.join(directory, name)
        self._file = open(self.path, "ab")  # noqa: SIM115
        self._flush_seconds = flush_seconds
        self._flushed = time.monotonic()
        self.write(_wire.chunk(3, "brain.Event:2"))
        self.flush()

    def write(self, what: bytes, step: int | None = None, walltime: float | None = None) -> None:
        """One event: its time, its step, and the field that says what it is."""
        event = _wire.double(1, time.time() if walltime is None else walltime)
        if step is not None:
            event += _wire.integer(2, int(step))
        self._file.write(record(event + what))
        if time.monotonic() - self._flushed > self._flush_seconds:
            self.flush()

    def flush(self) -> None:
        """Writes what waits."""
        self._file.flush()
        self._flushed = time.monotonic()

    def close(self) -> None:
        """Writes what waits and closes the file."""
        self._file.close()
