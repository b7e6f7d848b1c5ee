"""VGG (Simonyan and Zisserman 2014): stacks of 3 x 3 convolutions."""

from __future__ import annotations

from typing import Any

from pytensor import Tensor, nn
from pytensor.vision.models._init import initialize
from pytensor.vision.models._weights import WeightsEnum, model

__all__ = [
    "VGG",
    "VGG11_BN_Weights",
    "VGG11_Weights",
    "VGG13_BN_Weights",
    "VGG13_Weights",
    "VGG16_BN_Weights",
    "VGG16_Weights",
    "VGG19_BN_Weights",
    "VGG19_Weights",
    "vgg11",
    "vgg11_bn",
    "vgg13",
    "vgg13_bn",
    "vgg16",
    "vgg16_bn",
    "vgg19",
    "vgg19_bn",
]

# Convolutions in each of five stages, which have so many channels and end with pooling.
_STAGES = {11: (1, 1, 2, 2, 2), 13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}
_CHANNELS = (64, 128, 256, 512, 512)


class VGG(nn.Module):
    """Convolutions and three linear layers.

    Args:
        features: the convolutional part, which ends with 512 channels.
        num_classes: length of the result. Default: 1000.
        init_weights: whether weights are drawn as in the paper. Default: ``True``.
        dropout: probability of zeros after the first two linear layers. Default: 0.5.

    Shape:
        (N, 3, H, W), at least 32 x 32, to (N, num_classes).
    """

    def __init__(
        self,
        features: nn.Module,
        num_classes: int = 1000,
        init_weights: bool = True,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        self.features = features
        self.avgpool = nn.AdaptiveAvgPool2d((7, 7))
        self.classifier = nn.Sequential(
            nn.Linear(512 * 7 * 7, 4096),
            nn.ReLU(True),
            nn.Dropout(p=dropout),
            nn.Linear(4096, 4096),
            nn.ReLU(True),
            nn.Dropout(p=dropout),
            nn.Linear(4096, num_classes),
        )
        if init_weights:
            initialize(self, "relu", linear_std=0.01)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.avgpool(self.features(x)).flatten(1))


def _features(depth: int, batch_norm: bool) -> nn.Sequential:
    layers: list[nn.Module] = []
    before = 3
    for repeats, channels in zip(_STAGES[depth], _CHANNELS):
        for _ in range(repeats):
            layers.append(nn.Conv2d(before, channels, kernel_size=3, padding=1))
            if batch_norm:
                layers.append(nn.BatchNorm2d(channels))
            layers.append(nn.ReLU(inplace=True))
            before = channels
        layers.append(nn.MaxPool2d(kernel_size=2, stride=2))
    return nn.Sequential(*layers)


def _vgg(depth: int, batch_norm: bool, kwargs: dict[str, Any]) -> VGG:
    return VGG(_features(depth, batch_norm), **kwargs)


class VGG11_Weights(WeightsEnum):
    """Weights of ``vgg11``."""

    IMAGENET1K_V1 = ("vgg11-8a719046.pth", 224, 256)
    DEFAULT = IMAGENET1K_V1


class VGG11_BN_Weights(WeightsEnum):
    """Weights of ``vgg11_bn``."""

    IMAGENET1K_V1 = ("vgg11_bn-6002323d.pth", 224, 256)
    DEFAULT = IMAGENET1K_V1


class VGG13_Weights(WeightsEnum):
    """Weights of ``vgg13``."""

    IMAGENET1K_V1 = ("vgg13-19584684.pth", 224, 256)
    DEFAULT = IMAGENET1K_V1


class VGG13_BN_Weights(WeightsEnum):
    """Weights of ``vgg13_bn``."""

    IMAGENET1K_V1 = ("vgg13_bn-abd245e5.pth", 224, 256)
    DEFAULT = IMAGENET1K_V1


class VGG16_Weights(WeightsEnum):
    """Weights of ``vgg16``."""

    IMAGENET1K_V1 = ("vgg16-397923af.pth", 224, 256)
    DEFAULT = IMAGENET1K_V1


class VGG16_BN_Weights(WeightsEnum):
    """Weights of ``vgg16_bn``."""

    IMAGENET1K_V1 = ("vgg16_bn-6c64b313.pth", 224, 256)
    DEFAULT = IMAGENET1K_V1


class VGG19_Weights(WeightsEnum):
    """Weights of ``vgg19``."""

    IMAGENET1K_V1 = ("vgg19-dcbb9e9d.pth", 224, 256)
    DEFAULT = IMAGENET1K_V1


class VGG19_BN_Weights(WeightsEnum):
    """Weights of ``vgg19_bn``."""

    IMAGENET1K_V1 = ("vgg19_bn-c79401a0.pth", 224, 256)
    DEFAULT = IMAGENET1K_V1


@model(VGG11_Weights)
def vgg11(**kwargs: Any) -> VGG:
    """VGG with 11 layers; arguments as of ``alexnet`` and ``VGG``."""
    return _vgg(11, False, kwargs)


@model(VGG11_BN_Weights)
def vgg11_bn(**kwargs: Any) -> VGG:
    """VGG with 11 layers and batch normalization; arguments as of ``alexnet`` and ``VGG``."""
    return _vgg(11, True, kwargs)


@model(VGG13_Weights)
def vgg13(**kwargs: Any) -> VGG:
    """VGG with 13 layers; arguments as of ``alexnet`` and ``VGG``."""
    return _vgg(13, False, kwargs)


@model(VGG13_BN_Weights)
def vgg13_bn(**kwargs: Any) -> VGG:
    """VGG with 13 layers and batch normalization; arguments as of ``alexnet`` and ``VGG``."""
    return _vgg(13, True, kwargs)


@model(VGG16_Weights)
def vgg16(**kwargs: Any) -> VGG:
    """VGG with 16 layers; arguments as of ``alexnet`` and ``VGG``."""
    return _vgg(16, False, kwargs)


@model(VGG16_BN_Weights)
def vgg16_bn(**kwargs: Any) -> VGG:
    """VGG with 16 layers and batch normalization; arguments as of ``alexnet`` and ``VGG``."""
    return _vgg(16, True, kwargs)


@model(VGG19_Weights)
def vgg19(**kwargs: Any) -> VGG:
    """VGG with 19 layers; arguments as of ``alexnet`` and ``VGG``."""
    return _vgg(19, False, kwargs)


@model(VGG19_BN_Weights)
def vgg19_bn(**kwargs: Any) -> VGG:
    """VGG with 19 layers and batch normalization; arguments as of ``alexnet`` and ``VGG``."""
    return _vgg(19, True, kwargs)
