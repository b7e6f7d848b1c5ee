"""Machines without a device: questions are answered at once and in silence, the rest is an error.

Runs with every build. PYTENSOR_TEST_PYTHON names another interpreter than this one, such as that of
an environment in which a wheel was installed.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PYTHON = os.environ.get("PYTENSOR_TEST_PYTHON", sys.executable)
ERROR = """
try:
    module.zeros(2, device="cuda")
except Exception as error:
    print(type(error).__name__, "|", error)
"""


def run(code: str, **setting: str) -> str:
    """Output of a fresh interpreter, which must print nothing to stderr."""
    done = subprocess.run(
        [PYTHON, "-I", "-c", code], capture_output=True, text=True, env=os.environ | setting
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.strip()


def library() -> Path:
    where = run("import pytensor._C; print(pytensor._C.__file__)", PYTENSOR_CUDA_LIBRARY="/none")
    return Path(where).parent / "lib" / "libpytensor_cuda.so"


def has_driver() -> bool:
    try:
        ctypes.CDLL("libcuda.so.1")
    except OSError:
        return False
    return True


@pytest.fixture(params=["without the CUDA library", "with it, without a driver"])
def setting(request) -> dict[str, str]:
    """Environment in which there is no device."""
    if request.param.startswith("without"):
        return {"PYTENSOR_CUDA_LIBRARY": "/none"}
    path = library()
    if not path.exists() or b"pytensor emulator: " in path.read_bytes():
        pytest.skip("a build without the CUDA library")
    if has_driver():
        pytest.skip("there is a driver")
    os.environ.pop("PYTENSOR_CUDA_LIBRARY", None)
    return {}


def test_asking_is_quick_and_silent(setting):
    code = """
import time
import pytensor as module
start = time.process_time()  # a loaded machine takes longer
answer = module.cuda.is_available()
seconds = time.process_time() - start
print(answer, module.cuda.device_count(), module.cuda.is_initialized(), seconds)"""
    runs = [run(code, **setting).split() for _ in range(5)]
    assert {tuple(answers) for *answers, _ in runs} == {("False", "0", "False")}
    assert min(float(seconds) for *_, seconds in runs) < 0.005


def test_asking_twice_is_cheap(setting):
    code = """
import timeit
import pytensor
pytensor.cuda.is_available()
print(min(timeit.repeat(pytensor.cuda.is_available, number=100)) / 100)"""
    assert float(run(code, **setting)) < 20e-6


def test_nothing_is_loaded_that_is_of_no_use(setting):
    code = """
import pytensor
pytensor.cuda.is_available()
print([line for line in open("/proc/self/maps") if "pytensor_cuda" in line or "libcuda" in line])"""
    assert run(code, **setting) == "[]"


def test_error_without_library_is_torchs():
    ours = run("import pytensor as module" + ERROR, PYTENSOR_CUDA_LIBRARY="/none")
    assert ours == "AssertionError | Torch not compiled with CUDA enabled"
    torch = pytest.importorskip("torch")
    if torch.version.cuda is None and sys.executable == PYTHON:
        assert run("import torch as module" + ERROR) == ours


def test_error_without_driver_is_of_torchs_class_and_says_what_is_missing(setting):
    if setting:
        pytest.skip("a build without the CUDA library")
    name, text = run("import pytensor as module" + ERROR).split(" | ")
    assert name == "RuntimeError"
    assert text.startswith("Found no NVIDIA driver on your system")
    for call in ("cuda.init()", "cuda.current_device()", "ones(1).cuda()", "cuda.Stream()"):
        code = f"""
import pytensor
try:
    pytensor.{call}
except RuntimeError as error:
    print("no NVIDIA driver" in str(error))"""
        assert run(code) == "True", call


def test_tensors_of_the_cpu_are_as_ever(setting):
    code = """
import pytensor
device = "cuda" if pytensor.cuda.is_available() else "cpu"
pytensor.cuda.manual_seed_all(0)
pytensor.cuda.empty_cache()
x = pytensor.ones(3, device=device, requires_grad=True)
(x * 2).sum().backward()
print(x.grad.tolist())"""
    assert run(code, **setting) == "[2.0, 2.0, 2.0]"


def test_library_needs_nothing_of_nvidia():
    path, objdump = library(), shutil.which("objdump")
    if not path.exists() or objdump is None:
        pytest.skip("no CUDA library, or no objdump")
    text = subprocess.run([objdump, "-p", path], capture_output=True, text=True).stdout
    needed = {line.split()[1] for line in text.splitlines() if line.startswith("  NEEDED")}
    assert needed
    known = {"libc.so.6", "libm.so.6", "libstdc++.so.6", "libgcc_s.so.1", "libpthread.so.0",
             "libdl.so.2", "librt.so.1", "ld-linux-x86-64.so.2"}  # fmt: skip
    assert needed <= known
