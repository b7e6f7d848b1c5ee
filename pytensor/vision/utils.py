"""Grids of images and files of them: ``make_grid`` and ``save_image``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

import pytensor
from pytensor import Tensor
from pytensor.vision._pil import pil

__all__ = ["make_grid", "save_image"]


def make_grid(
    tensor: Tensor | Sequence[Tensor],
    nrow: int = 8,
    padding: int = 2,
    normalize: bool = False,
    value_range: tuple[float, float] | None = None,
    scale_each: bool = False,
    pad_value: float = 0.0,
) -> Tensor:
    """One image of many, in rows.

    Args:
        tensor: images (N, C, H, W), or a list of images (C, H, W) of one size.
        nrow: images in a row. Default: 8.
        padding: pixels between them. Default: 2.
        normalize: whether values are brought to [0, 1]. Default: ``False``.
        value_range: the values that become 0 and 1. Default: the smallest and largest.
        scale_each: whether each image has its own smallest and largest. Default: ``False``.
        pad_value: of the pixels between. Default: 0.

    Shape:
        The result is (C, H', W'); gray images get three channels.

    Raises:
        TypeError: `tensor` or `value_range` is something else.

    Example::

        >>> pytensor.vision.utils.make_grid(pytensor.rand(10, 1, 28, 28), nrow=5).shape
        torch.Size([3, 62, 152])
    """
    if isinstance(tensor, (list, tuple)):
        for t in tensor:
            if not isinstance(t, Tensor):
                raise TypeError(
                    f"tensor or list of tensors expected, got a list containing {type(t)}"
                )
        images = pytensor.stack([t.detach() for t in tensor])
    elif isinstance(tensor, Tensor):
        images = tensor.detach()
    else:
        raise TypeError(f"tensor or list of tensors expected, got {type(tensor)}")
    if images.dim() == 2:
        images = images.unsqueeze(0)
    if images.dim() == 3:
        images = images.unsqueeze(0)
    if images.size(1) == 1:
        images = images.expand(-1, 3, -1, -1)
    if normalize:
        if value_range is not None and not isinstance(value_range, tuple):
            raise TypeError(
                "value_range has to be a tuple (min, max) if specified. min and max are numbers"
            )
        if scale_each:
            images = pytensor.stack([_scaled(image, value_range) for image in images])
        else:
            images = _scaled(images, value_range)
    n, channels, height, width = images.shape
    if n == 1:
        return images[0].clone()
    columns = min(nrow, n)
    rows = math.ceil(n / columns)
    grid = images.new_full(
        (channels, rows * (height + padding) + padding, columns * (width + padding) + padding),
        pad_value,
    )
    for i in range(n):
        top, left = (
            padding + k * (m + padding) for k, m in zip(divmod(i, columns), (height, width))
        )
        grid[:, top : top + height, left : left + width] = images[i]
    return grid


def _scaled(t: Tensor, value_range: tuple[float, float] | None) -> Tensor:
    low, high = value_range or (float(t.min().item()), float(t.max().item()))
    return t.clamp(low, high).sub_(low).div_(max(high - low, 1e-5))


def save_image(
    tensor: Tensor | Sequence[Tensor],
    fp: str | Path | BinaryIO,
    format: str | None = None,
    **kwargs: Any,
) -> None:
    """Writes an image, or the grid of several, to a file.

    Args:
        tensor: as of ``make_grid``; values in [0, 1].
        fp: the file or its name.
        format: pillow's name of the format. Default: by the file's name.
        **kwargs: further arguments of ``make_grid``.
    """
    grid = make_grid(tensor, **kwargs)
    # 0.5 more, so that cutting the fraction off rounds to the nearest
    pixels = grid.mul(255).add_(0.5).clamp_(0, 255).permute(1, 2, 0).to(pytensor.uint8)
    pil().fromarray(pixels.contiguous().numpy()).save(fp, format=format)
