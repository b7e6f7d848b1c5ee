"""tools/check_wheel.py: what it finds in wheels that are not in order."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

import pytensor
from tools import check_wheel

LIBRARY = Path(pytensor._C.__file__).parent / "lib" / "libpytensor_cuda.so"


def wheel_of(folder: Path, name: str, content: bytes) -> Path:
    path = folder / "some.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
        wheel.writestr(name, content)
    return path


def test_library_that_plays_a_device_is_refused(tmp_path):
    if not LIBRARY.exists() or not pytensor.cuda.is_available():
        pytest.skip("no cuda device")
    if "emulated" not in pytensor.cuda.get_device_name():
        pytest.skip("a real device")
    problems = check_wheel.check(wheel_of(tmp_path, "pytensor/lib/x.so", LIBRARY.read_bytes()))
    assert any("only plays a cuda device" in problem for problem in problems)


def test_folder_of_the_build_is_found(tmp_path):
    problems = check_wheel.check(wheel_of(tmp_path, "pytensor/x.so", str(Path.cwd()).encode()))
    assert "pytensor/x.so names the folder it was built in" in problems


def test_exports_of_the_cuda_library(tmp_path):
    own = Path(pytensor._C.__file__).read_bytes()
    problems = check_wheel.check(wheel_of(tmp_path, check_wheel.CUDA_LIBRARY, own))
    assert f"{check_wheel.CUDA_LIBRARY} exports PyInit__C" in problems
    assert f"{check_wheel.CUDA_LIBRARY} lacks pytensor_device_api" in problems
