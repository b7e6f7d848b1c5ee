"""Runs programs written for PyTorch: this library under the names ``torch`` and ``torchvision``.

    python -m pytensor.compat train.py --epochs 3

or ``pytensor.compat.install()`` before the first ``import torch``. The modules are the same
objects under both names, so classes, pickles and ``isinstance`` agree.
"""

from __future__ import annotations

import sys
from typing import Any

import pytensor
from pytensor.compat._finder import Finder, other_names

__all__ = ["VERSION", "install", "is_installed", "uninstall"]

# What programs find as torch.__version__: the PyTorch whose interface this library has.
VERSION = "2.13.0+pytensor"

_finder = Finder()
_before: dict[str, Any] = {}


def is_installed() -> bool:
    """Whether ``import torch`` gives this library."""
    return _finder in sys.meta_path


def install() -> None:
    """Makes ``import torch``, ``import torch.nn``, ``import torchvision`` ... give this library.

    ``torch.__version__`` is then that of the PyTorch it stands in for, which programs check.

    Raises:
        RuntimeError: PyTorch itself is already imported.

    Example::

        >>> import pytensor.compat
        >>> pytensor.compat.install()
        >>> import torch.nn.functional as F
        >>> F is pytensor.nn.functional
        True
        >>> pytensor.compat.uninstall()
    """
    if is_installed():
        return
    foreign = [n for n in ("torch", "torchvision") if n in sys.modules]
    if foreign:
        raise RuntimeError(
            f"compat.install(): {foreign[0]} is already imported, and not from here. Call "
            "install() first, or run the program by python -m pytensor.compat"
        )
    from pytensor import version

    _before.update(package=pytensor.__version__, module=version.__version__)
    pytensor.__version__ = version.__version__ = version.Version(VERSION)
    sys.meta_path.insert(0, _finder)


def uninstall() -> None:
    """Takes the names back; modules that programs already hold stay usable."""
    if not is_installed():
        return
    from pytensor import version

    sys.meta_path.remove(_finder)
    for name in [n for n in sys.modules if n.partition(".")[0] in other_names()]:
        del sys.modules[name]
    pytensor.__version__ = _before["package"]
    version.__version__ = _before["module"]
