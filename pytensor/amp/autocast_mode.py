"""Autocasting: expensive operations run in half precision, delicate ones in float32.

Which operations do what is decided in the library's core (op/autocast.cpp); here are the context
manager, its state and the decorators for custom ``Function`` classes. Only the CPU casts.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any

import pytensor
from pytensor import _ops

_DEVICES = ("cpu", "cuda", "hpu", "ipu", "meta", "mps", "mtia", "xla", "xpu")
# Settings for devices that this library has no kernels for: remembered, without effect.
_elsewhere: dict[str, tuple[bool, Any]] = {}


def _checked(device_type: Any) -> str:
    if not isinstance(device_type, str):
        raise ValueError(f"Expected `device_type` of type `str`, got: `{type(device_type)}`")
    kind = device_type.partition(":")[0]
    if kind not in _DEVICES:
        raise RuntimeError(f"Expected one of {', '.join(_DEVICES)} device type, got {kind!r}")
    return kind


def _half(is_bfloat16: bool) -> Any:
    return pytensor.bfloat16 if is_bfloat16 else pytensor.float16


def _set(enabled: bool, dtype: Any, cache: bool, nesting: int) -> None:
    _ops.set_autocast(enabled, dtype is pytensor.bfloat16, cache, nesting)


def is_autocast_available(device_type: str) -> bool:
    """Whether ``autocast`` can be entered for a kind of device: for "cpu"."""
    return _checked(device_type) == "cpu"


def is_autocast_enabled(device_type: str | None = None) -> bool:
    """Whether operations on a kind of device are being autocast in this thread.

    Args:
        device_type: "cpu", "cuda" ... Default: ``None``, which asks for "cuda" as PyTorch does.
    """
    kind = "cuda" if device_type is None else _checked(device_type)
    if kind != "cpu":
        return _elsewhere.get(kind, (False, None))[0]
    return bool(_ops.autocast_state()[0])


def is_autocast_cpu_enabled() -> bool:
    """``is_autocast_enabled("cpu")``."""
    return is_autocast_enabled("cpu")


def get_autocast_dtype(device_type: str) -> Any:
    """The dtype that ``autocast`` uses: by default bfloat16 on the CPU, float16 elsewhere."""
    kind = _checked(device_type)
    if kind != "cpu":
        return _elsewhere.get(kind, (False, pytensor.float16))[1]
    return _half(_ops.autocast_state()[1])


def set_autocast_enabled(device_type: str, enabled: bool) -> None:
    """Turns autocasting on or off in this thread; ``autocast`` does it for a block."""
    kind = _checked(device_type)
    if kind != "cpu":
        _elsewhere[kind] = (enabled, get_autocast_dtype(kind))
        return
    _, _, cache, nesting = _ops.autocast_state()
    _set(enabled, get_autocast_dtype("cpu"), cache, nesting)


def set_autocast_dtype(device_type: str, dtype: Any) -> None:
    """Sets the dtype that operations are autocast to in this thread.

    Raises:
        RuntimeError: the dtype is not bfloat16 or float16.
    """
    kind = _checked(device_type)
    if dtype not in (pytensor.bfloat16, pytensor.float16):
        raise RuntimeError(f"autocast's dtype must be bfloat16 or float16, not {dtype}")
    if kind != "cpu":
        _elsewhere[kind] = (is_autocast_enabled(kind), dtype)
        return
    enabled, _, cache, nesting = _ops.autocast_state()
    _set(enabled, dtype, cache, nesting)


def is_autocast_cache_enabled() -> bool:
    """Whether casts of parameters are kept until the outermost ``autocast`` block ends."""
    return bool(_ops.autocast_state()[2])


def set_autocast_cache_enabled(enabled: bool) -> None:
    """Sets whether casts of parameters are kept."""
    on, is_bfloat16, _, nesting = _ops.autocast_state()
    _set(on, _half(is_bfloat16), enabled, nesting)


def clear_autocast_cache() -> None:
    """Forgets the casts of parameters that were kept for their next use."""
    _ops.clear_autocast_cache()


class autocast:
    """Context and decorator in which products and convolutions are computed in half precision.

    Their inputs are cast to ``dtype``, parameters once for each outermost block; losses and other
    operations that need range or digits get float32; all others keep the dtypes of their inputs.
    Gradients come back in the dtypes of the parameters. Which operations are cast follows PyTorch.

    Args:
        device_type: "cpu", "cuda" ... Only the CPU's operations are cast.
        dtype: ``bfloat16`` or ``float16``. Default: ``None``, the one set for the device.
        enabled: ``False`` turns casting off within a block. Default: ``True``.
        cache_enabled: whether casts of parameters are kept. Default: ``None``, as it is.

    Raises:
        ValueError: ``device_type`` is no text.
        RuntimeError: it is no kind of device.

    Example::

        >>> with pytensor.amp.autocast("cpu"):
        ...     pytensor.ones(2, 2).mm(pytensor.ones(2, 2)).dtype
        torch.bfloat16
    """

    def __init__(
        self,
        device_type: str,
        dtype: Any = None,
        enabled: bool = True,
        cache_enabled: bool | None = None,
    ) -> None:
        self.device = _checked(device_type)
        self.fast_dtype = get_autocast_dtype(self.device) if dtype is None else dtype
        if enabled and self.device == "cuda" and not pytensor.cuda.is_available():
            warnings.warn("CUDA is not available. Disabling autocast.", stacklevel=2)
            enabled = False
        if enabled and self.fast_dtype not in (pytensor.bfloat16, pytensor.float16):
            warnings.warn(
                "In CPU autocast, but the target dtype is not supported. Disabling autocast.\n"
                "CPU Autocast only supports dtypes of torch.bfloat16, torch.float16 currently.",
                stacklevel=2,
            )
            enabled = False
        self._enabled = enabled
        self._cache_enabled = cache_enabled
        self._before: list[Any] = []  # what to go back to, for each time it was entered

    def __enter__(self) -> autocast:
        state = _ops.autocast_state()
        if self.device != "cpu":
            self._before.append((state, _elsewhere.get(self.device)))
            _elsewhere[self.device] = (self._enabled, self.fast_dtype)
            return self
        _, is_bfloat16, cache, nesting = state
        self._before.append((state, None))
        dtype = self.fast_dtype if self._enabled else _half(is_bfloat16)
        cache = cache if self._cache_enabled is None else self._cache_enabled
        _set(self._enabled, dtype, cache, nesting + 1)
        return self

    def __exit__(self, *exc: object) -> None:
        state, elsewhere = self._before.pop()
        if self.device == "cpu":
            _ops.set_autocast(*state)
        elif elsewhere is None:
            del _elsewhere[self.device]
        else:
            _elsewhere[self.device] = elsewhere

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def decorated(*args: Any, **kwargs: Any) -> Any:
            with self:
                return function(*args, **kwargs)

        return decorated


def _cast(value: Any, dtype: Any) -> Any:
    """``value`` with the float tensors in it cast, through lists, tuples and dicts."""
    if isinstance(value, pytensor.Tensor):
        castable = value.is_floating_point() and value.dtype is not pytensor.float64
        return value.to(dtype) if castable else value
    if isinstance(value, dict):
        return {_cast(k, dtype): _cast(v, dtype) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        items = [_cast(v, dtype) for v in value]
        return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
    return value


def custom_fwd(
    fwd: Any = None, *, device_type: str = "cuda", cast_inputs: Any = None
) -> Callable[..., Any]:
    """Decorator for ``forward`` of a ``Function`` that is used under ``autocast``.

    Args:
        fwd: the method.
        device_type: "cpu", "cuda" ... Default: "cuda".
        cast_inputs: a dtype: under ``autocast``, float inputs are cast to it and the method runs
            with autocasting off. Default: ``None``, the method runs as its caller does.
    """
    kind = _checked(device_type)
    if fwd is None:
        return functools.partial(custom_fwd, device_type=device_type, cast_inputs=cast_inputs)

    @functools.wraps(fwd)
    def decorated(*args: Any, **kwargs: Any) -> Any:
        context = args[0]
        enabled = is_autocast_enabled(kind)
        context._autocast_dtype = get_autocast_dtype(kind)
        context._autocast_enabled = enabled and cast_inputs is None
        if not enabled or cast_inputs is None:
            return fwd(*args, **kwargs)
        with autocast(kind, enabled=False):
            return fwd(*_cast(args, cast_inputs), **_cast(kwargs, cast_inputs))

    return decorated


def custom_bwd(bwd: Any = None, *, device_type: str = "cuda") -> Callable[..., Any]:
    """Decorator for ``backward`` of a ``Function``: runs it autocast as its ``forward`` was.

    Args:
        bwd: the method; ``forward`` must have ``custom_fwd``.
        device_type: "cpu", "cuda" ... Default: "cuda".
    """
    kind = _checked(device_type)
    if bwd is None:
        return functools.partial(custom_bwd, device_type=device_type)

    @functools.wraps(bwd)
    def decorated(*args: Any, **kwargs: Any) -> Any:
        context = args[0]
        enabled = context._autocast_enabled
        with autocast(kind, dtype=context._autocast_dtype, enabled=enabled):
            return bwd(*args, **kwargs)

    return decorated
