"""Elementary functions at the ends of their ranges, in every position of a vector."""

from __future__ import annotations

import numpy as np
import pytest

import pytensor as pt

# The largest float whose exponential is finite, and the next one.
LAST_FINITE, FIRST_INFINITE = np.float32(88.72283), np.float32(88.72284)


def with_ordinary_values(special: float, length: int) -> np.ndarray:
    values = np.linspace(0.5, 2.0, length, dtype=np.float32)
    values[length // 2] = special
    return values


@pytest.mark.parametrize("length", [1, 7, 33, 300])
@pytest.mark.parametrize("special", [0.0, -0.0, 1e-45, 1e-38, 3e38, np.inf, -np.inf, np.nan, -1.0])
def test_sqrt_is_correctly_rounded(special: float, length: int) -> None:
    values = with_ordinary_values(special, length)
    with np.errstate(invalid="ignore"):
        expected = np.sqrt(values)
    assert pt.from_numpy(values).sqrt().numpy() == pytest.approx(expected, rel=0, nan_ok=True)


@pytest.mark.parametrize("length", [1, 7, 33, 300])
@pytest.mark.parametrize(
    "special", [LAST_FINITE, FIRST_INFINITE, -87.5, -103.0, -104.0, np.inf, -np.inf, np.nan]
)
def test_exp_beside_special_values(special: float, length: int) -> None:
    values = with_ordinary_values(special, length)
    with np.errstate(over="ignore"):
        expected = np.exp(values.astype(np.float64)).astype(np.float32)
    result = pt.from_numpy(values).exp().numpy()
    assert result == pytest.approx(expected, rel=2.4e-7, abs=2e-45, nan_ok=True)


@pytest.mark.parametrize("function", ["sin", "cos"])
def test_many_half_turns(function: str) -> None:
    """What is left of a large angle is as exact in every kind of build."""
    values = np.arange(0.0, 90000.0, 3.7, dtype=np.float32)
    expected = getattr(np, function)(values.astype(np.float64))
    result = getattr(pt.from_numpy(values), function)().numpy()
    assert result == pytest.approx(expected, rel=0, abs=2e-7)


@pytest.mark.parametrize("function", ["exp", "log", "sin", "cos"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_an_unusual_neighbour_changes_no_bit(function: str, dtype: type) -> None:
    values = np.random.default_rng(0).uniform(0.01, 60, 100_000).astype(dtype)
    beside = np.stack([values, np.full_like(values, np.nan)], axis=1)
    expected = getattr(pt.from_numpy(values), function)().numpy()
    assert np.array_equal(getattr(pt.from_numpy(beside), function)().numpy()[:, 0], expected)


@pytest.mark.parametrize("length", [1, 7, 33, 300])
@pytest.mark.parametrize("special", [0.0, -0.0, 1e-45, 1e-38, -1.0, np.inf, -np.inf, np.nan])
def test_log_beside_special_values(special: float, length: int) -> None:
    values = with_ordinary_values(special, length)
    with np.errstate(divide="ignore", invalid="ignore"):
        expected = np.log(values.astype(np.float64)).astype(np.float32)
    result = pt.from_numpy(values).log().numpy()
    assert result == pytest.approx(expected, rel=2.4e-7, nan_ok=True)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_ldexp_by_whole_exponents_rounds_once(dtype: type) -> None:
    random = np.random.default_rng(1)
    numbers = random.normal(size=20_000).astype(dtype)
    limit = 300 if dtype is np.float32 else 2200
    first = random.integers(-limit, limit, numbers.size).astype(np.int32)
    with np.errstate(all="ignore"):
        numbers = np.ldexp(numbers, first // 2).astype(dtype)
        numbers[:4] = 0, -0.0, np.inf, np.nan
        exponents = random.integers(-limit, limit, numbers.size)
        exponents[:4] = 3000
        expected = np.ldexp(numbers, exponents.astype(np.int32))
    result = pt.ldexp(pt.from_numpy(numbers), pt.from_numpy(exponents)).numpy()
    assert result.dtype == dtype
    assert np.array_equal(result, expected, equal_nan=True)
