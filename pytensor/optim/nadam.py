"""NAdam: Adam with Nesterov momentum."""

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
    scalar_dtype,
    stack_of,
)
from pytensor.optim.optimizer import ParamsT

__all__ = ["NAdam"]

_step = _ops.internal["optim_nadam"]


class NAdam(FusedOptimizer):
    """Adam with Nesterov momentum (Dozat, 2016).

    Args:
        params: tensors, ``(name, tensor)`` pairs, or dicts of parameter groups.
        lr: the learning rate, a number or a tensor of one element. Default: 2e-3.
        betas: the decay of the averages of gradients and of squares. Default: (0.9, 0.999).
        eps: added to the divisor. Default: 1e-8.
        weight_decay: the factor of the L2 penalty. Default: 0.
        momentum_decay: how fast the momentum approaches ``betas[0]``. Default: 4e-3.
        decoupled_weight_decay: decays the parameters themselves, as AdamW does. Default: False.
        foreach: accepted; the step is one call of the compiled core anyway. Default: None.
        maximize: goes up the gradient instead of down. Default: False.
        capturable: for steps inside CUDA graphs: keeps the step count on the device. Raises on
            the CPU, as in PyTorch. Default: False.
        differentiable: lets autograd record the step. Default: False.

    Example:
        >>> w = pytensor.tensor([1.0, 2.0], requires_grad=True)
        >>> optimizer = pytensor.optim.NAdam([w], lr=0.1)
        >>> (w * w).sum().backward()
        >>> optimizer.step()
        >>> w.data
        tensor([0.8944, 1.8944])
    """

    _later_options: ClassVar[dict[str, Any]] = {
        "foreach": None,
        "maximize": False,
        "differentiable": False,
        "decoupled_weight_decay": False,
        "capturable": False,
    }
    _numbers = ("step", "mu_product")

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum_decay: float = 4e-3,
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
        check(momentum_decay >= 0.0, "momentum_decay value", momentum_decay)
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "momentum_decay": momentum_decay,
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _new_state(self, group: dict[str, Any], p: Tensor) -> State:
        return {
            "step": new_step(group),
            "mu_product": pytensor.ones((), dtype=scalar_dtype()),
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
            stack_of(states, "mu_product"),
            stack_of(states, "step"),
            number(group["lr"]),
            *group["betas"],
            group["weight_decay"],
            group["momentum_decay"],
            group["eps"],
            group["decoupled_weight_decay"],
            group["maximize"],
        )

    def _recorded_step(self, group: dict[str, Any], p: Any, grad: Any, state: State) -> None:
        lr, (beta1, beta2), step = group["lr"], group["betas"], advance(state)
        if group["decoupled_weight_decay"]:
            p.mul_(1 - lr * group["weight_decay"])
        else:
            grad = decayed(group, p, grad)
        mu = beta1 * (1 - 0.5 * 0.96 ** (step * group["momentum_decay"]))
        next_mu = beta1 * (1 - 0.5 * 0.96 ** ((step + 1) * group["momentum_decay"]))
        product = state["mu_product"] = state["mu_product"] * mu
        average = averaged(state, "exp_avg", grad, beta1)
        square = averaged(state, "exp_avg_sq", grad * grad, beta2)
        divisor = (square / (1 - beta2**step)).sqrt() + group["eps"]
        p.sub_(grad / divisor * (lr * (1 - mu) / (1 - product)))
        p.sub_(average / divisor * (lr * next_mu / (1 - product * next_mu)))
