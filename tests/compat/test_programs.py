"""Programs written for PyTorch print the same numbers when this library stands in for it."""

from __future__ import annotations

import contextlib
import io
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

import pytensor

torch = pytest.importorskip("torch")

FOLDER = Path(__file__).parent / "programs"
NUMBER = re.compile(r"-?\d+\.\d+(?:e-?\d+)?")
# Program and arguments, and the layers it needs.
PROGRAMS = {
    "regression": ([], []),
    "checkpoints": (["--epochs", "6", "--lr", "0.02"], []),
    "digits": (["--epochs", "2"], ["nn.Conv2d", "nn.functional.max_pool2d", "utils.data"]),
    "autoencoder": (["--epochs", "3"], ["nn.functional.binary_cross_entropy", "utils.data"]),
    "language_model": ([], ["nn.Embedding", "nn.LayerNorm", "nn.functional.cross_entropy"]),
}


def missing(names: list[str]) -> list[str]:
    def there(name: str) -> bool:
        place = pytensor
        for part in name.split("."):
            try:
                place = getattr(place, part)
            except (AttributeError, ImportError):
                return False
        return True

    return [name for name in names if not there(name)]


def under_torch(name: str, arguments: list[str], monkeypatch) -> str:
    # What the program sets is put back afterwards.
    for setting in ("deterministic", "benchmark"):
        monkeypatch.setattr(torch.backends.cudnn, setting, False)
    monkeypatch.setattr(sys, "argv", [f"{name}.py", *arguments])
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        runpy.run_path(str(FOLDER / f"{name}.py"), run_name="__main__")
    return out.getvalue()


def under_compat(name: str, arguments: list[str]) -> str:
    command = [sys.executable, "-m", "pytensor.compat", str(FOLDER / f"{name}.py"), *arguments]
    # On an emulated device the random numbers are others.
    env = {**os.environ, "PYTENSOR_CUDA_LIBRARY": "/none"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=env)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("name", PROGRAMS)
def test_same_output(name, monkeypatch):
    arguments, needs = PROGRAMS[name]
    lacking = missing(needs)
    if lacking:
        pytest.skip(f"pytensor does not have {', '.join(lacking)} yet")
    want = under_torch(name, arguments, monkeypatch)
    got = under_compat(name, arguments)
    assert NUMBER.sub("#", got) == NUMBER.sub("#", want)
    numbers = [list(map(float, NUMBER.findall(text))) for text in (got, want)]
    assert len(numbers[1]) > 3
    # Rounding errors of other orders of summation grow over the steps of training.
    assert numbers[0] == pytest.approx(numbers[1], rel=2e-3, abs=2e-3)
