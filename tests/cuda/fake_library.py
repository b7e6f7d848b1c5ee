"""Libraries of CUDA's makers, made for tests: compiled, and used by programs on the emulator."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cuda.settings import EMULATED, IS_CHECKED

SOURCES = Path(__file__).parent / "fakes"
COMPILER = shutil.which("c++") or shutil.which("g++")

needs_fake = [
    pytest.mark.skipif(not EMULATED, reason="no emulated cuda device"),
    pytest.mark.skipif(IS_CHECKED, reason="the fake's stores would not be seen"),
    pytest.mark.skipif(COMPILER is None, reason="no C++ compiler"),
]

HEAD = """
import ctypes, os
import pytensor as pt
from pytensor.cuda import libraries
fake = ctypes.CDLL(os.environ["FAKE"])
fake.fake_complaint.restype = ctypes.c_char_p
pt.manual_seed(0)
"""


def build(source: str, folder: Path, name: str, version: int) -> Path:
    """The library ``name`` in a folder, which is made.

    Args:
        source: a file of fakes/.
        folder: where the library goes.
        name: as the loader knows it.
        version: what it says of itself.
    """
    folder.mkdir(parents=True, exist_ok=True)
    library = folder / name
    command = [COMPILER, "-std=c++20", "-O1", "-fPIC", "-shared", f"-DFAKE_VERSION={version}"]
    subprocess.run([*command, str(SOURCES / source), "-o", str(library)], check=True)
    return library


def run(
    head: str,
    library: Path,
    program: str,
    setting: str | None = None,
    **environment: str,
) -> list[str]:
    """The lines that a program prints which may use the library; ``fake`` is its functions.

    Args:
        head: goes before the program.
        library: of ``build``.
        program: in Python.
        setting: PYTENSOR_CUDA_LIBRARIES; the library's folder if it is None.
        environment: further variables.
    """
    env = os.environ | {"FAKE": str(library)} | environment
    env["PYTENSOR_CUDA_LIBRARIES"] = str(library.parent) if setting is None else setting
    done = subprocess.run(
        [sys.executable, "-c", HEAD + head + program],
        env=env,
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()
