"""Pillow, which this package can do without until an image of a file is touched."""

from __future__ import annotations

import functools
import sys
from typing import Any

__all__ = ["is_image", "pil"]


@functools.cache
def pil() -> Any:
    """The module ``PIL.Image``.

    Raises:
        ImportError: pillow is not installed.
    """
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError(
            "pytensor.vision: this needs pillow. Install it with: pip install 'pytensor-dl[vision]'"
        ) from error
    return Image


def is_image(value: Any) -> bool:
    """Whether the value is an image of pillow; does not import it."""
    image = sys.modules.get("PIL.Image")
    return image is not None and isinstance(value, image.Image)
