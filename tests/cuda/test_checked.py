"""The registry's samples through the checked library: no access out of order, bounds or turn.

Needs a build with ``-C cmake.define.PYTENSOR_CUDA=CHECKED``. Each call is made at sizes around
those of warps, packs, tiles and blocks, in random order of threads and with lazy streams, and its
numbers are compared with the cpu's. PYTENSOR_CHECKED=all takes every size for every sample.
Kernels of the library's table that no call has reached fail the test; rows that none has reached
are printed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

import pytensor

ROOT = Path(__file__).parents[2]
LIBRARY = Path(pytensor._C.__file__).parent / "lib" / "libpytensor_cuda_checked.so"
PROCESSES = 2

pytestmark = pytest.mark.skipif(not LIBRARY.exists(), reason="no build with PYTENSOR_CUDA=CHECKED")


@pytest.fixture(scope="module")
def session(tmp_path_factory) -> tuple[list[dict[str, str]], int, Counter[tuple[str, str]]]:
    """Failures, the number of calls, and how often each row of the table was called."""
    folder = tmp_path_factory.mktemp("checked")
    setting = {
        "PYTENSOR_CUDA_LIBRARY": str(LIBRARY),
        "PYTENSOR_TEST_DEVICE": "cuda",
        "PYTENSOR_EMU_ORDER": "random",
        "PYTENSOR_EMU_LAZY": "1",
        "PYTENSOR_EMU_PROTECT": "0",
        "OMP_NUM_THREADS": "1",
    }
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.cuda.checked_calls", str(part), str(PROCESSES)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=os.environ | setting | {"PYTENSOR_EMU_COVERAGE": str(folder / f"{part}")},
        )
        for part in range(PROCESSES)
    ]
    failures: list[dict[str, str]] = []
    calls = 0
    rows: Counter[tuple[str, str]] = Counter()
    for part, process in enumerate(running):
        out = process.communicate()[0]
        assert process.returncode == 0, out[-2000:]
        *found, last = (json.loads(line) for line in out.splitlines())
        failures += found
        calls += last["calls"]
        for line in (folder / f"{part}").read_text().splitlines():
            name, dtype, count = line.split()
            rows[name, dtype] += int(count)
    return failures, calls, rows


def test_calls(session):
    failures, calls, _ = session
    print(f"{calls} calls")
    assert calls > 1000
    assert [f"{f['call']}: {f['failure']}" for f in failures] == []


def test_every_kernel_is_reached(session):
    _, _, rows = session
    names = {name for name, _ in rows}
    reached = {name for (name, _), count in rows.items() if count}
    rest = sorted(
        f"{name} {dtype}" for (name, dtype), n in rows.items() if not n and name in reached
    )
    print(
        f"{sum(n > 0 for n in rows.values())} of {len(rows)} rows reached; not: {', '.join(rest)}"
    )
    print(f"names not reached: {', '.join(sorted(names - reached))}")
    assert names == reached  # each wants a sample, or to go
