"""Saving replaces files as a whole or not at all."""

from __future__ import annotations

import os
import stat

import pytest

import pytensor
from pytensor.serialization._atomic import AtomicFile


class Unpicklable:
    def __reduce__(self):
        raise ZeroDivisionError("on purpose")


def listing(folder) -> list[str]:
    return sorted(os.listdir(folder))


def test_error_while_pickling_keeps_the_old_file(tmp_path):
    path = tmp_path / "a.pt"
    pytensor.save([1], path)
    for zipped in (True, False):
        with pytest.raises(ZeroDivisionError):
            pytensor.save(
                [pytensor.ones(9), Unpicklable()], path, _use_new_zipfile_serialization=zipped
            )
    assert pytensor.load(path) == [1]
    assert listing(tmp_path) == ["a.pt"]


@pytest.mark.parametrize("call", ["write", "fsync", "replace"])
def test_full_disk_keeps_the_old_file(tmp_path, monkeypatch, call):
    path = tmp_path / "a.pt"
    pytensor.save([1], path)
    original = getattr(os, call)
    calls = []

    def fail(*args):
        calls.append(args)
        if call == "write" and len(calls) < 5:
            return original(*args)
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, call, fail)
        with pytest.raises(OSError, match="No space"):
            pytensor.save(pytensor.ones(1000), path)
    assert calls
    assert pytensor.load(path) == [1]
    assert listing(tmp_path) == ["a.pt"]


def test_interrupt_leaves_nothing_behind(tmp_path):
    def write():
        with AtomicFile(tmp_path / "new") as file:
            file.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write()
    assert listing(tmp_path) == []


def test_links_and_permissions_stay(tmp_path):
    real = tmp_path / "real"
    real.mkdir()
    target = real / "a.pt"
    pytensor.save(1, target)
    assert stat.S_IMODE(target.stat().st_mode) & 0o600 == 0o600
    target.chmod(0o640)
    link = tmp_path / "link.pt"
    link.symlink_to(target)
    pytensor.save(2, link)
    assert link.is_symlink()
    assert pytensor.load(target) == 2
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    assert listing(real) == ["a.pt"]


def test_what_is_no_file_is_written_to(tmp_path):
    pytensor.save([1], os.devnull)
    assert not os.path.isfile(os.devnull)
    with pytest.raises(OSError):
        pytensor.save([1], tmp_path)
    with pytest.raises(RuntimeError, match=r"Parent directory .* does not exist"):
        pytensor.save([1], tmp_path / "missing" / "a.pt")


def test_short_writes_are_continued(tmp_path, monkeypatch):
    original = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: original(fd, memoryview(data)[:1000]))
    pytensor.save(pytensor.arange(5000), tmp_path / "a.pt")
    monkeypatch.undo()
    assert pytensor.equal(pytensor.load(tmp_path / "a.pt"), pytensor.arange(5000))
