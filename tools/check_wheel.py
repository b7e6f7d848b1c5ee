"""Check what a wheel holds: ``python -m tools.check_wheel dist/*.whl``.

A wheel must bring the package with its types, the library with its headers and CMake package,
and the licence; no sources, tests or paths of the machine that built it; and stay under 10 MB.
The CUDA library, where it is part of the wheel, may add 5 MB. It must not need NVIDIA's libraries
and export its one function alone.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

LIMIT_BYTES = 10_000_000
CUDA_LIBRARY = "pytensor/lib/libpytensor_cuda.so"
CUDA_LIMIT_BYTES = 5_000_000
CUDA_EXPORTS = {"pytensor_device_api"}
CUDA_FOREIGN = re.compile(r"lib(cu|nv)")
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

# In the emulated library: how its messages begin.
EMULATOR = b"pytensor emulator: "


def listed(*command: str | Path) -> list[str]:
    """The lines that a program of binutils prints."""
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return done.stdout.splitlines()


def check_cuda(wheel: zipfile.ZipFile) -> list[str]:
    """What is wrong with the CUDA library of a wheel, a line each."""
    problems = []
    size = wheel.getinfo(CUDA_LIBRARY).compress_size
    if size > CUDA_LIMIT_BYTES:
        problems.append(f"{CUDA_LIBRARY} takes {size} bytes, more than {CUDA_LIMIT_BYTES}")
    with tempfile.TemporaryDirectory() as folder:
        library = wheel.extract(CUDA_LIBRARY, folder)
        needed = [line.split()[1] for line in listed("objdump", "-p", library) if "NEEDED" in line]
        exported = {line.split()[-1] for line in listed("nm", "-D", "--defined-only", library)}
    problems += [f"{CUDA_LIBRARY} needs {name}" for name in needed if CUDA_FOREIGN.match(name)]
    problems += [f"{CUDA_LIBRARY} exports {name}" for name in sorted(exported - CUDA_EXPORTS)]
    problems += [f"{CUDA_LIBRARY} lacks {name}" for name in sorted(CUDA_EXPORTS - exported)]
    return problems


def check(path: Path) -> list[str]:
    """What is wrong with the wheel, a line each."""
    problems = []
    size = path.stat().st_size
    with zipfile.ZipFile(path) as wheel:
        names = wheel.namelist()
        if CUDA_LIBRARY in names:
            problems += check_cuda(wheel)
            size -= wheel.getinfo(CUDA_LIBRARY).compress_size
        if size > LIMIT_BYTES:
            problems.append(f"{size} bytes without {CUDA_LIBRARY}, more than {LIMIT_BYTES}")
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
            with zipfile.ZipFile(path) as wheel:
                parts = {info.filename: info.compress_size for info in wheel.infolist()}
            cuda = parts.get(CUDA_LIBRARY)
            of_it = f", {cuda / 1e6:.2f} MB of it for cuda" if cuda else ""
            print(f"{path.name}: in order, {path.stat().st_size / 1e6:.2f} MB{of_it}")
        status |= bool(problems)
    return status if arguments else 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
