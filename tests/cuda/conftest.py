"""Tests on a cuda device compare convolutions of float32 without tf32, unless they ask for it."""

from __future__ import annotations

import pytest

import pytensor


@pytest.fixture(autouse=True)
def exact_convolutions():
    with pytensor.backends.cudnn.flags(allow_tf32=False):
        yield
