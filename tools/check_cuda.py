"""Compile the CUDA sources with nvcc: ``python -m tools.check_cuda [--update] [file ...]``.

Each file of csrc/cuda is compiled for every architecture of a release, warnings being errors.
What ptxas says of registers and spills is compared with csrc/cuda/registers.txt, which has a line
for each file and architecture: kernels, most registers, spilled bytes. --update writes it anew.
The machine
code is looked at, too, where there is a cuobjdump (tools/sass.py). No GPU is needed.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tools import sass

ROOT = Path(__file__).parent.parent
TABLE = ROOT / "csrc" / "cuda" / "registers.txt"
ARCHITECTURES = ("80", "90", "100", "120")
HEADER = "# file, architecture: kernels, most registers, bytes spilled (tools/check_cuda.py)\n"
FUNCTION = re.compile(r"Compiling entry function '.*?' for 'sm_(\d+)'")
SPILLS = re.compile(r"(\d+) bytes spill stores")
REGISTERS = re.compile(r"Used (\d+) registers")


def compile_file(nvcc: str, source: Path) -> tuple[int, str, list[str]]:
    """Exit status and output of nvcc, and what is wrong with the machine code."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.o"
        command = [
            nvcc, "-std=c++20", "-O2", "--expt-relaxed-constexpr", "-Werror", "all-warnings",
            "-Xcompiler", "-fPIC,-Wall,-Wextra", "-Xptxas", "-v",
            '-DPT_CUDA_ARCHITECTURES=""', f"-I{ROOT / 'csrc'}",
            "-c", str(source), "-o", str(out),
        ]  # fmt: skip
        for a in ARCHITECTURES:
            command += ["-gencode", f"arch=compute_{a},code=sm_{a}"]
        done = subprocess.run(command, capture_output=True, text=True)
        name = source.relative_to(ROOT / "csrc" / "cuda").as_posix()
        problems = sass.problems(out, name) if done.returncode == 0 else []
        return done.returncode, done.stdout + done.stderr, problems


def figures(output: str) -> dict[str, tuple[int, int, int]]:
    """By architecture: kernels, most registers, bytes spilled."""
    found = dict.fromkeys(ARCHITECTURES, (0, 0, 0))
    architecture = ARCHITECTURES[0]
    for line in output.splitlines():
        if match := FUNCTION.search(line):
            architecture = match[1]
            kernels, registers, spilled = found[architecture]
            found[architecture] = (kernels + 1, registers, spilled)
        elif match := SPILLS.search(line):
            kernels, registers, spilled = found[architecture]
            found[architecture] = (kernels, registers, spilled + int(match[1]))
        elif match := REGISTERS.search(line):
            kernels, registers, spilled = found[architecture]
            found[architecture] = (kernels, max(registers, int(match[1])), spilled)
    return found


def read_table() -> dict[str, str]:
    """The recorded figures by file and architecture."""
    if not TABLE.is_file():
        return {}
    lines = [line for line in TABLE.read_text().splitlines() if not line.startswith("#")]
    return dict(line.split(": ", 1) for line in lines if line)


def main(arguments: list[str]) -> int:
    update = "--update" in arguments
    nvcc = shutil.which("nvcc") or "/usr/local/cuda/bin/nvcc"
    folder = ROOT / "csrc" / "cuda"
    named = [Path(a).resolve() for a in arguments if not a.startswith("--")]
    table = read_table()
    status = 0
    if sass.cuobjdump() is None:
        print("no cuobjdump: the machine code is not looked at")
    for source in named or sorted(folder.rglob("*.cu")):
        name = source.relative_to(folder).as_posix()
        failed, output, problems = compile_file(nvcc, source)
        if failed:
            print(output)
            print(f"{name}: does not compile")
            status = 1
            continue
        for architecture, (kernels, registers, spilled) in figures(output).items():
            key, value = f"{name} sm_{architecture}", f"{kernels} {registers} {spilled}"
            recorded = table.get(key)
            if update:
                table[key] = value
            elif recorded is None:
                print(f"{key}: {value}, not recorded (--update)")
                status = 1
            elif (registers, spilled) > tuple(int(n) for n in recorded.split()[1:]):
                print(f"{key}: {value}, more than the recorded {recorded}")
                status = 1
        for problem in problems:
            print(problem)
            status = 1
        print(f"{name}: compiled", flush=True)
    if update:
        TABLE.write_text(HEADER + "".join(f"{k}: {v}\n" for k, v in sorted(table.items())))
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
