"""Schedules of the learning rate (``pytensor.optim.lr_scheduler``).

A scheduler changes the ``"lr"`` of its optimizer's parameter groups each time ``step()`` is
called, which is after the optimizer's own step.
"""

from __future__ import annotations

from pytensor.optim.lr_scheduler.base import LRScheduler, _LRScheduler
from pytensor.optim.lr_scheduler.combined import ChainedScheduler, SequentialLR
from pytensor.optim.lr_scheduler.cosine import CosineAnnealingLR, CosineAnnealingWarmRestarts
from pytensor.optim.lr_scheduler.cyclic import CyclicLR
from pytensor.optim.lr_scheduler.decay import (
    ConstantLR,
    ExponentialLR,
    LinearLR,
    MultiStepLR,
    PolynomialLR,
    StepLR,
)
from pytensor.optim.lr_scheduler.lambdas import LambdaLR, MultiplicativeLR
from pytensor.optim.lr_scheduler.one_cycle import OneCycleLR
from pytensor.optim.lr_scheduler.plateau import ReduceLROnPlateau

__all__ = [
    "ChainedScheduler",
    "ConstantLR",
    "CosineAnnealingLR",
    "CosineAnnealingWarmRestarts",
    "CyclicLR",
    "ExponentialLR",
    "LRScheduler",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "MultiplicativeLR",
    "OneCycleLR",
    "PolynomialLR",
    "ReduceLROnPlateau",
    "SequentialLR",
    "StepLR",
    "_LRScheduler",
]
