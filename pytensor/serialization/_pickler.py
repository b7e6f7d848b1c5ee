"""Turns objects into a pickle with PyTorch's names, their storages set aside.

Used by `save`. Storages become persistent ids; the caller writes their bytes from `storages`.
Python's compiled pickler does the work; afterwards this library's names in the pickle are replaced.
"""

from __future__ import annotations

import copyreg
import io
import pickle
import re
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
    arguments: Any = (
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


def _get_layout(name: str) -> Any:
    """The layout called `name`, as files write it: "torch.strided"."""
    if name != "torch.strided":
        raise RuntimeError(f"layout {name!r} is not supported")
    return pytensor.strided


class _Reducers:
    """Python's table of reducers by class, with those for this library's classes."""

    def __getitem__(self, kind: type) -> Callable[[Any], Any]:
        if issubclass(kind, pytensor.Tensor):
            own = kind.__reduce_ex__ is not pytensor.Tensor.__reduce_ex__
            return (lambda tensor: tensor.__reduce_ex__(2)) if own else reduce_tensor
        if kind is StorageType:
            return lambda storage_type: storage_type.name
        if kind is pytensor.layout:
            return lambda layout: (_get_layout, (str(layout),))
        return copyreg.dispatch_table[kind]


class Pickler(pickle.Pickler):
    """Pickles into memory.

    Args:
        protocol: the pickle protocol, 2 or higher. Those above 3 are written as 3: what they add
            is of no use where the large data lies outside of the pickle.
        identify: makes the persistent id of a storage from its type, its number, how many
            elements it has and where it lies ("cpu", "cuda:0").

    Raises:
        ValueError: for protocols below 2.
    """

    dispatch_table: Any = _Reducers()

    def __init__(self, protocol: int, identify: Callable[[StorageType, int, int, str], Any]):
        if protocol < 2:
            raise ValueError(f"save(): pickle_protocol must be at least 2, got {protocol}")
        self._out = io.BytesIO()
        super().__init__(self._out, min(protocol, 3))
        self._identify = identify
        # By address and length: number in the file, elements, and the type they are saved as.
        self.storages: dict[Any, tuple[int, Any, StorageType]] = {}

    def result(self, obj: Any) -> bytes:
        """The pickle of `obj`."""
        self.dump(obj)
        return rename_globals(self._out.getvalue())

    def persistent_id(self, obj: Any) -> Any:
        if type(obj) is not TypedStorage and type(obj) is not UntypedStorage:
            return None
        elements, dtype = obj._bytes(), obj._dtype()
        kind = _names.UNTYPED if dtype is None else _names.STORAGE_OF_DTYPE.get(dtype)
        if kind is None:
            raise RuntimeError(f"save(): tensors of dtype {dtype} cannot be saved")
        length, place = elements.numel(), str(elements.device)
        # Storages without bytes are all different.
        address = (place, elements.data_ptr(), length) if length else len(self.storages)
        number, _, first = self.storages.setdefault(address, (len(self.storages), elements, kind))
        if first is not kind:
            raise RuntimeError(
                "Cannot save multiple tensors or storages that view the same data as different "
                f"types ({first.name} and {kind.name}): clone() one of them before saving"
            )
        return self._identify(kind, number, length // kind.item, place)


# Opcodes of protocols 2 and 3 with their arguments, but for those of variable length. Repeated a
# bounded number of times: the matcher remembers each repetition.
_FIXED = re.compile(
    rb"(?:[()\]}.NaestudlQRb012\x81\x85-\x89\x8f-\x92]|[Kqh\x80].|M..|[Jrj].{4}|G.{8}){1,256}",
    re.DOTALL,
)
# Those of variable length: how many bytes their length has.
_SIZED = {ord("X"): 4, ord("B"): 4, ord("C"): 1, 0x8A: 1, 0x8B: 4}


def rename_globals(data: bytes) -> bytes:
    """A pickle of protocol 2 or 3 with PyTorch's names in place of this library's."""
    if b"cpytensor" not in data:
        return data
    out, copied, at = [], 0, 0
    while at < len(data):
        run = _FIXED.match(data, at)
        if run:
            at = run.end()
            continue
        code = data[at]
        if code in _SIZED:
            start = at + 1 + _SIZED[code]
            at = start + int.from_bytes(data[at + 1 : start], "little")
        elif code == ord("c"):
            start, middle = at, data.index(b"\n", at)
            at = data.index(b"\n", middle + 1) + 1
            module, name = data[start + 1 : middle].decode(), data[middle + 1 : at - 1].decode()
            renamed = _names.torch_name(module, name)
            if renamed:
                out += [data[copied:start], "c{}\n{}\n".format(*renamed).encode()]
                copied = at
        else:
            raise pickle.PicklingError(f"save(): unknown opcode {code} in a pickle")
    return b"".join([*out, data[copied:]])
