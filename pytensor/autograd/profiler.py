"""The old home of ``profiler.profile`` and ``profiler.record_function``."""

from __future__ import annotations

from typing import Any

from pytensor import profiler
from pytensor.profiler import record_function

__all__ = ["profile", "record_function"]


class profile(profiler.profile):
    """``profiler.profile`` with the arguments of its predecessor.

    Args:
        enabled: ``False`` records nothing. Default: ``True``.
        **more: accepted for compatibility: ``use_cuda``, ``record_shapes`` ...
    """

    def __init__(self, enabled: bool = True, **more: Any) -> None:
        off = None if enabled else (lambda step: profiler.ProfilerAction.NONE)
        super().__init__(schedule=off)
