"""``ImageFolder`` and ``DatasetFolder``: files in one folder for each class."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pytensor.vision._pil import pil
from pytensor.vision.datasets.vision import Transform, VisionDataset

__all__ = [
    "IMG_EXTENSIONS",
    "DatasetFolder",
    "ImageFolder",
    "default_loader",
    "find_classes",
    "has_file_allowed_extension",
    "is_image_file",
    "make_dataset",
    "pil_loader",
]

IMG_EXTENSIONS = (
    ".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp",
)  # fmt: skip


def has_file_allowed_extension(filename: str, extensions: str | tuple[str, ...]) -> bool:
    """Whether a file's name ends, in any case, with one of some endings."""
    return filename.lower().endswith(extensions)


def is_image_file(filename: str) -> bool:
    """Whether a file's name is that of an image."""
    return has_file_allowed_extension(filename, IMG_EXTENSIONS)


def find_classes(directory: str | Path) -> tuple[list[str], dict[str, int]]:
    """The names of the folders in a folder, in order, and their numbers.

    Raises:
        FileNotFoundError: there are none.
    """
    classes = sorted(entry.name for entry in os.scandir(directory) if entry.is_dir())
    if not classes:
        raise FileNotFoundError(f"Couldn't find any class folder in {directory}.")
    return classes, {name: i for i, name in enumerate(classes)}


def _files(folder: str) -> Iterator[str]:
    for place, _, names in sorted(os.walk(folder, followlinks=True)):
        for name in sorted(names):
            yield os.path.join(place, name)


def make_dataset(
    directory: str | Path,
    class_to_idx: dict[str, int] | None = None,
    extensions: str | tuple[str, ...] | None = None,
    is_valid_file: Callable[[str], bool] | None = None,
    allow_empty: bool = False,
) -> list[tuple[str, int]]:
    """The files of each class's folder and all folders in it, with the class's number.

    Args:
        directory: folder of the classes' folders.
        class_to_idx: number of each class. Default: their order by name.
        extensions: endings of the files that count; this or `is_valid_file`.
        is_valid_file: whether a file counts.
        allow_empty: whether a class may be without files. Default: ``False``.

    Raises:
        ValueError: both or none of `extensions` and `is_valid_file` are given.
        FileNotFoundError: a class has no file.
    """
    if class_to_idx is None:
        _, class_to_idx = find_classes(directory)
    elif not class_to_idx:
        raise ValueError("'class_to_index' must have at least one entry to collect any samples.")
    if (extensions is None) == (is_valid_file is None):
        raise ValueError(
            "Both extensions and is_valid_file cannot be None or not None at the same time"
        )
    samples = []
    empty = set(class_to_idx)
    for name in sorted(class_to_idx):
        for path in _files(os.path.join(os.path.expanduser(directory), name)):
            if is_valid_file is not None:
                valid = is_valid_file(path)
            else:
                assert extensions is not None
                valid = has_file_allowed_extension(path, extensions)
            if valid:
                samples.append((path, class_to_idx[name]))
                empty.discard(name)
    if empty and not allow_empty:
        message = f"Found no valid file for the classes {', '.join(sorted(empty))}. "
        if extensions is not None:
            endings = extensions if isinstance(extensions, str) else ", ".join(extensions)
            message += f"Supported extensions are: {endings}"
        raise FileNotFoundError(message)
    return samples


class DatasetFolder(VisionDataset):
    """Files in a folder for each class, read by a function.

    Attributes: ``classes`` are the folders' names, ``class_to_idx`` their numbers, ``samples`` all
    (path, number), ``targets`` the numbers.

    Args:
        root: folder of the classes' folders.
        loader: reads the file of a path.
        extensions: endings of the files that count; this or `is_valid_file`.
        transform: changes what was read.
        target_transform: changes numbers of classes.
        is_valid_file: whether the file of a path counts.
        allow_empty: whether a class may be without files. Default: ``False``.

    Raises:
        FileNotFoundError: there are no classes, or no files in one.
    """

    def __init__(
        self,
        root: str | Path,
        loader: Callable[[str], Any],
        extensions: tuple[str, ...] | None = None,
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        is_valid_file: Callable[[str], bool] | None = None,
        allow_empty: bool = False,
    ) -> None:
        super().__init__(root, transform=transform, target_transform=target_transform)
        classes, class_to_idx = self.find_classes(self.root)
        self.loader = loader
        self.extensions = extensions
        self.classes = classes
        self.class_to_idx = class_to_idx
        self.samples = self.make_dataset(
            self.root, class_to_idx, extensions, is_valid_file, allow_empty
        )
        self.targets = [number for _, number in self.samples]

    @staticmethod
    def make_dataset(
        directory: str | Path,
        class_to_idx: dict[str, int],
        extensions: tuple[str, ...] | None = None,
        is_valid_file: Callable[[str], bool] | None = None,
        allow_empty: bool = False,
    ) -> list[tuple[str, int]]:
        """All (path, number); a subclass may choose otherwise."""
        if class_to_idx is None:
            raise ValueError("The class_to_idx parameter cannot be None.")
        return make_dataset(directory, class_to_idx, extensions, is_valid_file, allow_empty)

    def find_classes(self, directory: str | Path) -> tuple[list[str], dict[str, int]]:
        """The classes and their numbers; a subclass may choose otherwise."""
        return find_classes(directory)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        path, target = self.samples[index]
        return self._changed(self.loader(path), target)

    def __len__(self) -> int:
        return len(self.samples)


def pil_loader(path: str | Path) -> Any:
    """The image of a file, in RGB."""
    with open(path, "rb") as file:
        return pil().open(file).convert("RGB")


default_loader = pil_loader


class ImageFolder(DatasetFolder):
    """Images in a folder for each class: ``root/cat/1.png``, ``root/dog/a/2.jpg``, ...

    Args:
        root: folder of the classes' folders.
        transform: changes images.
        target_transform: changes numbers of classes.
        loader: reads the image of a path. Default: pillow, in RGB.
        is_valid_file: whether the file of a path counts. Default: whether its name is an image's.
        allow_empty: whether a class may be without images. Default: ``False``.

    Raises:
        FileNotFoundError: there are no classes, or no images in one.
    """

    def __init__(
        self,
        root: str | Path,
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        loader: Callable[[str], Any] = default_loader,
        is_valid_file: Callable[[str], bool] | None = None,
        allow_empty: bool = False,
    ) -> None:
        extensions = IMG_EXTENSIONS if is_valid_file is None else None
        super().__init__(
            root, loader, extensions, transform, target_transform, is_valid_file, allow_empty
        )
        self.imgs = self.samples
