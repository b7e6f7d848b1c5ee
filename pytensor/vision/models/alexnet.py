"""AlexNet, in the form of Krizhevsky's "One weird trick" (2014)."""

from __future__ import annotations

from typing import Any

from pytensor import Tensor, nn
from pytensor.vision.models._weights import WeightsEnum, model

__all__ = ["AlexNet", "AlexNet_Weights", "alexnet"]


class AlexNet(nn.Module):
    """Five convolutions and three linear layers.

    Args:
        num_classes: length of the result. Default: 1000.
        dropout: probability of zeros before the first two linear layers. Default: 0.5.

    Shape:
        (N, 3, H, W), at least 63 x 63, to (N, num_classes).
    """

    def __init__(self, num_classes: int = 1000, dropout: float = 0.5) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 64, kernel_size=11, stride=4, padding=2),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(kernel_size=3, stride=2),
            nn.Conv2d(64, 192, kernel_size=5, padding=2),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(kernel_size=3, stride=2),
            nn.Conv2d(192, 384, kernel_size=3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(384, 256, kernel_size=3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(256, 256, kernel_size=3, padding=1),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(kernel_size=3, stride=2),
        )
        self.avgpool = nn.AdaptiveAvgPool2d((6, 6))
        self.classifier = nn.Sequential(
            nn.Dropout(p=dropout),
            nn.Linear(256 * 6 * 6, 4096),
            nn.ReLU(inplace=True),
            nn.Dropout(p=dropout),
            nn.Linear(4096, 4096),
            nn.ReLU(inplace=True),
            nn.Linear(4096, num_classes),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.avgpool(self.features(x)).flatten(1))


class AlexNet_Weights(WeightsEnum):
    """Weights of ``alexnet``."""

    IMAGENET1K_V1 = ("alexnet-owt-7be5be79.pth", 224, 256)
    DEFAULT = IMAGENET1K_V1


@model(AlexNet_Weights)
def alexnet(**kwargs: Any) -> AlexNet:
    """AlexNet.

    Args:
        weights: None, an ``AlexNet_Weights`` or its name, or a file.
        progress: whether a download is told of.
        **kwargs: of ``AlexNet``.
    """
    return AlexNet(**kwargs)
