"""PyMC's package of the same import name: found beside ours, refused, and cheap to look for."""

import os
import subprocess
import sys
import timeit
from pathlib import Path

import pytest

import pytensor
from pytensor import _conflict


def test_own_folder_is_clean() -> None:
    _conflict.check()


@pytest.mark.parametrize("name", ["configdefaults.py", "graph/fg.py", "link/basic.py"])
def test_foreign_file_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).touch()
    with pytest.raises(ImportError, match="PyMC") as caught:
        _conflict.check(str(tmp_path))
    assert name in str(caught.value)
    assert "pip uninstall pytensor pytensor-dl" in str(caught.value)


def test_empty_folders_left_by_an_uninstall_are_no_conflict(tmp_path: Path) -> None:
    (tmp_path / "graph" / "__pycache__").mkdir(parents=True)
    _conflict.check(str(tmp_path))


def test_import_says_so(tmp_path: Path) -> None:
    package = tmp_path / "pytensor"
    package.mkdir()
    for entry in Path(pytensor.__file__).parent.iterdir():
        os.symlink(entry, package / entry.name)
    (package / "configdefaults.py").touch()
    # -S leaves out the editable install's own finder.
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import pytensor"
    done = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True)
    assert done.returncode == 1
    assert "ImportError: PyMC's package 'pytensor' is installed in the same folder" in done.stderr


def test_check_costs_less_than_0_2_ms() -> None:
    assert min(timeit.repeat(_conflict.check, number=10, repeat=5)) / 10 < 2e-4
