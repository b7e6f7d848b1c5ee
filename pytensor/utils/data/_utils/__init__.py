"""Where programs written for PyTorch look for ``collate``."""

from __future__ import annotations

from pytensor.utils.data._utils import collate

__all__ = ["collate"]
