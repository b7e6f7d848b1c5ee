"""What a library costs a process: import time, resident memory, and the size on disk."""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import statistics
import subprocess
import sys
from pathlib import Path

# Runs in a fresh process; the figures are what the import adds to a bare interpreter.
PROBE = """
import json, sys, time
def resident_mb():
    with open("/proc/self/status") as status:
        line = next(line for line in status if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024
start = time.perf_counter()
__import__(sys.argv[1])
print(json.dumps([(time.perf_counter() - start) * 1e3, resident_mb(), len(sys.modules)]))
"""
DISTRIBUTIONS = {"pytensor": "pytensor-dl"}


def probe(module: str, repeats: int) -> list[float]:
    """Median import time in ms, resident memory in MB and number of modules loaded."""
    runs = []
    for _ in range(repeats + 1):  # the first one reads the files from disk
        output = subprocess.run(
            [sys.executable, "-c", PROBE, module], check=True, capture_output=True, text=True
        ).stdout
        runs.append(json.loads(output))
    return [statistics.median(column) for column in zip(*runs[1:], strict=True)]


def installed_mb(module: str) -> float | None:
    try:
        files = importlib.metadata.files(DISTRIBUTIONS.get(module, module))
    except importlib.metadata.PackageNotFoundError:
        return None
    paths = [Path(str(file.locate())) for file in files or []]
    return sum(path.stat().st_size for path in paths if path.is_file()) / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--modules", nargs="+", default=["torch", "pytensor"], metavar="NAME")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--wheel", type=Path, help="a built wheel, to print its size")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()

    print(f"{'module':12}  {'import ms':>9}  {'resident MB':>11}  {'modules':>7}  {'disk MB':>7}")
    figures = {}
    for module in args.modules:
        time_ms, resident, modules = probe(module, args.repeats)
        disk = installed_mb(module)
        figures[module] = {"import_ms": time_ms, "resident_mb": resident, "disk_mb": disk}
        shown = "-" if disk is None else f"{disk:.1f}"
        print(f"{module:12}  {time_ms:9.1f}  {resident:11.1f}  {modules:7.0f}  {shown:>7}")
    if args.wheel:
        print(f"wheel {args.wheel.name}: {args.wheel.stat().st_size / 1e6:.2f} MB")
    if args.json:
        args.json.write_text(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
