"""Build the CUDA library with nvcc and look at its code: ``python -m tools.check_cuda [file ...]``.

csrc/cuda is compiled and linked for every architecture that is looked after, warnings being errors,
in build/cuda (or ``--build FOLDER``). What cuobjdump says of each kernel is compared with
csrc/cuda/registers.txt: registers, and bytes of stack, which are what was spilled and arrays that
did not fit registers. ``--update`` writes the table anew, of the named files alone if there are
any. tools/sass.py looks at the machine code. No GPU is needed.

nvcc is that of CUDACXX, of the path, or of /usr/local/cuda. cuobjdump is part of a toolkit, or of
``pip install nvidia-cuda-cuobjdump nvidia-cuda-nvdisasm``; without it the code is only built.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tools import sass

ROOT = Path(__file__).parent.parent
CUDA = ROOT / "csrc" / "cuda"
TABLE = CUDA / "registers.txt"
ARCHITECTURES = ("80", "90", "100", "120")
STACK_LIMIT = 16  # bytes; what may have more is in sass.LOCAL_ALLOWED

HEADER = """\
# Registers of each kernel on sm_80, sm_90, sm_100 and sm_120, with "+n" for n bytes of stack, as
# compiled by nvcc {}. Written and compared by tools/check_cuda.py.
"""
VERSION = re.compile(r"as\n# compiled by nvcc ([\d.]+)\.")
ROW = re.compile(r"  (.+): (\d+(?:\+\d+)?(?: \d+(?:\+\d+)?)*)")

Figures = tuple[int, int]  # registers, bytes of stack
Kernels = dict[str, dict[str, Figures]]  # by kernel, then by architecture
Table = dict[str, dict[str, list[Figures]]]  # by file, then by kernel


def nvcc() -> str | None:
    """CUDA's compiler, or None."""
    names = (os.environ.get("CUDACXX"), "nvcc", "/usr/local/cuda/bin/nvcc")
    return next((found for name in names if name and (found := shutil.which(name))), None)


def version_of(compiler: str) -> str:
    """Such as 13.0.88."""
    text = subprocess.run([compiler, "--version"], capture_output=True, text=True).stdout
    found = re.search(r"\bV(\d+\.\d+\.\d+)", text)
    return found[1] if found else "unknown"


def program(name: str) -> str:
    """A program of the environment that Python runs in, or of the system."""
    here = os.path.dirname(sys.executable)
    return shutil.which(name, path=os.pathsep.join([here, os.environ.get("PATH", "")])) or name


def build(folder: Path, compiler: str, sources: list[Path]) -> bool:
    """Compile and link the library, or compile some files alone; whether that went well."""
    environment = os.environ | {"CUDACXX": compiler}
    if not (folder / "build.ninja").is_file():
        command = [
            program("cmake"), "-S", str(ROOT), "-B", str(folder), "-G", "Ninja",
            "-DPYTENSOR_CUDA=ON", "-DPYTENSOR_PYTHON=OFF", "-DPYTENSOR_WERROR=ON",
            f"-DCMAKE_MAKE_PROGRAM={program('ninja')}",
            f"-DPYTENSOR_CUDA_ARCHITECTURES={';'.join(ARCHITECTURES)}",
        ]  # fmt: skip
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        if done.returncode != 0:
            print(done.stdout + done.stderr)
            return False
    targets = [str(object_of(s)) for s in sources]
    command = [program("ninja"), "-C", str(folder), *(targets or ["libpytensor_cuda.so"])]
    return subprocess.run(command, env=environment).returncode == 0


def object_of(source: Path) -> Path:
    """The object file of a source, in a build folder."""
    relative = source.relative_to(ROOT)
    return Path("CMakeFiles", "pytensor_cuda.dir", relative).with_suffix(".cu.o")


def short_names(names: list[str]) -> dict[str, str]:
    """Kernels' names as the sources have them, by mangled name."""
    if not names:
        return {}
    done = subprocess.run(["c++filt"], input="\n".join(names), capture_output=True, text=True)
    return dict(zip(names, map(short_name, done.stdout.splitlines()), strict=True))


def short_name(name: str) -> str:
    """``f<Half, true>`` of ``void pt::cuda::(anonymous namespace)::f<pt::Half, true>(int)``."""
    name = re.sub(
        r"\(anonymous namespace\)::|\b_GLOBAL__N__\w+::|\bpt::|\bcuda::|\bdevice::", "", name
    )
    name = re.sub(r"\((?:int|bool|unsigned int|long)\)", "", name).removeprefix("void ")
    depth = 0
    for i, c in enumerate(name):  # up to the parameters
        depth += {"<": 1, ">": -1}.get(c, 0)
        if c == "(" and depth == 0:
            name = name[:i]
            break
    return name.replace(" >", ">")


