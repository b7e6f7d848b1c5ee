"""Runs the cases of all suites that match a name: `python -m benchmarks.python.run clamp`.

The name is a suite's (overhead, course, gemm, elementwise) or part of an op's; without one all
suites run, which takes several minutes.
"""

from __future__ import annotations

from benchmarks.python import course, elementwise, gemm, overhead
from benchmarks.python.harness import command_line, make_parser, run_suite

SUITES = {
    "overhead": overhead.CASES,
    "course": course.CASES,
    "gemm": gemm.CASES,
    "elementwise": elementwise.CASES,
}


def main() -> None:
    args = make_parser(__doc__).parse_args()
    command = command_line("benchmarks.python.run", args)
    cases = [case for suite in SUITES.values() for case in suite]
    if args.op in SUITES:
        cases, args.op = SUITES[args.op], ""
    run_suite(cases, args, command)


if __name__ == "__main__":
    main()
