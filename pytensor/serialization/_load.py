"""Reads files of any of the formats: the function `load`."""

from __future__ import annotations

import io
import mmap as _mmap
import pickle
import sys
from collections.abc import Callable
from typing import Any

import pytensor
from pytensor.serialization import _names
from pytensor.serialization._legacy import LegacyReader
from pytensor.serialization._location import Restore, restorer
from pytensor.serialization._memory import swap_bytes
from pytensor.serialization._source import FileSource, Source, open_source
from pytensor.serialization._storages import Storages
from pytensor.serialization._unpickler import Unpickler, globals_of
from pytensor.serialization._zip_reader import ZipReader

PersistentLoad = Callable[[Any], Any]


def load(
    f: Any,
    map_location: Any = None,
    pickle_module: Any = None,
    *,
    weights_only: bool | None = None,
    mmap: bool | None = None,
    **pickle_load_args: Any,
) -> Any:
    """Reads an object that ``save``, or PyTorch's, wrote.

    By default nothing in the file can run code: it can only make tensors, plain containers and
    objects of the classes that ``serialization.add_safe_globals`` was given.

    Args:
        f: a path, or a file-like object opened in binary mode with read, seek and tell.
        map_location: where the tensors go. A device or its name; a dict from saved to new
            locations; a function of a storage and its saved location that returns the storage.
            Default: ``None``, where they were.
        pickle_module: the module whose ``Unpickler`` is used when ``weights_only`` is false.
        weights_only: ``False`` makes any object, including whole modules, and so lets the file run
            any code. Only for files whose origin you trust. Default: ``True``.
        mmap: ``True`` maps the file instead of reading it: its parts are read when they are
            needed. Writes to the tensors do not reach the file, which must stay as it is. Needs a
            path, and a file in the zip format. Default: ``False``.
        **pickle_load_args: further arguments for that ``Unpickler``, such as ``encoding``.

    Raises:
        pickle.UnpicklingError: the file asks for what is not allowed, or its pickle is damaged.
        RuntimeError: it is cut off or damaged in other ways, or needs a device that is not there.
        FileNotFoundError: there is no such file.

    Example::

        >>> import io
        >>> file = io.BytesIO()
        >>> pytensor.save({"x": pytensor.ones(2)}, file)
        >>> start = file.seek(0)
        >>> pytensor.load(file)
        {'x': tensor([1., 1.])}
    """
    safe = weights_only is not False
    if safe and (pickle_module is not None):
        raise RuntimeError(
            "load(): pickle_module is not used with weights_only=True: leave one of them out"
        )
    if mmap and not isinstance(f, (str, bytes)) and not hasattr(f, "__fspath__"):
        raise ValueError("load(): mmap=True needs a path: a file-like object cannot be mapped")
    restore = restorer(map_location)
    source = open_source(f)
    try:
        read = _read_safely if safe else _Unsafe(pickle_module or pickle, pickle_load_args)
        magic = source.read(0, 4)
        if magic == b"PK\3\4":
            return _load_zip(ZipReader(source), source, read, restore, bool(mmap))
        if mmap:
            raise RuntimeError(
                "load(): mmap=True needs a file in the zip format; this one is not: load it "
                "without mmap and save it again"
            )
        if not magic:
            raise EOFError("Ran out of input: load() was given an empty file")
        if source.size > 262 and source.read(257, 5) == b"ustar":
            raise RuntimeError(
                "load(): this is a tar archive, as PyTorch wrote before 0.1.10, or a packed folder "
                "(.tar). Unpack it, or load and save it again with PyTorch"
            )
        return LegacyReader(source, read, restore).load()
    finally:
        source.close()


def _read_safely(data: Any, persistent_load: PersistentLoad, start: int) -> tuple[Any, int]:
    reader = Unpickler(data, persistent_load, start)
    return reader.load(), reader.end


class _Unsafe:
    """Reads pickles with Python's own machine, which can run any code."""

    def __init__(self, module: Any, arguments: dict[str, Any]) -> None:
        # PyTorch's default; texts of Python 2 need it.
        arguments.setdefault("encoding", "utf-8")

        class Unpickler(module.Unpickler):  # type: ignore[misc]  # the caller's choice
            def find_class(self, name: str, attribute: str) -> Any:
                storage = _names.STORAGE_TYPES.get(f"{name}.{attribute}")
                if storage is not None:
                    return storage
                found: Any = super().find_class(*_names.own_name(name, attribute))
                return found

        self._make = Unpickler
        self._arguments = arguments

    def __call__(self, data: Any, persistent_load: PersistentLoad, start: int) -> tuple[Any, int]:
        stream = data if isinstance(data, _mmap.mmap) else io.BytesIO(data)
        stream.seek(start)
        reader = self._make(stream, **self._arguments)
        reader.persistent_load = persistent_load
        return reader.load(), stream.tell()


def _load_zip(archive: ZipReader, source: Source, read: Any, restore: Restore, mapped: bool) -> Any:
    if "data.pkl" not in archive and "constants.pkl" not in archive:
        raise RuntimeError(
            "load(): the zip archive holds no data.pkl: it was not written by save(), or not "
            "completely"
        )
    if "constants.pkl" in archive:
        raise RuntimeError(
            "Cannot use load() on TorchScript archives: this file was written by torch.jit.save "
            "and is read by torch.jit.load"
        )
    order = archive.read("byteorder").decode("ascii", "replace") if "byteorder" in archive else ""
    if order not in ("little", "big", ""):
        raise ValueError(f"load(): unknown byte order {order!r} in the file")
    foreign = order not in ("", sys.byteorder)

    def read_storage(key: str, length: int, item: int) -> Any:
        name = f"data/{key}"
        if archive.size(name) < length:
            raise RuntimeError(
                f"load(): storage {key!r} has {archive.size(name)} bytes in the file, but the "
                f"object needs {length}"
            )
        if mapped and not foreign and isinstance(source, FileSource):
            return _map_storage(source, archive.offset(name), length, item)
        elements = archive.read_storage(name)
        if foreign:
            swap_bytes(elements, item)
        return elements

    storages = Storages(read_storage, restore)
    return read(archive.read("data.pkl"), storages.load, 0)[0]


def _map_storage(source: FileSource, offset: int, length: int, item: int) -> Any:
    if not length:
        return pytensor.empty(0, dtype=pytensor.uint8)
    mapped = pytensor.frombuffer(source.mapped(), dtype=pytensor.uint8, count=length, offset=offset)
    return mapped.clone() if offset % item else mapped


def get_unsafe_globals_in_checkpoint(f: Any) -> list[str]:
    """The classes and functions a file asks for that ``load`` would refuse.

    Nothing of the file is made or run.

    Args:
        f: a path or file-like object with a file in the zip format.

    Raises:
        ValueError: the file is in another format.

    Example::

        >>> import fractions, io
        >>> file = io.BytesIO()
        >>> pytensor.save(fractions.Fraction(1, 2), file)
        >>> start = file.seek(0)
        >>> pytensor.serialization.get_unsafe_globals_in_checkpoint(file)
        ['fractions.Fraction']
    """
    from pytensor.serialization import _allowed

    source = open_source(f)
    try:
        if source.read(0, 4) != b"PK\3\4":
            raise ValueError("Expected input to be a checkpoint in the zip format of save()")
        names = sorted(globals_of(ZipReader(source).read("data.pkl")))
    finally:
        source.close()
    refused = []
    for module, name in names:
        try:
            _allowed.find(module, name)
        except pickle.UnpicklingError:
            refused.append(f"{module}.{name}")
    return refused
