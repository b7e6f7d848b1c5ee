"""A context that sets a module's attributes and puts them back. Used by the backends."""

from __future__ import annotations

import sys
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
