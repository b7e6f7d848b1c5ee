"""What autocast does to functions composed of ops: the decorator of those that have a rule.

Ops have theirs in the core (op/autocast.cpp). A composed function would be cast piece by piece
otherwise, and come out in another dtype than PyTorch's one operation.
"""

from __future__ import annotations

import functools

from pytensor import _C

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_LOW = (_C.bfloat16, _C.float16)
_CAST = (*_LOW, _C.float32)


def autocasts(rule: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorator: under autocast, arguments are cast once and the function runs without it.

    Args:
        rule: "float32" or "lower" for the dtype of arguments of single and half precision;
            "keep" leaves them as they are.
    """

    def decorator(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def decorated(*args: Any, **kwargs: Any) -> Any:
            state = _C.autocast_state()
            if not state[0]:
                return function(*args, **kwargs)
            if rule != "keep":
                dtype = _C.float32 if rule == "float32" else _LOW[0 if state[1] else 1]
                args = tuple(_cast(a, dtype) for a in args)
                kwargs = {k: v if k == "out" else _cast(v, dtype) for k, v in kwargs.items()}
            # A level deeper, so that the casts that are kept for the region stay.
            _C.set_autocast(False, *state[1:3], state[3] + 1)
            try:
                return function(*args, **kwargs)
            finally:
                _C.set_autocast(*state)

        return decorated

    return decorator


def _cast(value: Any, dtype: Any) -> Any:
    return value.to(dtype) if isinstance(value, _C.Tensor) and value.dtype in _CAST else value
