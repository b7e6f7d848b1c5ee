"""Times the same statements under two modules with one API, side by side in one process.

A suite is a list of cases; `main` measures them, prints a table and can repeat everything in
fresh processes. Each library gets slices in turn, so that both meet the same machine, and a pause
before each slice, so that neither runs against the other's spinning threads.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import json
import math
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
import timeit
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Names = dict[str, Any]

PAUSE_S = 0.010  # OpenMP's workers spin up to 8 ms after their last job
WARM_S = 0.002


@dataclass(frozen=True)
class Case:
    """A statement to time. `setup(T)` makes its names with module T (itself the name `T`)."""

    name: str
    shape: str
    statement: str
    setup: Callable[[Any], Names] = lambda T: {}
    goal: float = 1.0  # the ratio to reach
    group: str = ""  # a geometric mean is printed for each group


@dataclass
class Result:
    """Seconds a call of each library, one value a slice; or why there are none."""

    case: Case
    slices: list[list[float]] = field(default_factory=list)
    error: str = ""

    def best(self, library: int) -> float:
        return min(self.slices[library])

    @property
    def ratio(self) -> float:
        """Time of the first library over the second's: above 1 the second is faster."""
        return self.best(0) / self.best(1)

    @property
    def median_ratio(self) -> float:
        return statistics.median(self.slices[0]) / statistics.median(self.slices[1])


@dataclass(frozen=True)
class Settings:
    threads: int
    repeats: int
    slice_s: float
    precision: str = "highest"  # of float32 products


def geometric_mean(values: Sequence[float]) -> float:
    return math.exp(sum(map(math.log, values)) / len(values)) if values else math.nan


def load_modules(names: Sequence[str], threads: int, precision: str = "highest") -> list[Any]:
    modules = [importlib.import_module(name) for name in names]
    for module in modules:
        if hasattr(module, "set_num_threads"):
            module.set_num_threads(threads)
        if hasattr(module, "set_float32_matmul_precision"):
            module.set_float32_matmul_precision(precision)
    return modules


def _calls_per_slice(timer: timeit.Timer, slice_s: float) -> int:
    timer.timeit(1)
    calls = 1
    while (elapsed := timer.timeit(calls)) < slice_s / 8 and calls < 1 << 24:
        calls *= max(2, min(32, int(slice_s / 8 / max(elapsed, 1e-9))))
    return max(1, int(calls * slice_s / elapsed))


def measure(case: Case, modules: Sequence[Any], settings: Settings) -> Result:
    """Times one case; an exception in either library makes it the result's error."""
    result = Result(case)
    try:
        timers = [
            timeit.Timer(case.statement, globals={"T": module, **case.setup(module)})
            for module in modules
        ]
        calls = [_calls_per_slice(timer, settings.slice_s) for timer in timers]
        result.slices = [[] for _ in modules]
        for repeat in range(settings.repeats):
            order = range(len(timers)) if repeat % 2 == 0 else reversed(range(len(timers)))
            for i in order:
                if settings.threads > 1:
                    time.sleep(PAUSE_S)
                warm_until = time.perf_counter() + WARM_S
                timers[i].timeit(1)
                while time.perf_counter() < warm_until:
                    timers[i].timeit(1)
                result.slices[i].append(timers[i].timeit(calls[i]) / calls[i])
    except Exception as error:  # an op one library lacks must not end the run
        text = str(error).splitlines()
        result.slices, result.error = [], f"{type(error).__name__}: {text[0] if text else ''}"
    gc.collect()
    return result


def format_us(seconds: float) -> str:
    us = seconds * 1e6
    return f"{us:.3f}" if us < 100 else f"{us:.0f}"


class Table:
    """Prints a line a case as results arrive and the summary at the end."""

    def __init__(self, labels: Sequence[str], cases: Sequence[Case]) -> None:
        self.labels = labels
        self.name_width = max([len(c.name) for c in cases] + [4])
        self.shape_width = max([len(c.shape) for c in cases] + [5])
        first, second = (f"{label} us" for label in labels)
        self._print("op", "shape", first, second, "ratio", "median", "")

    def _print(self, name: str, shape: str, *rest: str) -> None:
        first, second, ratio, median, note = rest
        print(
            f"{name:{self.name_width}}  {shape:{self.shape_width}}  {first:>12}  {second:>12}"
            f"  {ratio:>6}  {median:>6}  {note}".rstrip(),
            flush=True,
        )

    def line(self, result: Result) -> None:
        case = result.case
        if result.error:
            print(
                f"{case.name:{self.name_width}}  {case.shape:{self.shape_width}}  "
                f"{result.error[:100]}",
                flush=True,
            )
            return
        self._print(
            case.name,
            case.shape,
            format_us(result.best(0)),
            format_us(result.best(1)),
            f"{result.ratio:.2f}",
            f"{result.median_ratio:.2f}",
            f"below {case.goal:g}" if result.ratio < case.goal else "",
        )

    def summary(self, results: Sequence[Result]) -> None:
        print_summary([(r.case, math.nan if r.error else r.ratio) for r in results])


