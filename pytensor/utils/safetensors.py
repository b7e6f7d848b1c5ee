"""The safetensors format: named tensors behind a JSON header, with nothing that could run.

``save_file`` and ``load_file`` for whole files, ``safe_open`` to read single tensors of large ones.
Files are mapped into memory: their tensors are read when they are first used.
"""

from __future__ import annotations

import json
import os
import struct
from types import TracebackType
from typing import Any

import pytensor
from pytensor.serialization._atomic import AtomicFile
from pytensor.serialization._memory import allocate, buffer_of, make_valid
from pytensor.serialization._source import FileSource

__all__ = ["load", "load_file", "safe_open", "save", "save_file"]

_DTYPES = {
    "F64": pytensor.float64,
    "I64": pytensor.int64,
    "F32": pytensor.float32,
    "I32": pytensor.int32,
    "F16": pytensor.float16,
    "BF16": pytensor.bfloat16,
    "I16": pytensor.int16,
    "U8": pytensor.uint8,
    "I8": pytensor.int8,
    "BOOL": pytensor.bool,
}
_NAMES = {dtype: name for name, dtype in _DTYPES.items()}
_MAX_HEADER = 100_000_000
_ALIGNMENT = 64


class _Entry:
    """A tensor of the file: where its bytes are, counted from the end of the header."""

    def __init__(self, dtype: Any, shape: tuple[int, ...], start: int, end: int) -> None:
        self.dtype = dtype
        self.shape = shape
        self.start = start
        self.end = end


def _broken(why: str) -> ValueError:
    return ValueError(f"this is no valid safetensors file: {why}")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise _broken("a name occurs twice in the header")
    return made


def _parse_entry(name: str, entry: Any, size: int) -> _Entry:
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        raise _broken(f"the entry of tensor {name!r} must have dtype, shape and data_offsets")
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(dtype, str) or dtype not in _DTYPES:
        raise ValueError(f"tensor {name!r} has dtype {dtype!r}, which pytensor does not have")
    for numbers in (shape, offsets):
        if not isinstance(numbers, list) or not all(type(n) is int and n >= 0 for n in numbers):
            raise _broken(f"shape and data_offsets of tensor {name!r} must be lists of integers")
    needed = _DTYPES[dtype].itemsize
    for n in shape:
        needed *= n
        if needed >= 1 << 62:
            raise _broken(f"tensor {name!r} is too large")
    if len(offsets) != 2 or not offsets[0] <= offsets[1] <= size:
        raise _broken(f"data_offsets of tensor {name!r} lie outside of the file")
    if offsets[1] - offsets[0] != needed:
        raise _broken(f"tensor {name!r} has {offsets[1] - offsets[0]} bytes and needs {needed}")
    return _Entry(_DTYPES[dtype], tuple(shape), *offsets)


def _parse_header(text: bytes, size: int) -> tuple[dict[str, _Entry], dict[str, str]]:
    """Tensors by name, and the metadata. `size` is the number of bytes behind the header."""
    try:
        header = json.loads(text.decode(), object_pairs_hook=_unique)
    except RecursionError:
        raise _broken("its header is nested too deeply") from None
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise _broken(f"its header is no JSON: {error}") from None
    if not isinstance(header, dict):
        raise _broken("its header is no JSON object")
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(v, str) for v in metadata.values()):
        raise _broken("its metadata must map names to texts")
    entries = {name: _parse_entry(name, entry, size) for name, entry in header.items()}
    end = 0
    for entry in sorted(entries.values(), key=lambda e: (e.start, e.end)):
        if entry.start != end:
            raise _broken("its tensors overlap or have gaps between them")
        end = entry.end
    if end != size:
        raise _broken(f"its tensors have {end} bytes, but {size} follow the header: it is cut off")
    return entries, metadata


def _header_length(start: bytes, size: int) -> int:
    if len(start) < 8:
        raise _broken("it is shorter than 8 bytes")
    (length,) = struct.unpack("<Q", start)
    if length > min(_MAX_HEADER, size - 8):
        raise _broken(f"its header should have {length} bytes, more than there are or may be")
    return int(length)


