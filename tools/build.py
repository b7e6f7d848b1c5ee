"""Build again after a change of C++ code: ``python -m tools.build [tests | benchmarks | where]``.

Works in the build folder of the editable install, so that nothing compiles twice: without an
argument it brings the installed extension up to date, ``tests`` and ``benchmarks [filter]`` build
and run the C++ programs, ``where`` prints the folder.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

ROOT = Path(__file__).parent.parent


def build_folder() -> Path:
    """Folder in which the editable install was compiled."""
    try:
        wheel = distribution("pytensor-dl").read_text("WHEEL") or ""
    except PackageNotFoundError:
        raise SystemExit("tools.build: pytensor is not installed; run 'make setup'") from None
    tag = next(line[5:] for line in wheel.splitlines() if line.startswith("Tag: "))
    folder = ROOT / "build" / tag
    if not (folder / "CMakeCache.txt").is_file():
        raise SystemExit(f"tools.build: no build in {folder}; run 'make clean setup'")
    return folder


def run(program: str, *arguments: str) -> None:
    """Run a program of the environment that Python runs in, or of the system."""
    here = os.path.dirname(sys.executable)
    path = shutil.which(program, path=os.pathsep.join([here, os.environ.get("PATH", "")]))
    status = subprocess.run([path or program, *arguments], cwd=ROOT).returncode
    if status != 0:
        raise SystemExit(status)


def newest(folder: Path, pattern: str) -> float:
    """Time of the last change of a matching file, 0 if there is none."""
    return max((path.stat().st_mtime for path in folder.glob(pattern)), default=0)


def main(arguments: list[str]) -> None:
    folder = build_folder()
    match arguments:
        case []:
            run("cmake", "--build", str(folder))
            platlib = sysconfig.get_path("platlib")
            if newest(folder, "*.so") > newest(Path(platlib) / "pytensor", "**/*.so"):
                run("cmake", "--install", str(folder), "--strip", "--prefix", platlib)
        case ["where"]:
            print(folder)
        case ["tests"]:
            run("cmake", "-DPYTENSOR_TESTS=ON", str(folder))
            run("cmake", "--build", str(folder), "--target", "cpp_tests")
            run("ctest", "--test-dir", str(folder), "--output-on-failure")
        case ["benchmarks", *names] if len(names) <= 1:
            run("cmake", "-DPYTENSOR_BENCHMARKS=ON", str(folder))
            run("cmake", "--build", str(folder), "--target", "cpp_benchmarks")
            for program in sorted(folder.glob("bench_*")):
                run(str(program), *(f"--benchmark_filter={name}" for name in names))
        case _:
            raise SystemExit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