def print_summary(ratios: Sequence[tuple[Case, float]]) -> None:
    """Geometric mean by group and of all, the worst case, and how many miss their goal."""
    known = [(case, ratio) for case, ratio in ratios if not math.isnan(ratio)]
    if not known:
        return
    for group in dict.fromkeys(case.group for case, _ in known):
        if group:
            mean = geometric_mean([ratio for case, ratio in known if case.group == group])
            print(f"geometric mean, {group}: {mean:.2f}")
    worst, worst_ratio = min(known, key=lambda item: item[1])
    missed = sum(ratio < case.goal for case, ratio in known)
    print(
        f"geometric mean {geometric_mean([ratio for _, ratio in known]):.2f} of {len(known)}; "
        f"worst {worst.name} {worst.shape} {worst_ratio:.2f}; below the goal: {missed}; "
        f"not run: {len(ratios) - len(known)}"
    )


def run_cases(
    cases: Sequence[Case], module_names: Sequence[str], settings: Settings
) -> list[Result]:
    modules = load_modules(module_names, settings.threads, settings.precision)
    table = Table(module_names, cases)
    results = []
    for case in cases:
        results.append(measure(case, modules, settings))
        table.line(results[-1])
    table.summary(results)
    return results


def to_json(results: Iterable[Result], labels: Sequence[str]) -> list[dict[str, Any]]:
    return [
        {
            "op": r.case.name,
            "shape": r.case.shape,
            "group": r.case.group,
            "goal": r.case.goal,
            "ratio": None if r.error else r.ratio,
            "median_ratio": None if r.error else r.median_ratio,
            "us": [] if r.error else [r.best(i) * 1e6 for i in range(len(labels))],
            "libraries": list(labels),
            "error": r.error,
        }
        for r in results
    ]


def run_in_processes(command: Sequence[str], processes: int, cases: Sequence[Case]) -> None:
    """Runs `command --json FILE` in fresh processes; prints the median of each case's ratios."""
    ratios: dict[tuple[str, str], list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for i in range(processes):
            path = Path(folder) / f"{i}.json"
            subprocess.run([*command, "--json", str(path)], check=True, stdout=subprocess.DEVNULL)
            for entry in json.loads(path.read_text()):
                if entry["ratio"] is not None:
                    ratios.setdefault((entry["op"], entry["shape"]), []).append(entry["ratio"])
            print(f"process {i + 1} of {processes} done", file=sys.stderr)
    width = max(len(c.name) for c in cases), max(len(c.shape) for c in cases)
    medians = []
    for case in cases:
        seen = ratios.get((case.name, case.shape), [])
        median = statistics.median(seen) if seen else math.nan
        medians.append((case, median))
        spread = f"{min(seen):.2f}..{max(seen):.2f}" if seen else "not run"
        note = f"below {case.goal:g}" if median < case.goal else ""
        print(f"{case.name:{width[0]}}  {case.shape:{width[1]}}  {median:6.2f}  {spread}  {note}")
    print_summary(medians)


def make_parser(description: str | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument(
        "op", nargs="?", default="", help="only cases whose name this matches (regular expression)"
    )
    parser.add_argument("--shape", default="", help="only cases whose shape contains this")
    parser.add_argument("--modules", nargs=2, default=["torch", "pytensor"], metavar="NAME")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--repeats", type=int, default=9, help="slices a library and case")
    parser.add_argument("--slice-ms", type=float, default=5.0)
    parser.add_argument(
        "--precision", choices=["highest", "high", "medium"], default="highest",
        help="of float32 products, in both libraries",
    )  # fmt: skip
    parser.add_argument("--processes", type=int, default=1, help="median over fresh processes")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    return parser


def run_suite(cases: Sequence[Case], args: argparse.Namespace, command: Sequence[str]) -> None:
    """Runs the cases that `args` selects; `command` starts the same run in another process."""
    chosen = [case for case in cases if re.search(args.op, case.name) and args.shape in case.shape]
    if not chosen:
        raise SystemExit(f"no case is named {args.op!r} with shape {args.shape!r}")
    if args.processes > 1:
        run_in_processes(command, args.processes, chosen)
        return
    settings = Settings(args.threads, args.repeats, args.slice_ms / 1e3, args.precision)
    results = run_cases(chosen, args.modules, settings)
    if args.json:
        args.json.write_text(json.dumps(to_json(results, args.modules), indent=1))


def command_line(module: str, args: argparse.Namespace, *more: str) -> list[str]:
    """The command that repeats this run once in a fresh process."""
    return [
        sys.executable, "-m", module, *([args.op] if args.op else []),
        "--shape", args.shape,
        "--modules", *args.modules, "--threads", str(args.threads),
        "--repeats", str(args.repeats), "--slice-ms", str(args.slice_ms),
        "--precision", args.precision, *more,
    ]  # fmt: skip


def main(module: str, description: str | None, cases: Sequence[Case]) -> None:
    """The command line of a suite."""
    args = make_parser(description).parse_args()
    run_suite(cases, args, command_line(module, args))