class safe_open:
    """A file whose tensors are read one at a time.

    Args:
        filename: the path.
        framework: accepted for compatibility: "pt" or "pytorch".
        device: where the tensors go. Default: the CPU.

    Raises:
        ValueError: the file is not of the format, or damaged.
        FileNotFoundError: there is no such file.

    Example::

        >>> import os, tempfile
        >>> from pytensor.utils.safetensors import safe_open, save_file
        >>> path = os.path.join(tempfile.mkdtemp(), "model.safetensors")
        >>> save_file({"x": pytensor.arange(6.0).view(2, 3)}, path, {"step": "7"})
        >>> with safe_open(path) as file:
        ...     file.keys(), file.metadata(), file.get_slice("x")[1, :2]
        (['x'], {'step': '7'}, tensor([3., 4.]))
    """

    def __init__(self, filename: Any, framework: str = "pt", device: Any = "cpu") -> None:
        if framework not in ("pt", "pytorch", "torch"):
            raise ValueError(f"safe_open(): framework must be 'pt', got {framework!r}")
        self._device = device
        self._source = FileSource(filename)
        try:
            size = self._source.size
            length = _header_length(self._source.read(0, 8), size)
            self._data_start = 8 + length
            self._entries, self._metadata = _parse_header(
                self._source.read(8, length), size - 8 - length
            )
            if self._entries:
                self._map = self._source.mapped()
        finally:
            self._source.close()

    def __enter__(self) -> safe_open:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._entries = {}

    def keys(self) -> list[str]:
        """The names of the tensors."""
        return list(self._entries)

    def metadata(self) -> dict[str, str] | None:
        """The texts that were saved beside the tensors, or None."""
        return self._metadata or None

    def get_tensor(self, name: str) -> Any:
        """The tensor of that name; writing to it does not change the file."""
        entry = self._find(name)
        if entry.start == entry.end:
            return pytensor.empty(entry.shape, dtype=entry.dtype, device=self._device)
        start = self._data_start + entry.start
        flat = pytensor.frombuffer(
            self._map, dtype=pytensor.uint8, count=entry.end - entry.start, offset=start
        )
        if start % entry.dtype.itemsize:
            flat = flat.clone()
        make_valid(flat, entry.dtype)
        return flat.view(entry.dtype).view(entry.shape).to(self._device)

    def get_slice(self, name: str) -> _Slice:
        """The tensor of that name, to be indexed: only the parts asked for are read."""
        self._find(name)
        return _Slice(self, name)

    def _find(self, name: str) -> _Entry:
        if name not in self._entries:
            raise KeyError(f"the file has no tensor {name!r}, or is closed")
        return self._entries[name]


class _Slice:
    def __init__(self, file: safe_open, name: str) -> None:
        self._file = file
        self._name = name

    def get_shape(self) -> list[int]:
        """The sizes of the whole tensor."""
        return list(self._file._find(self._name).shape)

    def get_dtype(self) -> str:
        """The dtype's name in the file: "F32" and the like."""
        return _NAMES[self._file._find(self._name).dtype]

    def __getitem__(self, index: Any) -> Any:
        return self._file.get_tensor(self._name)[index].clone()


def load_file(filename: Any, device: Any = "cpu") -> dict[str, Any]:
    """The tensors of a file by name, mapped into memory.

    Args:
        filename: the path. The file must stay as it is while its tensors are used.
        device: where the tensors go. Default: the CPU.

    Raises:
        ValueError: the file is not of the format, or damaged.
        FileNotFoundError: there is no such file.
    """
    with safe_open(filename, device=device) as file:
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118


