"""Tests on a cuda device compare convolutions of float32 without tf32, unless they ask for it.

They are those of the kernels here: cuDNN is switched off in the process that runs the tests.
"""

from __future__ import annotations

from pathlib import Path

import pytest

import pytensor
from tests.cuda import fake_cudnn as made


@pytest.fixture(autouse=True)
def exact_convolutions():
    with pytensor.backends.cudnn.flags(allow_tf32=False):
        yield


@pytest.fixture(scope="session")
def fake_cudnn(tmp_path_factory) -> Path:
    """The library, compiled once."""
    return made.build(tmp_path_factory.mktemp("cudnn"), "libcudnn.so.9", 92800)
