"""Handles of registered hooks: what register_hook() and its relatives return.

A hook lives either in a dict of its owner (modules, optimizers) or inside the extension (tensors
and graph nodes); the handle removes it from there and keeps nothing alive.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

__all__ = ["RemovableHandle"]


class RemovableHandle:
    """Removes a hook; also a context manager that does so at its end.

    Args:
        hooks_dict: the owner's dict of hooks, in which the new one is to be stored under ``id``.
        extra_dict: further dicts, or one, with entries of the same id that go with the hook.

    Example::

        >>> x = pytensor.ones(2, requires_grad=True)
        >>> with x.register_hook(lambda grad: grad * 2):
        ...     x.sum().backward()
        >>> x.grad
        tensor([2., 2.])
    """

    next_id: int = 0
    id: int
    _link: Any = None

    def __init__(self, hooks_dict: Any, *, extra_dict: Any = None) -> None:
        import weakref

        self.hooks_dict_ref = weakref.ref(hooks_dict)
        self.id = RemovableHandle.next_id
        RemovableHandle.next_id += 1
        extra: Iterable[Any] = ()
        if extra_dict is not None:
            extra = extra_dict if isinstance(extra_dict, (list, tuple)) else (extra_dict,)
        self.extra_dict_ref = tuple(weakref.ref(d) for d in extra)

    def remove(self) -> None:
        """Removes the hook; does nothing when it is gone already."""
        if self._link is not None:
            self._link.remove()
            return
        for reference in (self.hooks_dict_ref, *self.extra_dict_ref):
            hooks = reference()
            if hooks is not None:
                hooks.pop(self.id, None)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *exc: object) -> None:
        self.remove()


def handle_of(link: Any) -> RemovableHandle:
    """The handle of a hook inside the extension."""
    handle = RemovableHandle.__new__(RemovableHandle)
    handle._link = link
    handle.id = link.id
    return handle
