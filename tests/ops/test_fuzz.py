"""Random calls of every op end in a result or an exception (see fuzz.py)."""

from __future__ import annotations

import sys

import pytest

from tests.ops import fuzz


@pytest.mark.skipif(sys.platform != "linux", reason="limits memory the Linux way")
def test_random_calls_do_not_crash():
    ends, deaths = fuzz.run(calls=20000, seed=1)
    assert not deaths, "\n".join(map(str, deaths))
    assert ends["result"] > 2000, ends
    assert set(ends) <= {
        "result",
        "RuntimeError",
        "TypeError",
        "ValueError",
        "IndexError",
        "NotImplementedError",
        "LinAlgError",
        "MemoryError",
        "OverflowError",
        "OutOfMemoryError",
        "AssertionError",  # a device that this build lacks, as in PyTorch
        "absent",
    }, ends
