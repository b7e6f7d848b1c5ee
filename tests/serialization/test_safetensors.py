"""The safetensors format, beside the reference implementation where it is installed."""

from __future__ import annotations

import json
import struct

import pytest

import pytensor
from pytensor.utils.safetensors import load, load_file, safe_open, save, save_file
from tests.serialization.files import DTYPES


def tensors() -> dict:
    pytensor.manual_seed(1)
    made = {name: (pytensor.randn(2, 3) * 9).abs().to(getattr(pytensor, name)) for name in DTYPES}
    made["bool"] = pytensor.tensor([True, False, True])
    return made | {
        "scalar": pytensor.tensor(1.5),
        "none": pytensor.zeros(0, 3),
        "turned": pytensor.arange(6.0).view(2, 3).t(),
        "ä": pytensor.nn.Parameter(pytensor.ones(2)),
    }


def assert_same(got, want):
    assert sorted(got) == sorted(want)
    for name in want:
        assert got[name].dtype == want[name].dtype
        assert got[name].shape == want[name].shape
        assert not got[name].requires_grad
        assert pytensor.equal(got[name], want[name].detach())


def test_roundtrip(tmp_path):
    path = tmp_path / "a.safetensors"
    want = tensors()
    save_file(want, path, {"format": "pt"})
    assert_same(load_file(path), want)
    assert_same(load(path.read_bytes()), want)
    assert path.read_bytes() == save(want, {"format": "pt"})
    with safe_open(path) as file:
        assert file.metadata() == {"format": "pt"}
        assert sorted(file.keys()) == sorted(want)
        part = file.get_slice("float32")
        assert part.get_shape() == [2, 3]
        assert part.get_dtype() == "F32"
        assert pytensor.equal(part[:, 1:], want["float32"][:, 1:])
        with pytest.raises(KeyError, match="no tensor 'missing'"):
            file.get_tensor("missing")
    before = path.read_bytes()
    load_file(path)["float32"].zero_()
    assert path.read_bytes() == before
    save_file({}, path)
    assert load_file(path) == {}


def test_reference_implementation(tmp_path):
    pytest.importorskip("torch")
    reference = pytest.importorskip("safetensors.torch")
    from tests.python.torch_pair import to_torch

    path = tmp_path / "a.safetensors"
    want = tensors()
    save_file(want, path)
    got = reference.load_file(path)
    assert sorted(got) == sorted(want)
    for name in want:
        assert got[name].equal(to_torch(want[name]))
    reference.save_file({k: v.contiguous() for k, v in got.items()}, path, {"a": "b"})
    assert_same(load_file(path), want)


def test_what_cannot_be_saved(tmp_path):
    x = pytensor.ones(4)
    with pytest.raises(RuntimeError, match="'a' and 'b' share memory"):
        save({"a": x, "b": x[1:]})
    for wrong in ([x], {"a": 1}, {1: x}, {"__metadata__": x}):
        with pytest.raises(ValueError):
            save(wrong)
    with pytest.raises(ValueError, match="metadata"):
        save({"a": x}, {"step": 3})
    path = tmp_path / "a.safetensors"
    save_file({"a": x}, path)
    with pytest.raises(ValueError):
        save_file({"a": 1}, path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.safetensors"]
    assert load_file(path)["a"].tolist() == [1.0] * 4


def file_of(header, data=b"", length=None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def entry(dtype="F32", shape=(1,), offsets=(0, 4)) -> dict:
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "8 bytes"),
        (b"\0" * 7, "8 bytes"),
        (file_of({}, length=2**63), "header"),
        (file_of({}, length=3), "header"),
        (file_of(b"\xff\xff"), "JSON"),
        (file_of(b"[" * 100_000), "nested|JSON"),
        (file_of([]), "no JSON object"),
        (file_of(b'{"a": 1, "a": 2}'), "twice"),
        (file_of({"__metadata__": {"a": 1}}), "metadata"),
        (file_of({"a": 3}), "dtype, shape"),
        (file_of({"a": entry("F8")}, b"1234"), "F8"),
        (file_of({"a": entry(dtype=["F32"])}, b"1234"), "dtype"),
        (file_of({"a": entry(shape=[-1])}, b"1234"), "integers"),
        (file_of({"a": entry(shape=[1.0])}, b"1234"), "integers"),
        (file_of({"a": entry(shape=[True])}, b"1234"), "integers"),
        (file_of({"a": entry(shape=[2**40, 2**40])}, b"1234"), "too large"),
        (file_of({"a": entry(shape=[2])}, b"1234"), "4 bytes and needs 8"),
        (file_of({"a": entry(offsets=[0, 8])}, b"1234"), "outside"),
        (file_of({"a": entry(offsets=[4, 0])}, b"1234"), "outside"),
        (file_of({"a": entry(offsets=[4, 8])}, b"12345678"), "gaps"),
        (file_of({"a": entry(), "b": entry()}, b"1234"), "overlap"),
        (file_of({"a": entry()}, b"12345"), "cut off"),
    ],
)
def test_damaged_files(tmp_path, data, message):
    with pytest.raises(ValueError, match=message):
        load(data)
    path = tmp_path / "a.safetensors"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=message):
        load_file(path)
