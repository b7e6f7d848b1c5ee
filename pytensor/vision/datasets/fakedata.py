"""``FakeData``: noise in the form of a data set of images."""

from __future__ import annotations

from typing import Any

import pytensor
from pytensor.vision.datasets.vision import Transform, VisionDataset

__all__ = ["FakeData"]


class FakeData(VisionDataset):
    """Images of noise with random labels, the same ones whenever they are asked for.

    Args:
        size: number of images. Default: 1000.
        image_size: of an image: channels, height, width. Default: ``(3, 224, 224)``.
        num_classes: number of labels. Default: 10.
        transform: changes images.
        target_transform: changes targets.
        random_offset: added to an image's number to seed it. Default: 0.
    """

    def __init__(
        self,
        size: int = 1000,
        image_size: tuple[int, int, int] = (3, 224, 224),
        num_classes: int = 10,
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        random_offset: int = 0,
    ) -> None:
        super().__init__(transform=transform, target_transform=target_transform)
        self.size = size
        self.num_classes = num_classes
        self.image_size = image_size
        self.random_offset = random_offset

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        if index >= len(self):
            raise IndexError(f"{type(self).__name__} index out of range")
        from pytensor.vision.transforms import functional as F

        generator = pytensor.Generator().manual_seed(index + self.random_offset)
        image = pytensor.randn(*self.image_size, generator=generator)
        target = pytensor.randint(0, self.num_classes, (1,), generator=generator)
        return self._changed(F.to_pil_image(image), int(target.item()))

    def __len__(self) -> int:
        return self.size
