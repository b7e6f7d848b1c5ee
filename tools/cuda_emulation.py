"""Build libraries of .cu files for a host that plays the device, outside of CMake.

Used by tests/cuda for small files of their own and by tools.ptx_library. The ways to build:
``fast`` (the emulator alone), ``checked`` (every access to memory is seen) and ``undefined``
(the fast one with the compiler's checks of overflow, alignment and bounds).
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).parent.parent
EMULATOR = ROOT / "csrc" / "cuda" / "emu"

BASE = [
    "-std=gnu++20", "-fPIC", "-fvisibility=hidden", "-ffp-contract=off", "-fno-strict-aliasing",
    "-w", "-DPT_CUDA_EMULATION",
]  # fmt: skip
WAYS = {
    "fast": ["-O2"],
    "checked": ["-O1", "-g1", "-fno-tree-sra", "-fsanitize=thread", "-DPT_EMU_CHECKED"],
    "undefined": ["-O1", "-g1", "-fsanitize=undefined,alignment,bounds", "-fno-sanitize=vptr"],
}


def compiler() -> str | None:
    """The C++ compiler: CXX, or g++; None without one."""
    return shutil.which(os.environ.get("CXX", "g++"))


def run(command: Sequence[str | os.PathLike[str]]) -> None:
    """Run a compiler; its messages become the error.

    Raises:
        RuntimeError: it failed.
    """
    done = subprocess.run([os.fspath(part) for part in command], capture_output=True, text=True)
    if done.returncode != 0:
        text = " ".join(os.fspath(part) for part in command)
        raise RuntimeError(f"{text}\n{done.stderr[-4000:]}")


def compile_one(source: Path, out: Path, flags: Sequence[str], include: Sequence[Path]) -> Path:
    """Compile one file, through ccache where there is one."""
    program = compiler()
    if program is None:
        raise RuntimeError("no C++ compiler")
    cache = shutil.which("ccache")
    language = ["-x", "c++"] if source.suffix == ".cu" else []
    folders = [f"-I{folder}" for folder in (ROOT / "csrc", *include)]
    prefix = [cache] if cache else []
    run([*prefix, program, *BASE, *flags, *folders, *language, "-c", source, "-o", out])
    return out


def link(objects: Sequence[Path], library: Path, flags: Sequence[str] = ()) -> None:
    """Link objects to a library."""
    run([compiler() or "", "-shared", *flags, *objects, "-o", library, "-ldl", "-lpthread"])


def build(
    way: str,
    sources: Sequence[Path],
    folder: Path,
    name: str,
    include: Sequence[Path] = (),
    jobs: int = 2,
) -> Path:
    """Compile ``sources`` with the emulator in one of ``WAYS`` and link ``folder/name.so``.

    Args:
        way: a key of ``WAYS``.
        sources: .cu and .cpp files; all of them are compiled with the way's checks.
        folder: where objects and the library go.
        name: of the library, without its ending.
        include: folders of headers besides csrc.
        jobs: how many compilers run at once.

    Returns:
        The path of the library.
    """
    folder.mkdir(parents=True, exist_ok=True)
    emulator_flags = ["-O2", *(["-DPT_EMU_CHECKED"] if way == "checked" else [])]
    tasks = [(s, folder / f"{name}.{s.stem}.o", WAYS[way]) for s in sources]
    tasks += [
        (s, folder / f"{name}.emu.{s.stem}.o", emulator_flags)
        for s in sorted(EMULATOR.glob("*.cpp"))
    ]
    with ThreadPoolExecutor(jobs) as pool:
        objects = list(pool.map(lambda t: compile_one(t[0], t[1], t[2], include), tasks))
    library = folder / f"{name}.so"
    link(
        objects, library, ["-fsanitize=undefined"] if way == "undefined" else ["-Wl,--no-undefined"]
    )
    return library
