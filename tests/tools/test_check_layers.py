"""The layer check: what it lets pass, what it reports, and that the repository itself passes."""

from pathlib import Path

import pytest

from tools.check_layers import check, main

ROOT = Path(__file__).parents[2]


def tree(root: Path, files: dict[str, str]) -> Path:
    for name in ("core/dtype.h", "core/tensor.h", "op/op.h", "ops/sum.h", "autograd/engine.h",
                 "autograd/node.h", "cpu/vec.h", "ops/functors/add.h"):  # fmt: skip
        files.setdefault(f"csrc/{name}", "#pragma once\n")
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


ALLOWED = {
    "core/a.cpp": '#include "core/tensor.h"\n#include <vector>\n',
    "op/a.cpp": '#include "autograd/node.h"\n',
    "ops/a.cpp": '#include "op/op.h"\n',
    "cpu/a.cpp": '#include "cpu/vec.h"\n#include "ops/functors/add.h"\n#include "core/dtype.h"\n',
    "cpu/portable/a.cpp": '#include "core/tensor.h"\n#include <vector>\n',
    "autograd/function.cpp": '#include "ops/sum.h"\n',
    "python/a.cpp": '#include <Python.h>\n#include "autograd/engine.h"\n',
}
FORBIDDEN = {
    "core/a.cpp": ('#include "op/op.h"', "layer core must not include"),
    "autograd/node.cpp": ('#include "op/op.h"', "layer node must not include"),
    "op/a.cpp": ('#include "ops/sum.h"', "layer op must not include"),
    "ops/a.cpp": ('#include "autograd/engine.h"', "layer ops must not include"),
    "ops/b.cpp": ("#include <pybind11/pybind11.h>", "only csrc/python may include"),
    "ops/c.cpp": ('#include "sum.h"', "is no path relative to csrc/"),
    "ops/d.cpp": ('#include "ops/d.cpp"', "is a source file"),
    "cpu/a.cpp": ('#include "core/tensor.h"', "layer kernel must not include"),
    "cpu/b.cpp": ("#include <vector>", "a kernel file must not include <vector>"),
    "misc/a.cpp": ("", "in no known layer"),
}


def test_kernels_are_used(tmp_path: Path) -> None:
    files = {
        "csrc/cpu/a.cpp": 'PT_FLOAT_KERNEL("used", 1, F)\n    {"idle", {nullptr}},\n',
        "csrc/ops/a.cpp": 'const Kernel<Fn> kernel{"used"};\n',
    }
    assert check(tree(tmp_path, files)) == ['csrc/cpu/a.cpp: no op uses the kernel "idle"']


@pytest.mark.parametrize("name", ALLOWED)
def test_allowed_include(name: str, tmp_path: Path) -> None:
    assert check(tree(tmp_path, {f"csrc/{name}": ALLOWED[name]})) == []


@pytest.mark.parametrize("name", FORBIDDEN)
def test_forbidden_include(name: str, tmp_path: Path) -> None:
    text, message = FORBIDDEN[name]
    problems = check(tree(tmp_path, {f"csrc/{name}": f"// banner\n{text}\n"}))
    assert len(problems) == 1
    assert problems[0].startswith(f"csrc/{name}:")
    assert message in problems[0]


@pytest.mark.parametrize(
    "line",
    [
        "import pytensor._C",
        "from pytensor import _C",
        "from .. import _C",
        "from pytensor._C import Tensor",
    ],
)
def test_extension_is_not_imported_above_it(line: str, tmp_path: Path) -> None:
    problems = check(tree(tmp_path, {"pytensor/nn/linear.py": f"{line}\n"}))
    assert problems == ["pytensor/nn/linear.py:1: must not import the extension _C"]


def test_exit_status(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tree(tmp_path / "good", {}))]) == 0
    assert main([str(tree(tmp_path / "bad", {"csrc/core/a.cpp": '#include "op/op.h"\n'}))]) == 1
    assert "layers: 1 violation(s)" in capsys.readouterr().out


def test_repository_is_in_order() -> None:
    assert check(ROOT) == []
