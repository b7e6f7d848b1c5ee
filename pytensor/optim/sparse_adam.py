"""SparseAdam: Adam for gradients that are sparse tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytensor
from pytensor import Tensor
from pytensor.optim._fused import check, check_betas
from pytensor.optim.optimizer import Optimizer, ParamsT

__all__ = ["SparseAdam"]


class SparseAdam(Optimizer):
    """Adam that updates only what a sparse gradient names.

    Gradients here are always dense, and dense ones are refused, as in PyTorch: use Adam.

    Args:
        params: tensors, ``(name, tensor)`` pairs, or dicts of parameter groups.
        lr: the learning rate, a number or a tensor of one element. Default: 1e-3.
        betas: the decay of the averages of gradients and of squares. Default: (0.9, 0.999).
        eps: added to the divisor. Default: 1e-8.
        maximize: goes up the gradient instead of down. Default: False.

    Raises:
        RuntimeError: in a step, when a parameter has a dense gradient.
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        maximize: bool = False,
    ) -> None:
        if isinstance(lr, Tensor) and lr.numel() != 1:
            raise ValueError("Tensor lr must be 1-element")
        check(lr > 0.0, "learning rate", lr)
        check(eps > 0.0, "epsilon value", eps)
        check_betas(betas)
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "maximize": maximize})

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Raises when there is a gradient, as it cannot be sparse.

        Args:
            closure: computes the loss and the gradients anew and returns the loss.
        """
        loss = None
        if closure is not None:
            with pytensor.enable_grad():
                loss = closure()
        if any(p.grad is not None for group in self.param_groups for p in group["params"]):
            raise RuntimeError(
                "SparseAdam does not support dense gradients, please consider Adam instead"
            )
        return loss
