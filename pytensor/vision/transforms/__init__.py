"""Transforms of images: objects that are called with an image of pillow or a tensor.

Random ones draw from the default generator, in torchvision's order.
"""

from __future__ import annotations

from pytensor.vision.transforms import functional
from pytensor.vision.transforms.transforms import *  # noqa: F403
from pytensor.vision.transforms.transforms import __all__ as _names

__all__ = ["functional", *_names]
