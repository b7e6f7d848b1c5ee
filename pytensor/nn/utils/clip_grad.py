"""Gradient clipping: by the norm of all gradients together, or by value.

The norm is one call of the compiled core for all tensors; only tensors that it changes are written.
"""

from __future__ import annotations

import types
import warnings
from collections.abc import Iterable

import pytensor
from pytensor import Tensor, _ops

__all__ = [
    "clip_grad_norm",
    "clip_grad_norm_",
    "clip_grad_value_",
    "clip_grads_with_norm_",
    "get_total_norm",
]

Tensors = Tensor | Iterable[Tensor]

_total_norm = _ops.internal["optim_total_norm"]


def _as_list(tensors: Tensors, op: str, argument: str) -> list[Tensor]:
    found = [tensors] if isinstance(tensors, Tensor) else list(tensors)
    for i, t in enumerate(found):
        if not isinstance(t, Tensor):
            raise TypeError(
                f"{op}(): argument '{argument}' must be Tensor or Tensors, but element {i} is "
                f"{type(t).__name__}"
            )
    return found


def _gradients(parameters: Tensors, op: str) -> list[Tensor]:
    return [p.grad for p in _as_list(parameters, op, "parameters") if p.grad is not None]


def get_total_norm(
    tensors: Tensors,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """The norm of the norms of tensors, as if all were one vector.

    Args:
        tensors: a tensor or an iterable of tensors.
        norm_type: the order; may be ``float("inf")``. Default: 2.
        error_if_nonfinite: whether a norm that is infinite or NaN is an error. Default: ``False``.
        foreach: accepted; there is one way to compute it.

    Returns:
        A tensor without dimensions; 0 where there are no tensors.

    Raises:
        RuntimeError: the norm is not finite and `error_if_nonfinite` is set.

    Example::

        >>> pytensor.nn.utils.get_total_norm([pytensor.tensor([3.0]), pytensor.tensor([4.0])])
        tensor(5.)
    """
    found = _as_list(tensors, "get_total_norm", "tensors")
    if not found:
        return pytensor.tensor(0.0)
    order = float(norm_type)
    with pytensor.no_grad():
        norm: Tensor = _total_norm(found, order)
    if error_if_nonfinite and not norm.isfinite().item():
        raise RuntimeError(
            f"The total norm of order {order} for gradients from `parameters` is non-finite, so "
            "it cannot be clipped. To disable this error and scale the gradients by the "
            "non-finite norm anyway, set `error_if_nonfinite=False`"
        )
    return norm


def _scale(gradients: list[Tensor], max_norm: float, total_norm: Tensor) -> None:
    with pytensor.no_grad():
        factor = (float(max_norm) / (total_norm + 1e-6)).clamp(max=1.0)
        # Asking a device for the factor takes longer than multiplying by one.
        if factor.is_cuda or factor.item() != 1.0:
            for g in gradients:
                g.mul_(factor)


def clip_grads_with_norm_(
    parameters: Tensors, max_norm: float, total_norm: Tensor, foreach: bool | None = None
) -> None:
    """Scales gradients by ``max_norm / total_norm`` where that is below 1.

    Args:
        parameters: a tensor or an iterable of tensors whose ``grad`` is changed in place.
        max_norm: the largest norm that is left as it is.
        total_norm: the norm of the gradients, from ``get_total_norm``.
        foreach: accepted; there is one way to compute it.
    """
    _scale(_gradients(parameters, "clip_grads_with_norm_"), max_norm, total_norm)


def clip_grad_norm_(
    parameters: Tensors,
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Scales gradients so that the norm of all of them together is at most ``max_norm``.

    Args:
        parameters: a tensor or an iterable of tensors whose ``grad`` is changed in place.
        max_norm: the largest norm.
        norm_type: the order; may be ``float("inf")``. Default: 2.
        error_if_nonfinite: whether a norm that is infinite or NaN is an error. Default: ``False``.
        foreach: accepted; there is one way to compute it.

    Returns:
        The norm before clipping, a tensor without dimensions.

    Raises:
        RuntimeError: the norm is not finite and `error_if_nonfinite` is set.

    Example::

        >>> w = pytensor.zeros(2, requires_grad=True)
        >>> w.grad = pytensor.tensor([3.0, 4.0])
        >>> pytensor.nn.utils.clip_grad_norm_([w], max_norm=1.0)
        tensor(5.)
        >>> w.grad
        tensor([0.6000, 0.8000])
    """
    lazy = isinstance(parameters, types.GeneratorType)
    given = _as_list(parameters, "clip_grad_norm_", "parameters")
    if lazy and not given:
        warnings.warn(
            "`parameters` is an empty generator, no gradient clipping will occur.", stacklevel=3
        )
    gradients = _gradients(given, "clip_grad_norm_")
    norm = get_total_norm(gradients, norm_type, error_if_nonfinite, foreach)
    _scale(gradients, max_norm, norm)
    return norm


def clip_grad_norm(
    parameters: Tensors,
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """The old name of ``clip_grad_norm_``."""
    warnings.warn(
        "`torch.nn.utils.clip_grad_norm` is now deprecated in favor of "
        "`torch.nn.utils.clip_grad_norm_`.",
        FutureWarning,
        stacklevel=2,
    )
    return clip_grad_norm_(parameters, max_norm, norm_type, error_if_nonfinite, foreach)


def clip_grad_value_(parameters: Tensors, clip_value: float, foreach: bool | None = None) -> None:
    """Clamps every element of the gradients between ``-clip_value`` and ``clip_value``.

    Args:
        parameters: a tensor or an iterable of tensors whose ``grad`` is changed in place.
        clip_value: the largest magnitude.
        foreach: accepted; there is one way to compute it.

    Example::

        >>> w = pytensor.zeros(2, requires_grad=True)
        >>> w.grad = pytensor.tensor([3.0, -0.5])
        >>> pytensor.nn.utils.clip_grad_value_(w, 1.0)
        >>> w.grad
        tensor([ 1.0000, -0.5000])
    """
    limit = float(clip_value)
    with pytensor.no_grad():
        for g in _gradients(parameters, "clip_grad_value_"):
            g.clamp_(min=-limit, max=limit)
