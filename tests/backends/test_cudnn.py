"""``backends.cudnn``'s settings beside PyTorch's, on any machine."""

from __future__ import annotations

import subprocess
import sys

import pytest

import pytensor
from pytensor.backends import cudnn

SETTINGS = ("enabled", "benchmark", "deterministic", "allow_tf32")


@pytest.fixture(autouse=True)
def kept():
    before = {name: getattr(cudnn, name) for name in SETTINGS}
    yield
    for name, value in before.items():
        setattr(cudnn, name, value)


def values(module) -> dict:
    return {name: getattr(module, name) for name in SETTINGS}


def test_assigned_and_within_flags():
    for name in SETTINGS:
        for value in (True, False, 1, 0):
            setattr(cudnn, name, value)
            assert getattr(cudnn, name) is bool(value)
            assert getattr(pytensor.backends.cudnn, name) is bool(value)
    cudnn.enabled = True
    with cudnn.flags(benchmark=True):
        assert (cudnn.enabled, cudnn.benchmark, cudnn.allow_tf32) == (False, True, True)
        with cudnn.flags(enabled=True, deterministic=True):
            assert (cudnn.enabled, cudnn.benchmark, cudnn.deterministic) == (True, False, True)
        assert (cudnn.enabled, cudnn.benchmark, cudnn.deterministic) == (False, True, False)
    assert (cudnn.enabled, cudnn.benchmark, cudnn.allow_tf32) == (True, False, False)


def test_defaults_are_those_of_torch():
    want = pytest.importorskip("torch").backends.cudnn
    program = "from pytensor.backends import cudnn as c; print(*(getattr(c, n) for n in {}))"
    command = [sys.executable, "-c", program.format(SETTINGS)]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert said.split() == [str(value) for value in values(want).values()]
    with cudnn.flags(), want.flags():
        assert values(cudnn) == values(want)


def test_what_a_machine_has():
    assert cudnn.is_available() == (cudnn.version() is not None)
    assert not cudnn.is_acceptable(pytensor.ones(2))
    if not pytensor.cuda.is_available():
        assert not cudnn.is_available()


def test_the_cpu_does_not_care():
    x, w = pytensor.randn(1, 2, 5, 5), pytensor.randn(3, 2, 3, 3)
    cudnn.enabled = True
    want = pytensor.conv2d(x, w)
    cudnn.enabled = False
    assert pytensor.equal(pytensor.conv2d(x, w), want)
