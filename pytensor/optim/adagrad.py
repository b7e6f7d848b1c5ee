"""Adagrad: rates that fall with the sum of squares."""

from __future__ import annotations

from typing import Any, ClassVar

import pytensor
from pytensor import Tensor, _ops
from pytensor.optim._fused import (
    FusedOptimizer,
    State,
    advance,
    check,
    check_lr,
    decayed,
    new_step,
    number,
    stack_of,
)
from pytensor.optim.optimizer import ParamsT

__all__ = ["Adagrad"]

_step = _ops.internal["optim_adagrad"]


class Adagrad(FusedOptimizer):
    """Steps divided by the root of the sum of all squared gradients (Duchi et al., 2011).

    Args:
        params: tensors, ``(name, tensor)`` pairs, or dicts of parameter groups.
        lr: the learning rate, a number or a tensor of one element. Default: 1e-2.
        lr_decay: the rate is divided by ``1 + steps * lr_decay``. Default: 0.
        weight_decay: the factor of the L2 penalty. Default: 0.
        initial_accumulator_value: what sums of squares start from. Default: 0.
        eps: added to the divisor. Default: 1e-10.
        foreach: accepted; the step is one call of the compiled core anyway. Default: None.
        maximize: goes up the gradient instead of down. Default: False.
        differentiable: lets autograd record the step. Default: False.
        fused: accepted, like `foreach`. Default: None.

    Example:
        >>> w = pytensor.tensor([1.0, 2.0], requires_grad=True)
        >>> optimizer = pytensor.optim.Adagrad([w], lr=0.1)
        >>> (w * w).sum().backward()
        >>> optimizer.step()
        >>> w.data
        tensor([0.9000, 1.9000])
    """

    _later_options: ClassVar[dict[str, Any]] = {
        "foreach": None,
        "maximize": False,
        "differentiable": False,
        "fused": None,
    }

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        check_lr(lr)
        check(lr_decay >= 0.0, "lr_decay value", lr_decay)
        check(weight_decay >= 0.0, "weight_decay value", weight_decay)
        start = initial_accumulator_value
        check(start >= 0.0, "initial_accumulator_value value", start)
        check(eps >= 0.0, "epsilon value", eps)
        defaults = {
            "lr": lr,
            "lr_decay": lr_decay,
            "eps": eps,
            "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)
        self._check_fused(fused, foreach, differentiable)
        for group in self.param_groups:
            self._states(group, group["params"])

    def share_memory(self) -> None:
        """Puts the sums of squares in memory that other processes share."""
        for group in self.param_groups:
            for p in group["params"]:
                self.state[p]["sum"].share_memory_()

    def _new_state(self, group: dict[str, Any], p: Tensor) -> State:
        start = self.defaults["initial_accumulator_value"]
        return {"step": new_step(group), "sum": pytensor.full_like(p, start)}

    def _update(self, group: dict[str, Any], params: list[Tensor], grads: list[Any]) -> None:
        states = self._states(group, params)
        _step(
            params,
            grads,
            stack_of(states, "sum"),
            stack_of(states, "step"),
            number(group["lr"]),
            group["lr_decay"],
            group["weight_decay"],
            group["eps"],
            group["maximize"],
        )

    def _recorded_step(self, group: dict[str, Any], p: Any, grad: Any, state: State) -> None:
        step = advance(state)
        grad = decayed(group, p, grad)
        total = state["sum"] = state["sum"] + grad * grad
        rate = group["lr"] / (1 + (step - 1) * group["lr_decay"])
        p.sub_(grad / (total.sqrt() + group["eps"]) * rate)
