"""Muon: momentum made orthogonal, for the matrices inside a network."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytensor
from pytensor import Tensor
from pytensor.optim._fused import number
from pytensor.optim.optimizer import Optimizer, ParamsT

__all__ = ["Muon"]

_COEFFICIENTS = (3.4445, -4.775, 2.0315)


def _orthogonalized(
    matrix: Any, coefficients: tuple[float, float, float], steps: int, eps: float
) -> Any:
    """About the nearest orthogonal matrix, by Newton-Schulz iterations in bfloat16."""
    if steps >= 100:
        raise ValueError("Number of steps must be less than 100 for computational efficiency")
    if matrix.dim() != 2:
        raise ValueError("Input tensor gradient must be a 2D matrix")
    if len(coefficients) != 3:
        raise ValueError("Coefficients must be a tuple of exactly 3 values")
    a, b, c = coefficients
    tall = matrix.size(0) > matrix.size(1)
    x = matrix.bfloat16()
    x = x.T if tall else x
    x = x / x.norm().clamp(min=eps)
    for _ in range(steps):
        gram = x @ x.T
        update = pytensor.addmm(gram, gram, gram, beta=b, alpha=c)
        x = pytensor.addmm(x, update, x, beta=a)
    return x.T if tall else x


def _adjusted(lr: float, how: str | None, shape: Any) -> float:
    rows, columns = shape
    if how is None or how == "original":
        return lr * math.sqrt(max(1, rows / columns))
    return lr * (0.2 * math.sqrt(max(rows, columns)))


class Muon(Optimizer):
    """Momentum whose matrices are made orthogonal before they are followed (Jordan et al., 2024).

    For the weight matrices inside a network; others (biases, embeddings, the last layer) go with
    another optimizer, such as :class:`AdamW`.

    Args:
        params: matrices, ``(name, matrix)`` pairs, or dicts of parameter groups.
        lr: the learning rate. Default: 1e-3.
        weight_decay: parameters shrink by ``lr * weight_decay`` of themselves. Default: 0.1.
        momentum: the decay of the average of gradients. Default: 0.95.
        nesterov: looks ahead. Default: True.
        ns_coefficients: of the Newton-Schulz polynomial. Default: (3.4445, -4.775, 2.0315).
        eps: the least norm of a gradient. Default: 1e-7.
        ns_steps: Newton-Schulz iterations. Default: 5.
        adjust_lr_fn: ``"original"`` scales the rate with the root of rows / columns,
            ``"match_rms_adamw"`` makes updates as large as those of AdamW. Default: None, which is
            ``"original"``.

    Example:
        >>> w = pytensor.ones(2, 2, requires_grad=True)
        >>> optimizer = pytensor.optim.Muon([w], lr=0.1)
        >>> (w * w).sum().backward()
        >>> optimizer.step()
        >>> bool((w < 1).all())
        True
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float = 1e-3,
        weight_decay: float = 0.1,
        momentum: float = 0.95,
        nesterov: bool = True,
        ns_coefficients: tuple[float, float, float] = _COEFFICIENTS,
        eps: float = 1e-7,
        ns_steps: int = 5,
        adjust_lr_fn: str | None = None,
    ) -> None:
        if isinstance(lr, Tensor) and lr.numel() != 1:
            raise ValueError("Tensor lr must be 1-element")
        if not lr >= 0.0:
            raise ValueError(f"Learning rate should be >= 0 but is: {lr}")
        if not momentum >= 0.0:
            raise ValueError(f"momentum should be >= 0 but is: {momentum}")
        if not weight_decay >= 0.0:
            raise ValueError(f"weight decay should be >= 0 but is: {weight_decay}")
        if adjust_lr_fn not in (None, "original", "match_rms_adamw"):
            raise ValueError(f"Adjust learning rate function {adjust_lr_fn} is not supported")
        defaults = {
            "lr": lr,
            "weight_decay": weight_decay,
            "momentum": momentum,
            "nesterov": nesterov,
            "ns_coefficients": ns_coefficients,
            "eps": eps,
            "ns_steps": ns_steps,
            "adjust_lr_fn": adjust_lr_fn,
        }
        super().__init__(params, defaults)
        for group in self.param_groups:
            for p in group["params"]:
                if p.dim() != 2:
                    raise ValueError(
                        "Muon only supports 2D parameters whereas we found a parameter with size: "
                        f"{p.size()}"
                    )

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
                        self._update(group, p, p.grad)
        return loss

    def _update(self, group: dict[str, Any], p: Any, grad: Any) -> None:
        state, lr, momentum = self.state[p], number(group["lr"]), group["momentum"]
        if "momentum_buffer" not in state:
            state["momentum_buffer"] = pytensor.zeros_like(grad)
        buffer = state["momentum_buffer"].lerp_(grad, 1 - momentum)
        update = grad.lerp(buffer, momentum) if group["nesterov"] else buffer
        update = _orthogonalized(update, group["ns_coefficients"], group["ns_steps"], group["eps"])
        p.mul_(1 - lr * group["weight_decay"])
        p.add_(update, alpha=-_adjusted(lr, group["adjust_lr_fn"], p.shape))
