"""Adam: adaptive moments."""

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
from pytensor.optim.optimizer import ParamsT, _to_scalar

__all__ = ["Adam"]

_step = _ops.internal["optim_adam"]


def _check_tensors(lr: Any, betas: Any, foreach: Any, capturable: Any) -> None:
    """Options given as tensors have one element, and go with neither loop of PyTorch's."""
    separate = foreach and not capturable
    if isinstance(lr, Tensor) and separate:
        raise ValueError("lr as a Tensor is not supported for capturable=False and foreach=True")
    check_lr(lr)
    check_betas(betas)
    kinds = [isinstance(b, Tensor) for b in betas]
    if not (all(kinds) or all(isinstance(b, float) for b in betas)):
        raise ValueError("betas must be either both floats or both Tensors")
    for i, beta in enumerate(betas):
        if not kinds[i]:
            continue
        if separate:
            raise ValueError(
                f"betas[{i}] as a Tensor is not supported for capturable=False and foreach=True"
            )
        if beta.numel() != 1:
            raise ValueError(f"Tensor betas[{i}] must be 1-element")


class Adam(FusedOptimizer):
    """Adam: steps scaled by moving averages of gradients and of their squares.

    Kingma and Ba, 2015. With `amsgrad`: Reddi et al., 2018.

    Args:
        params: tensors, ``(name, tensor)`` pairs, or dicts of parameter groups.
        lr: the learning rate, a number or a tensor of one element. Default: 1e-3.
        betas: the decay of the averages of gradients and of squares. Default: (0.9, 0.999).
        eps: added to the divisor. Default: 1e-8.
        weight_decay: the factor of the L2 penalty. Default: 0.
        amsgrad: divides by the largest average of squares so far. Default: False.
        foreach: accepted; the step is one call of the compiled core anyway. Default: None.
        maximize: goes up the gradient instead of down. Default: False.
        capturable: for steps inside CUDA graphs: keeps the step count on the device. Raises on
            the CPU, as in PyTorch. Default: False.
        differentiable: lets autograd record the step. Default: False.
        fused: accepted, like `foreach`. Default: None.
        decoupled_weight_decay: decays the parameters themselves, as :class:`AdamW` does.
            Default: False.

    Example:
        >>> w = pytensor.tensor([1.0, 2.0], requires_grad=True)
        >>> optimizer = pytensor.optim.Adam([w], lr=0.1)
        >>> (w * w).sum().backward()
        >>> optimizer.step()
        >>> w.data
        tensor([0.9000, 1.9000])
    """

    _later_options: ClassVar[dict[str, Any]] = {
        "amsgrad": False,
        "maximize": False,
        "foreach": None,
        "capturable": False,
        "differentiable": False,
        "decoupled_weight_decay": False,
        "fused": None,
    }

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-3,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:
        _check_tensors(lr, betas, foreach, capturable)
        check(eps >= 0.0, "epsilon value", eps)
        check(weight_decay >= 0.0, "weight_decay value", weight_decay)
        defaults = {
            "lr": lr,
            "betas": tuple(_to_scalar(b) for b in betas),
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
            "fused": fused,
            "decoupled_weight_decay": decoupled_weight_decay,
        }
        super().__init__(params, defaults)
        self._check_fused(fused, foreach, differentiable)

    _counts_on_device = True

    def _new_state(self, group: dict[str, Any], p: Tensor) -> State:
        state = {
            "step": new_step(group),
            "exp_avg": pytensor.zeros_like(p),
            "exp_avg_sq": pytensor.zeros_like(p),
        }
        if group["amsgrad"]:
            state["max_exp_avg_sq"] = pytensor.zeros_like(p)
        return state

    def _update(self, group: dict[str, Any], params: list[Tensor], grads: list[Any]) -> None:
        lr = group["lr"]
        if group["foreach"] and isinstance(lr, Tensor) and not group["capturable"]:
            raise RuntimeError(
                "lr as a Tensor is not supported for capturable=False and foreach=True"
            )
        states = self._states(group, params)
        beta1, beta2 = group["betas"]
        # A rate on the device is read there, so that it can change between replays of a graph.
        there = isinstance(lr, Tensor) and lr.is_cuda and states[0]["step"].is_cuda
        _step(
            params,
            grads,
            [s["exp_avg"] for s in states],
            [s["exp_avg_sq"] for s in states],
            stack_of(states, "max_exp_avg_sq") if group["amsgrad"] else [],
            [s["step"] for s in states],
            0.0 if there else number(lr),
            number(beta1),
            number(beta2),
            group["weight_decay"],
            group["eps"],
            group["decoupled_weight_decay"],
            group["maximize"],
            lr if there else None,
        )

    def _recorded_step(self, group: dict[str, Any], p: Any, grad: Any, state: State) -> None:
        if state["step"].requires_grad:
            raise RuntimeError("`requires_grad` is not supported for `step` in differentiable mode")
        lr, (beta1, beta2), step = group["lr"], group["betas"], advance(state)
        if group["decoupled_weight_decay"]:
            p.mul_(1 - lr * group["weight_decay"])
        else:
            grad = decayed(group, p, grad)
        average = averaged(state, "exp_avg", grad, beta1)
        square = averaged(state, "exp_avg_sq", grad * grad, beta2)
        if group["amsgrad"]:
            square = pytensor.maximum(state["max_exp_avg_sq"], square)
            state["max_exp_avg_sq"] = square
        divisor = square.sqrt() / (1 - beta2**step).sqrt() + group["eps"]
        p.sub_(average / divisor * (lr / (1 - beta1**step)))
