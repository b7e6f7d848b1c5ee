"""What only a machine with a GPU can tell, in under ten minutes: ``python -m tools.gpu_check``.

    device      the library is the real one, and the device computes
    suite       tests/cuda and the registry's samples on the device, against PyTorch
    sanitizer   the samples at awkward sizes under compute-sanitizer: memcheck, then racecheck
    benchmark   benchmarks.python.device: times beside the hardware's floors and PyTorch

Parts can be named; each has a time limit of its own, which --scale stretches. Needs a build with
``-C cmake.define.PYTENSOR_CUDA=ON``. --emulated tries the program itself on a build whose host
plays the device: small sizes, and a slice of the suite.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
LIMITS = {"device": 30, "suite": 200, "sanitizer": 60, "benchmark": 150}  # seconds a program
DEVICE_TESTS = [
    "test_device.py",
    "test_index.py",
    "test_nchw.py",
    "test_optim.py",
    "test_random.py",
]
SLICES = 60  # the sanitizer gets every 60th sample

PROBE = """
import sys
import pytensor as pt
if not pt.cuda.is_available():
    try:
        pt.zeros(1, device="cuda")
    except Exception as error:
        print(f"no cuda device: {type(error).__name__}: {error}")
    sys.exit(3)
p = pt.cuda.get_device_properties()
print(f"{p.name}, compute capability {p.major}.{p.minor}, {p.total_memory / 2**30:.0f} GiB, "
      f"{p.multi_processor_count} processors; code for {' '.join(pt.cuda.get_arch_list())}")
x = pt.arange(1 << 20, dtype=pt.float32, device="cuda")
assert (x * 2 - x).sum().item() == x.cpu().double().sum().item()
assert pt.allclose((x.view(1024, 1024) / 2**20 @ pt.ones(1024, 8, device="cuda")).cpu(),
                   x.cpu().view(1024, 1024) / 2**20 @ pt.ones(1024, 8), rtol=1e-4)
if p.emulated and "--emulated" not in sys.argv:
    print("the host plays this device (PYTENSOR_CUDA=EMULATE)")
    sys.exit(3)
"""


@dataclass
class Outcome:
    name: str
    verdict: str  # ok, failed, skipped, or stopped: at its limit, without a failure until then
    text: str


def run(
    name: str,
    command: Sequence[str],
    limit: float,
    setting: Mapping[str, str] | None = None,
    reports: Sequence[str] = (),
) -> Outcome:
    """Runs a program, shows what it prints, and ends it with its children at the limit.

    Args:
        name: of the part.
        command: program and arguments.
        limit: seconds.
        setting: environment variables to add.
        reports: a line that holds one of these is a failure.
    """
    text = " ".join(part for part in command if "\n" not in part)
    print(f"== {name}: {text} (at most {limit:.0f} s)", flush=True)
    start = time.monotonic()
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=os.environ | dict(setting or {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    stopped = False

    def stop(*_: object) -> None:
        nonlocal stopped
        stopped = True
        os.killpg(process.pid, signal.SIGKILL)

    signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, limit)
    last, found = "", 0
    assert process.stdout is not None
    for line in process.stdout:
        hit = any(report in line for report in reports)
        found += hit
        if (hit and found <= 20) or not reports:
            print(f"   {line.rstrip()}", flush=True)
        last = line.strip() or last
    status = process.wait()
    signal.setitimer(signal.ITIMER_REAL, 0)
    took = time.monotonic() - start
    if found:
        return Outcome(name, "failed", f"{found} reports in {took:.0f} s")
    if stopped:
        return Outcome(name, "stopped", f"after {took:.0f} s; last line: {last[:100]}")
    verdict = "ok" if status == 0 else "failed"
    return Outcome(name, verdict, f"{last[:120]} ({took:.0f} s, status {status})")


def suite(emulated: bool, limit: float) -> list[Outcome]:
    """The tests on the device."""
    if importlib.util.find_spec("pytest") is None:
        return [Outcome("suite", "skipped", "pytest is not installed")]
    pytest = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "--no-header",
        "--maxfail=50",
        "-p",
        "no:cacheprovider",
    ]
    if importlib.util.find_spec("xdist") is not None:
        pytest += ["-n", str(max(1, min(8, (os.cpu_count() or 2) // 2)))]
    some = ["-k", "softmax or index_add or conv2d"] if emulated else []
    own = [str(Path("tests", "cuda", name)) for name in DEVICE_TESTS]
    outcomes = [run("tests/cuda", [*pytest, *own], limit * 0.3)]
    if importlib.util.find_spec("torch") is None:
        return [*outcomes, Outcome("registry", "skipped", "PyTorch is not installed")]
    registry = [*pytest, "tests/ops/test_registry.py", *some]
    return [*outcomes, run("registry", registry, limit, {"PYTENSOR_TEST_DEVICE": "cuda"})]


def sanitizer(emulated: bool, limit: float) -> list[Outcome]:
    """compute-sanitizer over some samples, each tensor an allocation of its own."""
    calls = [sys.executable, "-m", "tests.cuda.checked_calls", "0", str(SLICES)]
    setting = {"PYTENSOR_TEST_DEVICE": "cuda", "PYTENSOR_CUDA_CACHE": "0"}
    mismatch = '"failure"'
    program = shutil.which("compute-sanitizer") or shutil.which(
        "compute-sanitizer", path="/usr/local/cuda/bin:/usr/local/cuda/compute-sanitizer"
    )
    if program is None:
        plain = run("samples without sanitizer", calls, limit, setting, [mismatch])
        return [plain, Outcome("sanitizer", "skipped", "there is no compute-sanitizer")]
    return [
        run(
            tool,
            [program, "--tool", tool, "--error-exitcode", "9", *calls],
            limit,
            setting,
            ["========= Invalid", "========= Error", "========= Race", "========= Warning: Race",
             "========= Program hit", mismatch],
        )
        for tool in ("memcheck", "racecheck")
    ]  # fmt: skip


def benchmark(emulated: bool, limit: float) -> list[Outcome]:
    """Times beside floors and PyTorch's."""
    command = [sys.executable, "-m", "benchmarks.python.device", "--seconds", f"{limit * 0.8:.0f}"]
    return [run("benchmark", [*command, *(["--tiny"] if emulated else [])], limit)]


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="tools.gpu_check", description=__doc__)
    parser.add_argument("parts", nargs="*", help="suite, sanitizer, benchmark; all by default")
    parser.add_argument(
        "--emulated", action="store_true", help="accept a host that plays the device"
    )
    parser.add_argument("--scale", type=float, default=1.0, help="of the time limits")
    options = parser.parse_args(arguments)
    parts = {"suite": suite, "sanitizer": sanitizer, "benchmark": benchmark}
    unknown = set(options.parts) - set(parts)
    if unknown:
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    start = time.monotonic()
    flag = ["--emulated"] if options.emulated else []
    probe = run("device", [sys.executable, "-c", PROBE, *flag], LIMITS["device"])
    outcomes = [probe]
    if probe.verdict == "ok":
        for name, part in parts.items():
            if not options.parts or name in options.parts:
                outcomes += part(options.emulated, LIMITS[name] * options.scale)
    print(f"== gpu_check: {time.monotonic() - start:.0f} s")
    for outcome in outcomes:
        print(f"   {outcome.name:25} {outcome.verdict:8} {outcome.text}")
    return 1 if any(outcome.verdict == "failed" for outcome in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
