"""What things are called in files: PyTorch's names for this library's classes and back.

Used when writing (`torch_name`) and when reading (`own_name`, STORAGE_TYPES, DTYPES).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytensor


@dataclass(frozen=True)
class StorageType:
    """Stands for PyTorch's class of storages of one dtype; None: bytes without a dtype."""

    module: str
    name: str
    dtype: Any

    @property
    def item(self) -> int:
        return 1 if self.dtype is None else int(self.dtype.itemsize)


_STORAGE_NAMES = {
    "Bool": pytensor.bool,
    "Byte": pytensor.uint8,
    "Char": pytensor.int8,
    "Short": pytensor.int16,
    "Int": pytensor.int32,
    "Long": pytensor.int64,
    "Half": pytensor.float16,
    "BFloat16": pytensor.bfloat16,
    "Float": pytensor.float32,
    "Double": pytensor.float64,
}
UNTYPED = StorageType("torch.storage", "UntypedStorage", None)
STORAGE_OF_DTYPE = {
    dtype: StorageType("torch", f"{name}Storage", dtype) for name, dtype in _STORAGE_NAMES.items()
}
# The pickler finds them here by their names.
globals().update({t.name: t for t in (UNTYPED, *STORAGE_OF_DTYPE.values())})
# By full name; the typed ones were also written under torch.cuda by early versions.
STORAGE_TYPES = {
    **{f"torch.{t.name}": t for t in STORAGE_OF_DTYPE.values()},
    **{f"torch.cuda.{t.name}": t for t in STORAGE_OF_DTYPE.values()},
    "torch.storage.UntypedStorage": UNTYPED,
    "torch.storage._UntypedStorage": UNTYPED,
    "torch.UntypedStorage": UNTYPED,
}
# PyTorch's storages and dtypes that have no counterpart here, and its functions that rebuild other
# kinds of tensors.
FOREIGN = frozenset(
    {
        *(f"torch.{n}Storage" for n in ("ComplexFloat", "ComplexDouble")),
        *(f"torch.{n}Storage" for n in ("QInt8", "QUInt8", "QInt32", "QUInt4x2", "QUInt2x4")),
        *(f"torch.uint{n}" for n in (16, 32, 64)),
        *(f"torch.complex{n}" for n in (32, 64, 128)),
        *(f"torch.{n}" for n in ("quint8", "qint8", "qint32")),
        *(
            f"torch._utils._rebuild_{n}"
            for n in (
                "device_tensor_from_numpy",
                "meta_tensor_no_storage",
                "nested_tensor",
                "qtensor",
                "sparse_csr_tensor",
                "sparse_tensor",
                "tensor_v3",
                "wrapper_subclass",
            )
        ),
        *(f"torch.float8_{n}" for n in ("e4m3fn", "e5m2", "e4m3fnuz", "e5m2fnuz", "e8m0fnu")),
    }
)
DTYPES = {f"torch.{str(d).rsplit('.', 1)[-1]}": d for d in STORAGE_OF_DTYPE}


def torch_name(module: str, name: str) -> tuple[str, str] | None:
    """PyTorch's module and name for one of this library's, None for other libraries' names."""
    if module == __name__:
        storage: StorageType = globals()[name]
        return storage.module, storage.name
    if (module, name) == ("pytensor.serialization._pickler", "_get_layout"):
        return "torch.serialization", name
    for own, other in (("pytensor.vision", "torchvision"), ("pytensor", "torch")):
        if module == own or module.startswith(own + "."):
            return other + module[len(own) :], name
    return None


def own_name(module: str, name: str) -> tuple[str, str]:
    """This library's module and name for one in a file; others come back as they are."""
    for own, other in (("pytensor.vision", "torchvision"), ("pytensor", "torch")):
        if module == other or module.startswith(other + "."):
            return own + module[len(other) :], name
    return module, name
