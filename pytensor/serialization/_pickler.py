"""Turns objects into a pickle with PyTorch's names, their storages set aside.

Used by `save`. Storages become persistent ids; the caller writes their bytes from `storages`.
"""

from __future__ import annotations

import copyreg
import io
import pickle
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import pytensor
from pytensor import _utils
from pytensor.serialization import _names
from pytensor.serialization._names import StorageType
from pytensor.storage import TypedStorage, UntypedStorage


def reduce_tensor(tensor: Any) -> Any:
    """How a tensor is pickled in files: its storage as a whole, and what part of it it sees."""
    arguments = (
        TypedStorage(tensor),
        tensor.storage_offset(),
        tuple(tensor.shape),
        tuple(tensor.stride()),
        tensor.requires_grad,
        OrderedDict(),
    )
    state = _utils._get_state(tensor)
    if type(tensor) is pytensor.Tensor and not state:
        return _utils._rebuild_tensor_v2, arguments
    from pytensor._tensor import _rebuild_from_type_v2

    return _rebuild_from_type_v2, (_utils._rebuild_tensor_v2, type(tensor), arguments, state)


class _Reducers:
    """Python's table of reducers by class, with one for Tensor and its subclasses."""

    @staticmethod
    def get(kind: type, default: Any = None) -> Any:
        if issubclass(kind, pytensor.Tensor):
            own = kind.__reduce_ex__ is not pytensor.Tensor.__reduce_ex__
            return (lambda tensor: tensor.__reduce_ex__(2)) if own else reduce_tensor
        return copyreg.dispatch_table.get(kind, default)


def _get_layout(name: str) -> Any:
    """The layout called `name`, as files write it: "torch.strided"."""
    if name != "torch.strided":
        raise RuntimeError(f"layout {name!r} is not supported")
    return pytensor.strided


class Pickler(pickle._Pickler):
    """Pickles into memory.

    Args:
        protocol: the pickle protocol, 2 or higher.
        identify: makes the persistent id of a storage from its type, its number, its elements as
            bytes and how many items they are.

    Raises:
        ValueError: for protocols below 2.
    """

    dispatch: dict[type, Callable[..., None]] = dict(pickle._Pickler.dispatch)
    dispatch_table = _Reducers

    def __init__(self, protocol: int, identify: Callable[[StorageType, int, Any, int], Any]):
        if protocol < 2:
            raise ValueError(f"save(): pickle_protocol must be at least 2, got {protocol}")
        self._out = io.BytesIO()
        super().__init__(self._out, protocol)
        self._identify = identify
        # By address and length: number in the file, elements, and the type they are saved as.
        self.storages: dict[Any, tuple[int, Any, StorageType]] = {}

    def result(self, obj: Any) -> bytes:
        """The pickle of `obj`."""
        self.dump(obj)
        return self._out.getvalue()

    def persistent_id(self, obj: Any) -> Any:
        if type(obj) is not TypedStorage and type(obj) is not UntypedStorage:
            return None
        elements, dtype = obj._bytes(), obj._dtype()
        kind = _names.UNTYPED if dtype is None else _names.STORAGE_OF_DTYPE.get(dtype)
        if kind is None:
            raise RuntimeError(f"save(): tensors of dtype {dtype} cannot be saved")
        length = elements.numel()
        # Storages without bytes are all different.
        address = (elements.data_ptr(), length) if length else len(self.storages)
        number, elements, first = self.storages.setdefault(
            address, (len(self.storages), elements, kind)
        )
        if first != kind:
            raise RuntimeError(
                "Cannot save multiple tensors or storages that view the same data as different "
                f"types ({first.name} and {kind.name}): clone() one of them before saving"
            )
        return self._identify(kind, number, elements, length // kind.item)

    def _write_global(self, module: str, name: str) -> None:
        if self.proto >= 4:
            self.save(module)
            self.save(name)
            self.write(pickle.STACK_GLOBAL)
        else:
            self.write(pickle.GLOBAL + f"{module}\n{name}\n".encode())

    def save_global(self, obj: Any, name: str | None = None) -> None:
        if name is None:
            name = getattr(obj, "__qualname__", None) or obj.__name__
        module = pickle.whichmodule(obj, name)
        renamed = _names.torch_name(module, name)
        if renamed is None or (self.proto < 4 and "." in name):
            super().save_global(obj, name)
            return
        try:
            found = _names.resolve(module, name)
        except (ImportError, AttributeError):
            found = None
        if found is not obj:
            raise pickle.PicklingError(f"Can't pickle {obj!r}: it's not {module}.{name}")
        self._write_global(*renamed)
        self.memoize(obj)

    def save_function(self, obj: Any) -> None:
        self.save_global(obj)

    def save_type(self, obj: Any) -> None:
        if obj in (type(None), type(NotImplemented), type(...)):
            super().save_type(obj)
        else:
            self.save_global(obj)

    def save_storage_type(self, obj: StorageType) -> None:
        self._write_global(obj.module, obj.name)
        self.memoize(obj)

    def save_layout(self, obj: Any) -> None:
        self.save_reduce(_get_layout, (str(obj),), obj=obj)

    dispatch[type(save_storage_type)] = save_function
    dispatch[type] = save_type
    dispatch[StorageType] = save_storage_type
    dispatch[pytensor.layout] = save_layout
