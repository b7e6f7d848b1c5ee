"""Rates that go up and down between two bounds (Smith, 2017)."""

from __future__ import annotations

import math
import types
from collections.abc import Callable
from typing import Any

from pytensor.optim.lr_scheduler.base import (
    LRScheduler,
    check_optimizer,
    for_each_group,
    set_group_value,
    set_momentum,
)
from pytensor.optim.optimizer import Optimizer


def prepare_momentum(optimizer: Optimizer, base: Any, largest: Any, fresh: bool) -> Any:
    """The bounds of the momentum for each group; a fresh schedule starts with the largest."""
    if "momentum" not in optimizer.defaults and "betas" not in optimizer.defaults:
        raise ValueError(
            "optimizer must support momentum or beta1 with `cycle_momentum` option enabled"
        )
    bases = for_each_group("base_momentum", optimizer, base)
    tops = for_each_group("max_momentum", optimizer, largest)
    if fresh:
        for top, low, group in zip(tops, bases, optimizer.param_groups, strict=True):
            set_momentum(group, top)
            group["max_momentum"] = top
            group["base_momentum"] = low
    return bases, tops


class CyclicLR(LRScheduler):
    """Cycles between `base_lr` and `max_lr`, and the momentum the other way round.

    Args:
        optimizer: whose learning rates are set.
        base_lr: the lower bound; a number, or a list of one for each group.
        max_lr: the upper bound of the first cycle; likewise.
        step_size_up: steps of the rising half. Default: 2000.
        step_size_down: steps of the falling half. Default: None, as many as up.
        mode: ``"triangular"``; ``"triangular2"``: half the height after each cycle;
            ``"exp_range"``: the height falls as ``gamma ** step``. Default: "triangular".
        gamma: of ``"exp_range"``. Default: 1.
        scale_fn: the height as a function of the cycle or the step, in the place of `mode`.
        scale_mode: ``"cycle"`` or ``"iterations"``: what `scale_fn` is given. Default: "cycle".
        cycle_momentum: whether the momentum cycles too. Default: True.
        base_momentum: the lower bound of the momentum. Default: 0.8.
        max_momentum: the upper bound of the momentum. Default: 0.9.
        last_epoch: the last step that was done, -1 for a new schedule. Default: -1.

    Example:
        >>> optimizer = pytensor.optim.SGD([pytensor.ones(2, requires_grad=True)], momentum=0.9)
        >>> schedule = pytensor.optim.lr_scheduler.CyclicLR(optimizer, 0.0, 1.0, step_size_up=2)
        >>> optimizer.step(); schedule.step()
        >>> schedule.get_last_lr()
        [0.5]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        base_lr: float | list[float],
        max_lr: float | list[float],
        step_size_up: float = 2000,
        step_size_down: float | None = None,
        mode: str = "triangular",
        gamma: float = 1.0,
        scale_fn: Callable[[float], float] | None = None,
        scale_mode: str = "cycle",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.8,
        max_momentum: float | list[float] = 0.9,
        last_epoch: int = -1,
    ) -> None:
        check_optimizer(optimizer)
        self.optimizer = optimizer
        base_lrs = for_each_group("base_lr", optimizer, base_lr)
        if last_epoch == -1:
            for lr, group in zip(base_lrs, optimizer.param_groups, strict=True):
                set_group_value(group, "lr", lr)
        self.max_lrs = for_each_group("max_lr", optimizer, max_lr)
        up = float(step_size_up)
        down = float(step_size_down) if step_size_down is not None else up
        self.total_size = up + down
        self.step_ratio = up / self.total_size
        if mode not in ("triangular", "triangular2", "exp_range") and scale_fn is None:
            raise ValueError("mode is invalid and scale_fn is None")
        self.mode = mode
        self.gamma = gamma
        self._scale_fn_custom: Any = scale_fn
        self.scale_mode = scale_mode
        if scale_fn is None:
            self.scale_mode = "iterations" if mode == "exp_range" else "cycle"
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self.use_beta1 = "betas" in optimizer.defaults
            self.base_momentums, self.max_momentums = prepare_momentum(
                optimizer, base_momentum, max_momentum, last_epoch == -1
            )
        super().__init__(optimizer, last_epoch)
        self.base_lrs = base_lrs

    def scale_fn(self, x: float) -> float:
        """The height of a cycle, as a fraction, at a cycle or step."""
        if self._scale_fn_custom is not None:
            height: float = self._scale_fn_custom(x)
            return height
        if self.mode == "triangular":
            return 1.0
        return 1 / 2.0 ** (x - 1) if self.mode == "triangular2" else self.gamma**x

    def get_lr(self) -> list[Any]:
        """The rates of the step `last_epoch`, one for each group; sets the momentum."""
        self._check_within_step()
        cycle = math.floor(1 + self.last_epoch / self.total_size)
        x = 1.0 + self.last_epoch / self.total_size - cycle
        rising = x <= self.step_ratio
        position = x / self.step_ratio if rising else (x - 1) / (self.step_ratio - 1)
        scale = self.scale_fn(cycle if self.scale_mode == "cycle" else self.last_epoch)
        if self.cycle_momentum:
            groups = self.optimizer.param_groups
            bounds = zip(self.base_momentums, self.max_momentums, groups, strict=True)
            for low, top, group in bounds:
                set_momentum(group, top - (top - low) * position * scale)
        return [
            low + (top - low) * position * scale
            for low, top in zip(self.base_lrs, self.max_lrs, strict=True)
        ]

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimizer; of `scale_fn`, the attributes if it is an object."""
        state = super().state_dict()
        function = state["_scale_fn_custom"]
        plain = function is None or isinstance(function, types.FunctionType)
        state["_scale_fn_custom"] = None if plain else function.__dict__.copy()
        return state

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes over what :meth:`state_dict` returned."""
        super().load_state_dict({k: v for k, v in state_dict.items() if k != "_scale_fn_custom"})
        attributes = state_dict["_scale_fn_custom"]
        if attributes is not None:
            self._scale_fn_custom.__dict__.update(attributes)
