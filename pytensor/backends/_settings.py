"""Settings of a module as contexts and as attributes that do something. Used by the backends."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any


class restored:
    """Context in which attributes of a module have other values."""

    def __init__(self, module: str, **values: Any) -> None:
        self._module = sys.modules[module]
        self._values = values

    def __enter__(self) -> None:
        self._before = {name: getattr(self._module, name) for name in self._values}
        for name, value in self._values.items():
            setattr(self._module, name, value)

    def __exit__(self, *exc: object) -> None:
        for name, value in self._before.items():
            setattr(self._module, name, value)


def make_attribute(
    module: str, name: str, read: Callable[[], Any], write: Callable[[Any], None]
) -> None:
    """Let the attribute ``name`` of a module be read and assigned by functions."""
    own = sys.modules[module]
    accessors = property(lambda _: read(), lambda _, value: write(value))
    own.__class__ = type("Settings", (own.__class__,), {name: accessors})
