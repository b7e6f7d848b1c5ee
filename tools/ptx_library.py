"""Build a CUDA library whose kernels are nvcc's PTX, run by the emulator.

``python -m tools.ptx_library FOLDER ARCHITECTURE [FILE ...]`` compiles files of csrc/cuda (all of
them without names) with ``nvcc -ptx`` for compute_ARCHITECTURE, translates the PTX to C++
(tools/ptx2cpp), compiles that and the files' host code, and links FOLDER/ptxARCHITECTURE.so. With
PYTENSOR_CUDA_LIBRARY set to it, pytensor runs on what NVIDIA's compiler made of the kernels. No GPU
is needed, but nvcc and a C++ compiler are. Used by tests/cuda/test_ptx.py.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tools import cuda_emulation
from tools.cuda_emulation import EMULATOR, ROOT
from tools.ptx2cpp import translate

CUDA = ROOT / "csrc" / "cuda"
HOST = ["-O0", "-DPT_EMU_PTX"]
EMULATED = ["-O2", "-DPT_EMU_PTX"]
# Folders of files without kernels, which belong to every library; so does the kernel of NEEDED.
HOST_FOLDERS = ("libraries", "runtime")
NEEDED = CUDA / "store.cu"
KERNELS = ["-O1", "-march=native", "-DPT_EMU_PTX"]


def nvcc() -> str | None:
    """CUDA's compiler, or None."""
    found = shutil.which("nvcc") or "/usr/local/cuda/bin/nvcc"
    return found if Path(found).is_file() else None


def make_ptx(source: Path, architecture: int, out: Path, include: Sequence[Path]) -> None:
    """Compile one .cu file to PTX."""
    folders = [f"-I{folder}" for folder in (ROOT / "csrc", *include)]
    cuda_emulation.run(
        [
            nvcc() or "nvcc", "-std=c++20", "-O2", "--expt-relaxed-constexpr", "-ptx",
            f"-arch=compute_{architecture}", *folders, source, "-o", out,
        ]
    )  # fmt: skip


def kernel_files() -> list[Path]:
    """The files of csrc/cuda that have kernels."""
    return [f for f in sorted(CUDA.rglob("*.cu")) if f.parent.name not in HOST_FOLDERS]


def build(
    folder: Path,
    architecture: int,
    sources: Sequence[Path],
    host: Sequence[Path] | None = None,
    include: Sequence[Path] = (),
    jobs: int = 2,
) -> tuple[Path, set[str]]:
    """Build the library.

    Args:
        folder: where objects and the library go.
        architecture: the compute capability whose PTX is made, such as 80.
        sources: .cu files with kernels; the table has no other kernels than theirs.
        host: files without kernels; those that csrc/cuda has for all libraries if None.
        include: folders of headers besides csrc.
        jobs: how many compilers run at once.

    Returns:
        The library, and the instructions that were translated.

    Raises:
        tools.ptx2cpp.UnknownInstruction: there is no translation of something in the PTX.
        RuntimeError: a compiler failed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    used: set[str] = set()

    def kernels_of(source: Path) -> Path:
        ptx = folder / f"{source.parent.name}.{source.stem}.{architecture}.ptx"
        make_ptx(source, architecture, ptx, include)
        text, instructions = translate(ptx.read_text(), source.name)
        used.update(instructions)
        translated = ptx.with_suffix(".ptx.cpp")
        translated.write_text(text)
        return cuda_emulation.compile_one(translated, ptx.with_suffix(".ptx.o"), KERNELS, ())

    def host_of(source: Path) -> Path:
        flags = EMULATED if source.parent == EMULATOR else HOST
        out = folder / f"{source.parent.name}.{source.stem}.o"
        return cuda_emulation.compile_one(source, out, flags, include)

    if host is None:
        host = [f for folder in HOST_FOLDERS for f in sorted((CUDA / folder).glob("*.cu"))]
        sources = [*sources, *({NEEDED} - set(sources))]
    with ThreadPoolExecutor(jobs) as pool:
        kernels = pool.map(kernels_of, sources)
        hosts = pool.map(host_of, [*sources, *host, *sorted(EMULATOR.glob("*.cpp"))])
        objects = [*kernels, *hosts]
    library = folder / f"ptx{architecture}.so"
    cuda_emulation.link(objects, library, ["-Wl,--no-undefined"])
    return library, used


def main(arguments: list[str]) -> int:
    if len(arguments) < 2:
        print(__doc__)
        return 2
    folder, architecture, *names = arguments
    sources = [Path(name).resolve() for name in names] or kernel_files()
    library, used = build(Path(folder), int(architecture), sources)
    print(f"{library}: {len(used)} kinds of instructions")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
