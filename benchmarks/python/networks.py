"""Networks of the model benchmarks, built with whichever library's `nn` is given.

The architectures are those of the papers, with the usual layers; only their cost matters here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def lenet(nn: Any) -> Any:
    """LeNet-5 (LeCun et al. 1998) with ReLU and max pooling, for (N, 1, 28, 28)."""
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(400, 120),
        nn.ReLU(),
        nn.Linear(120, 84),
        nn.ReLU(),
        nn.Linear(84, 10),
    )


def mlp(nn: Any) -> Any:
    """Three linear layers for (N, 784)."""
    return nn.Sequential(
        nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 10)
    )


def alexnet(nn: Any) -> Any:
    """AlexNet in the one-column form (Krizhevsky 2014), for (N, 3, 224, 224)."""
    layers = []
    channels = 3
    for width, kernel, stride, padding, pool in (
        (64, 11, 4, 2, True),
        (192, 5, 1, 2, True),
        (384, 3, 1, 1, False),
        (256, 3, 1, 1, False),
        (256, 3, 1, 1, True),
    ):
        layers += [nn.Conv2d(channels, width, kernel, stride, padding), nn.ReLU(inplace=True)]
        if pool:
            layers.append(nn.MaxPool2d(3, 2))
        channels = width
    for wide, out in ((256 * 36, 4096), (4096, 4096)):
        layers += [nn.Flatten(), nn.Dropout(), nn.Linear(wide, out), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers, nn.Linear(4096, 1000))


def vgg16(nn: Any) -> Any:
    """VGG-16 (Simonyan and Zisserman 2014), for (N, 3, 224, 224)."""
    layers = []
    channels = 3
    for width, count in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
        for _ in range(count):
            layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU(inplace=True)]
            channels = width
        layers.append(nn.MaxPool2d(2, 2))
    layers.append(nn.Flatten())
    for wide in (512 * 49, 4096):
        layers += [nn.Linear(wide, 4096), nn.ReLU(inplace=True), nn.Dropout()]
    return nn.Sequential(*layers, nn.Linear(4096, 1000))


def _resnet(nn: Any, counts: tuple[int, ...], bottleneck: bool) -> Any:
    """Residual networks (He et al. 2015), for (N, 3, 224, 224)."""

    class Block(nn.Module):
        def __init__(self, before: int, width: int, stride: int) -> None:
            super().__init__()
            after = 4 * width if bottleneck else width
            shapes = (
                [(before, width, 1, 1), (width, width, 3, stride), (width, after, 1, 1)]
                if bottleneck
                else [(before, width, 3, stride), (width, after, 3, 1)]
            )
            self.body = nn.ModuleList(
                nn.Sequential(nn.Conv2d(i, o, k, s, padding=k // 2, bias=False), nn.BatchNorm2d(o))
                for i, o, k, s in shapes
            )
            self.shortcut = (
                nn.Sequential(
                    nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after)
                )
                if stride > 1 or before != after
                else None
            )
            self.relu = nn.ReLU(inplace=True)

        def forward(self, x: Any) -> Any:
            y = x
            for i, part in enumerate(self.body):
                y = part(y)
                if i + 1 < len(self.body):
                    y = self.relu(y)
            y += x if self.shortcut is None else self.shortcut(x)
            return self.relu(y)

    layers = [
        nn.Conv2d(3, 64, 7, 2, 3, bias=False),
        nn.BatchNorm2d(64),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(3, 2, 1),
    ]
    before = 64
    for stage, count in enumerate(counts):
        width = 64 << stage
        for i in range(count):
            layers.append(Block(before, width, 2 if stage > 0 and i == 0 else 1))
            before = 4 * width if bottleneck else width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(before, 1000))


def resnet18(nn: Any) -> Any:
    return _resnet(nn, (2, 2, 2, 2), bottleneck=False)


def resnet101(nn: Any) -> Any:
    return _resnet(nn, (3, 4, 23, 3), bottleneck=True)


def mobilenet_v2(nn: Any) -> Any:
    """MobileNetV2 (Sandler et al. 2018), for (N, 3, 224, 224)."""

    def conv(i: int, o: int, k: int, s: int = 1, groups: int = 1, act: bool = True) -> list[Any]:
        layers = [
            nn.Conv2d(i, o, k, s, padding=k // 2, groups=groups, bias=False),
            nn.BatchNorm2d(o),
        ]
        return [*layers, nn.ReLU6(inplace=True)] if act else layers

    class Block(nn.Module):
        def __init__(self, before: int, after: int, stride: int, expansion: int) -> None:
            super().__init__()
            hidden = before * expansion
            layers = conv(before, hidden, 1) if expansion > 1 else []
            layers += conv(hidden, hidden, 3, stride, groups=hidden)
            self.body = nn.Sequential(*layers, *conv(hidden, after, 1, act=False))
            self.residual = stride == 1 and before == after

        def forward(self, x: Any) -> Any:
            return x + self.body(x) if self.residual else self.body(x)

    layers = conv(3, 32, 3, 2)
    before = 32
    for expansion, width, count, stride in (
        (1, 16, 1, 1),
        (6, 24, 2, 2),
        (6, 32, 3, 2),
        (6, 64, 4, 2),
        (6, 96, 3, 1),
        (6, 160, 3, 2),
        (6, 320, 1, 1),
    ):
        for i in range(count):
            layers.append(Block(before, width, stride if i == 0 else 1, expansion))
            before = width
    layers += [*conv(320, 1280, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.2)]
    return nn.Sequential(*layers, nn.Linear(1280, 1000))


NETWORKS: dict[str, Callable[[Any], Any]] = {
    "lenet": lenet,
    "mlp": mlp,
    "alexnet": alexnet,
    "vgg16": vgg16,
    "resnet18": resnet18,
    "resnet101": resnet101,
    "mobilenet_v2": mobilenet_v2,
}
