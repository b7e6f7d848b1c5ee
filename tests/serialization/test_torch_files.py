"""Files of PyTorch are read here and files from here by PyTorch."""

from __future__ import annotations

import collections
import io
import zipfile

import pytest

import pytensor
from tests.python.torch_pair import to_torch, torch
from tests.serialization.files import loaded, samples, saved

FORMATS = [True, False]


def assert_same(got, want):
    """A pytensor and a torch object with the same contents."""
    if isinstance(want, torch.Tensor):
        assert isinstance(got, pytensor.Tensor)
        assert type(got).__name__ == type(want).__name__
        assert str(got.dtype) == str(want.dtype)
        assert tuple(got.stride()) == tuple(want.stride())
        assert got.storage_offset() == want.storage_offset()
        assert got.requires_grad == want.requires_grad
        assert torch.equal(to_torch(got), want.detach())
    elif isinstance(want, dict):
        assert list(got) == list(want)
        for key in want:
            assert_same(got[key], want[key])
    elif isinstance(want, (list, tuple)):
        assert len(got) == len(want)
        for g, w in zip(got, want):
            assert_same(g, w)
    elif isinstance(want, (torch.Size, torch.dtype, torch.device, torch.layout)):
        assert str(got) == str(want)
    else:
        assert got == want


@pytest.mark.parametrize("zipped", FORMATS)
def test_tensors(zipped):
    ours, theirs = samples(pytensor), samples(torch)
    data = saved(theirs, torch.save, _use_new_zipfile_serialization=zipped)
    assert_same(loaded(data), theirs)
    assert_same(loaded(data, weights_only=False), theirs)
    data = saved(ours, _use_new_zipfile_serialization=zipped)
    assert_same(ours, loaded(data, torch.load, weights_only=True))
    assert_same(ours, loaded(data, torch.load, weights_only=False))


def containers(T):
    return {
        "plain": [1, 2.5, "text", None, True, b"bytes", 2**70, (1, (2,)), {3, 4}, 1j],
        "ordered": collections.OrderedDict(a=1),
        "torch": [T.Size([2, 3]), T.device("cpu"), T.bfloat16, T.strided],
        "storage": T.nn.Buffer(T.ones(2)),
    }


def test_containers():
    theirs = containers(torch)
    assert_same(loaded(saved(theirs, torch.save)), theirs)
    ours = containers(pytensor)
    assert_same(ours, loaded(saved(ours), torch.load, weights_only=True))


def train(T):
    T.manual_seed(0)
    model = T.nn.Sequential(T.nn.Linear(4, 3), T.nn.ReLU(), T.nn.Linear(3, 1, bias=False))
    optimizer = T.optim.AdamW(model.parameters(), lr=0.01)
    for _ in range(2):
        optimizer.zero_grad()
        model(T.linspace(0, 1, 8).view(2, 4)).sum().backward()
        optimizer.step()
    return {"model": model.state_dict(), "optimizer": optimizer.state_dict()}


@pytest.mark.parametrize("zipped", FORMATS)
def test_state_dicts(zipped):
    theirs = train(torch)
    got = loaded(saved(theirs, torch.save, _use_new_zipfile_serialization=zipped))
    assert_same(got["model"], theirs["model"])
    assert_same(got["optimizer"]["state"], theirs["optimizer"]["state"])
    assert got["model"]._metadata == theirs["model"]._metadata
    model = pytensor.nn.Sequential(
        pytensor.nn.Linear(4, 3), pytensor.nn.ReLU(), pytensor.nn.Linear(3, 1, bias=False)
    )
    model.load_state_dict(got["model"])
    ours = train(pytensor)
    again = loaded(saved(ours, _use_new_zipfile_serialization=zipped), torch.load)
    assert_same(ours["model"], again["model"])
    model = torch.nn.Sequential(
        torch.nn.Linear(4, 3), torch.nn.ReLU(), torch.nn.Linear(3, 1, bias=False)
    )
    model.load_state_dict(again["model"])
    optimizer = torch.optim.AdamW(model.parameters())
    optimizer.load_state_dict(again["optimizer"])


def test_sharing_survives_both_ways():
    base = pytensor.zeros(4)
    a, b = loaded(saved([base, base[1:]]), torch.load)
    b[0] = 1
    assert a[1] == 1
    base = torch.zeros(4)
    a, b = loaded(saved([base, base[1:]], torch.save))
    b[0] = 1
    assert a[1] == 1


