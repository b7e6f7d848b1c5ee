"""Products cut between threads by rows, columns or depth give the bits of one thread."""

from __future__ import annotations

import pytest

import pytensor
from tests.ops import registry

SHAPES = [
    (64, 1000, 100),  # small result, long sums: cut by depth
    (100, 1537, 96),
    (33, 2049, 35),
    (1000, 64, 100),
    (300, 700, 300),
    (8, 600, 2000),  # few rows, B streamed
    (60, 700, 49),  # few columns beyond whole vectors
    (257, 520, 1000),
    (300, 1100, 198),
    (600, 600, 1024),  # rows of B that share a cache set
]


@pytest.fixture(autouse=True)
def keep_threads():
    before = pytensor.get_num_threads()
    yield
    pytensor.set_num_threads(before)


@pytest.mark.parametrize("shape", SHAPES, ids=lambda s: "x".join(map(str, s)))
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("layout", ["NN", "TN", "NT"])
def test_product_has_the_same_bits_on_any_number_of_threads(shape, dtype, layout):
    m, k, n = shape
    dtype = getattr(pytensor, dtype)
    pytensor.manual_seed(0)
    a = (
        pytensor.randn(m, k, dtype=dtype)
        if layout[0] == "N"
        else pytensor.randn(k, m, dtype=dtype).t()
    )
    b = (
        pytensor.randn(k, n, dtype=dtype)
        if layout[1] == "N"
        else pytensor.randn(n, k, dtype=dtype).t()
    )
    bias = pytensor.randn(n, dtype=dtype)
    results = []
    for threads in (1, 2, 3):
        pytensor.set_num_threads(threads)
        c = bias.expand(m, n).clone()
        c.addmm_(a, b, beta=0.5, alpha=1.25)
        product = a.mm(b)
        results.append([registry.to_numpy(t).tobytes() for t in (product, a @ b + bias, c)])
        exact = registry.to_numpy(a).astype("float64") @ registry.to_numpy(b).astype("float64")
        worst = abs(registry.to_numpy(product) - exact).max()
        assert worst < (1e-3 if dtype == pytensor.float32 else 1e-11)
        worst = abs(registry.to_numpy(c) - (1.25 * exact + 0.5 * registry.to_numpy(bias))).max()
        assert worst < (1e-3 if dtype == pytensor.float32 else 1e-11)
    assert results[0] == results[1] == results[2]
