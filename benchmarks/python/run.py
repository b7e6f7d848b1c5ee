"""Runs the cases of all suites that match a name: `python -m benchmarks.python.run clamp`.

The name is a suite's (the file's: overhead, gemm, ...) or part of an op's; without one all suites
run, which takes many minutes.
"""

from __future__ import annotations

import importlib
from pathlib import Path

from benchmarks.python.harness import Case, command_line, make_parser, run_suite


def suites() -> dict[str, list[Case]]:
    """The modules of this folder that have CASES."""
    found = {}
    for file in sorted(Path(__file__).parent.glob("*.py")):
        if file.stem not in ("__main__", "run"):
            module = importlib.import_module(f"benchmarks.python.{file.stem}")
            if hasattr(module, "CASES"):
                found[file.stem] = module.CASES
    return found


def main() -> None:
    args = make_parser(__doc__).parse_args()
    command = command_line("benchmarks.python.run", args)
    all_suites = suites()
    cases = [case for suite in all_suites.values() for case in suite]
    if args.op in all_suites:
        cases, args.op = all_suites[args.op], ""
    run_suite(cases, args, command)


if __name__ == "__main__":
    main()
