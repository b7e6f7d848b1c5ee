"""``torch.compile``: checks its arguments and returns the function unchanged."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

_MODES = ("default", "lite", "max-autotune", "max-autotune-no-cudagraphs", "reduce-overhead")
_BACKENDS = ("aot_eager", "cudagraphs", "eager", "inductor", "onnxrt", "openxla", "tvm")


def compile(
    model: Callable[..., Any] | None = None,
    *,
    fullgraph: bool = False,
    dynamic: bool | None = None,
    backend: str | Callable[..., Any] | None = None,
    mode: str | None = None,
    options: dict[str, Any] | None = None,
    disable: bool = False,
    **more: Any,
) -> Any:
    """Accepts a function or module and returns it as it is; also a decorator.

    Calls are fast without compilation here, and a compiled program computes the same values.

    Args:
        model: the function or module; ``None`` returns a decorator.
        fullgraph: accepted for compatibility.
        dynamic: accepted for compatibility.
        backend: a function, or the name of one of PyTorch's backends.
        mode: one of PyTorch's modes; not together with ``options``.
        options: accepted for compatibility.
        disable: accepted for compatibility.
        **more: later arguments of PyTorch's function.

    Raises:
        AssertionError: ``model`` cannot be called.
        RuntimeError: ``mode`` or ``backend`` is unknown, or both mode and options are given.

    Example::

        >>> @pytensor.compile
        ... def double(x):
        ...     return x * 2
        >>> double(pytensor.ones(2))
        tensor([2., 2.])
    """
    if mode is not None and options is not None:
        raise RuntimeError(
            "Either mode or options can be specified, but both can't be specified at the same time."
        )
    if mode is not None and mode not in _MODES:
        raise RuntimeError(f"Unrecognized mode={mode}, should be one of: {', '.join(_MODES)}")
    if isinstance(backend, str) and backend not in _BACKENDS:
        raise RuntimeError(f"Invalid backend: {backend!r}, known are: {', '.join(_BACKENDS)}")
    if model is None:
        return functools.partial(
            compile, fullgraph=fullgraph, dynamic=dynamic, backend=backend, mode=mode,
            options=options, disable=disable, **more,
        )  # fmt: skip
    if not callable(model):
        raise AssertionError(f"A callable function is expected, but {type(model)} is provided.")
    return model
