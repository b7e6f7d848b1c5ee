"""Images: data sets, transforms, grids and files of images, and models of them.

The names are torchvision's. Images of files need pillow, which is imported when it is used.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_SUBMODULES = ("datasets", "models", "transforms", "utils")


def __getattr__(name: str) -> Any:
    if name in _SUBMODULES:
        import importlib

        return importlib.import_module(f"pytensor.vision.{name}")
    raise AttributeError(f"module 'pytensor.vision' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted([*globals(), *_SUBMODULES])
