"""What the machine code of a kernel says about its memory traffic. Used by tools.check_cuda.

nvcc's registers and spills do not show whether packs of 16 bytes became single loads, nor arrays
that ended in local memory. cuobjdump shows both, and needs no GPU (pip install
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
# Files, and the kernels in them whose inputs come 16 bytes at a time.
WIDE = {r"pointwise/.*": r"dense_kernel", r"copy\.cu": r"dense_kernel", r"gemm.*": r"gemm.*kernel"}
WIDE_LOAD = re.compile(r"\b(?:LDG\.E\.128|LDGSTS\.E\S*\.128)")
# Where that is known to be otherwise, and why.
NARROW = {"gemm.cu": "loads by element, for any strides and dtypes"}
# Local memory that is no spill: files, and the kernels.
LOCAL_ALLOWED = {
    r"pointwise/trig\.cu": ".*",  # the reduction of large angles keeps its digits there
}


def cuobjdump() -> str | None:
    """The program, or None: of the path, of a toolkit, or of a wheel of this environment."""
    wheels = [Path(p) / "nvidia" / "cu13" / "bin" for p in sys.path if p]
    places = [os.environ.get("PATH", ""), "/usr/local/cuda/bin", *map(str, wheels)]
    return shutil.which("cuobjdump", path=os.pathsep.join(places))


def by_function(text: str) -> dict[str, str]:
    """The instructions of each function in cuobjdump's output."""
    parts = FUNCTION.split(text)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def problems_of(functions: dict[str, str], name: str) -> list[str]:
    """What is wrong with the machine code of the file ``name``, a line each."""
    found = []
    wide = next((kernels for files, kernels in WIDE.items() if re.fullmatch(files, name)), None)
    allowed = next((k for files, k in LOCAL_ALLOWED.items() if re.fullmatch(files, name)), None)
    for function, code in functions.items():
        local = len(LOCAL.findall(code))
        if local and not (allowed and re.search(allowed, function)):
            found.append(f"{name}: {function} has {local} accesses to local memory")
    if wide and name not in NARROW:
        candidates = {f: code for f, code in functions.items() if re.search(wide, f)}
        if candidates and not any(WIDE_LOAD.search(code) for code in candidates.values()):
            found.append(f"{name}: no kernel loads 16 bytes at once")
    return found


def problems(compiled: Path, name: str, architecture: str = "80") -> list[str]:
    """As ``problems_of``, of an object file or a cubin; nothing without cuobjdump."""
    program = cuobjdump()
    if program is None:
        return []
    folder = os.path.dirname(program)  # nvdisasm lies beside it
    done = subprocess.run(
        [program, "-sass", "-arch", f"sm_{architecture}", compiled],
        capture_output=True,
        text=True,
        env=os.environ | {"PATH": os.pathsep.join([folder, os.environ.get("PATH", "")])},
    )
    if done.returncode != 0:
        return [f"{name}: cuobjdump: {done.stderr.strip()[:200]}"]
    return problems_of(by_function(done.stdout), name)
