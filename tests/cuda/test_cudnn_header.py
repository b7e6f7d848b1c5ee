"""What is declared of cuDNN (csrc/cuda/libraries/cudnn.h) beside NVIDIA's own headers.

They are looked for where ``pip install nvidia-cudnn-cu13``, a package of the system or CUDNN_PATH
puts them. fakes/cudnn_header.cpp makes the comparisons, which the compiler does.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cuda.fake_library import COMPILER, SOURCES

ROOT = Path(__file__).parents[2]
# What the headers want of CUDA's, which need not be installed.
OF_CUDA = {
    "cuda_runtime_api.h": """
#include <stddef.h>
typedef struct CUstream_st* cudaStream_t;
typedef struct CUgraph_st* cudaGraph_t;
""",
    "library_types.h": "typedef int libraryPropertyType;\n",
}


def headers() -> Path | None:
    """The folder of NVIDIA's headers of cuDNN 9, or None."""
    folders = [Path(p, "nvidia", "cudnn", "include") for p in sys.path]
    folders += [Path("/usr/include"), Path("/usr/local/cuda/include")]
    if home := os.environ.get("CUDNN_PATH"):
        folders.insert(0, Path(home, "include"))
    for folder in folders:
        version = folder / "cudnn_version.h"
        if version.is_file() and "#define CUDNN_MAJOR 9" in version.read_text():
            return folder
    return None


@pytest.fixture
def compiled(tmp_path):
    """Whether the comparisons hold with a folder of cudnn.h before csrc, and what was said."""
    installed = headers()
    if installed is None or COMPILER is None:
        pytest.skip("no headers of cuDNN 9, or no C++ compiler")
    for name, text in OF_CUDA.items():
        (tmp_path / name).write_text(text)

    def compile_with(first: Path) -> str:
        folders = [first, ROOT / "csrc", tmp_path, installed]
        command = [COMPILER, "-std=c++20", "-fsyntax-only", "-Wno-deprecated-declarations"]
        command += [f"-I{folder}" for folder in folders]
        command.append(str(SOURCES / "cudnn_header.cpp"))
        return subprocess.run(command, capture_output=True, text=True).stderr

    return compile_with


def test_declarations_are_those_of_the_headers(compiled):
    assert compiled(ROOT / "csrc") == ""


@pytest.mark.parametrize(
    ("declared", "wrong"),
    [
        ("kBFloat16 = 9", "kBFloat16 = 14"),
        ("kExecutionFailed = 5000", "kExecutionFailed = 4000"),
        ("size_t memory;", "int memory;"),
        ("int algorithm, size_t* bytes", "int algorithm, int* bytes"),
    ],
)
def test_differences_are_seen(compiled, tmp_path, declared, wrong):
    text = (ROOT / "csrc/cuda/libraries/cudnn.h").read_text()
    assert declared in text
    changed = tmp_path / "changed" / "cuda" / "libraries" / "cudnn.h"
    changed.parent.mkdir(parents=True)
    changed.write_text(text.replace(declared, wrong))
    assert "static assertion failed" in compiled(tmp_path / "changed")
