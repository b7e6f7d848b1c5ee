"""Check what a wheel holds: ``python -m tools.check_wheel dist/*.whl``.

A wheel must bring the package with its types, the library with its headers and CMake package,
and the licence; no sources, tests or paths of the machine that built it; and stay under 10 MB.
"""

from __future__ import annotations

import re
import sys
import zipfile
from pathlib import Path

LIMIT_BYTES = 10_000_000
REQUIRED = (
    r"pytensor/__init__\.py",
    r"pytensor/py\.typed",
    r"pytensor/.*\.pyi",
    r"pytensor/_C\..*so",
    r"pytensor/lib/libpytensor\.so",
    r"pytensor/include/core/tensor\.h",
    r"pytensor/lib/cmake/pytensor/pytensorConfig\.cmake",
    r".*\.dist-info/licenses/LICENSE",
)
FORBIDDEN = re.compile(r"(csrc|tests|examples|tools|benchmarks|build)/|.*\.(cpp|cu|o|pyc)$")

# In the emulated library: the name of its device.
EMULATOR = b"pytensor emulated device"


def check(path: Path) -> list[str]:
    """What is wrong with the wheel, a line each."""
    problems = []
    size = path.stat().st_size
    if size > LIMIT_BYTES:
        problems.append(f"{size} bytes, more than {LIMIT_BYTES}")
    with zipfile.ZipFile(path) as wheel:
        names = wheel.namelist()
        for pattern in REQUIRED:
            if not any(re.fullmatch(pattern, name) for name in names):
                problems.append(f"no {pattern}")
        for name in names:
            if FORBIDDEN.match(name):
                problems.append(f"holds {name}")
            if name.endswith(".so") and EMULATOR in wheel.read(name):
                problems.append(f"{name} only plays a cuda device (PYTENSOR_CUDA=EMULATE)")
            if name.endswith(".so") and str(Path.cwd()).encode() in wheel.read(name):
                problems.append(f"{name} names the folder it was built in")
    return problems


def main(arguments: list[str]) -> int:
    status = 0
    for argument in arguments:
        path = Path(argument)
        problems = check(path)
        for problem in problems:
            print(f"{path.name}: {problem}")
        if not problems:
            print(f"{path.name}: in order, {path.stat().st_size / 1e6:.2f} MB")
        status |= bool(problems)
    return status if arguments else 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
