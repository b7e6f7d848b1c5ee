"""Batches in page-locked memory, for DataLoader(pin_memory=True)."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import pytensor


def can_pin() -> bool:
    """Whether there is a device to pin memory for; warns if there is none."""
    if pytensor.accelerator.is_available():
        return True
    warnings.warn(
        "'pin_memory' argument is set as true but no accelerator is found, "
        "then device pinned memory won't be used.",
        stacklevel=4,
    )
    return False


def pinned(data: Any) -> Any:
    """Data with its tensors pinned, in tuples, lists, dicts and objects that have pin_memory()."""
    if isinstance(data, pytensor.Tensor):
        return data.pin_memory() if data.is_cpu else data
    if isinstance(data, (str, bytes)):
        return data
    if hasattr(data, "pin_memory"):
        return data.pin_memory()
    if isinstance(data, Mapping):
        items = {k: pinned(v) for k, v in data.items()}
        return items if type(data) is dict else _like(data, items, {**items})
    if isinstance(data, tuple) and hasattr(data, "_fields"):
        return type(data)(*(pinned(v) for v in data))
    if isinstance(data, (tuple, list)):
        values = [pinned(v) for v in data]
        return values if type(data) is list else _like(data, values, values)
    return data


def _like(data: Any, values: Any, otherwise: Any) -> Any:
    """A container of data's type, or a plain one if that can't be made of its values."""
    try:
        return type(data)(values)
    except TypeError:
        return otherwise
