"""PyTorch's file format before 1.6: pickles one after another, then the storages' bytes.

Magic number, version, facts about the writing machine, the object, the storages' keys; then each
storage as its number of elements and its memory. Used by `load` and by `save` when asked for it.
"""

from __future__ import annotations

import pickle
import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pytensor.serialization._allowed import refuse
from pytensor.serialization._location import Restore
from pytensor.serialization._memory import allocate, buffer_of, make_valid, swap_bytes
from pytensor.serialization._names import StorageType
from pytensor.serialization._pickler import Pickler
from pytensor.serialization._source import Source
from pytensor.serialization._storages import as_storage, parse_id

MAGIC = 0x1950A86A20F9469CFC6C
VERSION = 1001

# Reads one pickle: bytes or a mapped file, persistent_load, start -> object, end.
ReadPickle = Callable[[Any, Callable[[Any], Any], int], tuple[Any, int]]


def write_legacy(obj: Any, file: Any, protocol: int) -> None:
    """Writes `obj` to `file.write`."""
    pickler = Pickler(
        protocol,
        lambda kind, number, count, place: ("storage", kind, str(number), place, count, None),
    )
    pickled = pickler.result(obj)
    sizes = {"short": 2, "int": 4, "long": 4}
    facts = {"protocol_version": VERSION, "little_endian": True, "type_sizes": sizes}
    for part in (MAGIC, VERSION, facts):
        file.write(pickle.dumps(part, protocol))
    file.write(pickled)
    stored = list(pickler.storages.values())
    file.write(pickle.dumps([str(number) for number, _, _ in stored], protocol))
    for _, elements, kind in stored:
        count = elements.numel() // kind.item
        file.write(struct.pack("<q", count))
        if count:
            file.write(buffer_of(elements.cpu())[: count * kind.item])


@dataclass
class _Stored:
    """A storage that is filled once the object has been read."""

    elements: Any
    kind: StorageType
    count: int


class LegacyReader:
    """Reads one object.

    Args:
        source: the file.
        read_pickle: reads one of its pickles.
        restore: puts storages on their device.
    """

    def __init__(self, source: Source, read_pickle: ReadPickle, restore: Restore) -> None:
        self._source = source
        self._read_pickle = read_pickle
        self._restore = restore
        self._stored: dict[str, _Stored] = {}
        self._declared = 0

    def load(self) -> Any:
        """The object.

        Raises:
            pickle.UnpicklingError: the file is damaged or no such file.
            RuntimeError: it is of an unknown version, or it ends too soon.
        """
        self._data = self._source.whole()
        self._at = 0
        if self._next(_no_storages) != MAGIC:
            raise RuntimeError(
                "Invalid magic number; corrupt file? It is not one that save() or torch.save() "
                "wrote"
            )
        if self._next(_no_storages) != VERSION:
            raise RuntimeError("Invalid protocol version; the file is of a version not known")
        facts = self._next(_no_storages)
        little = not isinstance(facts, dict) or bool(facts.get("little_endian", True))
        result = self._next(self._persistent_load)
        keys = self._next(_no_storages)
        if type(keys) is not list or not all(type(key) is str for key in keys):
            raise refuse("the list of storages is damaged")
        if len(set(keys)) != len(keys) or set(keys) != set(self._stored):
            raise refuse("the list of storages does not match the object")
        for key in keys:
            self._fill(self._stored[key], little)
        self._source.finish(self._at)
        return result

    def _next(self, persistent_load: Callable[[Any], Any]) -> Any:
        value, self._at = self._read_pickle(self._data, persistent_load, self._at)
        return value

    def _fill(self, stored: _Stored, little: bool) -> None:
        header = self._source.read(self._at, 8)
        count = struct.unpack("<q" if little else ">q", header)[0] if len(header) == 8 else -1
        if count != stored.count:
            raise RuntimeError(
                f"load(): a storage has {count} elements, but the object needs {stored.count}: "
                "the file is cut off or damaged"
            )
        length = count * stored.kind.item
        elements = stored.elements if stored.elements.device.type == "cpu" else allocate(length)
        if self._source.read_into(self._at + 8, elements) != length:
            raise RuntimeError("load(): unexpected end of file: it is cut off")
        if little != (sys.byteorder == "little"):
            swap_bytes(elements, stored.kind.item)
        make_valid(elements, stored.kind.dtype)
        if elements is not stored.elements:
            stored.elements.copy_(elements)
        self._at += 8 + length

    def _persistent_load(self, pid: Any) -> Any:
        if type(pid) is tuple and len(pid) == 4 and pid[0] == "module":
            return pid[1]  # a class with its source text, which is not compared
        kind, key, location, count = parse_id(pid, 6)
        if pid[5] is not None:
            raise refuse(
                "the file holds views of storages, as only PyTorch before 0.4 wrote them: load "
                "and save it again with a newer one"
            )
        if key not in self._stored:
            self._declared += count * kind.item
            if self._declared > self._source.size:
                raise refuse("the storages are larger than the file: it is cut off or damaged")
            elements = self._restore(allocate(count * kind.item), location)
            self._stored[key] = _Stored(elements, kind, count)
        stored = self._stored[key]
        if stored.count * stored.kind.item != count * kind.item:
            raise refuse(f"storage {key!r} is asked for with two sizes")
        return as_storage(stored.elements, kind)


def _no_storages(pid: Any) -> Any:
    raise refuse("a storage is referred to where none can be")
