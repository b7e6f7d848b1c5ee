"""The committed type stubs are those of the registry, and they help a type checker."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tools import make_stubs

ROOT = Path(__file__).parents[2]

PROGRAM = """
import pytensor as pt

x = pt.randn(2, 3, requires_grad=True)
y: pt.Tensor = pt.add(x, 2, alpha=3).view(3, 2).sum(dim=0)
values, indices = x.max(dim=1)
n: int = x.size(0)
split: tuple[pt.Tensor, ...] = x.unbind(0)
{line}
"""


def test_stubs_are_current(capsys):
    assert make_stubs.main(["--check"]) == 0, capsys.readouterr().out


@pytest.mark.parametrize("name", ["_C.pyi", "__init__.pyi"])
def test_every_public_op_is_in_the_stubs(name):
    import pytensor

    text = (ROOT / "pytensor" / name).read_text()
    functions = pytensor._C.functions
    public = [n for n in functions if getattr(pytensor, n, None) is functions[n]]
    absent = [n for n in public if f"def {n}(" not in text and f"{n} as {n}" not in text]
    assert not absent


@pytest.mark.slow
@pytest.mark.parametrize(
    ("line", "mistake"),
    [
        ("", ""),
        ("pt.exp('a')", 'incompatible type "str"'),
        ("x.sum(dim='a')", 'incompatible type "str"'),
        ("pt.no_such_op(x)", "has no attribute"),
        ("y.no_such_method()", "has no attribute"),
    ],
)
def test_type_checker_understands_them(tmp_path, line, mistake):
    pytest.importorskip("mypy")
    program = tmp_path / "program.py"
    program.write_text(PROGRAM.format(line=line))
    command = [sys.executable, "-m", "mypy", "--follow-imports=silent", "--no-error-summary"]
    done = subprocess.run(
        [*command, str(program)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert mistake in done.stdout
    assert (done.returncode == 0) == (mistake == ""), done.stdout + done.stderr
