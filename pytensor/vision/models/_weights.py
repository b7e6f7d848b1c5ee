"""Trained weights of models: what there is, where it is, and how a model gets it."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from enum import Enum
from typing import Any

import pytensor
from pytensor import Tensor, nn

__all__ = ["ImageClassification", "WeightsEnum", "model"]

_PLACE = "https://download.pytorch.org/models/"
_CLASSES = 1000  # of ImageNet


class ImageClassification(nn.Module):
    """What an image goes through before a model trained on ImageNet.

    Args:
        crop_size: height and width of the result.
        resize_size: shorter edge of the image before. Default: 256.
        mean, std: of the channels. Default: ImageNet's.

    Shape:
        An image of pillow or a tensor (..., C, H, W) to a tensor (..., C, crop_size, crop_size).
    """

    def __init__(
        self,
        *,
        crop_size: int,
        resize_size: int = 256,
        mean: tuple[float, ...] = (0.485, 0.456, 0.406),
        std: tuple[float, ...] = (0.229, 0.224, 0.225),
    ) -> None:
        super().__init__()
        self.crop_size = [crop_size]
        self.resize_size = [resize_size]
        self.mean = list(mean)
        self.std = list(std)

    def forward(self, img: Any) -> Tensor:
        from pytensor.vision.transforms import functional as F

        img = F.center_crop(F.resize(img, self.resize_size), self.crop_size)
        if not isinstance(img, Tensor):
            img = F.pil_to_tensor(img)
        return F.normalize(F.convert_image_dtype(img, pytensor.float32), self.mean, self.std)


class WeightsEnum(Enum):
    """Base of the enumerations: a member's value is the name of its file and its image size."""

    @classmethod
    def verify(cls, obj: Any) -> Any:
        """A member from a member, its name, or None.

        Raises:
            TypeError: it is of another enumeration, or something else.
        """
        if obj is None or isinstance(obj, cls):
            return obj
        if isinstance(obj, str):
            return cls[obj.replace(cls.__name__ + ".", "")]
        raise TypeError(
            f"Invalid Weight class provided; expected {cls.__name__} but received "
            f"{type(obj).__name__}."
        )

    @property
    def url(self) -> str:
        """Where the file is."""
        return _PLACE + str(self.value[0])

    @property
    def transforms(self) -> Callable[[], ImageClassification]:
        """Makes the transform that images need."""
        crop, resize = self.value[1:]
        return functools.partial(ImageClassification, crop_size=crop, resize_size=resize)

    def get_state_dict(self, progress: bool = True, check_hash: bool = False) -> Any:
        """The weights, from the cache folder or the network.

        Raises:
            RuntimeError: they are in neither.
        """
        from pytensor import hub

        return hub.load_state_dict_from_url(self.url, progress=progress, check_hash=check_hash)


def model(weights_enum: Any) -> Callable[[Callable[..., nn.Module]], Callable[..., Any]]:
    """Decorator of a model's function: it gets the arguments `weights` and `progress`.

    `weights` is None, a member of the enumeration or its name, or a file with a state dict.
    The older argument `pretrained` is taken too.

    Args:
        weights_enum: what there is for the model.
    """

    def decorate(make: Callable[..., nn.Module]) -> Callable[..., Any]:
        @functools.wraps(make)
        def build(weights: Any = None, progress: bool = True, **kwargs: Any) -> Any:
            if "pretrained" in kwargs:
                weights = kwargs.pop("pretrained")
            chosen, path = _chosen(make.__name__, weights_enum, weights)
            if chosen is not None:
                classes = kwargs.setdefault("num_classes", _CLASSES)
                if classes != _CLASSES:
                    raise ValueError(
                        f"The parameter 'num_classes' expected value {_CLASSES} but got {classes} "
                        "instead."
                    )
            network = make(**kwargs)
            if chosen is not None:
                network.load_state_dict(chosen.get_state_dict(progress, check_hash=True))
            elif path is not None:
                from pytensor.serialization import load

                network.load_state_dict(load(path, map_location="cpu", weights_only=True))
            return network

        build._weights_enum = weights_enum  # type: ignore[attr-defined]
        return build

    return decorate


def _chosen(name: str, enum: Any, weights: Any) -> tuple[Any, str | None]:
    """A member of the enumeration, or a file."""
    if weights is None or weights is False:
        return None, None
    if weights is True:
        return enum.IMAGENET1K_V1, None
    if isinstance(weights, (str, os.PathLike)):
        text = os.fspath(weights)
        member = text.replace(enum.__name__ + ".", "")
        if member in enum.__members__:
            return enum[member], None
        if not os.path.isfile(text):
            known = ", ".join(enum.__members__)
            raise ValueError(f"{name}(): weights {text!r} are neither a file nor one of {known}")
        return None, text
    return enum.verify(weights), None
