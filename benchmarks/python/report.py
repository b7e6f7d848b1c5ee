"""Figures of `--json` files as tables for docs/performance.md.

`python -m benchmarks.python.report conv-2t.json conv-1t.json` prints one table: a line for each
case, a column of ratios for each file (named after it), and the geometric means below.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.python.harness import geometric_mean

Key = tuple[str, str]


def read(path: Path) -> dict[Key, float | None]:
    entries: list[dict[str, Any]] = json.loads(path.read_text())
    return {(e["op"], e["shape"]): e["ratio"] for e in entries}


def row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def cell(ratio: float | None) -> str:
    return "-" if ratio is None else f"{ratio:.2f}"


def table(columns: dict[str, dict[Key, float | None]], means_only: bool = False) -> list[str]:
    """Lines of a Markdown table; the last ones are each group's geometric mean and worst case."""
    keys = list(dict.fromkeys(key for figures in columns.values() for key in figures))
    lines = [row(["case", "shape", *columns]), row(["---", "---", *("---:" for _ in columns)])]
    if not means_only:
        for key in keys:
            lines.append(row([*key, *(cell(figures.get(key)) for figures in columns.values())]))
    names = [name for name, _ in keys]
    several = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    for name in [*several, None] if len(several) > 1 else [None]:
        means, worst = [], []
        for figures in columns.values():
            known = [r for k, r in figures.items() if r is not None and name in (None, k[0])]
            means.append(f"{geometric_mean(known):.2f}" if known else "-")
            worst.append(f"{min(known):.2f}" if known else "-")
        what = f"*{name or 'all'}*"
        lines.append(row([what, "geometric mean", *means]))
        lines.append(row([what, "worst", *worst]))
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--means", action="store_true", help="leave out the single cases")
    args = parser.parse_args()
    print("\n".join(table({path.stem: read(path) for path in args.files}, args.means)))


if __name__ == "__main__":
    main()
