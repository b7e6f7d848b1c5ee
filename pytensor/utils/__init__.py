"""Tools around tensors that belong to no op: ``utils.data`` and ``utils.dlpack`` among them.

Submodules are imported when first named, so that importing pytensor stays quick.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_SUBMODULES = ("checkpoint", "data", "dlpack", "safetensors", "tensorboard", "viz")


def __getattr__(name: str) -> Any:
    if name in _SUBMODULES:
        import importlib

        return importlib.import_module(f"pytensor.utils.{name}")
    raise AttributeError(f"module 'pytensor.utils' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted([*globals(), *_SUBMODULES])
