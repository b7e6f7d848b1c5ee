"""The ops below: gradients of gamma and Dirichlet samples are exact; odd parameters end."""

from __future__ import annotations

import math

import pytest

import pytensor
from pytensor import _ops

SHAPES = [0.05, 0.5, 1.0, 3.0, 20.0, 400.0]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("ratio", [0.3, 0.9, 1.0, 1.2, 2.0])
def test_gamma_slope(shape, ratio):
    """-(dP/da) / density, with the derivative by differences."""
    t = pytensor.tensor
    a = t(shape, dtype=pytensor.double)
    x = a * ratio
    step = 1e-5 * shape
    above, below = (pytensor.special.gammainc(a + h, x) for h in (step, -step))
    density = ((a - 1) * x.log() - x - a.lgamma()).exp()
    slope = _ops.internal["_standard_gamma_grad"](a, x)
    error = 1e-15 / (step * density.item())  # of the differences
    assert slope.item() == pytest.approx(
        (-(above - below) / (2 * step) / density).item(), rel=1e-5, abs=100 * error
    )


@pytest.mark.parametrize("a", [0.2, 1.0, 5.0, 60.0])
@pytest.mark.parametrize("x", [0.05, 0.3, 0.7, 0.99])
def test_beta_slope(a, x):
    """A sample of Beta(a, 1) is u^(1/a), so that dx/da = -x log(x) / a."""
    x, a = (pytensor.tensor(v, dtype=pytensor.double) for v in (x, a))
    slope = _ops.internal["_dirichlet_grad"](x, a, a + 1) * (1 - x)
    assert slope.item() == pytest.approx((-x * x.log() / a).item(), rel=1e-11)


@pytest.mark.parametrize("value", [math.nan, math.inf, -1.0, 0.0, 1e30])
def test_odd_parameters(value):
    """Nothing hangs or crashes."""
    t = pytensor.tensor([value])
    half = pytensor.tensor([0.5])
    pytensor.binomial(t, half)
    pytensor.binomial(pytensor.tensor([5.0]), t)
    _ops.internal["_standard_gamma"](t)
    _ops.internal["_sample_dirichlet"](pytensor.cat([t, half]))
    _ops.internal["_standard_gamma_grad"](t, half)
    _ops.internal["_standard_gamma_grad"](half, t)
    _ops.internal["_dirichlet_grad"](half, t, t + 1)
    _ops.internal["_dirichlet_grad"](t, half, half + 1)


def test_extreme_slopes():
    grad = _ops.internal["_standard_gamma_grad"]
    big = pytensor.tensor([9e6, 1.1e7], dtype=pytensor.double)  # on both sides of the limit
    z = 2.0
    assert grad(big, big + z * big.sqrt()).tolist() == pytest.approx(
        (1 + z / (2 * big.sqrt())).tolist(), rel=1e-7
    )
    assert grad(pytensor.tensor([1.0]), pytensor.tensor([0.0])).item() == 0.0
    assert grad(pytensor.tensor([-1.0]), pytensor.tensor([1.0])).isnan().item()
