"""pytensor.finfo and pytensor.iinfo hold torch's numbers."""

from __future__ import annotations

import pytest

import pytensor
from tests.python.torch_pair import torch

FLOATS = ["float16", "bfloat16", "float32", "float64"]
INTS = ["uint8", "int8", "int16", "int32", "int64"]


@pytest.mark.parametrize("name", FLOATS)
def test_finfo(name):
    got, want = pytensor.finfo(getattr(pytensor, name)), torch.finfo(getattr(torch, name))
    for field in ("bits", "eps", "max", "min", "tiny", "smallest_normal", "resolution", "dtype"):
        assert getattr(got, field) == getattr(want, field), field
    assert repr(got) == repr(want)


@pytest.mark.parametrize("name", INTS)
def test_iinfo(name):
    got, want = pytensor.iinfo(getattr(pytensor, name)), torch.iinfo(getattr(torch, name))
    for field in ("bits", "max", "min", "dtype"):
        assert getattr(got, field) == getattr(want, field), field
    assert repr(got) == repr(want)


def test_default_and_equality():
    assert pytensor.finfo() == pytensor.finfo(pytensor.float32)
    assert pytensor.finfo() != pytensor.finfo(pytensor.float64)
    assert pytensor.iinfo(pytensor.int8) == pytensor.iinfo(pytensor.int8)


@pytest.mark.parametrize(
    "call",
    [
        lambda p: p.finfo(p.int32),
        lambda p: p.iinfo(p.float32),
        lambda p: p.iinfo(p.bool),
        lambda p: p.iinfo(),
        lambda p: p.finfo(3),
        lambda p: hash(p.finfo()),
    ],
)
def test_errors(call):
    for library in (torch, pytensor):
        with pytest.raises(TypeError):
            call(library)