def test_storages():
    with pytest.warns(UserWarning, match="TypedStorage"):
        theirs = [torch.arange(3.0).storage(), torch.ones(2).untyped_storage()]
    typed, untyped = loaded(saved(theirs, torch.save))
    assert typed.tolist() == [0.0, 1.0, 2.0]
    assert untyped.nbytes() == 8
    typed, untyped = loaded(saved([typed, untyped]), torch.load)
    assert typed.tolist() == [0.0, 1.0, 2.0]
    assert untyped.nbytes() == 8


def test_whole_modules_by_their_classes():
    theirs = torch.nn.Linear(2, 2)
    got = loaded(saved(theirs, torch.save), weights_only=False)
    assert isinstance(got, pytensor.nn.Linear)
    assert_same(got.weight, theirs.weight)
    assert got(pytensor.ones(1, 2)).shape == (1, 2)


def test_dtypes_without_counterpart_are_named():
    for theirs in (
        torch.zeros(2, dtype=torch.complex64),
        torch.uint16,
        torch.float8_e5m2,
        torch.eye(2).to_sparse(),
    ):
        with pytest.raises(Exception, match="pytensor does not have"):
            loaded(saved(theirs, torch.save))


def test_archives_are_plain_zip_files(tmp_path):
    path = tmp_path / "model.v1.pt"
    want = {"x": pytensor.randn(100), "y": pytensor.ones(3)}
    pytensor.save(want, path)
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        assert "model.v1/data.pkl" in names
        assert archive.read("model.v1/version") == b"3\n"
        assert archive.read("model.v1/byteorder") == b"little"
        assert archive.read("model.v1/data/1") == want["y"].numpy().tobytes()
        for info in archive.infolist():
            assert info.compress_type == zipfile.ZIP_STORED
    data = path.read_bytes()
    assert data.index(want["x"].numpy().tobytes()) % 64 == 0
    got = torch.load(path, mmap=True)
    assert_same(want, got)
    other = tmp_path / "other.pt"  # torch would cut off the file that it has mapped
    torch.save(got, other)
    assert_same(pytensor.load(other, mmap=True), got)


@pytest.mark.parametrize("limit", [0, 1000, 3000])
def test_archives_of_many_gigabytes(limit, monkeypatch, tmp_path):
    """The 64-bit form of sizes and offsets, which is used from 4 GiB on."""
    from pytensor.serialization import _zip_writer

    monkeypatch.setattr(_zip_writer, "_LIMIT", limit)
    path = tmp_path / "a.pt"
    want = {"small": pytensor.ones(3), "x": pytensor.randn(500), "y": pytensor.arange(700)}
    pytensor.save(want, path)
    assert b"PK\6\6" in path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
    assert_same(want, torch.load(path))
    assert_same(want, torch.load(path, mmap=True))
    for name, tensor in pytensor.load(path).items():
        assert pytensor.equal(tensor, want[name])


def test_more_than_65535_records(tmp_path):
    from pytensor.serialization._source import FileSource
    from pytensor.serialization._zip_reader import ZipReader
    from pytensor.serialization._zip_writer import ZipWriter

    path = tmp_path / "a.zip"
    with open(path, "wb") as file:
        archive = ZipWriter(file, "archive")
        for number in range(66_000):
            archive.record(str(number), b"x", 0x8CDC1683)
        archive.close()
    reader = ZipReader(FileSource(path))
    assert len(reader.names()) == 66_000
    assert reader.read("65999") == b"x"
    with zipfile.ZipFile(path) as other:
        assert other.read("archive/65999") == b"x"


def test_big_endian_files():
    file = io.BytesIO()
    torch.save({"x": torch.tensor([1.0, 2.0]), "y": torch.tensor([1], dtype=torch.int16)}, file)
    source = zipfile.ZipFile(file)
    swapped = io.BytesIO()
    with zipfile.ZipFile(swapped, "w") as target:
        for name in source.namelist():
            data = source.read(name)
            if name.endswith("byteorder"):
                data = b"big"
            elif name.endswith("data/0"):
                data = data[3::-1] + data[:3:-1]
            elif name.endswith("data/1"):
                data = data[::-1]
            target.writestr(name, data)
    got = loaded(swapped.getvalue())
    assert got["x"].tolist() == [1.0, 2.0]
    assert got["y"].tolist() == [1]


def test_torchscript_archives_are_told_apart():
    file = io.BytesIO()
    torch.jit.save(torch.jit.script(torch.nn.Linear(1, 1)), file)
    with pytest.raises(RuntimeError, match="TorchScript"):
        loaded(file.getvalue())
