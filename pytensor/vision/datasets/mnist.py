"""MNIST and the data sets in its format (IDX files, gzip-compressed or not)."""

from __future__ import annotations

import math
import os
import shutil
import string
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytensor
from pytensor import Tensor
from pytensor.vision._pil import pil
from pytensor.vision.datasets.utils import download_url, extract_archive, open_packed
from pytensor.vision.datasets.vision import Transform, VisionDataset

__all__ = ["EMNIST", "KMNIST", "MNIST", "FashionMNIST", "read_idx"]

_DTYPES = {
    0x08: pytensor.uint8,
    0x09: pytensor.int8,
    0x0B: pytensor.int16,
    0x0C: pytensor.int32,
    0x0D: pytensor.float32,
    0x0E: pytensor.float64,
}
_CHUNK = 1 << 24


def read_idx(path: str | Path) -> Tensor:
    """The array of an IDX file, the format of MNIST.

    Args:
        path: a file, gzip-compressed or not.

    Raises:
        ValueError: the file is no IDX file, or its length is not what its header says.

    Example::

        >>> import pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "labels"
        >>> _ = path.write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 3, 5, 0, 4]))
        >>> pytensor.vision.datasets.mnist.read_idx(path)
        tensor([5, 0, 4], dtype=torch.uint8)
    """
    with open_packed(path) as file:
        head = file.read(4)
        if len(head) < 4 or head[:2] != b"\0\0" or head[2] not in _DTYPES:
            raise ValueError(f"read_idx(): {path} is no IDX file; it begins with {head!r}")
        dtype, dims = _DTYPES[head[2]], head[3]
        sizes = file.read(4 * dims)
        if len(sizes) < 4 * dims:
            raise ValueError(f"read_idx(): {path} ends within its header")
        shape = [int.from_bytes(sizes[4 * i : 4 * i + 4], "big") for i in range(dims)]
        itemsize = pytensor.empty((), dtype=dtype).element_size()
        expected = math.prod(shape) * itemsize
        data = bytearray()
        # In pieces, and one byte more than needed: a wrong header costs no memory.
        while len(data) <= expected:
            piece = file.read(min(_CHUNK, expected + 1 - len(data)))
            if not piece:
                break
            data += piece
    if len(data) != expected:
        found = f"{len(data)} bytes" if len(data) < expected else "more"
        raise ValueError(
            f"read_idx(): {path} should have {expected} bytes of data for shape {shape}, but has "
            f"{found}"
        )
    if not data:
        return pytensor.empty(shape, dtype=dtype)
    if itemsize > 1 and sys.byteorder == "little":
        data = _swapped(data, itemsize)
    return pytensor.frombuffer(data, dtype=dtype).reshape(shape)


def _swapped(data: bytearray, itemsize: int) -> bytearray:
    """Elements with their bytes in the other order."""
    swapped = bytearray(len(data))
    for i in range(itemsize):
        swapped[i::itemsize] = data[itemsize - 1 - i :: itemsize]
    return swapped


