"""Autocasting: accepted and checked, but everything is computed in the dtypes of its inputs.

On a CPU without half-precision kernels worth the name, casting would only cost time and digits;
PyTorch's documentation leaves open which operations run in which dtype.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any

import pytensor

_DEVICES = ("cpu", "cuda", "hpu", "ipu", "meta", "mps", "mtia", "xla", "xpu")


def is_autocast_available(device_type: str) -> bool:
    """Whether ``autocast`` can be entered for a kind of device: for "cpu"."""
    return _checked(device_type) == "cpu"


def is_autocast_enabled(device_type: str | None = None) -> bool:
    """False: operations keep the dtypes of their inputs, inside of ``autocast`` too."""
    return False


is_autocast_cpu_enabled = is_autocast_enabled


def get_autocast_dtype(device_type: str) -> Any:
    """The dtype that ``autocast`` means by default: bfloat16 on the CPU, float16 elsewhere."""
    return pytensor.bfloat16 if _checked(device_type) == "cpu" else pytensor.float16


def _checked(device_type: Any) -> str:
    if not isinstance(device_type, str):
        raise ValueError(f"Expected `device_type` of type `str`, got: `{type(device_type)}`")
    kind = device_type.partition(":")[0]
    if kind not in _DEVICES:
        raise RuntimeError(f"Expected one of {', '.join(_DEVICES)} device type, got {kind!r}")
    return kind


class autocast:
    """Context and decorator in which PyTorch casts inputs of expensive operations to half types.

    Here all operations keep the dtypes of their inputs, so results are those of float32.

    Args:
        device_type: "cpu", "cuda" ...
        dtype: the half type: ``bfloat16`` or ``float16``. Default: ``None``.
        enabled: ``False`` turns casting off. Default: ``True``.
        cache_enabled: accepted for compatibility.

    Raises:
        ValueError: ``device_type`` is no text.
        RuntimeError: it is no kind of device.

    Example::

        >>> with pytensor.amp.autocast("cpu"):
        ...     pytensor.ones(2, 2).mm(pytensor.ones(2, 2)).dtype
        torch.float32
    """

    def __init__(
        self,
        device_type: str,
        dtype: Any = None,
        enabled: bool = True,
        cache_enabled: bool | None = None,
    ) -> None:
        self.device = _checked(device_type)
        self.fast_dtype = pytensor.bfloat16 if dtype is None else dtype
        if enabled and self.device == "cuda" and not pytensor.cuda.is_available():
            warnings.warn("CUDA is not available. Disabling autocast.", stacklevel=2)
            enabled = False
        if enabled and self.fast_dtype not in (pytensor.bfloat16, pytensor.float16):
            warnings.warn(
                "In CPU autocast, but the target dtype is not supported. Disabling autocast.\n"
                "CPU Autocast only supports dtypes of torch.bfloat16, torch.float16 currently.",
                stacklevel=2,
            )

    def __enter__(self) -> autocast:
        return self

    def __exit__(self, *exc: object) -> None:
        pass

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def decorated(*args: Any, **kwargs: Any) -> Any:
            with self:
                return function(*args, **kwargs)

        return decorated


def custom_fwd(
    fwd: Any = None, *, device_type: str = "cuda", cast_inputs: Any = None
) -> Callable[..., Any]:
    """Decorator for ``forward`` of a ``Function``: leaves it as it is, see ``autocast``."""
    _checked(device_type)
    if fwd is None:
        return functools.partial(custom_fwd, device_type=device_type, cast_inputs=cast_inputs)
    return fwd


def custom_bwd(bwd: Any = None, *, device_type: str = "cuda") -> Callable[..., Any]:
    """Decorator for ``backward`` of a ``Function``: leaves it as it is, see ``autocast``."""
    _checked(device_type)
    if bwd is None:
        return functools.partial(custom_bwd, device_type=device_type)
    return bwd
