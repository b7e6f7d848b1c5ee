"""Networks for images, with torchvision's names of parameters, initial values and weights."""

from __future__ import annotations

from typing import Any

from pytensor.vision.models.alexnet import *  # noqa: F403
from pytensor.vision.models.mobilenet import *  # noqa: F403
from pytensor.vision.models.resnet import *  # noqa: F403
from pytensor.vision.models.vgg import *  # noqa: F403


def list_models() -> list[str]:
    """The names of all models.

    Example::

        >>> pytensor.vision.models.list_models()[:2]
        ['alexnet', 'mobilenet_v2']
    """
    return sorted(n for n, f in globals().items() if hasattr(f, "_weights_enum"))


def get_model(name: str, **config: Any) -> Any:
    """The model of a name.

    Args:
        name: one of ``list_models()``.
        **config: arguments of its function.

    Raises:
        ValueError: there is no such model.
    """
    if name not in list_models():
        raise ValueError(f"Unknown model {name}")
    return globals()[name](**config)


def get_model_weights(name: str) -> Any:
    """The enumeration of the weights there are for a model.

    Raises:
        ValueError: there is no such model.
    """
    if name not in list_models():
        raise ValueError(f"Unknown model {name}")
    return globals()[name]._weights_enum
