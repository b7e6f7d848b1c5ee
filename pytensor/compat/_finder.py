"""Import of ``torch.X`` as ``pytensor.X``: the same module object under a second name."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

_ROOTS = {"torch": "pytensor", "torchvision": "pytensor.vision"}
# Modules that are elsewhere here.
_MOVED = {
    "torch._C": "pytensor._C",
    "torch.autograd.variable": "pytensor.autograd",
    "torch.cuda.amp.autocast_mode": "pytensor.cuda.amp",
    "torch.cuda.amp.grad_scaler": "pytensor.cuda.amp",
    "torch.utils.data.dataloader": "pytensor.utils.data",
    "torch.utils.data.dataset": "pytensor.utils.data",
    "torch.utils.data.distributed": "pytensor.utils.data",
    "torch.utils.data.sampler": "pytensor.utils.data",
}


def other_names() -> tuple[str, ...]:
    """The packages that are replaced."""
    return tuple(_ROOTS)


def own_name(name: str) -> str | None:
    """The module here that stands for a module of PyTorch; None for other libraries' modules."""
    root, _, rest = name.partition(".")
    if root not in _ROOTS:
        return None
    own = f"{_ROOTS[root]}.{rest}" if rest else _ROOTS[root]
    if name in _MOVED and _find(own) is None:
        return _MOVED[name]
    return own


def _find(name: str) -> ModuleSpec | None:
    try:
        return importlib.util.find_spec(name)
    except ModuleNotFoundError:  # of a parent
        return None


class Finder(MetaPathFinder):
    """Finds the modules of PyTorch's packages in this one."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        own = own_name(fullname)
        if own is None:
            return None
        if own not in sys.modules and _find(own) is None:
            # Not left to the other finders: they would look for it in this package's folder.
            raise ModuleNotFoundError(
                f"No module named {fullname!r}: pytensor has no counterpart of it", name=fullname
            )
        return ModuleSpec(fullname, _Alias(own), is_package=True)


class _Alias(Loader):
    """Puts another module in the place of the one that is being imported."""

    def __init__(self, own: str) -> None:
        self._own = own

    def exec_module(self, module: ModuleType) -> None:
        # The import statement returns what it finds there afterwards.
        sys.modules[module.__name__] = importlib.import_module(self._own)
