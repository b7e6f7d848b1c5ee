"""CIFAR-10 and CIFAR-100: small photographs, from the files of their makers."""

from __future__ import annotations

import io
import os
import pickle
from pathlib import Path
from typing import Any

from pytensor.vision._pil import pil
from pytensor.vision.datasets.utils import check_integrity, download_and_extract_archive
from pytensor.vision.datasets.vision import Transform, VisionDataset

__all__ = ["CIFAR10", "CIFAR100"]


class _ArraysOnly(pickle.Unpickler):
    """Reads arrays, lists, dicts and text: a pickle that asks for anything else is refused."""

    _names = frozenset(
        (f"{module}.multiarray", "_reconstruct") for module in ("numpy.core", "numpy._core")
    ) | {("numpy", "ndarray"), ("numpy", "dtype"), ("_codecs", "encode")}

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in self._names:
            raise pickle.UnpicklingError(f"{module}.{name} is not among what a data file may hold")
        if name == "_reconstruct":  # the module's name depends on numpy's version
            import numpy as np

            return np.empty(0).__reduce__()[0]
        return super().find_class(module, name)


def _read(path: str) -> dict[str, Any]:
    """The dict of a file.

    Raises:
        RuntimeError: it is damaged.
    """
    with open(path, "rb") as file:
        data = file.read()
    try:
        entry = _ArraysOnly(io.BytesIO(data), encoding="latin1").load()
    except Exception as error:
        raise RuntimeError(f"{path} cannot be read: {error}") from error
    if not isinstance(entry, dict):
        raise RuntimeError(f"{path} should hold a dict, but holds {type(entry).__name__}")
    return entry


class CIFAR10(VisionDataset):
    """Photographs, 32 by 32, of ten classes: 50,000 for training and 10,000 for the test.

    Samples are (image, label); images are pillow's. All of them are in ``data``, an array of numpy
    (N, 32, 32, 3), and in ``targets``, a list.

    Args:
        root: folder that has, or gets, ``cifar-10-batches-py``.
        train: whether these are the training images. Default: ``True``.
        transform: changes images.
        target_transform: changes labels.
        download: whether the files are fetched if they are missing. Default: ``False``.

    Raises:
        RuntimeError: files are missing or damaged, and are not to be or cannot be downloaded.
    """

    base_folder = "cifar-10-batches-py"
    url = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"
    filename = "cifar-10-python.tar.gz"
    tgz_md5 = "c58f30108f718f92721af3b95e74349a"
    train_list: Any = (
        ("data_batch_1", "c99cafc152244af753f735de768cd75f"),
        ("data_batch_2", "d4bba439e000b95fd0a9bffe97cbabec"),
        ("data_batch_3", "54ebc095f3ab1f0389bbae665268c751"),
        ("data_batch_4", "634d18415352ddfa80567beed471001a"),
        ("data_batch_5", "482c414d41f54cd18b22e5b47cb7c3cb"),
    )
    test_list: Any = (("test_batch", "40351d587109b95175f43aff81a1287e"),)
    meta: Any = {  # noqa: RUF012 - torchvision's form
        "filename": "batches.meta",
        "key": "label_names",
        "md5": "5ff9c542aee3614f3951f8cda6e48888",
    }

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
        if not self._check_integrity():
            raise RuntimeError(
                "Dataset not found or corrupted. You can use download=True to download it "
                f"({self._files()[0][0]} and the other files belong in "
                f"{os.path.join(self.root, self.base_folder)})"
            )
        import numpy as np

        arrays: list[Any] = []
        self.targets: list[int] = []
        for name, _ in self.train_list if train else self.test_list:
            path = os.path.join(self.root, self.base_folder, name)
            entry = _read(path)
            labels: list[int] = entry.get("labels", entry.get("fine_labels")) or []
            array = entry.get("data")
            if not isinstance(array, np.ndarray) or array.shape != (len(labels), 3072):
                raise RuntimeError(f"{path} does not hold as many images as labels")
            arrays.append(array)
            self.targets.extend(labels)
        images = np.concatenate(arrays).reshape(-1, 3, 32, 32)
        self.data: Any = np.ascontiguousarray(images.transpose(0, 2, 3, 1))
        path = os.path.join(self.root, self.base_folder, self.meta["filename"])
        self.classes: list[str] = _read(path)[self.meta["key"]]
        self.class_to_idx = {name: i for i, name in enumerate(self.classes)}

    def _files(self) -> list[tuple[str, str]]:
        meta = (self.meta["filename"], self.meta["md5"])
        return [*self.train_list, *self.test_list, meta]

    def _check_integrity(self) -> bool:
        folder = os.path.join(self.root, self.base_folder)
        return all(check_integrity(os.path.join(folder, n), md5) for n, md5 in self._files())

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        return self._changed(pil().fromarray(self.data[index]), self.targets[index])

    def __len__(self) -> int:
        return len(self.data)

    def download(self) -> None:
        """Fetches and unpacks the archive, unless the files are there undamaged.

        Raises:
            RuntimeError: it cannot be had.
        """
        if not self._check_integrity():
            download_and_extract_archive(
                self.url, self.root, filename=self.filename, md5=self.tgz_md5
            )

    def extra_repr(self) -> str:
        return f"Split: {'Train' if self.train is True else 'Test'}"


class CIFAR100(CIFAR10):
    """Photographs, 32 by 32, of a hundred classes. Arguments as of ``CIFAR10``."""

    base_folder = "cifar-100-python"
    url = "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz"
    filename = "cifar-100-python.tar.gz"
    tgz_md5 = "eb9058c3a382ffc7106e4002c42a8d85"
    train_list = (("train", "16019d7e3df5f24257cddd939b257f8d"),)
    test_list = (("test", "f0ef6b0ae62326f3e7ffdfab6717acfc"),)
    meta = {  # noqa: RUF012
        "filename": "meta",
        "key": "fine_label_names",
        "md5": "7973b15100ade9c7d40fb424638fde48",
    }
