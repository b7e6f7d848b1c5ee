"""Averages of weights over training: ``AveragedModel``, its rules, ``SWALR`` and ``update_bn``.

Stochastic weight averaging is that of Izmailov et al., "Averaging Weights Leads to Wider Optima
and Better Generalization", 2018.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable
from copy import deepcopy
from typing import Any

import pytensor
from pytensor import Tensor
from pytensor.nn import Module
from pytensor.nn.modules.batchnorm import _BatchNorm
from pytensor.optim.lr_scheduler.base import LRScheduler, for_each_group
from pytensor.optim.optimizer import Optimizer

__all__ = [
    "SWALR",
    "AveragedModel",
    "get_ema_avg_fn",
    "get_ema_multi_avg_fn",
    "get_swa_avg_fn",
    "get_swa_multi_avg_fn",
    "update_bn",
]


def _check_decay(decay: float) -> None:
    if not 0.0 <= decay <= 1.0:
        raise ValueError(
            f"Invalid decay value {decay} provided. Please provide a value in [0,1] range."
        )


def get_ema_avg_fn(decay: float = 0.999) -> Callable[[Tensor, Tensor, Any], Tensor]:
    """The rule ``decay * average + (1 - decay) * current``.

    Args:
        decay: the share that the average keeps.

    Raises:
        ValueError: if it is not in [0, 1].

    Example:
        >>> rule = pytensor.optim.swa_utils.get_ema_avg_fn(0.75)
        >>> rule(pytensor.tensor(0.0), pytensor.tensor(4.0), 1)
        tensor(1.)
    """
    _check_decay(decay)

    def update(averaged: Tensor, current: Tensor, num_averaged: Any) -> Tensor:
        with pytensor.no_grad():
            return decay * averaged + (1 - decay) * current

    return update


def get_swa_avg_fn() -> Callable[[Tensor, Tensor, Any], Tensor]:
    """The rule of the mean of all values so far.

    Example:
        >>> rule = pytensor.optim.swa_utils.get_swa_avg_fn()
        >>> rule(pytensor.tensor(0.0), pytensor.tensor(4.0), 1)
        tensor(2.)
    """

    def update(averaged: Tensor, current: Tensor, num_averaged: Any) -> Tensor:
        with pytensor.no_grad():
            return averaged + (current - averaged) / (num_averaged + 1)

    return update


def _for_lists(weight: Callable[[Any], Any]) -> Callable[[Any, Any, Any], None]:
    """A rule for lists, in place: each average goes a share of the way to its current value."""

    def update(averaged: Iterable[Tensor], current: Iterable[Tensor], num_averaged: Any) -> None:
        share = weight(num_averaged)
        with pytensor.no_grad():
            for average, value in zip(averaged, current):
                if average.is_floating_point():
                    average.lerp_(value.to(average.dtype), float(share))
                else:
                    average.add_(((value - average) * share).to(average.dtype))

    return update


def get_ema_multi_avg_fn(decay: float = 0.999) -> Callable[[Any, Any, Any], None]:
    """``get_ema_avg_fn`` for lists of tensors, in place.

    Args:
        decay: the share that the average keeps.

    Raises:
        ValueError: if it is not in [0, 1].
    """
    _check_decay(decay)
    return _for_lists(lambda num_averaged: 1 - decay)


def get_swa_multi_avg_fn() -> Callable[[Any, Any, Any], None]:
    """``get_swa_avg_fn`` for lists of tensors, in place."""
    return _for_lists(lambda num_averaged: 1 / (float(num_averaged) + 1))


class AveragedModel(Module):
    """A copy of a model that holds the average of its weights.

    Args:
        model: the model; it is copied.
        device: where the average lies.
        avg_fn: gives the new average from the old one, the current value and the number of
            averaged models. Default: the mean.
        multi_avg_fn: the same for lists of tensors, in place.
        use_buffers: whether buffers are averaged, too; otherwise they are copied.

    Raises:
        AssertionError: if both functions are given.

    Example:
        >>> model = pytensor.nn.Linear(1, 1)
        >>> average = pytensor.optim.swa_utils.AveragedModel(model)
        >>> average.update_parameters(model)
        >>> average.n_averaged
        tensor(1)
    """

    n_averaged: Tensor

    def __init__(
        self,
        model: Module,
        device: Any = None,
        avg_fn: Callable[..., Tensor] | None = None,
        multi_avg_fn: Callable[..., None] | None = None,
        use_buffers: bool = False,
    ) -> None:
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise AssertionError("Only one of avg_fn and multi_avg_fn should be provided")
        self.module = deepcopy(model)
        if device is not None:
            self.module = self.module.to(device)
        self.register_buffer("n_averaged", pytensor.tensor(0, dtype=pytensor.long, device=device))
        self.avg_fn = avg_fn
        self.multi_avg_fn = multi_avg_fn
        self.use_buffers = use_buffers

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self.module(*args, **kwargs)

    def _averaged(self, model: Module) -> list[Tensor]:
        buffers = model.buffers() if self.use_buffers else ()
        return [t.detach() for t in itertools.chain(model.parameters(), buffers)]

    def update_parameters(self, model: Module) -> None:
        """Takes the current weights of a model into the average.

        Args:
            model: with the same parameters as the averaged one.
        """
        averages, values = self._averaged(self.module), self._averaged(model)
        values = [v.to(a.device) for a, v in zip(averages, values)]
        with pytensor.no_grad():
            if self.n_averaged == 0:
                for average, value in zip(averages, values):
                    average.copy_(value)
            elif self.avg_fn is not None:
                for average, value in zip(averages, values):
                    average.copy_(self.avg_fn(average, value, self.n_averaged))
            else:
                update = self.multi_avg_fn or get_swa_multi_avg_fn()
                update(averages, values, self.n_averaged)
            if not self.use_buffers:
                for mine, theirs in zip(self.module.buffers(), model.buffers()):
                    mine.copy_(theirs)
            self.n_averaged += 1


def update_bn(loader: Iterable[Any], model: Module, device: Any = None) -> None:
    """Computes the running statistics of batch normalization anew, with one pass over data.

    Args:
        loader: batches; of a list or tuple, the first element is the model's input.
        model: the model; its mode is as before afterwards.
        device: where batches are moved.
    """
    layers = [m for m in model.modules() if isinstance(m, _BatchNorm)]
    if not layers:
        return
    momenta = [layer.momentum for layer in layers]
    was_training = model.training
    model.train()
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None  # the mean of all batches
    with pytensor.no_grad():
        for batch in loader:
            inputs = batch[0] if isinstance(batch, (list, tuple)) else batch
            model(inputs if device is None else inputs.to(device))
    for layer, momentum in zip(layers, momenta):
        layer.momentum = momentum
    model.train(was_training)


class SWALR(LRScheduler):
    """From the rates of another schedule to a fixed one, along half a cosine or a line.

    Args:
        optimizer: whose learning rates are set.
        swa_lr: the rate at the end, one for all groups or a list.
        anneal_epochs: steps until then. Default: 10.
        anneal_strategy: ``"cos"`` or ``"linear"``.
        last_epoch: the last step that was done, -1 for a new schedule. Default: -1.

    Raises:
        ValueError: for another strategy, or a negative number of steps.

    Example:
        >>> optimizer = pytensor.optim.SGD([pytensor.ones(2, requires_grad=True)], lr=1.0)
        >>> schedule = pytensor.optim.swa_utils.SWALR(optimizer, 0.5, 2, "linear")
        >>> optimizer.step(); schedule.step()
        >>> schedule.get_last_lr()
        [0.75]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        swa_lr: Any,
        anneal_epochs: int = 10,
        anneal_strategy: str = "cos",
        last_epoch: int = -1,
    ) -> None:
        rates = for_each_group("swa_lr", optimizer, swa_lr)
        for rate, group in zip(rates, optimizer.param_groups):
            group["swa_lr"] = rate
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(
                f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}"
            )
        if not isinstance(anneal_epochs, int) or anneal_epochs < 0:
            raise ValueError(f"anneal_epochs must be equal or greater than 0, got {anneal_epochs}")
        self._anneal_strategy = anneal_strategy
        self.anneal_epochs = anneal_epochs
        super().__init__(optimizer, last_epoch)

    def _share(self, step: int) -> float:
        """How much of the way is done at a step."""
        done = max(0.0, min(1.0, step / max(1, self.anneal_epochs)))
        return (1 - math.cos(math.pi * done)) / 2 if self._anneal_strategy == "cos" else done

    def get_lr(self) -> list[Any]:
        """The rates of the step `last_epoch`, one for each group."""
        self._check_within_step()
        step = self._step_count - 1
        if self.anneal_epochs == 0:
            step = max(1, step)
        before, now = self._share(step - 1), self._share(step)
        rates = []
        for group in self.optimizer.param_groups:
            goal = group["swa_lr"]
            # the rate that another schedule has set: what the last step started from
            start = goal if before == 1 else (group["lr"] - before * goal) / (1 - before)
            rates.append(goal * now + start * (1 - now))
        return rates
