"""Data sets of images, from files that the tests write, and the files of MNIST's format."""

from __future__ import annotations

import gzip
import hashlib
import http.server
import pickle
import struct
import tarfile
import threading
import zipfile
from pathlib import Path

import numpy as np
import pytest

import pytensor
from pytensor.vision import datasets, transforms
from pytensor.vision.datasets import utils
from pytensor.vision.datasets.mnist import read_idx

Image = pytest.importorskip("PIL.Image")
RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (6, 28, 28)).astype("uint8")
LABELS = np.array([3, 1, 4, 1, 5, 9], dtype="uint8")


def idx(array):
    codes = {"uint8": 8, "int8": 9, "int16": 11, "int32": 12, "float32": 13, "float64": 14}
    head = bytes([0, 0, codes[str(array.dtype)], array.ndim]) + struct.pack(
        f">{array.ndim}I", *array.shape
    )
    return head + array.astype(array.dtype.newbyteorder(">")).tobytes()


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int16", "int32", "float32", "float64"])
@pytest.mark.parametrize("shape", [(3,), (2, 3, 4), (0, 5), ()])
def test_read_idx(tmp_path, dtype, shape):
    array = np.asarray(RNG.standard_normal(shape) * 50).astype(dtype)
    for path, data in (("plain", idx(array)), ("packed.gz", gzip.compress(idx(array)))):
        (tmp_path / path).write_bytes(data)
        t = read_idx(tmp_path / path)
        assert str(t.dtype) == f"torch.{dtype}"
        np.testing.assert_array_equal(t.numpy(), array)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "no IDX file"),
        (b"\0\0\x07\x01", "no IDX file"),
        (b"PK\x03\x04", "no IDX file"),
        (idx(LABELS)[:6], "within its header"),
        (idx(LABELS)[:-1], "should have 6 bytes"),
        (idx(LABELS) + b"x", "has more"),
        (b"\0\0\x08\x03" + b"\xff" * 12, "should have"),
    ],
)
def test_malformed_idx(tmp_path, data, words):
    path = tmp_path / "file"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=words):
        read_idx(path)


def test_damaged_gzip(tmp_path):
    path = tmp_path / "file.gz"
    path.write_bytes(gzip.compress(idx(IMAGES))[:-20])
    with pytest.raises(EOFError):
        read_idx(path)


def write_mnist(root, name="MNIST", packed=False, prefix=("train", "t10k")):
    raw = root / name / "raw"
    raw.mkdir(parents=True)
    for part, n in zip(prefix, (6, 4)):
        for kind, array in (("images-idx3", IMAGES[:n]), ("labels-idx1", LABELS[:n])):
            data = idx(array)
            file = raw / f"{part}-{kind}-ubyte{'.gz' if packed else ''}"
            file.write_bytes(gzip.compress(data) if packed else data)


@pytest.mark.parametrize("packed", [False, True])
def test_mnist(tmp_path, packed):
    write_mnist(tmp_path, packed=packed)
    data = datasets.MNIST(tmp_path, transform=transforms.ToTensor())
    assert len(data) == 6
    assert data.data.dtype == pytensor.uint8
    assert data.targets.tolist() == LABELS.tolist()
    image, label = data[2]
    assert label == 4
    np.testing.assert_array_equal(image.numpy()[0], IMAGES[2].astype("float32") / 255)
    test = datasets.MNIST(str(tmp_path), train=False, target_transform=lambda t: t * 10)
    image, label = test[-1]
    assert (len(test), label, image.mode, image.size) == (4, 10, "L", (28, 28))
    assert data.class_to_idx["4 - four"] == 4
    assert repr(test).splitlines()[1:] == [
        "    Number of datapoints: 4", f"    Root location: {tmp_path}", "    Split: Test",
        *repr(test.transforms).replace("\n", "\n    ").join(["    ", ""]).splitlines(),
    ]  # fmt: skip


def test_mnist_in_a_loader(tmp_path):
    write_mnist(tmp_path)
    both = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.5,), (0.5,))])
    data = datasets.MNIST(tmp_path, transform=both)
    want = (IMAGES[:, None].astype("float32") / 255 - 0.5) / 0.5
    for workers in (0, 2):
        loader = pytensor.utils.data.DataLoader(data, batch_size=4, num_workers=workers)
        images, labels = zip(*loader)
        np.testing.assert_allclose(pytensor.cat(images).numpy(), want, rtol=1e-6, atol=1e-6)
        assert pytensor.cat(labels).tolist() == LABELS.tolist()


def test_mnist_missing_and_damaged(tmp_path):
    with pytest.raises(RuntimeError, match=r"Dataset not found\. You can use download=True"):
        datasets.MNIST(tmp_path)
    write_mnist(tmp_path)
    labels = tmp_path / "MNIST/raw/train-labels-idx1-ubyte"
    labels.write_bytes(idx(LABELS[:5]))
    with pytest.raises(ValueError, match="expected 6 labels"):
        datasets.MNIST(tmp_path)


