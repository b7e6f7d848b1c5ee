"""Runs one program with pytensor and with torch, and compares what comes out.

A program is a function of the library. Results may be tensors, numbers, strings, and tuples, lists
and dicts of them; an exception counts as a result, with its class and text.
"""

from __future__ import annotations

import math

import pytest

import pytensor

torch = pytest.importorskip("torch")


class Raised(tuple):
    """The class name and the text of an exception."""


def plain(value):
    """The value without anything that belongs to one of the libraries."""
    if hasattr(value, "requires_grad"):
        kind = str(value.dtype).rsplit(".", 1)[-1]
        return (kind, value.requires_grad, value.tolist())
    if isinstance(value, (tuple, list)):
        return [plain(v) for v in value]
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, str):
        return value.replace("pytensor.", "torch.")
    return value


def run(program, library):
    try:
        return plain(program(library))
    except Exception as error:
        return Raised((type(error).__name__, plain(str(error))))


def close(a, b, tolerance) -> bool:
    if isinstance(a, float) and isinstance(b, float):
        both_nan = math.isnan(a) and math.isnan(b)
        return both_nan or math.isclose(a, b, rel_tol=tolerance, abs_tol=tolerance)
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        return len(a) == len(b) and all(close(x, y, tolerance) for x, y in zip(a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(close(a[k], b[k], tolerance) for k in a)
    return a == b


def agree(program, tolerance=1e-6, raises=None):
    """Both libraries give the same; `raises` says whether an exception is expected."""
    ours, theirs = run(program, pytensor), run(program, torch)
    if raises is not None:
        assert isinstance(theirs, Raised) == bool(raises), theirs
    assert close(ours, theirs, tolerance), f"\npytensor: {ours}\ntorch:    {theirs}"
    return ours
