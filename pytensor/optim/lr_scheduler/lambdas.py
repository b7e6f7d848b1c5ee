"""Rates given by functions of the step: LambdaLR and MultiplicativeLR."""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any

from pytensor.optim.lr_scheduler.base import LRScheduler
from pytensor.optim.optimizer import Optimizer

Lambda = Callable[[int], float]


class LambdaLR(LRScheduler):
    """The initial rate times a function of the step.

    Args:
        optimizer: whose learning rates are set.
        lr_lambda: maps the step to a factor; a function, or a list of one for each group. The state
            dict keeps the attributes of callable objects, but not functions.
        last_epoch: the last step that was done, -1 for a new schedule. Default: -1.

    Example:
        >>> optimizer = pytensor.optim.SGD([pytensor.ones(2, requires_grad=True)], lr=1.0)
        >>> schedule = pytensor.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 / (1 + step))
        >>> optimizer.step(); schedule.step()
        >>> schedule.get_last_lr()
        [0.5]
    """

    def __init__(
        self, optimizer: Optimizer, lr_lambda: Lambda | list[Lambda], last_epoch: int = -1
    ) -> None:
        self.optimizer = optimizer
        n = len(optimizer.param_groups)
        if not isinstance(lr_lambda, (list, tuple)):
            lr_lambda = [lr_lambda] * n
        elif len(lr_lambda) != n:
            raise ValueError(f"Expected {n} lr_lambdas, but got {len(lr_lambda)}")
        self.lr_lambdas: list[Any] = list(lr_lambda)
        super().__init__(optimizer, last_epoch)

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimizer and functions."""
        state = super().state_dict()
        state["lr_lambdas"] = [
            None if isinstance(f, types.FunctionType) else f.__dict__.copy()
            for f in self.lr_lambdas
        ]
        return state

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes over what :meth:`state_dict` returned."""
        self.__dict__.update({k: v for k, v in state_dict.items() if k != "lr_lambdas"})
        for function, attributes in zip(self.lr_lambdas, state_dict["lr_lambdas"]):
            if attributes is not None:
                function.__dict__.update(attributes)

    def get_lr(self) -> list[Any]:
        """The rates of the step `last_epoch`, one for each group."""
        self._check_within_step()
        return [
            base * function(self.last_epoch)
            for function, base in zip(self.lr_lambdas, self.base_lrs, strict=True)
        ]


class MultiplicativeLR(LambdaLR):
    """The last rate times a function of the step.

    Args:
        optimizer: whose learning rates are set.
        lr_lambda: maps the step to a factor; a function, or a list of one for each group.
        last_epoch: the last step that was done, -1 for a new schedule. Default: -1.

    Example:
        >>> optimizer = pytensor.optim.SGD([pytensor.ones(2, requires_grad=True)], lr=1.0)
        >>> schedule = pytensor.optim.lr_scheduler.MultiplicativeLR(optimizer, lambda step: 0.5)
        >>> for _ in range(2):
        ...     optimizer.step(); schedule.step()
        >>> schedule.get_last_lr()
        [0.25]
    """

    def __init__(
        self, optimizer: Optimizer, lr_lambda: Lambda | list[Lambda], last_epoch: int = -1
    ) -> None:
        for f in lr_lambda if isinstance(lr_lambda, (list, tuple)) else [lr_lambda]:
            if not callable(f):
                raise TypeError(f"lr_lambda should be a function, but got {type(f).__name__}")
        super().__init__(optimizer, lr_lambda, last_epoch)

    def get_lr(self) -> list[Any]:
        """The rates of the step `last_epoch`, one for each group."""
        self._check_within_step()
        if self._is_initial:
            return self._unchanged()
        return [
            group["lr"] * function(self.last_epoch)
            for function, group in zip(self.lr_lambdas, self.optimizer.param_groups, strict=True)
        ]
