"""RAdam: Adam with a rectified adaptive rate."""

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

__all__ = ["RAdam"]

_step = _ops.internal["optim_radam"]


class RAdam(FusedOptimizer):
    """Adam that adapts rates only once the variance of their scale is known (Liu et al., 2020).

    Args:
        params: tensors, ``(name, tensor)`` pairs, or dicts of parameter groups.
        lr: the learning rate, a number or a tensor of one element. Default: 1e-3.
        betas: the decay of the averages of gradients and of squares. Default: (0.9, 0.999).
        eps: added to the divisor. Default: 1e-8.
        weight_decay: the factor of the L2 penalty. Default: 0.
        decoupled_weight_decay: decays the parameters themselves, as AdamW does. Default: False.
        foreach: accepted; the step is one call of the compiled core anyway. Default: None.
        maximize: goes up the gradient instead of down. Default: False.
        capturable: for steps inside CUDA graphs: keeps the step count on the device. Raises on
            the CPU, as in PyTorch. Default: False.
        differentiable: lets autograd record the step. Default: False.

    Example:
        >>> w = pytensor.tensor([1.0, 2.0], requires_grad=True)
        >>> optimizer = pytensor.optim.RAdam([w], lr=0.1)
        >>> (w * w).sum().backward()
        >>> optimizer.step()
        >>> w.data
        tensor([0.8000, 1.6000])
    """

    _later_options: ClassVar[dict[str, Any]] = {
        "foreach": None,
        "maximize": False,
        "differentiable": False,
        "decoupled_weight_decay": False,
        "capturable": False,
    }

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
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
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "decoupled_weight_decay": decoupled_weight_decay,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _new_state(self, group: dict[str, Any], p: Tensor) -> State:
        return {
            "step": new_step(group),
            "exp_avg": pytensor.zeros_like(p),
            "exp_avg_sq": pytensor.zeros_like(p),
        }

    def _update(self, group: dict[str, Any], params: list[Tensor], grads: list[Any]) -> None:
        states = self._states(group, params)
        _step(
            params,
            grads,
            stack_of(states, "exp_avg"),
            stack_of(states, "exp_avg_sq"),
            stack_of(states, "step"),
            number(group["lr"]),
            *group["betas"],
            group["weight_decay"],
            group["eps"],
            group["decoupled_weight_decay"],
            group["maximize"],
        )

    def _recorded_step(self, group: dict[str, Any], p: Any, grad: Any, state: State) -> None:
        lr, (beta1, beta2) = group["lr"], group["betas"]
        step = advance(state)
        if not step.is_cuda:
            step = step.item()
        if group["decoupled_weight_decay"]:
            p.mul_(1 - lr * group["weight_decay"])
        else:
            grad = decayed(group, p, grad)
        average = averaged(state, "exp_avg", grad, beta1) / (1 - beta1**step)
        square = averaged(state, "exp_avg_sq", grad * grad, beta2)
        limit = 2 / (1 - beta2) - 1
        length = limit - 2 * step * beta2**step / (1 - beta2**step)
        if not isinstance(length, float):  # in a graph both ways are computed
            shrink = (length - 4) * (length - 2) * limit / ((limit - 4) * (limit - 2) * length)
            factor = ((1 - beta2**step) * shrink.clamp(min=0)).sqrt()
            update = average * factor / (square.sqrt() + group["eps"])
            average = pytensor.where(length > 5.0, update, average)
        elif length > 5.0:
            shrink = (length - 4) * (length - 2) * limit / ((limit - 4) * (limit - 2) * length)
            factor = ((1 - beta2**step) * shrink) ** 0.5
            average = average * factor / (square.sqrt() + group["eps"])
        p.sub_(average * lr)
