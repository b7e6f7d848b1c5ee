"""One rise and fall of the rate over the whole training (Smith and Topin, 2018)."""

from __future__ import annotations

import math
from typing import Any

from pytensor.optim.lr_scheduler.base import (
    LRScheduler,
    check_optimizer,
    for_each_group,
    set_momentum,
)
from pytensor.optim.lr_scheduler.cyclic import prepare_momentum
from pytensor.optim.optimizer import Optimizer


def _positive(name: str, value: Any) -> int:
    if value <= 0 or not isinstance(value, int):
        raise ValueError(f"Expected positive integer {name}, but got {value}")
    return value


def _phase(end: float, lr: tuple[str, str], momentum: tuple[str, str]) -> dict[str, Any]:
    """A part of the schedule: its last step, and the group's options it goes between."""
    return {
        "end_step": end,
        "start_lr": lr[0],
        "end_lr": lr[1],
        "start_momentum": momentum[0],
        "end_momentum": momentum[1],
    }


def _phases(total: int, pct_start: float, three: bool) -> list[dict[str, Any]]:
    down, up = ("max_momentum", "base_momentum"), ("base_momentum", "max_momentum")
    rise = _phase(float(pct_start * total) - 1, ("initial_lr", "max_lr"), down)
    if not three:
        return [rise, _phase(total - 1, ("max_lr", "min_lr"), up)]
    fall = _phase(float(2 * pct_start * total) - 2, ("max_lr", "initial_lr"), up)
    level = ("max_momentum", "max_momentum")
    return [rise, fall, _phase(total - 1, ("initial_lr", "min_lr"), level)]


class OneCycleLR(LRScheduler):
    """From ``max_lr / div_factor`` up to `max_lr` and down to far less; momentum the other way.

    Args:
        optimizer: whose learning rates are set.
        max_lr: the largest rate; a number, or a list of one for each group.
        total_steps: all steps of the training; otherwise `epochs` and `steps_per_epoch`.
        epochs: epochs of the training.
        steps_per_epoch: steps of an epoch.
        pct_start: the fraction of steps in which the rate rises. Default: 0.3.
        anneal_strategy: ``"cos"`` or ``"linear"``. Default: "cos".
        cycle_momentum: whether the momentum changes too. Default: True.
        base_momentum: the least momentum. Default: 0.85.
        max_momentum: the largest momentum. Default: 0.95.
        div_factor: `max_lr` over the first rate. Default: 25.
        final_div_factor: the first rate over the last. Default: 1e4.
        three_phase: falls back to the first rate before going lower. Default: False.
        last_epoch: the last step that was done, -1 for a new schedule. Default: -1.

    Example:
        >>> optimizer = pytensor.optim.SGD([pytensor.ones(2, requires_grad=True)], momentum=0.9)
        >>> schedule = pytensor.optim.lr_scheduler.OneCycleLR(optimizer, 1.0, total_steps=10)
        >>> for _ in range(2):
        ...     optimizer.step(); schedule.step()
        >>> schedule.get_last_lr()
        [1.0]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | list[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.85,
        max_momentum: float | list[float] = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        check_optimizer(optimizer)
        self.optimizer = optimizer
        if total_steps is not None:
            self.total_steps = _positive("total_steps", total_steps)
        elif epochs is not None and steps_per_epoch is not None:
            per_epoch = _positive("epochs", epochs), _positive("steps_per_epoch", steps_per_epoch)
            self.total_steps = per_epoch[0] * per_epoch[1]
        else:
            raise ValueError("You must define either total_steps OR (epochs AND steps_per_epoch)")
        self._schedule_phases = _phases(self.total_steps, pct_start, three_phase)
        if pct_start < 0 or pct_start > 1 or not isinstance(pct_start, float):
            raise ValueError(f"Expected float between 0 and 1 pct_start, but got {pct_start}")
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(
                f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}"
            )
        self._anneal_func_type = anneal_strategy
        max_lrs = for_each_group("max_lr", optimizer, max_lr)
        if last_epoch == -1:
            for largest, group in zip(max_lrs, optimizer.param_groups):
                group["initial_lr"] = largest / div_factor
                group["max_lr"] = largest
                group["min_lr"] = group["initial_lr"] / final_div_factor
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self.use_beta1 = "betas" in optimizer.defaults
            prepare_momentum(optimizer, base_momentum, max_momentum, last_epoch == -1)
        super().__init__(optimizer, last_epoch)

    def _between(self, start: Any, end: Any, fraction: float) -> Any:
        if self._anneal_func_type == "cos":
            return end + (start - end) / 2.0 * (math.cos(math.pi * fraction) + 1)
        return (end - start) * fraction + start

    def get_lr(self) -> list[Any]:
        """The rates of the step `last_epoch`, one for each group; sets the momentum."""
        self._check_within_step()
        step = self.last_epoch
        if step > self.total_steps:
            raise ValueError(
                f"Tried to step {step} times. The specified number of total steps is "
                f"{self.total_steps}"
            )
        start = 0.0
        phase = self._schedule_phases[0]
        for phase in self._schedule_phases:
            if step <= phase["end_step"] or phase is self._schedule_phases[-1]:
                break
            start = phase["end_step"]
        fraction = (step - start) / (phase["end_step"] - start)
        rates = []
        for group in self.optimizer.param_groups:
            rates.append(self._between(group[phase["start_lr"]], group[phase["end_lr"]], fraction))
            if self.cycle_momentum:
                ends = group[phase["start_momentum"]], group[phase["end_momentum"]]
                set_momentum(group, self._between(*ends, fraction))
        return rates
