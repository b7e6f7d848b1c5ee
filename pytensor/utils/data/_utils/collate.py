"""The names of ``utils.data.collate`` where PyTorch has them."""

from __future__ import annotations

from pytensor.utils.data.collate import (
    collate,
    default_collate,
    default_collate_fn_map,
    default_convert,
)

__all__ = ["collate", "default_collate", "default_collate_fn_map", "default_convert"]
