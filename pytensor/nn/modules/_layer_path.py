"""Says in an exception in which layer of the outermost module it arose.

Used by ``Module.__call__``; the class and the text of the exception stay as they are (from Python
3.11 on; before, exceptions have no notes, and the text is extended at its end).
"""

from __future__ import annotations

from typing import Any


class _Place:
    """Where an exception has passed so far, kept in its ``__dict__``."""

    def __init__(self, layer: Any, detail: str, message: Any) -> None:
        self.layer = layer
        self.detail = detail
        self.message = message
        self.path = ""
        self.note = ""


def name_layer(layer: Any, error: Exception) -> None:
    """Called by each module an exception leaves, from the innermost to the outermost."""
    place = error.__dict__.get("_layer_place")
    if place is None:
        message = error.args[0] if len(error.args) == 1 else None
        place = _Place(layer, _describe(layer), message)
        error.__dict__["_layer_place"] = place
    elif place.layer is layer:
        return
    else:
        name = _name_in(layer, place.layer)
        if name is None:
            return
        place.path = f"{name}.{place.path}" if place.path else name
        place.layer = layer
    where = f"{layer._get_name()}.{place.path} ({place.detail})" if place.path else place.detail
    _write(error, place, f"in {where}")


def _describe(layer: Any) -> str:
    text = repr(layer)
    return text if "\n" not in text and len(text) <= 120 else str(layer._get_name())


def _name_in(parent: Any, layer: Any) -> str | None:
    for name, child in parent._modules.items():
        if child is layer:
            return str(name)
    # Lists and dicts of modules are never called themselves: the layer may lie deeper.
    for name, child in parent.named_modules():
        if child is layer:
            return str(name)
    return None


def _write(error: Exception, place: _Place, note: str) -> None:
    if hasattr(error, "add_note"):
        notes = getattr(error, "__notes__", [])
        if place.note in notes:
            notes[notes.index(place.note)] = note
        else:
            error.add_note(note)
    elif isinstance(place.message, str) and not isinstance(error, KeyError):
        error.args = (f"{place.message}\n{note}",)
    place.note = note
