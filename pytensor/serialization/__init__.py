"""Saving and loading: files that PyTorch reads and files that PyTorch wrote.

``save`` and ``load``, and which classes ``load`` may make objects of. Loading is safe by default:
a pickle is read by an interpreter that knows data only (``_unpickler``, ``_allowed``), and the
archive around it is checked before memory is reserved (``_zip_reader``).
"""

from __future__ import annotations

from pytensor.serialization._allowed import (
    add_safe_globals,
    clear_safe_globals,
    get_safe_globals,
    safe_globals,
)
from pytensor.serialization._load import get_unsafe_globals_in_checkpoint, load
from pytensor.serialization._pickler import _get_layout as _get_layout
from pytensor.serialization._save import DEFAULT_PROTOCOL, save

__all__ = [
    "DEFAULT_PROTOCOL",
    "add_safe_globals",
    "clear_safe_globals",
    "get_safe_globals",
    "get_unsafe_globals_in_checkpoint",
    "load",
    "safe_globals",
    "save",
]
