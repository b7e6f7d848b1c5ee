"""The old home of mixed precision on CUDA: ``torch.amp`` with the device filled in."""

from __future__ import annotations

from typing import Any

from pytensor import amp as _amp
from pytensor.amp import custom_bwd, custom_fwd

__all__ = ["GradScaler", "autocast", "custom_bwd", "custom_fwd"]


class autocast(_amp.autocast):
    """``amp.autocast("cuda", ...)``."""

    def __init__(
        self, enabled: bool = True, dtype: Any = None, cache_enabled: bool | None = True
    ) -> None:
        super().__init__("cuda", dtype, enabled, cache_enabled)


class GradScaler(_amp.GradScaler):
    """``amp.GradScaler("cuda", ...)``."""

    def __init__(
        self,
        init_scale: float = 65536.0,
        growth_factor: float = 2.0,
        backoff_factor: float = 0.5,
        growth_interval: int = 2000,
        enabled: bool = True,
    ) -> None:
        super().__init__(
            "cuda", init_scale, growth_factor, backoff_factor, growth_interval, enabled
        )
