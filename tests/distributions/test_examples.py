"""Runs the examples in the docstrings of pytensor.distributions."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytensor


def test_examples():
    tries = 0
    for module in pkgutil.iter_modules(pytensor.distributions.__path__, "pytensor.distributions."):
        results = doctest.testmod(
            importlib.import_module(module.name),
            extraglobs={"pytensor": pytensor},
            optionflags=doctest.ELLIPSIS,
        )
        assert results.failed == 0, module.name
        tries += results.attempted
    assert tries > 40