def test_others_of_its_format(tmp_path):
    for kind in ("FashionMNIST", "KMNIST"):
        write_mnist(tmp_path, kind)
        data = getattr(datasets, kind)(tmp_path)
        assert (len(data), len(data.classes)) == (6, 10)
    write_mnist(tmp_path, "EMNIST", True, ("emnist-letters-train", "emnist-letters-test"))
    letters = datasets.EMNIST(tmp_path, "letters", train=False)
    assert (len(letters), len(letters.classes), letters.classes[1]) == (4, 27, "a")
    assert [len(datasets.EMNIST.classes_split_dict[s]) for s in datasets.EMNIST.splits] == [
        62, 47, 47, 27, 10, 10,
    ]  # fmt: skip
    with pytest.raises(ValueError, match="Unknown value 'x' for argument split"):
        datasets.EMNIST(tmp_path, "x")


@pytest.fixture
def server(tmp_path):
    """A web server of a folder; yields the folder and its URL."""
    folder = tmp_path / "served"
    folder.mkdir()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args):
            super().__init__(*args, directory=str(folder))

        def log_message(self, *args):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        thread = threading.Thread(target=httpd.serve_forever, daemon=True)
        thread.start()
        yield folder, f"http://127.0.0.1:{httpd.server_address[1]}/"
        httpd.shutdown()
        thread.join()


def test_download(tmp_path, server, monkeypatch):
    folder, url = server
    resources = []
    for part, n in (("train", 6), ("t10k", 4)):
        for kind, array in (("images-idx3", IMAGES[:n]), ("labels-idx1", LABELS[:n])):
            data = gzip.compress(idx(array))
            (folder / f"{part}-{kind}-ubyte.gz").write_bytes(data)
            resources.append((f"{part}-{kind}-ubyte.gz", hashlib.md5(data).hexdigest()))
    monkeypatch.setattr(datasets.MNIST, "mirrors", [url + "none/", url])
    monkeypatch.setattr(datasets.MNIST, "resources", resources)
    data = datasets.MNIST(tmp_path / "data", download=True)
    assert data.targets.tolist() == LABELS.tolist()
    raw = Path(data.raw_folder)
    assert {p.suffix for p in raw.iterdir()} == {"", ".gz"}
    for path in folder.iterdir():  # all are there: nothing is fetched again
        path.unlink()
    datasets.MNIST(tmp_path / "data", download=True)


def test_download_fails_clearly(tmp_path, server):
    folder, url = server
    (folder / "file").write_bytes(b"data")
    with pytest.raises(RuntimeError, match=r"damaged \(its MD5 sum is not 0123\)"):
        utils.download_url(url + "file", tmp_path, md5="0123")
    with pytest.raises(RuntimeError, match=r"cannot download .*other.*put the file at"):
        utils.download_url(url + "other", tmp_path)
    assert not list(tmp_path.glob("*.part"))
    utils.download_url(url + "file", tmp_path, md5=hashlib.md5(b"data").hexdigest())
    assert (tmp_path / "file").read_bytes() == b"data"


def write_cifar(folder, name, entries, meta):
    folder.mkdir()
    files = {}
    for file, entry in {**entries, name: meta}.items():
        (folder / file).write_bytes(pickle.dumps(entry, 2))
        files[file] = hashlib.md5((folder / file).read_bytes()).hexdigest()
    return files


def test_cifar10(tmp_path, monkeypatch):
    pixels = RNG.integers(0, 256, (8, 3072)).astype("uint8")
    entries = {
        "one": {"data": pixels[:3], "labels": [0, 1, 2]},
        "two": {"data": pixels[3:6], "labels": [1, 1, 0]},
        "test": {"data": pixels[6:], "labels": [2, 2]},
    }
    files = write_cifar(
        tmp_path / "cifar-10-batches-py", "meta", entries, {"label_names": ["a", "b", "c"]}
    )
    monkeypatch.setattr(datasets.CIFAR10, "train_list", [(n, files[n]) for n in ("one", "two")])
    monkeypatch.setattr(datasets.CIFAR10, "test_list", [("test", files["test"])])
    meta = {"filename": "meta", "key": "label_names", "md5": files["meta"]}
    monkeypatch.setattr(datasets.CIFAR10, "meta", meta)
    data = datasets.CIFAR10(tmp_path, transform=transforms.PILToTensor())
    assert (len(data), data.targets, data.classes) == (6, [0, 1, 2, 1, 1, 0], ["a", "b", "c"])
    image, label = data[4]
    np.testing.assert_array_equal(image.numpy(), pixels[4].reshape(3, 32, 32))
    assert label == 1
    assert len(datasets.CIFAR10(tmp_path, train=False)) == 2
    (tmp_path / "cifar-10-batches-py/two").write_bytes(b"x")
    with pytest.raises(RuntimeError, match="Dataset not found or corrupted"):
        datasets.CIFAR10(tmp_path)


