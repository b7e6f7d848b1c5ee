"""Convolution, batch norm, sum and activation in one call, where inference allows it.

Used by ``Sequential`` and by the blocks of ``pytensor.vision``. A convolution is fused with what
follows it only outside of grad mode, for modules of exactly the classes below, in evaluation mode,
without hooks and with their own ``forward``. Everything else goes through the modules one by one,
and so does a call that fails: the modules raise the error, with their names. Nothing is kept
between calls: statistics and weights are read at each.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

import pytensor
from pytensor import Tensor, _ops
from pytensor.nn.modules import _hooks
from pytensor.nn.modules.activation import ReLU, ReLU6
from pytensor.nn.modules.batchnorm import BatchNorm1d, BatchNorm2d, BatchNorm3d
from pytensor.nn.modules.conv import Conv1d, Conv2d, Conv3d
from pytensor.nn.modules.flatten import Flatten
from pytensor.nn.modules.pooling import MaxPool1d, MaxPool2d

_conv_fused = _ops.internal["conv_fused"]
_autocast_state = _ops.autocast_state
_float32, _bfloat16, _float16 = pytensor.float32, pytensor.bfloat16, pytensor.float16
_NORM_OF: dict[Any, Any] = {Conv1d: BatchNorm1d, Conv2d: BatchNorm2d, Conv3d: BatchNorm3d}
_LIMITS: dict[Any, tuple[float, float]] = {
    None: (-math.inf, math.inf),
    ReLU: (0.0, math.inf),
    ReLU6: (0.0, 6.0),
}
_HALVES = (_bfloat16, _float16)
# As they were written: a class whose forward was replaced since is not fused.
_COMMUTING = (ReLU, ReLU6, MaxPool1d, MaxPool2d, Flatten)
_FORWARDS: dict[Any, Any] = {c: c.forward for c in (*_NORM_OF, *_NORM_OF.values(), *_COMMUTING)}


def run_sequence(modules: Sequence[Any], input: Any) -> Any:
    """Applies modules one after another; for use outside of grad mode."""
    i, rounding, unrounded = 0, _rounding(), False
    while i < len(modules):
        conv = modules[i]
        i += 1
        if type(conv) in _NORM_OF:
            norm, act, end = _followers(modules, i)
            if end > i:
                last = end == len(modules)
                result = _fuse(input, conv, norm, act, dtype=rounding if last else None)
                if result is not None:
                    input, i, unrounded = result, end, rounding is not None and not last
                    continue
        if unrounded and not _commutes_with_rounding(conv):
            input, unrounded = input.to(rounding), False
        input = conv(input)
    return input.to(rounding) if unrounded else input


def conv_norm_act(
    input: Tensor,
    *parts: tuple[Any, Any, Any],
    residual: Tensor | None = None,
    shortcut: Any = None,
) -> Tensor:
    """``act(norm(conv(input)))`` for each part in turn; norm and act may be None.

    To the last part ``shortcut(residual)`` is added before ``act``. The sum overwrites what
    ``norm(conv(input))`` returned.
    """
    rounding = None if pytensor.is_grad_enabled() else _rounding()
    unrounded = False
    for k, (conv, norm, act) in enumerate(parts):
        last = k == len(parts) - 1
        summand = (residual, shortcut) if last else (None, None)
        if not pytensor.is_grad_enabled():
            result = _fuse(input, conv, norm, act, *summand, dtype=rounding if last else None)
            if result is not None:
                input, unrounded = result, rounding is not None and not last
                continue
        out: Any = conv(input.to(rounding) if unrounded else input)
        unrounded = False
        if norm is not None:
            out = norm(out)
        if summand[0] is not None:
            out += residual if shortcut is None else shortcut(residual)
        input = out if act is None else act(out)
    return input.to(rounding) if unrounded else input


def _commutes_with_rounding(module: Any) -> bool:
    """Whether rounding after the module gives the same bits as before it: maxima and views."""
    kind = type(module)
    return (
        kind in _COMMUTING
        and kind.forward is _FORWARDS[kind]
        and not _is_special(module)
        and not _global_hooks()
        and not getattr(module, "return_indices", False)
    )


def _rounding() -> Any:
    """What autocast makes of a convolution's result if it computes in float32; None if it doesn't.

    That is where the processor has no units for the dtype. A chain of fused calls is rounded only
    at its end then: no one else sees what passes between them.
    """
    enabled, is_bfloat16, _, _ = _autocast_state()
    if not enabled:
        return None
    if is_bfloat16:
        return None if _has_units() else _bfloat16
    return _float16


@functools.cache
def _has_units() -> bool:
    return bool(_ops.bfloat16_unit() != "none")


def add_to_input(sequence: Any, input: Tensor) -> Tensor:
    """``input + sequence(input)``, the sum within the last convolution of a ``Sequential``."""
    if not pytensor.is_grad_enabled() and _is_plain_sequence(sequence):
        modules = list(sequence._modules.values())
        for count in (1, 2):
            if len(modules) >= count and type(modules[-count]) in _NORM_OF:
                norm = modules[-1] if count == 2 else None
                if norm is not None and type(norm) is not _NORM_OF[type(modules[-2])]:
                    break
                before = run_sequence(modules[:-count], input)
                rounding = _rounding()
                dtype = rounding and pytensor.promote_types(input.dtype, rounding)
                result = _fuse(before, modules[-count], norm, None, input, dtype=dtype)
                if result is None:
                    return input + run_sequence(modules[-count:], before)
                return result
    return input + sequence(input)


def _is_plain_sequence(module: Any) -> bool:
    from pytensor.nn.modules.container import Sequential

    return (
        isinstance(module, Sequential)
        and type(module).forward is Sequential.forward
        and type(module).__call__ is Sequential.__call__
        and not _is_special(module)
        and not _global_hooks()
    )


def _followers(modules: Sequence[Any], i: int) -> tuple[Any, Any, int]:
    """The batch norm and the activation from `i` on, None where there is none, and their end."""
    norm = act = None
    if i < len(modules) and type(modules[i]) is _NORM_OF[type(modules[i - 1])]:
        norm = modules[i]
        i += 1
    if i < len(modules) and type(modules[i]) in _LIMITS:
        act = modules[i]
        i += 1
    return norm, act, i


def _is_special(module: Any) -> bool:
    """Whether a call of the module is more than its class's forward."""
    members = module.__dict__
    return bool(
        members["_forward_hooks"]
        or members["_forward_pre_hooks"]
        or members["_backward_hooks"]
        or members["_backward_pre_hooks"]
        or "forward" in members
        or "_conv_forward" in members
    )


