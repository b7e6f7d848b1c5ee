"""Runs the examples in the docstrings of the Python modules."""

from __future__ import annotations

import doctest
import importlib
import sys

import pytest

import pytensor

pytest.importorskip("numpy")

MODULES = [
    "_compile",
    "_finfo",
    "_printing",
    "accelerator",
    "amp.autocast_mode",
    "amp.grad_scaler",
    "autograd.anomaly",
    "autograd.functional",
    "autograd.grad_mode",
    "autograd.gradcheck",
    "backends.cudnn",
    "composites.arrange",
    "composites.calculus",
    "composites.einsum",
    "composites.indices",
    "composites.matrices",
    "composites.matrix_norms",
    "composites.norms",
    "composites.solvers",
    "composites.statistics",
    "composites.windows",
    "profiler",
    "random",
    "serialization._allowed",
    "serialization._load",
    "serialization._save",
    "special",
    "utils.dlpack",
    "utils.safetensors",
    "version",
]


class _Checker(doctest.OutputChecker):
    """Leaves the sign of a zero open: it is no part of what an example shows."""

    def check_output(self, want, got, optionflags):
        want, got = want.replace("-0.", "0."), got.replace("-0.", "0.")
        return super().check_output(want, got, optionflags)


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    importlib.import_module(f"pytensor.{name}")
    module = sys.modules[f"pytensor.{name}"]
    runner = doctest.DocTestRunner(checker=_Checker(), optionflags=doctest.ELLIPSIS)
    for test in doctest.DocTestFinder().find(module, globs={"pytensor": pytensor}):
        runner.run(test)
    assert runner.tries > 0
    assert runner.failures == 0
