"""Peak memory of whole networks: each library, network and batch in a fresh process."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

# (network, batch, with a training step)
RUNS = [
    ("alexnet", 1, False),
    ("vgg16", 1, False),
    ("resnet18", 1, False),
    ("resnet18", 8, False),
    ("resnet101", 1, False),
    ("mobilenet_v2", 1, False),
    ("resnet18", 8, True),
]

# Runs in a fresh process: VmHWM is the most that it ever had in memory, in kB.
PROBE = """
import importlib, sys
from benchmarks.python.models import inference, training
module, network, batch, train, threads = sys.argv[1:]
T = importlib.import_module(module)
T.set_num_threads(int(threads))
shape = (int(batch), 3, 224, 224)
setup = training(network, shape, "SGD") if train == "True" else inference(network, shape)
run = setup(T)["run"]
for _ in range(3):
    run()
with open("/proc/self/status") as status:
    print(next(int(line.split()[1]) for line in status if line.startswith("VmHWM")))
"""


def peak_mb(module: str, network: str, batch: int, train: bool, threads: int) -> float:
    """Most memory of a process that runs the network three times."""
    arguments = [module, network, str(batch), str(train), str(threads)]
    command = [sys.executable, "-c", PROBE, *arguments]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return int(output) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--modules", nargs=2, default=["torch", "pytensor"], metavar="NAME")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()

    first, second = args.modules
    print(f"{'network':12}  {'run':12}  {first + ' MB':>12}  {second + ' MB':>12}  {'ratio':>6}")
    entries = []
    for network, batch, train in RUNS:
        peaks = [peak_mb(m, network, batch, train, args.threads) for m in args.modules]
        run = f"{'training' if train else 'inference'} b{batch}"
        ratio = peaks[0] / peaks[1]
        print(
            f"{network:12}  {run:12}  {peaks[0]:12.0f}  {peaks[1]:12.0f}  {ratio:6.2f}", flush=True
        )
        entries.append({"op": network, "shape": run, "mb": peaks, "ratio": ratio, "goal": 1.0})
    if args.json:
        args.json.write_text(json.dumps(entries, indent=1))


if __name__ == "__main__":
    main()