class MNIST(VisionDataset):
    """Handwritten digits, 28 by 28: 60,000 for training and 10,000 for the test.

    Samples are (image, digit); images are pillow's, in gray. All of them are in ``data`` (uint8,
    (N, 28, 28)) and ``targets`` (int64, (N,)).

    Args:
        root: folder that has, or gets, ``MNIST/raw`` with the four IDX files, gzip-compressed or
            not.
        train: whether these are the training images. Default: ``True``.
        transform: changes images.
        target_transform: changes targets.
        download: whether missing files are fetched. Default: ``False``.

    Raises:
        RuntimeError: files are missing, and are not to be or cannot be downloaded.
        ValueError: a file is damaged.
    """

    mirrors: Sequence[str] = (
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "http://yann.lecun.com/exdb/mnist/",
    )
    resources: Sequence[tuple[str, str]] = (
        ("train-images-idx3-ubyte.gz", "f68b3c2dcbeaaa9fbdd348bbdeb94873"),
        ("train-labels-idx1-ubyte.gz", "d53e105ee54ea40749a09fcbcd1e9432"),
        ("t10k-images-idx3-ubyte.gz", "9fb629c4189551a2d022fa330f9573f3"),
        ("t10k-labels-idx1-ubyte.gz", "ec29112dd5afa0611ce80d1b7f02629c"),
    )
    training_file = "training.pt"
    test_file = "test.pt"
    classes: list[str] = [  # noqa: RUF012 - an instance of EMNIST has its own
        "0 - zero", "1 - one", "2 - two", "3 - three", "4 - four",
        "5 - five", "6 - six", "7 - seven", "8 - eight", "9 - nine",
    ]  # fmt: skip

    def __init__(
        self,
        root: str | Path,
        train: bool = True,
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        download: bool = False,
    ) -> None:
        super().__init__(root, transform=transform, target_transform=target_transform)
        self.train = train
        if download:
            self.download()
        if not self._check_exists():
            raise RuntimeError(
                f"Dataset not found. You can use download=True to download it ({self._names()[0]} "
                f"and the other files belong in {self.raw_folder})"
            )
        self.data, self.targets = self._load_data()

    def _names(self) -> list[str]:
        """The files that must be there, without ``.gz``."""
        return [os.path.splitext(name)[0] for name, _ in self.resources]

    def _find(self, name: str) -> str | None:
        """The path of a file, as it is or gzip-compressed."""
        path = os.path.join(self.raw_folder, name)
        return next((p for p in (path, path + ".gz") if os.path.isfile(p)), None)

    def _check_exists(self) -> bool:
        return all(self._find(name) is not None for name in self._names())

    def _load_data(self) -> tuple[Tensor, Tensor]:
        split = "train" if self.train else "t10k"
        return self._read(f"{split}-images-idx3-ubyte", f"{split}-labels-idx1-ubyte")

    def _read(self, images: str, labels: str) -> tuple[Tensor, Tensor]:
        paths = self._find(images), self._find(labels)
        assert paths[0] is not None
        assert paths[1] is not None
        data, targets = read_idx(paths[0]), read_idx(paths[1])
        if data.dtype != pytensor.uint8 or data.dim() != 3:
            raise ValueError(f"{paths[0]}: expected bytes in three dimensions")
        if targets.dtype != pytensor.uint8 or targets.shape != data.shape[:1]:
            raise ValueError(f"{paths[1]}: expected {len(data)} labels")
        return data, targets.long()

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        image = pil().fromarray(self.data[index].numpy())
        return self._changed(image, int(self.targets[index]))

    def __len__(self) -> int:
        return len(self.data)

    @property
    def raw_folder(self) -> str:
        """Where the IDX files are."""
        return os.path.join(self.root, type(self).__name__, "raw")

    @property
    def processed_folder(self) -> str:
        """Where older versions of torchvision kept what they had read."""
        return os.path.join(self.root, type(self).__name__, "processed")

    @property
    def class_to_idx(self) -> dict[str, int]:
        """The label of each class."""
        return {name: i for i, name in enumerate(self.classes)}

    @property
    def train_labels(self) -> Tensor:
        """Old name of ``targets``."""
        return self._old("train_labels", "targets")

    @property
    def test_labels(self) -> Tensor:
        """Old name of ``targets``."""
        return self._old("test_labels", "targets")

    @property
    def train_data(self) -> Tensor:
        """Old name of ``data``."""
        return self._old("train_data", "data")

    @property
    def test_data(self) -> Tensor:
        """Old name of ``data``."""
        return self._old("test_data", "data")

    def _old(self, old: str, new: str) -> Tensor:
        warnings.warn(f"{old} has been renamed {new}", stacklevel=3)
        return getattr(self, new)

    def download(self) -> None:
        """Fetches the files that are missing, and unpacks them.

        Raises:
            RuntimeError: no mirror has them.
        """
        for name, md5 in self.resources:
            if self._find(os.path.splitext(name)[0]) is not None:
                continue
            failures = []
            for mirror in self.mirrors:
                try:
                    download_url(mirror + name, self.raw_folder, name, md5)
                    break
                except RuntimeError as error:
                    failures.append(str(error))
            else:
                raise RuntimeError(f"Error downloading {name}:\n" + "\n".join(failures))
            extract_archive(os.path.join(self.raw_folder, name), self.raw_folder)

    def extra_repr(self) -> str:
        return f"Split: {'Train' if self.train is True else 'Test'}"


