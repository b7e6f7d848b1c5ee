"""Writes files: the function `save`."""

from __future__ import annotations

import os
import sys
from typing import Any

from pytensor import _C
from pytensor.serialization._atomic import AtomicFile
from pytensor.serialization._legacy import write_legacy
from pytensor.serialization._memory import MemoryFile, buffer_of
from pytensor.serialization._pickler import Pickler
from pytensor.serialization._zip_writer import ZipWriter

DEFAULT_PROTOCOL = 2


def save(
    obj: Any,
    f: Any,
    pickle_module: Any = None,
    pickle_protocol: int = DEFAULT_PROTOCOL,
    _use_new_zipfile_serialization: bool = True,
    _disable_byteorder_record: bool = False,
) -> None:
    """Writes an object to a file that ``load``, and PyTorch's, read.

    Tensors that share memory share it again after loading. A file of that name is replaced only
    once the new one is complete on disk; until then, and after an error, the old one stays.

    Args:
        obj: anything that can be pickled; tensors may be anywhere in it.
        f: a path, or a file-like object opened in binary mode.
        pickle_module: accepted for compatibility; only ``None`` and Python's ``pickle``.
        pickle_protocol: the pickle protocol, at least 2. PyTorch reads only 2 when it is
            to run no code of the file. Default: 2.
        _use_new_zipfile_serialization: ``False`` writes the format of PyTorch before 1.6.
        _disable_byteorder_record: ``True`` leaves out the byte order.

    Raises:
        pickle.PicklingError: something in ``obj`` cannot be pickled.
        RuntimeError: the folder does not exist, or tensors of different dtypes share memory.
        OSError: the file cannot be written.

    Example::

        >>> import os, tempfile
        >>> path = os.path.join(tempfile.mkdtemp(), "model.pt")
        >>> pytensor.save(pytensor.nn.Linear(2, 1).state_dict(), path)
        >>> list(pytensor.load(path))
        ['weight', 'bias']
    """
    import pickle

    if pickle_module not in (None, pickle):
        raise ValueError(
            "save(): only Python's pickle can be used as pickle_module, got "
            f"{getattr(pickle_module, '__name__', pickle_module)!r}"
        )
    if isinstance(f, (str, os.PathLike)):
        path = os.fspath(f)
        stem = os.path.splitext(os.path.basename(os.fsdecode(path)))[0]
        with AtomicFile(path) as file:
            _write(obj, file, stem or "archive", pickle_protocol, _use_new_zipfile_serialization,
                   not _disable_byteorder_record)  # fmt: skip
        return
    if not hasattr(f, "write"):
        raise AttributeError(
            f"expected 'f' to be string, path, or a file-like object with a 'write' attribute, "
            f"got {type(f).__name__}"
        )
    if MemoryFile.suits(f):
        f = MemoryFile(f)
    _write(obj, f, "archive", pickle_protocol, _use_new_zipfile_serialization,
           not _disable_byteorder_record)  # fmt: skip
    if hasattr(f, "flush"):
        f.flush()


def _write(obj: Any, file: Any, folder: str, protocol: int, as_zip: bool, byteorder: bool) -> None:
    if not as_zip:
        write_legacy(obj, file, protocol)
        return
    pickler = Pickler(
        protocol,
        lambda kind, number, count, place: ("storage", kind, str(number), place, count),
    )
    pickled = pickler.result(obj)
    archive = ZipWriter(file, folder)
    archive.record("data.pkl", pickled, _C.crc32(pickled))
    small = [(".format_version", b"1"), (".storage_alignment", b"64"), ("version", b"3\n")]
    if byteorder:
        small.append(("byteorder", sys.byteorder.encode()))
    for name, data in small:
        archive.record(name, data, _C.crc32(data))
    for number, elements, _ in pickler.storages.values():
        memory = buffer_of(elements.cpu())
        archive.record(f"data/{number}", memory, _C.crc32(memory))
    archive.close()