def _global_hooks() -> bool:
    return bool(
        _hooks._global_forward_hooks
        or _hooks._global_forward_pre_hooks
        or _hooks._global_backward_hooks
        or _hooks._global_backward_pre_hooks
    )


def _fuse(
    input: Any,
    conv: Any,
    norm: Any,
    act: Any,
    residual: Any = None,
    shortcut: Any = None,
    *,
    dtype: Any = None,
) -> Tensor | None:
    """The result in one call, or None where the modules have to be called.

    Under autocast without units it is of ``dtype``, or float32 for the caller to round later.
    """
    kind = type(conv)
    if type(input) is not Tensor or kind not in _NORM_OF or _global_hooks():
        return None
    casting = bool(_autocast_state()[0])
    if pytensor.get_float32_matmul_precision() == "medium" or (casting and _rounding() is None):
        return None  # products in bfloat16 have kernels of their own
    if norm is not None and (type(norm) is not _NORM_OF[kind] or norm.training):
        return None
    if act is not None and type(act) not in _LIMITS:
        return None
    parts: tuple[Any, ...] = (conv, norm, act)
    for part in parts:
        if part is not None and (
            _is_special(part) or type(part).forward is not _FORWARDS[type(part)]
        ):
            return None
    if (
        conv.padding_mode != "zeros"
        or isinstance(conv.padding, str)
        or input.dim() != conv.spatial_dims + 2
        or (casting and conv.weight.dtype is not pytensor.float32)
    ):
        return None
    statistics: tuple[Any, ...] = (None,) * 4
    eps = 0.0
    if norm is not None:
        statistics = (norm.running_mean, norm.running_var, norm.weight, norm.bias)
        eps = norm.eps
        if statistics[0] is None or statistics[1] is None:
            return None
    least, most = _LIMITS[None if act is None else type(act)]
    if shortcut is not None:
        residual = shortcut(residual)
    if input.dtype is not _float32 and (
        input.dtype not in _HALVES if casting else input.dtype is not pytensor.float64
    ):
        return None
    try:
        result: Tensor = _conv_fused(
            input,
            conv.weight,
            conv.bias,
            *statistics,
            eps,
            residual,
            conv.stride,
            conv.padding,
            conv.dilation,
            conv.groups,
            least,
            most,
            _float32 if casting and dtype is None else dtype,
        )
    except Exception:
        return None  # the modules raise it better
    return result
