"""Runs the examples in the docstrings of the Python modules."""

from __future__ import annotations

import doctest
import importlib
import sys
from pathlib import Path

import pytest

import pytensor

pytest.importorskip("numpy")

ROOT = Path(pytensor.__file__).parent
MODULES = sorted(
    ".".join(path.relative_to(ROOT.parent).with_suffix("").parts).removesuffix(".__init__")
    for path in ROOT.rglob("*.py")
    if ">>>" in path.read_text(encoding="utf-8")
    # Needs a process without PyTorch: tests/compat/test_install.py runs it in one.
    and path.parent.name != "compat"
)


class _Checker(doctest.OutputChecker):
    """Leaves the sign of a zero open: it is no part of what an example shows."""

    def check_output(self, want, got, optionflags):
        want, got = want.replace("-0.", "0."), got.replace("-0.", "0.")
        return super().check_output(want, got, optionflags)


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    importlib.import_module(name)
    module = sys.modules[name]
    runner = doctest.DocTestRunner(checker=_Checker(), optionflags=doctest.ELLIPSIS)
    for test in doctest.DocTestFinder().find(
        module, globs={"pytensor": pytensor, "torch": pytensor}
    ):
        runner.run(test)
    assert runner.tries > 0
    assert runner.failures == 0