class FashionMNIST(MNIST):
    """Pictures of clothes in ten classes, in MNIST's format. Arguments as of ``MNIST``."""

    mirrors = ("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",)
    resources = (
        ("train-images-idx3-ubyte.gz", "8d4fb7e6c68d591d4c3dfef9ec88bf0d"),
        ("train-labels-idx1-ubyte.gz", "25c81989df183df01b3e8a0aad5dffbe"),
        ("t10k-images-idx3-ubyte.gz", "bef4ecab320f06d8554ea6380940ec79"),
        ("t10k-labels-idx1-ubyte.gz", "bb300cfdad3c16e7a12a480ee83cd310"),
    )
    classes = [  # noqa: RUF012
        "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
        "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
    ]  # fmt: skip


class KMNIST(MNIST):
    """Ten characters of old Japanese script, in MNIST's format. Arguments as of ``MNIST``."""

    mirrors = ("http://codh.rois.ac.jp/kmnist/dataset/kmnist/",)
    resources = (
        ("train-images-idx3-ubyte.gz", "bdb82020997e1d708af4cf47b453dcf7"),
        ("train-labels-idx1-ubyte.gz", "e144d726b3acfaa3e44228e80efcd344"),
        ("t10k-images-idx3-ubyte.gz", "5c965bf0a639b31b8f53240b1b52f4d7"),
        ("t10k-labels-idx1-ubyte.gz", "7320c461ea6c1c855c0b718fb2a4b134"),
    )
    classes = ["o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"]  # noqa: RUF012


class EMNIST(MNIST):
    """Handwritten letters and digits, in six selections.

    As in the files, images are transposed.

    Args:
        root: folder that has, or gets, ``EMNIST/raw`` with the IDX files.
        split: the selection: ``"byclass"``, ``"bymerge"``, ``"balanced"``, ``"letters"``,
            ``"digits"`` or ``"mnist"``.
        **kwargs: further arguments of ``MNIST``.

    Raises:
        ValueError: `split` is unknown.
    """

    url = "https://biometrics.nist.gov/cs_links/EMNIST/gzip.zip"
    md5 = "58c8d27c78d21e728a6bc7b3cc06412e"
    splits = ("byclass", "bymerge", "balanced", "letters", "digits", "mnist")
    _merged_classes = frozenset("cijklmopsuvwxyz")
    _all_classes = frozenset(string.digits + string.ascii_letters)
    classes_split_dict: dict[str, list[str]] = {  # noqa: RUF012
        "byclass": sorted(_all_classes),
        "bymerge": sorted(_all_classes - _merged_classes),
        "balanced": sorted(_all_classes - _merged_classes),
        "letters": ["N/A", *string.ascii_lowercase],
        "digits": list(string.digits),
        "mnist": list(string.digits),
    }

    def __init__(self, root: str | Path, split: str, **kwargs: Any) -> None:
        if split not in self.splits:
            raise ValueError(
                f"Unknown value '{split}' for argument split. Valid values are "
                f"{{{', '.join(repr(s) for s in self.splits)}}}."
            )
        self.split = split
        self.training_file = f"training_{split}.pt"
        self.test_file = f"test_{split}.pt"
        super().__init__(root, **kwargs)
        self.classes = self.classes_split_dict[split]

    def _base(self, part: str) -> str:
        return f"emnist-{self.split}-{part}"

    def _names(self) -> list[str]:
        return [
            f"{self._base(part)}-{kind}"
            for part in ("train", "test")
            for kind in ("images-idx3-ubyte", "labels-idx1-ubyte")
        ]

    def _load_data(self) -> tuple[Tensor, Tensor]:
        base = self._base("train" if self.train else "test")
        return self._read(f"{base}-images-idx3-ubyte", f"{base}-labels-idx1-ubyte")

    def download(self) -> None:
        """Fetches the archive of all selections, unless this one is there, and unpacks it."""
        if self._check_exists():
            return
        raw = Path(self.raw_folder)
        download_url(self.url, raw, md5=self.md5)
        extract_archive(raw / "gzip.zip", raw)
        for packed in sorted((raw / "gzip").glob("*.gz")):
            extract_archive(packed, raw)
        shutil.rmtree(raw / "gzip")
