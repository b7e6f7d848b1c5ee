"""``pytensor.utils.tensorboard``: event files for TensorBoard, written without it."""

from __future__ import annotations

from pytensor.utils.tensorboard.writer import SummaryWriter

__all__ = ["SummaryWriter"]