def test_cifar_runs_no_code(tmp_path, monkeypatch):
    class Harm:
        def __reduce__(self):
            return print, ("harm",)

    entries = {"train": {"data": Harm(), "fine_labels": [0]}, "test": {}}
    files = write_cifar(tmp_path / "cifar-100-python", "meta", entries, {"fine_label_names": []})
    monkeypatch.setattr(datasets.CIFAR100, "train_list", [("train", files["train"])])
    monkeypatch.setattr(datasets.CIFAR100, "test_list", [("test", files["test"])])
    meta = {"filename": "meta", "key": "fine_label_names", "md5": files["meta"]}
    monkeypatch.setattr(datasets.CIFAR100, "meta", meta)
    with pytest.raises(RuntimeError, match=r"print is not among"):
        datasets.CIFAR100(tmp_path)


def test_image_folder(tmp_path):
    for name in ("dog/1.png", "dog/sub/2.PNG", "cat/3.jpg", "cat/notes.txt"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".txt":
            path.write_text("no image")
        else:
            Image.fromarray(IMAGES[len(name)][:4, :6] if len(name) < 6 else IMAGES[0]).save(path)
    data = datasets.ImageFolder(tmp_path)
    assert data.classes == ["cat", "dog"]
    assert data.class_to_idx == {"cat": 0, "dog": 1}
    assert [Path(p).name for p, _ in data.samples] == ["3.jpg", "1.png", "2.PNG"]
    assert data.targets == [0, 1, 1]
    assert data.imgs is data.samples
    image, label = data[1]
    assert (image.mode, label) == ("RGB", 1)
    np.testing.assert_array_equal(np.asarray(image)[..., 0], IMAGES[0])
    texts = datasets.DatasetFolder(
        tmp_path, lambda p: Path(p).read_text(), (".txt",), allow_empty=True
    )
    assert texts[0] == ("no image", 0)
    only = datasets.ImageFolder(tmp_path, is_valid_file=lambda p: "o" in Path(p).parent.name,
                                allow_empty=True)  # fmt: skip
    assert [Path(p).name for p, _ in only.samples] == ["1.png"]
    with pytest.raises(FileNotFoundError, match="no valid file for the classes dog"):
        datasets.DatasetFolder(tmp_path, str, (".txt",))
    with pytest.raises(FileNotFoundError, match="any class folder"):
        datasets.ImageFolder(tmp_path / "dog" / "sub")
    with pytest.raises(ValueError, match="Both extensions and is_valid_file"):
        datasets.DatasetFolder(tmp_path, str)


def test_fake_data():
    data = datasets.FakeData(4, (3, 5, 6), 7, transforms.ToTensor(), random_offset=10)
    pytensor.manual_seed(0)
    before = pytensor.get_rng_state()
    (x, y), (again, _) = data[2], data[2]
    assert bool((pytensor.get_rng_state() == before).all())
    assert (x.shape, x.tolist()) == ((3, 5, 6), again.tolist())
    pytensor.manual_seed(12)
    noise = pytensor.randn(3, 5, 6)
    assert x.mul(255).round().tolist() == noise.mul(255).to(pytensor.uint8).float().tolist()
    assert y == pytensor.randint(0, 7, (1,)).item()
    with pytest.raises(IndexError, match="FakeData index out of range"):
        data[4]


def test_own_data_set():
    class Own(datasets.VisionDataset):
        def __len__(self):
            return 1

    with pytest.raises(ValueError, match="Only transforms or"):
        Own("x", transforms=lambda a, b: (a, b), transform=str)
    own = Own("x", transform=transforms.ToTensor(), target_transform=int)
    assert own.transforms(np.zeros((1, 1)), 2.5)[1] == 2
    assert "Target transform: <class 'int'>" in repr(own)
    with pytest.raises(NotImplementedError):
        own[0]


def test_archives(tmp_path):
    inside = tmp_path / "inside.txt"
    inside.write_text("text")
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as archive:
        archive.add(inside, "folder/inside.txt")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(inside, "folder/inside.txt")
    for i, name in enumerate(("a.tar.gz", "a.zip")):
        utils.extract_archive(tmp_path / name, tmp_path / str(i))
        assert (tmp_path / str(i) / "folder/inside.txt").read_text() == "text"
    with pytest.raises(RuntimeError, match="no zip, tar or gzip file"):
        utils.extract_archive(inside)
    with tarfile.open(tmp_path / "b.tar", "w") as archive:
        archive.add(inside, "../outside.txt")
    with pytest.raises(Exception, match="outside"):
        utils.extract_archive(tmp_path / "b.tar", tmp_path / "b")
    assert not (tmp_path / "outside.txt").exists()


def test_without_pillow(monkeypatch):
    from pytensor.vision import _pil

    _pil.pil.cache_clear()
    monkeypatch.setitem(__import__("sys").modules, "PIL", None)
    with pytest.raises(ImportError, match=r"needs pillow.*pytensor-dl\[vision\]"):
        datasets.FakeData(1, (1, 2, 2))[0]
