"""Rprop: steps by the sign of the gradient."""

from __future__ import annotations

from typing import Any, ClassVar

import pytensor
from pytensor import Tensor, _ops
from pytensor.optim._fused import (
    FusedOptimizer,
    State,
    advance,
    check_lr,
    new_step,
    number,
    stack_of,
)
from pytensor.optim.optimizer import ParamsT

__all__ = ["Rprop"]

_step = _ops.internal["optim_rprop"]


class Rprop(FusedOptimizer):
    """Resilient backpropagation: step sizes that follow the signs (Riedmiller and Braun, 1993).

    Args:
        params: tensors, ``(name, tensor)`` pairs, or dicts of parameter groups.
        lr: the size of the first step, a number or a tensor of one element. Default: 1e-2.
        etas: the factors of step sizes after a change of sign and after none.
            Default: (0.5, 1.2).
        step_sizes: the smallest and the largest step size. Default: (1e-6, 50).
        capturable: for steps inside CUDA graphs: keeps the step count on the device. Raises on
            the CPU, as in PyTorch. Default: False.
        foreach: accepted; the step is one call of the compiled core anyway. Default: None.
        maximize: goes up the gradient instead of down. Default: False.
        differentiable: lets autograd record the step. Default: False.

    Example:
        >>> w = pytensor.tensor([1.0, 2.0], requires_grad=True)
        >>> optimizer = pytensor.optim.Rprop([w])
        >>> (w * w).sum().backward()
        >>> optimizer.step()
        >>> w.data
        tensor([0.9900, 1.9900])
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
        lr: float | Tensor = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50),
        *,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_lr(lr)
        if not 0.0 < etas[0] < 1.0 < etas[1]:
            raise ValueError(f"Invalid eta values: {etas[0]}, {etas[1]}")
        defaults = {
            "lr": lr,
            "etas": etas,
            "step_sizes": step_sizes,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def _new_state(self, group: dict[str, Any], p: Tensor) -> State:
        return {
            "step": new_step(group),
            "prev": pytensor.zeros_like(p),
            "step_size": pytensor.full_like(p.grad, number(group["lr"])),
        }

    def _update(self, group: dict[str, Any], params: list[Tensor], grads: list[Any]) -> None:
        states = self._states(group, params)
        _step(
            params,
            grads,
            stack_of(states, "prev"),
            stack_of(states, "step_size"),
            stack_of(states, "step"),
            *group["etas"],
            *group["step_sizes"],
            group["maximize"],
        )

    def _recorded_step(self, group: dict[str, Any], p: Any, grad: Any, state: State) -> None:
        advance(state)
        smaller, larger = group["etas"]
        sign = (grad * state["prev"]).sign()
        factor = pytensor.where(sign > 0, larger, pytensor.where(sign < 0, smaller, 1.0))
        size = (state["step_size"] * factor).clamp(*group["step_sizes"])
        grad = pytensor.where(sign < 0, 0.0, grad)
        state["step_size"], state["prev"] = size, grad
        p.sub_(grad.sign() * size)
