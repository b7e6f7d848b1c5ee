"""Storages: the memory behind tensors as an object. Reached by ``Tensor.untyped_storage()`` and
``Tensor.storage()``; programs use them to see whether tensors share memory and how much they hold.
Files are made of them (pytensor.serialization).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytensor import _C

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytensor import Tensor

__all__ = ["TypedStorage", "UntypedStorage"]


def _from_bytes(data: Any, dtype: Any, device: str = "cpu") -> Any:
    """The storage that was pickled as `data`; typed unless `dtype` is None."""
    elements = _C.empty((len(data),), dtype=_C.uint8)
    if len(data):
        elements.copy_(_C.frombuffer(bytearray(data), dtype=_C.uint8))
    untyped = UntypedStorage(elements.to(device))
    return untyped if dtype is None else TypedStorage(wrap_storage=untyped, dtype=dtype)


def _load_from_bytes(data: bytes) -> Any:
    """What pickles of PyTorch's tensors call: a file inside of the pickle."""
    import io

    from pytensor.serialization import load

    return load(io.BytesIO(data), weights_only=False)


def _deepcopy_bytes(elements: Any, memo: dict[Any, Any]) -> Any:
    """A copy of a storage's bytes; the same one for all tensors that share them."""
    if not elements.numel():
        return elements.clone()
    copies = memo.setdefault("pytensor.storage", {})
    key = elements.data_ptr(), elements.numel()
    if key not in copies:
        # The original is kept, so that no other storage gets its address meanwhile.
        copies[key] = elements.clone(), elements
    return copies[key][0]


class UntypedStorage:
    """The bytes of a storage, shared with the tensors that view it."""

    _elements: Any

    def __init__(self, tensor: Tensor) -> None:
        self._elements = _C.internal["_storage_bytes"](tensor)

    @property
    def device(self) -> Any:
        """Where the memory is."""
        return self._elements.device

    @property
    def is_cuda(self) -> bool:
        """Whether the memory is on a CUDA device."""
        return bool(self._elements.device.type == "cuda")

    def data_ptr(self) -> int:
        """Address of the first byte; 0 when there is none."""
        return self._elements.data_ptr()

    def nbytes(self) -> int:
        """Number of bytes."""
        return self._elements.numel() * self._elements.element_size()

    def element_size(self) -> int:
        """Bytes per element."""
        return self._elements.element_size()

    def size(self) -> int:
        """Number of elements: bytes, for an untyped storage."""
        return self._elements.numel()

    def tolist(self) -> list[Any]:
        """The elements as a list."""
        return self._elements.tolist()

    def fill_(self, value: Any) -> UntypedStorage:
        """Sets every element."""
        self._elements.fill_(value)
        return self

    def copy_(self, source: UntypedStorage, non_blocking: bool = False) -> UntypedStorage:
        """Takes over the elements of a storage of the same size."""
        self._elements.copy_(source._elements)
        return self

    def clone(self) -> Any:
        """A storage with a copy of the memory."""
        return UntypedStorage(self._elements.clone())

    def cpu(self) -> Any:
        """This storage, if it is in the CPU's memory, otherwise a copy there."""
        return self if self.device.type == "cpu" else UntypedStorage(self._elements.cpu())

    def _dtype(self) -> Any:
        return None

    def _bytes(self) -> Any:
        return self._elements

    def __reduce__(self) -> Any:
        from pytensor.serialization._memory import buffer_of

        elements = self._bytes()
        here = elements.cpu()  # kept while its memory is read
        place = () if here is elements else (str(elements.device),)
        return _from_bytes, (bytes(buffer_of(here)), self._dtype(), *place)

    def __copy__(self) -> Any:
        return self.clone()

    def __deepcopy__(self, memo: dict[Any, Any]) -> Any:
        return UntypedStorage(_deepcopy_bytes(self._bytes(), memo))

    def __len__(self) -> int:
        return self._elements.numel()

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return self._elements[index].tolist()
        return self._elements[index].item()

    def __setitem__(self, index: Any, value: Any) -> None:
        self._elements[index] = value

    def __iter__(self) -> Iterator[Any]:
        return iter(self._elements.tolist())

    def _kind(self) -> str:
        return f"UntypedStorage(device={self.device})"

    def __repr__(self) -> str:
        lines = "".join(f" {v}\n" for v in self.tolist())
        return f"{lines}[pytensor.storage.{self._kind()} of size {len(self)}]"


class TypedStorage(UntypedStorage):
    """A storage read as elements of one dtype."""

    def __init__(
        self,
        tensor: Tensor | None = None,
        *,
        wrap_storage: UntypedStorage | None = None,
        dtype: Any = None,
    ) -> None:
        if wrap_storage is not None:
            elements = wrap_storage._bytes()
        elif tensor is not None:
            elements = _C.internal["_storage_bytes"](tensor)
            dtype = tensor.dtype
        else:
            elements = _C.empty((0,), dtype=_C.uint8)
        dtype = _C.get_default_dtype() if dtype is None else dtype
        item = dtype.itemsize
        self._untyped_elements = elements
        self._elements = elements[: elements.numel() // item * item].view(dtype)

    @property
    def dtype(self) -> Any:
        """The elements' dtype."""
        return self._elements.dtype

    def untyped(self) -> UntypedStorage:
        """The same memory as bytes."""
        return UntypedStorage(self._elements)

    def clone(self) -> TypedStorage:
        """A storage with a copy of the memory."""
        return TypedStorage(wrap_storage=self.untyped().clone(), dtype=self.dtype)

    def cpu(self) -> TypedStorage:
        """This storage, if it is in the CPU's memory, otherwise a copy there."""
        return self if self.device.type == "cpu" else TypedStorage(self._elements.cpu())

    def _dtype(self) -> Any:
        return self.dtype

    def _bytes(self) -> Any:
        return self._untyped_elements

    def __deepcopy__(self, memo: dict[Any, Any]) -> TypedStorage:
        return TypedStorage(wrap_storage=super().__deepcopy__(memo), dtype=self.dtype)

    def _kind(self) -> str:
        return f"TypedStorage(dtype={self.dtype}, device={self.device})"
