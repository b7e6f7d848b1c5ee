"""The legacy tensor types of devices, ``torch.cuda.FloatTensor`` and its kin: callables that make
tensors on the current device, and targets of isinstance()."""

from __future__ import annotations

from typing import Any

import pytensor
from pytensor import _C


class CudaTensorType:
    """One of them: `host` is the type of the cpu with the same dtype."""

    def __init__(self, host: Any) -> None:
        self._host = host
        self.dtype = host.dtype
        self.__name__ = f"torch.cuda.{host.__name__}"

    def __call__(self, *args: Any, **kwargs: Any) -> pytensor.Tensor:
        return self._host(*args, **kwargs).cuda()

    def __instancecheck__(self, instance: object) -> bool:
        return isinstance(instance, self._host) and instance.is_cuda

    def __repr__(self) -> str:
        return f"<class '{self.__name__}'>"


_types: dict[str, CudaTensorType] = {}


def tensor_type(name: str) -> CudaTensorType | None:
    """The type by its name without ``torch.cuda.``, or None."""
    host = getattr(_C, name, None)
    if name not in _types and hasattr(host, "dtype"):
        _types[name] = CudaTensorType(host)
    return _types.get(name)
