"""Containers of modules and parameters."""

from __future__ import annotations

__all__: list[str] = []