def load(data: bytes) -> dict[str, Any]:
    """The tensors in the bytes of a file, as copies.

    Raises:
        ValueError: the bytes are not of the format, or damaged.

    Example::

        >>> from pytensor.utils.safetensors import load, save
        >>> load(save({"x": pytensor.ones(2)}))
        {'x': tensor([1., 1.])}
    """
    length = _header_length(data[:8], len(data))
    entries, _ = _parse_header(bytes(data[8 : 8 + length]), len(data) - 8 - length)
    made = {}
    for name, entry in entries.items():
        flat = allocate(entry.end - entry.start)
        start = 8 + length + entry.start
        buffer_of(flat)[:] = memoryview(data)[start : start + len(flat)]
        make_valid(flat, entry.dtype)
        made[name] = flat.view(entry.dtype).view(entry.shape)
    return made


def _parts(tensors: Any, metadata: Any) -> tuple[bytes, list[Any]]:
    """The header with its length in front, and the tensors in the order of their bytes."""
    if not isinstance(tensors, dict):
        raise ValueError(f"expected a dict of tensors by name, got {type(tensors).__name__}")
    seen: dict[int, str] = {}
    for name, tensor in tensors.items():
        if not isinstance(name, str) or not isinstance(tensor, pytensor.Tensor):
            raise ValueError(
                f"tensors must map names to tensors, got {name!r}: {type(tensor).__name__}"
            )
        if tensor.dtype not in _NAMES:
            raise ValueError(f"tensor {name!r} has dtype {tensor.dtype}, which cannot be saved")
        if name == "__metadata__":
            raise ValueError("no tensor can be called '__metadata__'")
        address = tensor.untyped_storage().data_ptr()
        if tensor.numel() and seen.setdefault(address, name) != name:
            raise RuntimeError(
                f"tensors {seen[address]!r} and {name!r} share memory, which the format cannot "
                "express: clone() one of them, or leave it out and share again after loading"
            )
    metadata = metadata or {}
    if not all(isinstance(k, str) and isinstance(v, str) for k, v in metadata.items()):
        raise ValueError("metadata must map texts to texts")
    # Wide elements first: each tensor is aligned to its own.
    order = sorted(tensors, key=lambda name: (-tensors[name].dtype.itemsize, name))
    header: dict[str, Any] = {"__metadata__": metadata} if metadata else {}
    at = 0
    for name in order:
        tensor = tensors[name]
        end = at + tensor.numel() * tensor.element_size()
        header[name] = {
            "dtype": _NAMES[tensor.dtype],
            "shape": list(tensor.shape),
            "data_offsets": [at, end],
        }
        at = end
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-(8 + len(text)) % _ALIGNMENT)
    if len(text) > _MAX_HEADER:
        raise ValueError("the names of the tensors take more than 100 MB")
    return struct.pack("<Q", len(text)) + text, [tensors[name] for name in order]


def _write(file: Any, tensors: Any, metadata: Any) -> None:
    header, ordered = _parts(tensors, metadata)
    file.write(header)
    for tensor in ordered:
        if tensor.numel():
            plain = tensor.detach().cpu().contiguous()
            file.write(buffer_of(plain))


def save(tensors: dict[str, Any], metadata: dict[str, str] | None = None) -> bytes:
    """The bytes of a file with these tensors, see ``save_file``."""
    import io

    file = io.BytesIO()
    _write(file, tensors, metadata)
    return file.getvalue()


def save_file(
    tensors: dict[str, Any], filename: Any, metadata: dict[str, str] | None = None
) -> None:
    """Writes named tensors to a file; a file of that name is replaced once the new one is complete.

    Args:
        tensors: the tensors by name. Strided ones are written in order.
        filename: the path.
        metadata: texts to keep beside the tensors.

    Raises:
        ValueError: names, tensors or metadata are of other types.
        RuntimeError: two of the tensors share memory.
        OSError: the file cannot be written.

    Example::

        >>> import os, tempfile
        >>> from pytensor.utils.safetensors import load_file, save_file
        >>> path = os.path.join(tempfile.mkdtemp(), "model.safetensors")
        >>> save_file({"x": pytensor.ones(2)}, path)
        >>> load_file(path)
        {'x': tensor([1., 1.])}
    """
    with AtomicFile(os.fspath(filename)) as file:
        _write(file, tensors, metadata)
