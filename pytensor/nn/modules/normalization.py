"""Layer, group and other normalisation."""

from __future__ import annotations

__all__: list[str] = []
