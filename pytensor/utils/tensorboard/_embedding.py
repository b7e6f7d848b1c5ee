"""The files of TensorBoard's projector: vectors, their labels and pictures."""

from __future__ import annotations

import math
import os
from typing import Any

import pytensor
from pytensor import Tensor
from pytensor.utils.tensorboard._images import grid, png, to_bytes


def write_rows(path: str, rows: list[list[Any]]) -> None:
    """Rows of tab-separated values."""
    with open(path, "w", encoding="utf-8") as file:
        file.writelines("\t".join(map(str, row)) + "\n" for row in rows)


def write_metadata(path: str, labels: list[Any], header: list[str] | None, count: int) -> None:
    """One label a row, or several under headings."""
    if len(labels) != count:
        raise AssertionError("#labels should equal with #data points")
    rows = [list(map(str, row)) for row in labels] if header else [[str(row)] for row in labels]
    write_rows(path, [header, *rows] if header else rows)


def write_sprite(path: str, pictures: Tensor, count: int) -> None:
    """All pictures in one, as many to a row as there are rows."""
    if pictures.shape[0] != count:
        raise AssertionError("#images should equal with #data points")
    if pictures.shape[2] != pictures.shape[3]:
        raise AssertionError("Image should be square, see tensorflow/tensorboard#670")
    side = math.ceil(math.sqrt(count))
    sheet = grid(pictures, side)
    size = pictures.shape[2] * side
    square = sheet.new_zeros((sheet.shape[0], size, size))
    square[:, : sheet.shape[1], :] = sheet
    scale = 1 if pictures.dtype == pytensor.uint8 else 255
    with open(path, "wb") as file:
        file.write(png(to_bytes(square.permute(1, 2, 0), scale)))


def config_entry(folder: str, tag: str, step: Any, picture: Tensor | None, labels: bool) -> str:
    """The projector's text about one set of vectors."""
    lines = ["embeddings {", f'tensor_name: "{tag}:{str(step).zfill(5)}"']
    lines.append(f'tensor_path: "{os.path.join(folder, "tensors.tsv")}"')
    if labels:
        lines.append(f'metadata_path: "{os.path.join(folder, "metadata.tsv")}"')
    if picture is not None:
        lines += ["sprite {", f'image_path: "{os.path.join(folder, "sprite.png")}"']
        lines += [f"single_image_dim: {picture.shape[3]}", f"single_image_dim: {picture.shape[2]}"]
        lines.append("}")
    return "\n".join([*lines, "}", ""])
