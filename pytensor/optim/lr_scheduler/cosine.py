"""Rates along a cosine (Loshchilov and Hutter, SGDR, 2017)."""

from __future__ import annotations

import math
from typing import Any

from pytensor.optim.lr_scheduler.base import LRScheduler, _flag
from pytensor.optim.optimizer import Optimizer


class CosineAnnealingLR(LRScheduler):
    """From the initial rate to `eta_min` along half a period of a cosine, and back.

    Args:
        optimizer: whose learning rates are set.
        T_max: steps of half a period.
        eta_min: the least rate. Default: 0.
        last_epoch: the last step that was done, -1 for a new schedule. Default: -1.

    Example:
        >>> optimizer = pytensor.optim.SGD([pytensor.ones(2, requires_grad=True)], lr=1.0)
        >>> schedule = pytensor.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=2)
        >>> optimizer.step(); schedule.step()
        >>> schedule.get_last_lr()
        [0.5]
    """

    def __init__(
        self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1
    ) -> None:
        self.T_max = T_max
        self.eta_min = eta_min
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Any]:
        """The rates of the step `last_epoch`, one for each group."""
        self._check_within_step()
        if self._is_initial:
            return self._unchanged()
        epoch, least = self.last_epoch, self.eta_min
        pairs = list(zip(self.base_lrs, self.optimizer.param_groups, strict=True))
        if self._step_count == 1 and epoch > 0:
            height = 1 + math.cos(epoch * math.pi / self.T_max)
            return [least + (base - least) * height / 2 for base, _ in pairs]
        if (epoch - 1 - self.T_max) % (2 * self.T_max) == 0:  # the last rate was the least
            rise = 1 - math.cos(math.pi / self.T_max)
            return [group["lr"] + (base - least) * rise / 2 for base, group in pairs]
        ratio = (1 + math.cos(math.pi * epoch / self.T_max)) / (
            1 + math.cos(math.pi * (epoch - 1) / self.T_max)
        )
        return [ratio * (group["lr"] - least) + least for _, group in pairs]

    def _get_closed_form_lr(self) -> list[Any]:
        height = 1 + math.cos(math.pi * self.last_epoch / self.T_max)
        return [self.eta_min + (lr - self.eta_min) * height / 2 for lr in self.base_lrs]


class CosineAnnealingWarmRestarts(LRScheduler):
    """A cosine that starts again from the initial rate after each period.

    Args:
        optimizer: whose learning rates are set.
        T_0: steps of the first period.
        T_mult: how many times longer each next period is. Default: 1.
        eta_min: the least rate. Default: 0.
        last_epoch: the last step that was done, -1 for a new schedule. Default: -1.

    Example:
        >>> optimizer = pytensor.optim.SGD([pytensor.ones(2, requires_grad=True)], lr=1.0)
        >>> schedule = pytensor.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer, T_0=2)
        >>> for _ in range(2):
        ...     optimizer.step(); schedule.step()
        >>> schedule.get_last_lr()
        [1.0]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        T_0: int,
        T_mult: int = 1,
        eta_min: float = 0.0,
        last_epoch: int = -1,
    ) -> None:
        if T_0 <= 0 or not isinstance(T_0, int):
            raise ValueError(f"Expected positive integer T_0, but got {T_0}")
        if T_mult < 1 or not isinstance(T_mult, int):
            raise ValueError(f"Expected integer T_mult >= 1, but got {T_mult}")
        if not isinstance(eta_min, (float, int)):
            raise ValueError(
                f"Expected float or int eta_min, but got {eta_min} of type {type(eta_min)}"
            )
        self.T_0 = T_0
        self.T_i = T_0
        self.T_mult = T_mult
        self.eta_min = eta_min
        self.T_cur: float = last_epoch
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Any]:
        """The rates at `T_cur` steps of a period of `T_i`, one for each group."""
        self._check_within_step()
        height = 1 + math.cos(math.pi * self.T_cur / self.T_i)
        return [self.eta_min + (lr - self.eta_min) * height / 2 for lr in self.base_lrs]

    def _go_to(self, epoch: float) -> None:
        """Finds the period that a step, which may be a fraction, is in."""
        if epoch < 0:
            raise ValueError(f"Expected non-negative epoch, but got {epoch}")
        if epoch < self.T_0:
            self.T_i, self.T_cur = self.T_0, epoch
        elif self.T_mult == 1:
            self.T_cur = epoch % self.T_0
        else:
            periods = int(math.log(epoch / self.T_0 * (self.T_mult - 1) + 1, self.T_mult))
            start = self.T_0 * (self.T_mult**periods - 1) / (self.T_mult - 1)
            self.T_cur = epoch - start
            self.T_i = self.T_0 * self.T_mult**periods

    def step(self, epoch: float | None = None) -> None:
        """Sets the next rates, or those of a step.

        Args:
            epoch: may be a fraction, for rates within an epoch.
        """
        if epoch is None and self.last_epoch < 0:
            epoch = 0
        if epoch is None:
            epoch = self.last_epoch + 1
            self.T_cur += 1
            if self.T_cur >= self.T_i:
                self.T_cur = self.T_cur % self.T_i
                self.T_i = self.T_i * self.T_mult
        else:
            self._go_to(epoch)
        self.last_epoch = math.floor(epoch)
        with _flag(self, "_get_lr_called_within_step"):
            values = self.get_lr()
        self._set_lr(values)
