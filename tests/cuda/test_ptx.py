"""Kernels as nvcc compiles them: its PTX, translated to C++, on the emulator.

Libraries are built from a few files (PYTENSOR_PTX_FILES=all takes every file, which needs minutes)
for the oldest and the newest architecture. Their results must have the same bits, and be within the
tolerance of the dtype from those of the emulated sources. Needs nvcc; skipped without.
"""

from __future__ import annotations

import json
import math
import os
import platform
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

import pytensor
from tests.cuda import test_faults
from tools import cuda_emulation, ptx_library
from tools.ptx2cpp import UnknownInstruction, translate

ROOT = Path(__file__).parents[2]
EMULATED = Path(pytensor._C.__file__).parent / "lib" / "libpytensor_cuda.so"
FEW = (
    "gemm.cu", "gemm/bfloat16.cu", "gemm/half.cu", "gemm/tf32.cu", "conv/conv.cu", "conv/half.cu",
    "conv/bfloat16.cu", "conv/tf32.cu", "copy.cu", "reduce/softmax.cu", "reduce/moments.cu",
    "pointwise/trig.cu",
)  # fmt: skip
ARCHITECTURES = (80, 120)
# Exponentials are the host's in one and NVIDIA's in the other, and nvcc contracts products.
TOLERANCES = {"float64": 1e-12, "float32": 1e-5, "float16": 2e-3, "bfloat16": 1.6e-2}

needs_nvcc = pytest.mark.skipif(
    ptx_library.nvcc() is None
    or cuda_emulation.compiler() is None
    or platform.machine() != "x86_64"
    or not EMULATED.exists(),
    reason="needs nvcc, a C++ compiler for x86-64 and a build with PYTENSOR_CUDA=EMULATE",
)

ENTRY = """
.version 8.0
.target sm_80
.address_size 64
.visible .entry twice(.param .u64 twice_param_0)
{{
  .reg .b32 %r<3>; .reg .b64 %rd<3>;
  ld.param.u64 %rd1, [twice_param_0];
  cvta.to.global.u64 %rd2, %rd1;
  ld.global.u32 %r1, [%rd2];
  {instruction}
  st.global.u32 [%rd2+4], %r2;
  ret;
}}
"""


def test_translation_names_unknown_instructions():
    text, used = translate(ENTRY.format(instruction="shl.b32 %r2, %r1, 1;"), "twice.cu")
    assert "k_twice" in text
    assert "shl.b32" in used
    with pytest.raises(UnknownInstruction, match=r"wgmma\.fence.* in twice"):
        translate(ENTRY.format(instruction="wgmma.fence.sync.aligned %r2, %r1;"), "twice.cu")


def results(library: Path) -> dict[str, list[float]]:
    """What the calls give with a library."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.cuda.ptx_calls"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=os.environ | {"PYTENSOR_CUDA_LIBRARY": str(library), "PYTENSOR_EMU_ORDER": "random"},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return {line["name"]: line["values"] for line in lines}


@pytest.fixture(scope="module")
def by_library(tmp_path_factory) -> dict[str, dict[str, list[float]]]:
    """Results of the emulated sources and of each architecture's PTX."""
    every = os.environ.get("PYTENSOR_PTX_FILES") == "all"
    sources = ptx_library.kernel_files() if every else [ptx_library.CUDA / name for name in FEW]
    made = {"sources": results(EMULATED)}
    for architecture in ARCHITECTURES:
        folder = tmp_path_factory.mktemp(f"ptx{architecture}")
        library, used = ptx_library.build(folder, architecture, sources)
        print(f"compute_{architecture}: {len(used)} kinds of instructions")
        made[str(architecture)] = results(library)
    return made


def same_bits(a: list[float], b: list[float]) -> bool:
    return [repr(x) for x in a] == [repr(x) for x in b]


def near(a: float, b: float, tolerance: float) -> bool:
    if math.isnan(a) or math.isnan(b) or math.isinf(a) or math.isinf(b):
        return repr(a) == repr(b)
    return abs(a - b) <= tolerance * max(1.0, abs(b))


@needs_nvcc
def test_architectures_have_the_same_bits(by_library):
    old, new = (by_library[str(a)] for a in ARCHITECTURES)
    assert old.keys() == new.keys()
    assert [name for name in old if not same_bits(old[name], new[name])] == []


@needs_nvcc
def test_ptx_and_sources_agree(by_library):
    sources, ptx = by_library["sources"], by_library[str(ARCHITECTURES[0])]
    assert sources.keys() == ptx.keys()
    wrong = []
    for name, values in sources.items():
        tolerance = next((t for dtype, t in TOLERANCES.items() if dtype in name), 0.0)
        pairs = zip(values, ptx[name], strict=True)
        if not all(near(a, b, tolerance) for a, b in pairs):
            wrong.append(name)
    equal = sum(same_bits(sources[name], ptx[name]) for name in sources)
    print(f"{len(sources)} results, {equal} with equal bits")
    assert wrong == []


@needs_nvcc
def test_planted_faults(tmp_path):
    """Barriers, atomics, warps and asynchronous copies: the small kernels of tests/cuda/faults."""
    sources, harness = sorted(test_faults.HERE.glob("*.cu")), test_faults.HERE / "harness.cpp"
    include = [test_faults.HERE]
    libraries = {
        "sources": cuda_emulation.build("fast", [*sources, harness], tmp_path, "fast", include),
        "ptx": ptx_library.build(tmp_path, ARCHITECTURES[0], sources, [harness], include)[0],
    }
    orders = [("forward", "0"), ("reverse", "1"), ("random", "0")]
    outcomes: dict[tuple[str, str, bool], list[dict]] = defaultdict(list)
    for kind, library in libraries.items():
        for order in orders:
            for one in test_faults.run_library(library, *order):
                outcomes[kind, one["name"], one["faulty"]].append(one)
    names = sorted({name for _, name, _ in outcomes})
    caught = 0
    for name in names:
        twin = outcomes["ptx", name, False]
        assert test_faults.symptoms(twin, twin, "fast") == "", name
        assert twin[0]["result"] == outcomes["sources", name, False][0]["result"], name
        caught += bool(test_faults.symptoms(outcomes["ptx", name, True], twin, "fast"))
    print(f"{caught} of {len(names)} faults caught")
    assert caught >= 30
