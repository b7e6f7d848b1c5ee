"""Adafactor: second moments kept as rows and columns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytensor
from pytensor import Tensor
from pytensor.optim._fused import number, scalar_dtype
from pytensor.optim.optimizer import Optimizer, ParamsT

__all__ = ["Adafactor"]


def _new_state(grad: Any) -> dict[str, Any]:
    state: dict[str, Any] = {"step": pytensor.zeros((), dtype=scalar_dtype())}
    if grad.dim() > 1:
        *outer, rows, columns = grad.shape
        state["row_var"] = grad.new_zeros([*outer, rows, 1])
        state["col_var"] = grad.new_zeros([*outer, 1, columns])
    else:
        state["variance"] = pytensor.zeros_like(grad)
    return state


def _variance(state: dict[str, Any], grad: Any, weight: float, eps: float) -> Any:
    """The estimate of the average square of each element, brought up to date."""
    if grad.dim() <= 1:
        return state["variance"].lerp_(grad * grad, weight).clone()
    rows, columns = state["row_var"], state["col_var"]
    for average, dim in ((rows, -1), (columns, -2)):
        norm = pytensor.norm(grad, dim=dim, keepdim=True)
        average.lerp_(norm.square_().div_(grad.size(dim)), weight)
    return (rows @ columns).div_(rows.mean(dim=-2, keepdim=True).clamp_(min=eps))


class Adafactor(Optimizer):
    """Adafactor: for matrices, second moments take a row and a column (Shazeer and Stern, 2018).

    Args:
        params: tensors, ``(name, tensor)`` pairs, or dicts of parameter groups.
        lr: an upper limit of the relative step, a number or a tensor of one element.
            Default: 1e-2.
        beta2_decay: the power of the step by which averages slow down, at most 0. Default: -0.8.
        eps: the least square (``None``: the dtype's epsilon) and the least size of a parameter.
            Default: (None, 1e-3).
        d: updates with a larger root mean square are scaled down to it. Default: 1.
        weight_decay: parameters shrink by ``lr * weight_decay`` of themselves. Default: 0.
        foreach: accepted; there is one implementation. Default: None.
        maximize: goes up the gradient instead of down. Default: False.

    Example:
        >>> w = pytensor.ones(2, 2, requires_grad=True)
        >>> optimizer = pytensor.optim.Adafactor([w], lr=0.1)
        >>> (w * w).sum().backward()
        >>> optimizer.step()
        >>> w.data
        tensor([[0.9000, 0.9000],
                [0.9000, 0.9000]])
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-2,
        beta2_decay: float = -0.8,
        eps: tuple[float | None, float] = (None, 1e-3),
        d: float = 1.0,
        weight_decay: float = 0.0,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
    ) -> None:
        if isinstance(lr, Tensor) and lr.numel() != 1:
            raise ValueError("Tensor lr must be 1-element")
        if not lr >= 0.0:
            raise ValueError(f"Learning rate should be >= 0 but is: {lr}")
        if not beta2_decay <= 0.0:
            raise ValueError(f"beta2_decay should be <= 0 but is: {beta2_decay}")
        if eps[0] is not None and not eps[0] >= 0.0:
            raise ValueError(f"epsilon1 should be >= 0 but is: {eps[0]}")
        if not eps[1] >= 0.0:
            raise ValueError(f"epsilon2 should be >= 0 but is: {eps[1]}")
        if not d >= 1.0:
            raise ValueError(f"Clipping threshold d should be >= 1 but is: {d}")
        if not weight_decay >= 0.0:
            raise ValueError(f"weight_decay should be >= 0 but is: {weight_decay}")
        defaults = {
            "lr": lr,
            "beta2_decay": beta2_decay,
            "eps": eps,
            "d": d,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            group.setdefault("foreach", None)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Updates the parameters from their gradients.

        Args:
            closure: computes the loss and the gradients anew and returns the loss.
        """
        loss = None
        if closure is not None:
            with pytensor.enable_grad():
                loss = closure()
        with pytensor.no_grad():
            for group in self.param_groups:
                for p in group["params"]:
                    if p.grad is not None:
                        self._update(group, p, -p.grad if group["maximize"] else p.grad)
        return loss

    def _update(self, group: dict[str, Any], p: Any, grad: Any) -> None:
        state = self.state[p]
        if not state:
            state.update(_new_state(grad))
        state["step"] += 1
        step, lr = state["step"].item(), number(group["lr"])
        eps1, eps2 = group["eps"]
        if eps1 is None:
            eps1 = pytensor.finfo(p.dtype).eps
        size = max(eps2, p.norm(2).item() / p.numel() ** 0.5)
        rate = size * min(lr, 1 / step**0.5)
        if group["weight_decay"] != 0:
            p.mul_(1 - lr * group["weight_decay"])
        variance = _variance(state, grad, step ** group["beta2_decay"], eps1)
        update = variance.clamp_(min=eps1 * eps1).rsqrt_().mul_(grad)
        excess = max(1.0, update.norm(2).item() / (update.numel() ** 0.5 * group["d"]))
        p.add_(update, alpha=-rate / excess)
