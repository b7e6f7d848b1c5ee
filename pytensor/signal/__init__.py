"""``pytensor.signal``: windows for the analysis of signals."""

from __future__ import annotations

from pytensor.signal import windows as windows

__all__ = ["windows"]
