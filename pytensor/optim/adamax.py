"""Adamax: Adam with the infinity norm."""

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
    check_betas,
    check_lr,
    decayed,
    new_step,
    number,
    stack_of,
)
from pytensor.optim.optimizer import ParamsT

__all__ = ["Adamax"]

_step = _ops.internal["optim_adamax"]


class Adamax(FusedOptimizer):
    """Adam with the infinity norm in the place of squares (Kingma and Ba, 2015).

    Args:
        params: tensors, ``(name, tensor)`` pairs, or dicts of parameter groups.
        lr: the learning rate, a number or a tensor of one element. Default: 2e-3.
        betas: the decay of the averages of gradients and of norms. Default: (0.9, 0.999).
        eps: added to the size of gradients. Default: 1e-8.
        weight_decay: the factor of the L2 penalty. Default: 0.
        foreach: accepted; the step is one call of the compiled core anyway. Default: None.
        maximize: goes up the gradient instead of down. Default: False.
        differentiable: lets autograd record the step. Default: False.
        capturable: for steps inside CUDA graphs: keeps the step count on the device. Raises on
            the CPU, as in PyTorch. Default: False.

    Example:
        >>> w = pytensor.tensor([1.0, 2.0], requires_grad=True)
        >>> optimizer = pytensor.optim.Adamax([w], lr=0.1)
        >>> (w * w).sum().backward()
        >>> optimizer.step()
        >>> w.data
        tensor([0.9000, 1.9000])
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
        lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        check_lr(lr)
        check(eps >= 0.0, "epsilon value", eps)
        check_betas(betas)
        check(weight_decay >= 0.0, "weight_decay value", weight_decay)
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def _new_state(self, group: dict[str, Any], p: Tensor) -> State:
        return {
            "step": new_step(group),
            "exp_avg": pytensor.zeros_like(p),
            "exp_inf": pytensor.zeros_like(p),
        }

    def _update(self, group: dict[str, Any], params: list[Tensor], grads: list[Any]) -> None:
        states = self._states(group, params)
        _step(
            params,
            grads,
            stack_of(states, "exp_avg"),
            stack_of(states, "exp_inf"),
            stack_of(states, "step"),
            number(group["lr"]),
            *group["betas"],
            group["weight_decay"],
            group["eps"],
            group["maximize"],
        )

    def _recorded_step(self, group: dict[str, Any], p: Any, grad: Any, state: State) -> None:
        (beta1, beta2), step = group["betas"], advance(state)
        grad = decayed(group, p, grad)
        average = averaged(state, "exp_avg", grad, beta1)
        norm = pytensor.maximum(state["exp_inf"] * beta2, grad.abs() + group["eps"])
        state["exp_inf"] = norm
        p.sub_(average / norm * (group["lr"] / (1 - beta1**step)))
