"""Sorts of one-byte types, which count instead of comparing, beside torch's stable sort."""

from __future__ import annotations

import numpy as np
import pytest

import pytensor

torch = pytest.importorskip("torch")


# Around the length from which rows are counted, and around the chunks that threads are given.
@pytest.mark.parametrize("n", [1, 255, 256, 257, 32768, 32769, 100001])
@pytest.mark.parametrize("dtype", ["uint8", "int8", "bool"])
def test_sorts_of_bytes_are_stable(dtype: str, n: int) -> None:
    torch.manual_seed(n)
    theirs = torch.randint(-128, 128, (3, n)).to(getattr(torch, dtype))
    ours = pytensor.from_numpy(theirs.numpy())
    for descending in (False, True):
        for a, b in ((theirs, ours), (theirs[:, ::2], ours[:, ::2]), (theirs.T, ours.T)):
            for dim in (0, 1):
                options = {"dim": dim, "descending": descending, "stable": True}
                want, got = torch.sort(a, **options), pytensor.sort(b, **options)
                np.testing.assert_array_equal(got[0].numpy(), want[0].numpy())
                np.testing.assert_array_equal(got[1].numpy(), want[1].numpy())
                assert got[1].dtype == pytensor.int64


def test_sorts_of_bytes_do_not_depend_on_the_number_of_threads() -> None:
    x = pytensor.randint(0, 256, (200000,)).to(pytensor.uint8)
    threads = pytensor.get_num_threads()
    try:
        results = []
        for count in (1, 2):
            pytensor.set_num_threads(count)
            results.append(pytensor.sort(x, stable=True))
    finally:
        pytensor.set_num_threads(threads)
    assert (results[0][0] == results[1][0]).all()
    assert (results[0][1] == results[1][1]).all()
