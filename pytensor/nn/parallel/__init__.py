"""Modules spread over devices: ``DataParallel``, for the programs that wrap their models in it."""

from __future__ import annotations

from pytensor.nn.parallel.data_parallel import DataParallel, data_parallel

__all__ = ["DataParallel", "data_parallel"]
