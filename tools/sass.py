"""What the machine code of a kernel says about its loads and its units. Used by tools.check_cuda.

Registers and spills do not show whether packs of 16 bytes became single loads, nor whether a
matrix product runs on the tensor cores. cuobjdump shows both, and needs no GPU (pip install
nvidia-cuda-cuobjdump nvidia-cuda-nvdisasm, or a CUDA toolkit).
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

FUNCTION = re.compile(r"Function : (\S+)")
LOCAL = re.compile(r"\b(?:LDL|STL)\b")
LOCAL_FEW = 16  # accesses: four registers, 16 bytes, that are stored once and loaded thrice
# Kernels in which some load takes 16 bytes: (files, kernels).
WIDE = (
    (r"pointwise/.*|copy\.cu", r"^dense_kernel"),
    (r"(gemm|conv).*", r"^(gemm|conv)_(tensor_core_)?kernel"),
)
LOAD = re.compile(r"\b(?:LDG|LDGSTS)\b")  # some kernels give the same for all elements
WIDE_LOAD = re.compile(r"\b(?:LDG\.E\S*\.128|LDGSTS\.E\S*\.128)")
# Kernels that must use the tensor cores, in any file.
TENSOR_CORE = re.compile(r"tensor_core")
TENSOR_CORE_MATH = re.compile(r"\b(?:HMMA|HGMMA|UTCHMMA)\b")
# Local memory that is no spill: (files, kernels).
LOCAL_ALLOWED = (
    # The reduction of large angles keeps its digits there.
    (r"pointwise/trig\.cu", r".*"),
    (r"pointwise/special\.cu", r"<(?:Digamma|Trigamma|Polygamma|Bessel\w+)\b"),
    (r"random/random\.cu", r"(?:cauchy|normal)_kernel<double>"),
    (r"random/rejection\.cu", r"^(?:slope|sample)_kernel"),
)


def local_allowed(file: str, kernel: str) -> bool:
    """Whether the kernel may use local memory."""
    return any(re.fullmatch(f, file) and re.search(k, kernel) for f, k in LOCAL_ALLOWED)


def cuobjdump() -> str | None:
    """The program, or None: of the path, of a toolkit, or of a wheel of this environment."""
    wheels = [Path(p) / "nvidia" / "cu13" / "bin" for p in sys.path if p]
    places = [os.environ.get("PATH", ""), "/usr/local/cuda/bin", *map(str, wheels)]
    return shutil.which("cuobjdump", path=os.pathsep.join(places))


def cuobjdump_output(*arguments: str | Path) -> str:
    """What cuobjdump prints.

    Raises:
        RuntimeError: it failed, or there is none.
    """
    program = cuobjdump()
    if program is None:
        raise RuntimeError("no cuobjdump")
    folder = os.path.dirname(program)  # nvdisasm lies beside it
    path = os.pathsep.join([folder, os.environ.get("PATH", "")])
    done = subprocess.run(
        [program, *arguments], capture_output=True, text=True, env=os.environ | {"PATH": path}
    )
    if done.returncode != 0:
        raise RuntimeError(f"cuobjdump: {done.stderr.strip()[:200]}")
    return done.stdout


def by_function(text: str) -> dict[str, str]:
    """The instructions of each function in cuobjdump's output."""
    parts = FUNCTION.split(text)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def problems_of(functions: dict[str, str], file: str) -> list[str]:
    """What is wrong with the machine code of a file of csrc/cuda, a line each.

    Args:
        functions: the instructions of each kernel, by its name without namespaces.
        file: the source, relative to csrc/cuda.
    """
    found = []
    wide = next((kernels for files, kernels in WIDE if re.fullmatch(files, file)), None)
    for function, code in functions.items():
        local = len(LOCAL.findall(code))
        if local > LOCAL_FEW and not local_allowed(file, function):
            found.append(f"{file}: {function} has {local} accesses to local memory")
        if TENSOR_CORE.search(function) and not TENSOR_CORE_MATH.search(code):
            found.append(f"{file}: {function} does not use the tensor cores")
        packs = wide is not None and re.search(wide, function)
        if packs and LOAD.search(code) and not WIDE_LOAD.search(code):
            found.append(f"{file}: {function} has no load of 16 bytes")
    return found
