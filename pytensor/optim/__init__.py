"""Optimizers (``pytensor.optim``): update parameters from their gradients.

Every step is one call of the compiled core for all tensors of a parameter group. Schedules of the
learning rate are in :mod:`pytensor.optim.lr_scheduler`.
"""

from __future__ import annotations

from typing import Any

from pytensor.optim import lr_scheduler as lr_scheduler
from pytensor.optim._adafactor import Adafactor
from pytensor.optim._muon import Muon
from pytensor.optim.adadelta import Adadelta
from pytensor.optim.adagrad import Adagrad
from pytensor.optim.adam import Adam
from pytensor.optim.adamax import Adamax
from pytensor.optim.adamw import AdamW
from pytensor.optim.asgd import ASGD
from pytensor.optim.lbfgs import LBFGS
from pytensor.optim.nadam import NAdam
from pytensor.optim.optimizer import Optimizer
from pytensor.optim.radam import RAdam
from pytensor.optim.rmsprop import RMSprop
from pytensor.optim.rprop import Rprop
from pytensor.optim.sgd import SGD
from pytensor.optim.sparse_adam import SparseAdam

__all__ = [
    "ASGD",
    "LBFGS",
    "SGD",
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Muon",
    "NAdam",
    "Optimizer",
    "RAdam",
    "RMSprop",
    "Rprop",
    "SparseAdam",
    "lr_scheduler",
]


def __getattr__(name: str) -> Any:
    if name == "swa_utils":  # it imports nn, which optimizers do without
        import importlib

        return importlib.import_module("pytensor.optim.swa_utils")
    raise AttributeError(f"module 'pytensor.optim' has no attribute '{name}'")
