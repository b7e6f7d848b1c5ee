"""Global settings and small questions about tensors (``torch.is_tensor`` and the like)."""

from __future__ import annotations

from typing import Any

from pytensor import _C

_state: dict[str, Any] = {
    "deterministic": False,
    "matmul_precision": "highest",
    "interop_threads": 1,
}


_PRECISIONS = ("highest", "high", "medium")


def is_tensor(obj: object) -> bool:
    """True if ``obj`` is a Tensor."""
    return isinstance(obj, _C.Tensor)


def is_storage(obj: object) -> bool:
    """True if ``obj`` is a storage."""
    from pytensor.storage import UntypedStorage

    return isinstance(obj, UntypedStorage)


def is_floating_point(input: Any) -> bool:
    """True if the dtype of ``input`` is a floating point type."""
    return bool(input.is_floating_point())


def is_complex(input: Any) -> bool:
    """True if the dtype of ``input`` is complex."""
    return bool(input.is_complex())


def is_nonzero(input: Any) -> bool:
    """True if the single element of ``input`` is not zero.

    Raises:
        RuntimeError: if ``input`` has not exactly one element.
    """
    return bool(input)


def numel(input: Any) -> int:
    """The number of elements of ``input``."""
    return int(input.numel())


def is_grad_enabled() -> bool:
    """True if operations are recorded for backward() on this thread."""
    return bool(_C.grad_enabled())


def is_inference_mode_enabled() -> bool:
    """True inside ``inference_mode``."""
    return bool(_C.is_inference_mode_enabled())


def set_default_dtype(d: Any) -> None:
    """Sets the dtype of tensors made from Python floats.

    Args:
        d (dtype): a floating point dtype

    Raises:
        TypeError: for any other dtype.
    """
    _C.set_default_dtype(d)


def set_default_tensor_type(t: Any) -> None:
    """Sets the default dtype from a legacy type name such as ``torch.DoubleTensor``."""
    name = t if isinstance(t, str) else t.__name__
    dtypes = {
        "HalfTensor": _C.float16,
        "BFloat16Tensor": _C.bfloat16,
        "FloatTensor": _C.float32,
        "DoubleTensor": _C.float64,
    }
    key = name.rsplit(".", 1)[-1]
    if key not in dtypes:
        raise TypeError(
            "only floating-point types are supported as the default type; got " + str(name)
        )
    _C.set_default_dtype(dtypes[key])


def get_default_device() -> Any:
    """The device of this thread's new tensors: the cpu unless set otherwise."""
    return _C.default_device()


def set_default_device(device: Any) -> None:
    """Sets the device of this thread's new tensors. ``with pytensor.device(...)`` does so for a
    while.

    Args:
        device: a name, a device, or None for the cpu. Tensors that are made of others stay where
            those are.

    Raises:
        AssertionError: for devices that this build does not have.
    """
    _C.set_default_device(device)


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Accepted for compatibility: results never depend on threads or on chance here."""
    _state["deterministic"] = bool(mode)


def are_deterministic_algorithms_enabled() -> bool:
    """What ``use_deterministic_algorithms`` was last given."""
    return bool(_state["deterministic"])


def set_float32_matmul_precision(precision: str) -> None:
    """Sets how exact float32 matrix products must be.

    Args:
        precision (str): "highest", "high" or "medium". With "high", errors of products and
            convolutions may reach about 1e-5 of the result's largest number: where the processor
            has tiles (AMX), they are computed from sums of two bfloat16 numbers, elsewhere 3x3
            convolutions take larger transforms. "medium" rounds inputs to one bfloat16 number where
            the processor has units for that. Sums are float32 always.

    Raises:
        ValueError: for any other text.
    """
    if precision not in _PRECISIONS:
        raise ValueError(
            f"set_float32_matmul_precision expects 'highest', 'high' or 'medium', got {precision!r}"
        )
    _C.set_float32_precision(_PRECISIONS.index(precision))
    _state["matmul_precision"] = precision


def get_float32_matmul_precision() -> str:
    """What ``set_float32_matmul_precision`` was last given."""
    return str(_state["matmul_precision"])


def set_num_interop_threads(n: int) -> None:
    """Accepted for compatibility: there is one pool of threads (``set_num_threads``)."""
    if n < 1:
        raise RuntimeError(f"set_num_interop_threads expects a positive integer, got {n}")
    _state["interop_threads"] = n


def get_num_interop_threads() -> int:
    """What ``set_num_interop_threads`` was last given."""
    return int(_state["interop_threads"])


def set_flush_denormal(mode: bool) -> bool:
    """Denormal numbers are always kept; returns False, as torch does where it can't be set."""
    return not mode


def typename(obj: Any) -> str:
    """The name of an object's type, ``torch.FloatTensor`` and the like for tensors."""
    if isinstance(obj, _C.Tensor):
        return str(obj.type())
    t = type(obj)
    module = "" if t.__module__ in ("builtins", "__builtin__") else t.__module__ + "."
    return module + t.__qualname__


def get_device_module(device: Any = None) -> Any:
    """The module of functions for a kind of device: ``torch.cuda`` for "cuda", "cuda:1" ...

    Args:
        device: a device or its name. Default: the accelerator's kind, or "cpu".

    Raises:
        RuntimeError: there is no module for it.
    """
    import importlib

    from pytensor import accelerator

    if device is None:
        device = accelerator.current_accelerator() or "cpu"
    kind = _C.device(device).type
    if kind not in ("cpu", "cuda", "mps", "xpu"):
        raise RuntimeError(f"Device '{kind}' does not have a corresponding module registered.")
    return importlib.import_module(f"pytensor.{kind}")
