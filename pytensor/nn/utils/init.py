"""``skip_init``: a module without drawn initial values. Part of ``pytensor.nn.utils``."""

from __future__ import annotations

import inspect
from typing import Any

from pytensor.nn.modules.module import Module
from pytensor.random import fork_rng

__all__ = ["skip_init"]


def skip_init(module_cls: type[Any], *args: Any, **kwargs: Any) -> Any:
    """Creates a module whose initial values are arbitrary, and draws no random numbers for it.

    Args:
        module_cls: a module class with an argument ``device``.
        args, kwargs: its arguments.

    Example::

        >>> pytensor.nn.utils.skip_init(pytensor.nn.Linear, 5, 1)
        Linear(in_features=5, out_features=1, bias=True)
    """
    if not issubclass(module_cls, Module):
        raise RuntimeError(f"Expected a Module; got {module_cls}")
    if "device" not in inspect.signature(module_cls).parameters:
        raise RuntimeError("Module must support a 'device' arg to skip initialization")
    with fork_rng():
        return module_cls(*args, **kwargs)
