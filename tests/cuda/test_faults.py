"""Faults planted in kernels and in launches, and which of the ways to run without a GPU see them.

Every fault has a sound twin. A fault is caught by the emulator (A) when a call fails, a host access
crashes, its result depends on the order of threads and the laziness of streams, or is not the
twin's; by the checked
emulator (B) when a check reports it; by the compiler's checks (U) when they print an error. The
twins must pass all of them, with one result. The table of who caught what is kept in docs/cuda.md;
PYTENSOR_WRITE_FAULTS=1 writes it anew.
"""

from __future__ import annotations

import itertools
import json
import os
import platform
import subprocess
import sys
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tools import cuda_emulation

HERE = Path(__file__).parent / "faults"
TABLE = Path(__file__).parents[2] / "docs" / "cuda.md"
MARKS = ("<!-- faults -->\n", "<!-- end of faults -->\n")
LEAST = 30  # how many faults there are at least

pytestmark = pytest.mark.skipif(
    cuda_emulation.compiler() is None or platform.machine() != "x86_64",
    reason="the emulator is built with a C++ compiler for x86-64",
)


def run_library(library: Path, order: str, lazy: str) -> list[dict]:
    """What became of each fault and each twin under one order of threads and streams."""
    setting = {"PYTENSOR_EMU_ORDER": order, "PYTENSOR_EMU_LAZY": lazy, "PYTENSOR_EMU_SEED": "3"}
    done = subprocess.run(
        [sys.executable, str(HERE / "runner.py"), str(library)],
        capture_output=True,
        text=True,
        timeout=300,
        env=os.environ | setting,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


COMPLAINTS = ("overflow", "misaligned", "out of bounds", "shift")


def symptoms(outcomes: list[dict], twins: list[dict], way: str) -> str:
    """How the outcomes of one fault under several orders show that something is wrong, or ''."""
    for one in outcomes:
        if way == "undefined":
            if "runtime error: " in one["said"]:
                text = one["said"].split("runtime error: ")[1]
                return next((c for c in COMPLAINTS if c in text), "error")
            continue
        if one["report"]:
            kind = one["report"].split(":")[0]
            return kind if kind in ("memcheck", "racecheck", "initcheck") else "error"
        if one["crash"]:
            return "crash"
    if way == "fast" and len({one["result"] for one in outcomes}) > 1:
        return "results differ"
    if way == "fast" and outcomes[0]["result"] != twins[0]["result"]:
        return "wrong result"
    return ""


@pytest.fixture(scope="module")
def caught(tmp_path_factory) -> dict[tuple[str, bool], dict[str, str]]:
    """For each fault (name, True) and twin (name, False) the symptom by way of running."""
    folder = tmp_path_factory.mktemp("faults")
    sources = [*sorted(HERE.glob("*.cu")), HERE / "harness.cpp"]
    found: dict[tuple[str, bool], dict[str, str]] = defaultdict(dict)
    for way in cuda_emulation.WAYS:
        library = cuda_emulation.build(way, sources, folder, way, [HERE])
        settings = list(itertools.product(("forward", "reverse", "random"), "01"))
        if way == "undefined":
            settings = settings[:1]
        with ThreadPoolExecutor(2) as pool:
            runs = list(pool.map(lambda s, lib=library: run_library(lib, *s), settings))
        of: dict[tuple[str, bool], list[dict]] = defaultdict(list)
        for one in itertools.chain(*runs):
            of[one["name"], one["faulty"]].append(one)
        for (name, faulty), outcomes in of.items():
            found[name, faulty][way] = symptoms(outcomes, of[name, False], way)
    return found


def table_of(caught: dict[tuple[str, bool], dict[str, str]]) -> str:
    """The table for docs/cuda.md, with the sums below."""
    rows = ["| fault | A: emulator | B: checked | compiler's checks |", "|---|---|---|---|"]
    faults = {name: ways for (name, faulty), ways in sorted(caught.items()) if faulty}
    for name, ways in faults.items():
        cells = [ways[way] or "-" for way in ("fast", "checked", "undefined")]
        rows.append(f"| {name.replace('_', ' ')} | {' | '.join(cells)} |")
    sums = [sum(bool(ways[way]) for ways in faults.values()) for way in cuda_emulation.WAYS]
    rows.append(
        f"\nCaught of {len(faults)}: by A {sums[0]}, by B {sums[1]}, by the compiler's checks "
        f"{sums[2]}, by at least one {sum(any(ways.values()) for ways in faults.values())}."
    )
    return "\n".join(rows) + "\n"


def test_every_fault_is_caught(caught):
    print(table_of(caught))
    faults = {name: ways for (name, faulty), ways in caught.items() if faulty}
    assert len(faults) >= LEAST
    assert [name for name, ways in faults.items() if not any(ways.values())] == []


def test_sound_twins_pass(caught):
    twins = {name: ways for (name, faulty), ways in caught.items() if not faulty}
    assert {name: ways for name, ways in twins.items() if any(ways.values())} == {}


def test_table_in_the_documentation(caught):
    text = TABLE.read_text()
    before, rest = text.split(MARKS[0])
    after = rest.split(MARKS[1])[1]
    if os.environ.get("PYTENSOR_WRITE_FAULTS"):
        TABLE.write_text(before + MARKS[0] + table_of(caught) + MARKS[1] + after)
    else:
        assert rest.split(MARKS[1])[0] == table_of(caught)
