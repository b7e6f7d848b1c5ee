"""Adadelta: steps in the units of past steps."""

from __future__ import annotations

from typing import Any, ClassVar

import pytensor
from pytensor import Tensor, _ops
from pytensor.optim._fused import (
    FusedOptimizer,
    State,
    advance,
    averaged,
    check,
    check_lr,
    decayed,
    new_step,
    number,
    stack_of,
)
from pytensor.optim.optimizer import ParamsT

__all__ = ["Adadelta"]

_step = _ops.internal["optim_adadelta"]


class Adadelta(FusedOptimizer):
    """Steps scaled by the ratio of past steps to past gradients (Zeiler, 2012).

    Args:
        params: tensors, ``(name, tensor)`` pairs, or dicts of parameter groups.
        lr: the learning rate, a number or a tensor of one element. Default: 1.0.
        rho: the decay of the averages of squares. Default: 0.9.
        eps: added to both averages. Default: 1e-6.
        weight_decay: the factor of the L2 penalty. Default: 0.
        foreach: accepted; the step is one call of the compiled core anyway. Default: None.
        capturable: for steps inside CUDA graphs: keeps the step count on the device. Raises on
            the CPU, as in PyTorch. Default: False.
        maximize: goes up the gradient instead of down. Default: False.
        differentiable: lets autograd record the step. Default: False.

    Example:
        >>> w = pytensor.tensor([1.0, 2.0], requires_grad=True)
        >>> optimizer = pytensor.optim.Adadelta([w])
        >>> (w * w).sum().backward()
        >>> optimizer.step()
        >>> w.data
        tensor([0.9968, 1.9968])
    """

    _later_options: ClassVar[dict[str, Any]] = {
        "foreach": None,
        "maximize": False,
        "differentiable": False,
        "capturable": False,
    }

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        capturable: bool = False,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_lr(lr)
        check(0.0 <= rho <= 1.0, "rho value", rho)
        check(eps >= 0.0, "epsilon value", eps)
        check(weight_decay >= 0.0, "weight_decay value", weight_decay)
        defaults = {
            "lr": lr,
            "rho": rho,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "capturable": capturable,
            "foreach": foreach,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _new_state(self, group: dict[str, Any], p: Tensor) -> State:
        return {
            "step": new_step(group),
            "square_avg": pytensor.zeros_like(p),
            "acc_delta": pytensor.zeros_like(p),
        }

    def _update(self, group: dict[str, Any], params: list[Tensor], grads: list[Any]) -> None:
        states = self._states(group, params)
        _step(
            params,
            grads,
            stack_of(states, "square_avg"),
            stack_of(states, "acc_delta"),
            stack_of(states, "step"),
            number(group["lr"]),
            group["rho"],
            group["weight_decay"],
            group["eps"],
            group["maximize"],
        )

    def _recorded_step(self, group: dict[str, Any], p: Any, grad: Any, state: State) -> None:
        rho, eps = group["rho"], group["eps"]
        advance(state)
        grad = decayed(group, p, grad)
        square = averaged(state, "square_avg", grad * grad, rho)
        delta = (state["acc_delta"] + eps).sqrt() / (square + eps).sqrt() * grad
        averaged(state, "acc_delta", delta * delta, rho)
        p.sub_(delta * group["lr"])
