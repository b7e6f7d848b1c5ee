"""Module, the base class of all layers."""

from __future__ import annotations

__all__: list[str] = []
