"""Storages: the memory behind tensors as an object. Reached by ``Tensor.untyped_storage()`` and
``Tensor.storage()``; programs use them to see whether tensors share memory and how much they hold.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytensor import _C

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytensor import Tensor

__all__ = ["TypedStorage", "UntypedStorage"]


class UntypedStorage:
    """The bytes of a storage, shared with the tensors that view it."""

    def __init__(self, tensor: Tensor) -> None:
        self._elements = _C.internal["_storage_bytes"](tensor)

    @property
    def device(self) -> Any:
        """Where the memory is."""
        return self._elements.device

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

    def __init__(self, tensor: Tensor) -> None:
        super().__init__(tensor)
        whole = len(self._elements) // tensor.element_size() * tensor.element_size()
        self._elements = self._elements[:whole].view(tensor.dtype)

    @property
    def dtype(self) -> Any:
        """The elements' dtype."""
        return self._elements.dtype

    def untyped(self) -> UntypedStorage:
        """The same memory as bytes."""
        return UntypedStorage(self._elements)

    def _kind(self) -> str:
        return f"TypedStorage(dtype={self.dtype}, device={self.device})"
