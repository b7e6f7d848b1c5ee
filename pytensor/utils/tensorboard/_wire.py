"""Protocol buffers' wire format, as far as event files need it: messages as bytes.

A message is the concatenation of its fields; each function below makes one field. See
https://protobuf.dev/programming-guides/encoding.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable


def varint(value: int) -> bytes:
    """An integer in groups of seven bits, the lowest first; negative ones as 64-bit complements."""
    value &= 0xFFFFFFFFFFFFFFFF
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def integer(field: int, value: int) -> bytes:
    """A field of an integer, enum or bool."""
    return varint(field << 3) + varint(value)


def double(field: int, value: float) -> bytes:
    """A field of a double."""
    return varint(field << 3 | 1) + struct.pack("<d", value)


def single(field: int, value: float) -> bytes:
    """A field of a float; numbers beyond its range become infinite."""
    try:
        data = struct.pack("<f", value)
    except OverflowError:
        data = struct.pack("<f", float("inf") if value > 0 else -float("inf"))
    return varint(field << 3 | 5) + data


def chunk(field: int, value: bytes | str) -> bytes:
    """A field of bytes, a string or a message."""
    data = value.encode() if isinstance(value, str) else value
    return varint(field << 3 | 2) + varint(len(data)) + data


def doubles(field: int, values: Iterable[float]) -> bytes:
    """A field of many doubles, packed."""
    data = list(values)
    return chunk(field, struct.pack(f"<{len(data)}d", *data))


def singles(field: int, values: Iterable[float]) -> bytes:
    """A field of many floats, packed."""
    data = list(values)
    return chunk(field, struct.pack(f"<{len(data)}f", *data))
