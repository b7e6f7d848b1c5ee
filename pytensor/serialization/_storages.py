"""The storages that a file's pickle refers to by persistent id. Used by the readers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pytensor.serialization._allowed import refuse
from pytensor.serialization._location import Restore
from pytensor.serialization._memory import make_valid
from pytensor.serialization._names import StorageType
from pytensor.storage import TypedStorage, UntypedStorage


def parse_id(pid: Any, length: int) -> tuple[StorageType, str, str, int]:
    """Type, key, location and number of elements that a persistent id names."""
    if type(pid) is not tuple or len(pid) != length or pid[0] != "storage":
        raise refuse(f"a storage is referred to in an unknown way: {str(pid)[:100]}")
    kind, key, location, count = pid[1:5]
    known = type(kind) is StorageType and type(key) is str and type(location) is str
    if not known or type(count) is not int or count < 0:
        raise refuse(f"a storage is referred to in an unknown way: {str(pid)[:100]}")
    return kind, key, location, count


def as_storage(elements: Any, kind: StorageType) -> UntypedStorage:
    """The storage object over a storage's bytes."""
    untyped = UntypedStorage(elements)
    if kind.dtype is None:
        return untyped
    return TypedStorage(wrap_storage=untyped, dtype=kind.dtype)


class Storages:
    """Loads each storage once; tensors that shared one share it again.

    Args:
        read: gives a storage's bytes by its key and length.
        restore: puts them on their device.
    """

    def __init__(self, read: Callable[[str, int, int], Any], restore: Restore) -> None:
        self._read = read
        self._restore = restore
        self._loaded: dict[str, tuple[Any, int]] = {}

    def load(self, pid: Any) -> UntypedStorage:
        """The storage of a persistent id of five parts."""
        kind, key, location, count = parse_id(pid, 5)
        length = count * kind.item
        if key not in self._loaded:
            elements = self._read(key, length, kind.item)
            make_valid(elements, kind.dtype)
            self._loaded[key] = self._restore(elements, location), length
        elements, known = self._loaded[key]
        if known != length:
            raise refuse(f"storage {key!r} has {known} bytes and is asked for with {length}")
        return as_storage(elements, kind)