def kernels_of(text: str) -> Kernels:
    """The kernels in what ``cuobjdump --dump-resource-usage`` says."""
    found: dict[str, dict[str, Figures]] = {}
    architecture = name = ""
    for line in text.splitlines():
        if match := re.search(r"arch = sm_(\d+)", line):
            architecture = match[1]
        elif match := re.search(r"Function (\S+):", line):
            name = match[1]
        elif match := re.search(r"REG:(\d+) STACK:(\d+)", line):
            found.setdefault(name, {})[architecture] = int(match[1]), int(match[2])
    kernels: Kernels = {}
    for name, short in short_names(sorted(found)).items():
        rows = kernels.setdefault(short, {})
        for architecture, (registers, stack) in found[name].items():  # namesakes: the worst
            r, s = rows.get(architecture, (0, 0))
            rows[architecture] = max(r, registers), max(s, stack)
    return kernels


def read_table(text: str) -> Table:
    """The table's rows."""
    table: Table = {}
    rows: dict[str, list[Figures]] = {}
    for line in text.splitlines():
        if match := ROW.fullmatch(line):
            figures = [f.partition("+")[::2] for f in match[2].split()]
            rows[match[1]] = [(int(registers), int(stack or 0)) for registers, stack in figures]
        elif line and not line.startswith("#"):
            rows = table.setdefault(line, {})
    return table


def write_table(table: Table, version: str) -> str:
    """The text that read_table reads."""
    lines = []
    for name, kernels in sorted(table.items()):
        lines.append(name)
        for kernel, figures in sorted(kernels.items()):
            columns = [f"{r}+{s}" if s else f"{r}" for r, s in figures]
            lines.append(f"  {kernel}: {' '.join(columns)}")
    return HEADER.format(version) + "".join(f"{line}\n" for line in lines)


def compared(
    name: str, rows: dict[str, list[Figures]], recorded: dict[str, list[Figures]]
) -> list[str]:
    """What is worse than the table, a line each."""
    found = []
    for kernel, figures in rows.items():
        if kernel not in recorded:
            found.append(f"{name}: {kernel} is not in the table (--update)")
            continue
        for architecture, new, old in zip(ARCHITECTURES, figures, recorded[kernel]):
            if new[0] > old[0] or new[1] > old[1]:
                found.append(
                    f"{name}: {kernel} has {new[0]} registers and {new[1]} bytes of stack on "
                    f"sm_{architecture}, more than the recorded {old[0]} and {old[1]}"
                )
    found += [f"{name}: {k} is in the table only (--update)" for k in recorded if k not in rows]
    return found


def stacks(name: str, rows: dict[str, list[Figures]]) -> list[str]:
    """Kernels whose stack is over the limit, a line each."""
    return [
        f"{name}: {kernel} has {stack} bytes of stack on sm_{architecture}"
        for kernel, figures in rows.items()
        for architecture, (_, stack) in zip(ARCHITECTURES, figures)
        if stack > STACK_LIMIT and not sass.local_allowed(name, kernel)
    ]


def look_at(job: tuple[Path, str]) -> tuple[str, dict[str, list[Figures]], list[str]]:
    """A file's rows of the table, and what is wrong with its machine code."""
    compiled, name = job
    kernels = kernels_of(sass.cuobjdump_output("--dump-resource-usage", compiled))
    rows = {k: [f.get(a, (0, 0)) for a in ARCHITECTURES] for k, f in kernels.items()}
    listing = sass.cuobjdump_output("-sass", "-arch", "sm_90", compiled) if rows else ""
    functions = sass.by_function(listing)
    names = short_names(list(functions))
    problems = sass.problems_of({names[f]: code for f, code in functions.items()}, name)
    return name, rows, problems + stacks(name, rows)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="tools.check_cuda", description=__doc__)
    parser.add_argument("--update", action="store_true", help="write the table anew")
    parser.add_argument("--build", type=Path, default=ROOT / "build" / "cuda", metavar="FOLDER")
    parser.add_argument("files", nargs="*", type=Path)
    options = parser.parse_args(arguments)
    compiler = nvcc()
    if compiler is None:
        print("check_cuda: no nvcc")
        return 2
    start = time.monotonic()
    named = [f.resolve() for f in options.files]
    if not build(options.build.resolve(), compiler, named):
        print("check_cuda: the library cannot be built")
        return 1
    built = time.monotonic()
    if sass.cuobjdump() is None:
        print(f"check_cuda: built in {built - start:.0f} s; no cuobjdump, so that is all")
        return 0
    sources = named or sorted(CUDA.rglob("*.cu"))
    jobs = [(options.build / object_of(s), s.relative_to(CUDA).as_posix()) for s in sources]
    old = TABLE.read_text() if TABLE.is_file() else ""
    version, recorded = version_of(compiler), read_table(old)
    recorded_by = VERSION.search(old)
    comparable = not options.update and recorded_by is not None and recorded_by[1] == version
    table: Table = {}
    problems: list[str] = []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for name, rows, found in pool.map(look_at, jobs):
            problems += found
            if rows:
                table[name] = rows
            if comparable:
                problems += compared(name, rows, recorded.get(name, {}))
    if options.update:
        TABLE.write_text(write_table((recorded if named else {}) | table, version))
    elif not comparable:
        print(f"check_cuda: the table is of another nvcc than {version}: not compared")
    for problem in problems:
        print(problem)
    count = sum(len(rows) for rows in table.values())
    print(
        f"check_cuda: {count} kernels of {len(table)} files, {len(problems)} problems; "
        f"built in {built - start:.0f} s, looked at in {time.monotonic() - built:.0f} s"
    )
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
