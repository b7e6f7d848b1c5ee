"""Stochastic gradient descent."""

from __future__ import annotations

from typing import Any, ClassVar

import pytensor
from pytensor import Tensor, _ops
from pytensor.optim._fused import (
    FusedOptimizer,
    State,
    decayed,
    number,
)
from pytensor.optim.optimizer import ParamsT

__all__ = ["SGD"]

_step = _ops.internal["optim_sgd"]


class SGD(FusedOptimizer):
    """Stochastic gradient descent, with Nesterov or plain momentum.

    Args:
        params: tensors, ``(name, tensor)`` pairs, or dicts of parameter groups.
        lr: the learning rate, a number or a tensor of one element. Default: 1e-3.
        momentum: the factor of the last update. Default: 0.
        dampening: the part of the gradient that momentum leaves out. Default: 0.
        weight_decay: the factor of the L2 penalty. Default: 0.
        nesterov: looks ahead (Sutskever et al., 2013). Default: False.
        maximize: goes up the gradient instead of down. Default: False.
        foreach: accepted; the step is one call of the compiled core anyway. Default: None.
        differentiable: lets autograd record the step. Default: False.
        fused: accepted, like `foreach`. Default: None.

    Example:
        >>> w = pytensor.tensor([1.0, 2.0], requires_grad=True)
        >>> optimizer = pytensor.optim.SGD([w], lr=0.1, momentum=0.9)
        >>> (w * w).sum().backward()
        >>> optimizer.step()
        >>> w.data
        tensor([0.8000, 1.6000])
    """

    _later_options: ClassVar[dict[str, Any]] = {
        "nesterov": False,
        "maximize": False,
        "foreach": None,
        "differentiable": False,
        "fused": False,
    }

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float | Tensor = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        if isinstance(lr, Tensor) and lr.numel() != 1:
            raise ValueError("Tensor lr must be 1-element")
        options = {"learning rate": lr, "momentum value": momentum}
        options["weight_decay value"] = weight_decay
        for what, value in options.items():
            if value < 0.0:
                raise ValueError(f"Invalid {what}: {value}")
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
            "foreach": foreach,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)
        self._check_fused(fused, foreach, differentiable)

    def _states(self, group: dict[str, Any], params: list[Tensor]) -> list[State]:
        return [self.state[p] if group["momentum"] != 0 else {} for p in params]

    def _update(self, group: dict[str, Any], params: list[Tensor], grads: list[Any]) -> None:
        momentum = group["momentum"]
        options = (
            number(group["lr"]),
            momentum,
            group["dampening"],
            number(group["weight_decay"]),
            group["nesterov"],
            group["maximize"],
        )
        if momentum == 0:
            _step(params, grads, [], *options, False)
            return
        states = [self.state[p] for p in params]
        buffers = [s.get("momentum_buffer") for s in states]
        fresh = [i for i, b in enumerate(buffers) if b is None]
        if not fresh:
            _step(params, grads, buffers, *options, False)
            return
        for i in fresh:
            buffers[i] = states[i]["momentum_buffer"] = pytensor.empty_like(grads[i])
        for first in (True, False):
            picked = [i for i in range(len(params)) if (i in fresh) == first]
            lists = ([x[i] for i in picked] for x in (params, grads, buffers))
            _step(*lists, *options, first)

    def _recorded_step(self, group: dict[str, Any], p: Any, grad: Any, state: State) -> None:
        grad = decayed(group, p, grad)
        momentum = group["momentum"]
        if momentum != 0:
            buffer = state.get("momentum_buffer")
            if buffer is None:
                buffer = grad.detach().clone()
            else:
                buffer = buffer * momentum + grad * (1 - group["dampening"])
            state["momentum_buffer"] = buffer
            grad = grad + momentum * buffer if group["nesterov"] else buffer
        p.sub_(grad * group["lr"])
