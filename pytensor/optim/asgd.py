"""ASGD: averaged stochastic gradient descent."""

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
    scalar_dtype,
    stack_of,
)
from pytensor.optim.optimizer import ParamsT

__all__ = ["ASGD"]

_step = _ops.internal["optim_asgd"]


class ASGD(FusedOptimizer):
    """Stochastic gradient descent that keeps an average of the parameters.

    Polyak and Juditsky, 1992. The average is ``optimizer.state[parameter]["ax"]``.

    Args:
        params: tensors, ``(name, tensor)`` pairs, or dicts of parameter groups.
        lr: the learning rate, a number or a tensor of one element. Default: 1e-2.
        lambd: the decay of the parameters. Default: 1e-4.
        alpha: the power by which the rate falls. Default: 0.75.
        t0: the step at which averaging begins. Default: 1e6.
        weight_decay: the factor of the L2 penalty. Default: 0.
        foreach: accepted; the step is one call of the compiled core anyway. Default: None.
        maximize: goes up the gradient instead of down. Default: False.
        differentiable: lets autograd record the step. Default: False.
        capturable: for steps inside CUDA graphs: keeps the step count on the device. Raises on
            the CPU, as in PyTorch. Default: False.

    Example:
        >>> w = pytensor.tensor([1.0, 2.0], requires_grad=True)
        >>> optimizer = pytensor.optim.ASGD([w], lr=0.1)
        >>> (w * w).sum().backward()
        >>> optimizer.step()
        >>> w.data
        tensor([0.8000, 1.6000])
    """

    _later_options: ClassVar[dict[str, Any]] = {
        "foreach": None,
        "maximize": False,
        "differentiable": False,
        "capturable": False,
    }
    _numbers = ("step", "eta", "mu")

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        check_lr(lr)
        check(weight_decay >= 0.0, "weight_decay value", weight_decay)
        defaults = {
            "lr": lr,
            "lambd": lambd,
            "alpha": alpha,
            "t0": t0,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def _new_state(self, group: dict[str, Any], p: Tensor) -> State:
        dtype = scalar_dtype()
        return {
            "step": new_step(group),
            "eta": pytensor.tensor(float(number(group["lr"])), dtype=dtype),
            "mu": pytensor.ones((), dtype=dtype),
            "ax": pytensor.zeros_like(p),
        }

    def _update(self, group: dict[str, Any], params: list[Tensor], grads: list[Any]) -> None:
        states = self._states(group, params)
        _step(
            params,
            grads,
            stack_of(states, "ax"),
            stack_of(states, "mu"),
            stack_of(states, "eta"),
            stack_of(states, "step"),
            number(group["lr"]),
            group["lambd"],
            group["alpha"],
            group["t0"],
            group["weight_decay"],
            group["maximize"],
        )

    def _recorded_step(self, group: dict[str, Any], p: Any, grad: Any, state: State) -> None:
        lr, lambd, step = group["lr"], group["lambd"], advance(state)
        grad = decayed(group, p, grad)
        p.mul_(1 - lambd * state["eta"]).sub_(grad * state["eta"])
        state["ax"] = state["ax"] + (p - state["ax"]) * state["mu"]
        state["eta"] = lr / (1 + lambd * lr * step) ** group["alpha"]
        state["mu"] = 1 / (step - group["t0"]).clamp(min=1)
