"""The tables of what a module has registered: ``_parameters``, ``_buffers`` and ``_modules``.

A table is a dict that keeps the module's attributes in step with itself, so that ``self.weight``
is an ordinary, quick attribute, and code that writes to ``module._parameters`` works too.
Used by ``module.py`` alone.
"""

from __future__ import annotations

import weakref
from typing import Any

TABLES = ("_parameters", "_buffers", "_modules")

_ABSENT: Any = object()


class Table(dict[str, Any]):
    """A dict whose entries are attributes of its owner as well."""

    __slots__ = ("_owner",)

    def __init__(self, owner: Any, entries: Any = ()) -> None:
        super().__init__(entries)
        # Not the owner's __dict__ itself: that would be a cycle, which only the garbage collector
        # frees, and large parameters would outlive their module.
        self._owner = weakref.ref(owner)
        owner.__dict__.update(self)

    def _mirror(self) -> dict[str, Any]:
        owner = self._owner()
        return {} if owner is None else owner.__dict__

    def __setitem__(self, name: str, value: Any) -> None:
        super().__setitem__(name, value)
        self._mirror()[name] = value

    def __delitem__(self, name: str) -> None:
        super().__delitem__(name)
        self._mirror().pop(name, None)

    def pop(self, name: str, default: Any = _ABSENT) -> Any:
        if name not in self and default is not _ABSENT:
            return default
        value = self[name]
        del self[name]
        return value

    def popitem(self) -> tuple[str, Any]:
        name, value = super().popitem()
        self._mirror().pop(name, None)
        return name, value

    def clear(self) -> None:
        for name in list(self):
            del self[name]

    def update(self, *args: Any, **kwargs: Any) -> None:
        for name, value in dict(*args, **kwargs).items():
            self[name] = value

    def __ior__(self, other: Any) -> Table:  # type: ignore[override, misc]
        self.update(other)
        return self

    def setdefault(self, name: str, default: Any = None) -> Any:
        if name not in self:
            self[name] = default
        return self[name]

    def __reduce__(self) -> Any:
        # Module.__setstate__ makes a table of it again, with the right owner.
        return dict, (), None, None, iter(self.items())

    def __deepcopy__(self, memo: dict[int, Any]) -> dict[str, Any]:
        import copy

        made: dict[str, Any] = {}
        memo[id(self)] = made
        for name, value in self.items():
            made[name] = copy.deepcopy(value, memo)
        return made
