"""pow and erfinv of float64, computed by vector code: rounding and special values."""

from __future__ import annotations

import math
import random

import pytest

import pytensor
from tests.python.torch_pair import torch

VALUES = [
    0.0, 1.0, 2.0, 0.5, 3.0, 5e-324, 1e-310, 1.7976931348623157e308, 1e300, 2.0**53, 2.0**53 + 1,
    1023.0, 1024.0, 1074.0, 1075.0, 1022.0, 1 - 2.0**-53, 1 + 2.0**-52, math.inf,
]  # fmt: skip


def same(a: float, b: float, ulps: int) -> bool:
    if math.isnan(a) or math.isnan(b):
        return math.isnan(a) and math.isnan(b)
    if math.isinf(a) or math.isinf(b) or b == 0:
        return a == b and math.copysign(1, a) == math.copysign(1, b)
    return abs(a - b) <= ulps * math.ulp(b)


def compare(name: str, arguments: list[list[float]], ulps: int) -> None:
    ours = [pytensor.tensor(a, dtype=pytensor.float64) for a in arguments]
    theirs = [torch.tensor(a, dtype=torch.float64) for a in arguments]
    found = getattr(pytensor, name)(*ours).tolist()
    expected = getattr(torch, name)(*theirs).tolist()
    wrong = [x for x in zip(*arguments, found, expected) if not same(x[-2], x[-1], ulps)]
    assert not wrong, f"{name}: {len(wrong)} differ, for example {wrong[:5]}"


def test_pow_of_special_values():
    values = [*VALUES, *(-v for v in VALUES), math.nan]
    compare("pow", [[a for a in values for _ in values], [b for _ in values for b in values]], 2)


def test_pow_is_rounded_well_over_the_whole_range():
    draw = random.Random(0)
    x = [math.exp(draw.uniform(-700, 700)) for _ in range(2000)]
    x += [draw.uniform(0.5, 2) for _ in range(2000)]
    x += [1 + draw.uniform(-1, 1) * 2.0 ** -draw.randint(1, 50) for _ in range(2000)]
    y = [draw.uniform(-744, 709) / (math.log(v) or 1.0) for v in x]
    compare("pow", [x, y], 2)


@pytest.mark.parametrize("size", [1, 31, 33])
def test_pow_does_not_depend_on_the_place_in_the_array(size):
    x = pytensor.full((size,), 1.4078651336789652, dtype=pytensor.float64)
    y = pytensor.full((size,), 1265.9557517989, dtype=pytensor.float64)
    assert len(set(pytensor.pow(x, y).tolist())) == 1


def test_erfinv_is_rounded_well_up_to_the_ends():
    draw = random.Random(0)
    x = [draw.uniform(-1, 1) for _ in range(4000)]
    x += [draw.uniform(-1, 1) * 10.0 ** -draw.randint(1, 300) for _ in range(500)]
    x += [1 - 10 ** -draw.uniform(1, 15.5) for _ in range(500)]
    compare("erfinv", [x], 4)
    compare("erfinv", [[0.0, -0.0, 1.0, -1.0, 1.5, math.nan, math.inf]], 0)
