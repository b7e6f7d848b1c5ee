"""backends.cpu.winograd: each setting against direct sums in float64."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

import pytensor as torch
from pytensor.backends import cpu

# Of the output's largest number. F(2x2) rounds as direct sums do; of F(4x4)'s errors the largest
# seen here was 6e-6.
MOST = {"auto": 2e-6, "off": 2e-6, "f2": 2e-6, "f4": 1e-5}


def convolution(dtype: torch.dtype) -> list[torch.Tensor]:
    """A 3x3 convolution of a size for which transforms are quicker, and its gradients."""
    g = torch.Generator().manual_seed(0)
    x = torch.randn(2, 64, 29, 30, generator=g).to(dtype).requires_grad_()
    w = (torch.randn(72, 64, 3, 3, generator=g) / 24).to(dtype).requires_grad_()
    y = torch.nn.functional.conv2d(x, w, padding=1)
    return [y.detach(), *torch.autograd.grad((y * y).sum(), (x, w))]


def errors(setting: str) -> list[float]:
    with cpu.flags(winograd=setting):
        found = convolution(torch.float32)
    return [
        float((a.double() - b).abs().max() / b.abs().max())
        for a, b in zip(found, convolution(torch.float64), strict=True)
    ]


@pytest.mark.parametrize("setting", MOST)
def test_errors(setting):
    assert max(errors(setting)) < MOST[setting]


def test_settings_compute_differently():
    results = {}
    for setting in MOST:
        with cpu.flags(winograd=setting):
            results[setting] = convolution(torch.float32)
    for one, other in (("off", "f2"), ("f2", "f4"), ("off", "f4")):
        assert not torch.equal(results[one][0], results[other][0]), (one, other)
    for a, b in zip(results["auto"], results["f2"], strict=True):
        assert torch.equal(a, b)


def test_threads_change_nothing():
    before = torch.get_num_threads()
    for setting in MOST:
        with cpu.flags(winograd=setting):
            results = []
            for threads in (1, 2):
                torch.set_num_threads(threads)
                results.append(convolution(torch.float32))
            torch.set_num_threads(before)
        for a, b in zip(*results, strict=True):
            assert torch.equal(a, b), setting


# Without units for bfloat16, which are quicker still where there are any.
PRECISION = """
import pytensor as torch
from tests.backends.test_cpu import convolution, cpu
for setting in ("auto", "f2", "f4"):
    with cpu.flags(winograd=setting):
        for precision in ("highest", "high"):
            torch.set_float32_matmul_precision(precision)
            print(setting, precision, convolution(torch.float32)[0].double().sum().item())
"""


def test_auto_follows_precision():
    out = subprocess.run(
        [sys.executable, "-c", PRECISION],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTENSOR_BF16": "none"},
    ).stdout
    sums = {tuple(line.split()[:2]): line.split()[2] for line in out.splitlines()}
    assert sums["auto", "highest"] == sums["f2", "highest"] == sums["f2", "high"]
    assert sums["auto", "high"] == sums["f4", "high"] == sums["f4", "highest"]
    assert sums["f2", "high"] != sums["f4", "high"]


def test_validation_and_restoring():
    assert cpu.winograd == "auto"
    for wrong in ("F2", "", 2, None):
        with pytest.raises(ValueError, match="expects 'auto', 'off', 'f2' or 'f4'"):
            cpu.winograd = wrong
    with pytest.raises(ValueError), cpu.flags(winograd="f8"):
        pass
    assert cpu.winograd == "auto"
    cpu.winograd = "off"
    try:
        with cpu.flags(winograd="f4"):
            assert cpu.winograd == "f4"
        assert cpu.winograd == "off"
    finally:
        cpu.winograd = "auto"
