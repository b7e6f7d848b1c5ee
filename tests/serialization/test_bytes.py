"""The bytes under saving: checksums in threads, joined buffers, what a BytesIO then holds."""

from __future__ import annotations

import gc
import io
import os
import time
import zlib

import numpy as np
import pytest

import pytensor
from pytensor import _C

SLICE = 256 << 10


@pytest.mark.parametrize(
    "size", [0, 1, 63, 64, 1000, 2 * SLICE - 1, 2 * SLICE, 2 * SLICE + 1, 5 * SLICE, 7 * SLICE - 9]
)
@pytest.mark.parametrize("start", [0, 0x1234ABCD])
def test_checksums_equal_zlibs(size, start):
    data = np.random.default_rng(size).integers(0, 256, size, dtype=np.uint8).tobytes()
    assert _C.crc32(data, start) == zlib.crc32(data, start)


def test_joined_buffers():
    rng = np.random.default_rng(0)
    sizes = [0, 3, 5 << 20, 0, 1, 1 << 20, (1 << 20) - 4, 7, 0]
    parts = [rng.integers(0, 256, n, dtype=np.uint8) for n in sizes]
    assert _C.join([memoryview(p) for p in parts]) == b"".join(p.tobytes() for p in parts)
    assert _C.join([]) == b""
    with pytest.raises(TypeError):
        _C.join(["no buffer"])


class Own(io.BytesIO):
    pass


def filled() -> io.BytesIO:
    file = io.BytesIO(b"before")
    file.seek(0, io.SEEK_END)
    return file


@pytest.mark.parametrize("make", [io.BytesIO, Own, filled])
@pytest.mark.parametrize("zipped", [True, False])
def test_memory_files_are_written_from_where_they_stand(make, zipped):
    obj = {"a": pytensor.arange(100_000.0), "b": [1, "two"]}
    file = make()
    start = file.tell()
    pytensor.save(obj, file, _use_new_zipfile_serialization=zipped)
    assert file.tell() == len(file.getvalue())
    assert file.getvalue()[:start] == b"before"[:start]
    plain = io.BytesIO(file.getvalue()[start:])
    assert pytensor.load(plain)["a"].equal(obj["a"])
    file.write(b"after")
    assert file.getvalue().endswith(b"after")


def test_error_leaves_a_memory_file_empty():
    class Broken:
        def __reduce__(self):
            raise ZeroDivisionError("on purpose")

    file = io.BytesIO()
    with pytest.raises(ZeroDivisionError):
        pytensor.save([pytensor.ones(9), Broken()], file)
    assert file.getvalue() == b""
    file.close()
    with pytest.raises(ValueError, match="closed"):
        pytensor.save(1, file)


def test_memory_file_in_use_cannot_be_written():
    file = io.BytesIO()
    with file.getbuffer(), pytest.raises(BufferError):
        pytensor.save(1, file)


def test_replaced_files_are_let_go(tmp_path):
    path = tmp_path / "large.pt"
    before = len(os.listdir("/proc/self/fd"))
    for k in range(3):
        pytensor.save(pytensor.full((1_500_000,), float(k)), path)
    assert pytensor.load(path)[0] == 2
    gc.collect()
    until = time.monotonic() + 10
    while len(os.listdir("/proc/self/fd")) > before and time.monotonic() < until:
        time.sleep(0.01)
    assert len(os.listdir("/proc/self/fd")) <= before
    assert os.listdir(tmp_path) == ["large.pt"]
