"""RMSprop: steps divided by the root mean square."""

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

__all__ = ["RMSprop"]

_step = _ops.internal["optim_rmsprop"]


class RMSprop(FusedOptimizer):
    """Steps divided by the root of the average squared gradient (Hinton, 2012; Graves, 2013).

    Args:
        params: tensors, ``(name, tensor)`` pairs, or dicts of parameter groups.
        lr: the learning rate, a number or a tensor of one element. Default: 1e-2.
        alpha: the decay of the averages. Default: 0.99.
        eps: added to the divisor. Default: 1e-8.
        weight_decay: the factor of the L2 penalty. Default: 0.
        momentum: the factor of the last update. Default: 0.
        centered: divides by the deviation from the average gradient. Default: False.
        capturable: for steps inside CUDA graphs: keeps the step count on the device. Raises on
            the CPU, as in PyTorch. Default: False.
        foreach: accepted; the step is one call of the compiled core anyway. Default: None.
        maximize: goes up the gradient instead of down. Default: False.
        differentiable: lets autograd record the step. Default: False.

    Example:
        >>> w = pytensor.tensor([1.0, 2.0], requires_grad=True)
        >>> optimizer = pytensor.optim.RMSprop([w])
        >>> (w * w).sum().backward()
        >>> optimizer.step()
        >>> w.data
        tensor([0.9000, 1.9000])
    """

    _later_options: ClassVar[dict[str, Any]] = {
        "momentum": 0,
        "centered": False,
        "foreach": None,
        "maximize": False,
        "differentiable": False,
        "capturable": False,
    }

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_lr(lr)
        check(eps >= 0.0, "epsilon value", eps)
        check(momentum >= 0.0, "momentum value", momentum)
        check(weight_decay >= 0.0, "weight_decay value", weight_decay)
        check(alpha >= 0.0, "alpha value", alpha)
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "alpha": alpha,
            "eps": eps,
            "centered": centered,
            "weight_decay": weight_decay,
            "capturable": capturable,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _new_state(self, group: dict[str, Any], p: Tensor) -> State:
        state = {"step": new_step(group), "square_avg": pytensor.zeros_like(p)}
        if group["momentum"] > 0:
            state["momentum_buffer"] = pytensor.zeros_like(p)
        if group["centered"]:
            state["grad_avg"] = pytensor.zeros_like(p)
        return state

    def _update(self, group: dict[str, Any], params: list[Tensor], grads: list[Any]) -> None:
        states = self._states(group, params)
        _step(
            params,
            grads,
            stack_of(states, "square_avg"),
            stack_of(states, "momentum_buffer") if group["momentum"] > 0 else [],
            stack_of(states, "grad_avg") if group["centered"] else [],
            stack_of(states, "step"),
            number(group["lr"]),
            group["alpha"],
            group["weight_decay"],
            group["eps"],
            group["momentum"],
            group["maximize"],
        )

    def _recorded_step(self, group: dict[str, Any], p: Any, grad: Any, state: State) -> None:
        alpha = group["alpha"]
        advance(state)
        grad = decayed(group, p, grad)
        square = averaged(state, "square_avg", grad * grad, alpha)
        if group["centered"]:
            square = square - averaged(state, "grad_avg", grad, alpha) ** 2
        update = grad / (square.sqrt() + group["eps"])
        if group["momentum"] > 0:
            update = state["momentum_buffer"] * group["momentum"] + update
            state["momentum_buffer"] = update
        p.sub_(update * group["lr"])
