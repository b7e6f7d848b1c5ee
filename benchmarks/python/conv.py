"""float32 convolutions of known networks: forward and both gradients at batch 1 and 8.

A layer is (input channels, height = width, output channels, kernel, stride, padding, groups). Each
distinct shape of AlexNet, VGG-16, ResNet-18, ResNet-101 and MobileNetV2 at 224x224 is timed once,
under the first network that has it; LeNet-5's at batch 64, trained whole.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from benchmarks.python.harness import Case, Names, main


class Layer(NamedTuple):
    channels: int
    size: int
    out: int
    kernel: int
    stride: int = 1
    padding: int = 0
    groups: int = 1

    def __str__(self) -> str:
        depthwise = " depthwise" if self.groups > 1 else ""
        step = f"/{self.stride}" if self.stride > 1 else ""
        return (
            f"{self.channels}->{self.out} {self.kernel}x{self.kernel}{step} {self.size}{depthwise}"
        )


def bottleneck(channels: int, size: int) -> list[Layer]:
    """The layers of a stage of ResNet-101 with `channels` in the middle, after its first block."""
    wide = 4 * channels
    return [Layer(wide, size, channels, 1), Layer(channels, size, wide, 1)]


def inverted(channels: int, size: int, out: int, stride: int, expand: int = 6) -> list[Layer]:
    """The layers of a block of MobileNetV2."""
    wide = channels * expand
    return [
        Layer(channels, size, wide, 1),
        Layer(wide, size, wide, 3, stride, 1, wide),
        Layer(wide, size // stride, out, 1),
    ]


NETWORKS = {
    "AlexNet": [
        Layer(3, 224, 64, 11, 4, 2),
        Layer(64, 27, 192, 5, 1, 2),
        Layer(192, 13, 384, 3, 1, 1),
        Layer(384, 13, 256, 3, 1, 1),
        Layer(256, 13, 256, 3, 1, 1),
    ],
    "VGG-16": [
        Layer(3, 224, 64, 3, 1, 1),
        Layer(64, 224, 64, 3, 1, 1),
        Layer(64, 112, 128, 3, 1, 1),
        Layer(128, 112, 128, 3, 1, 1),
        Layer(128, 56, 256, 3, 1, 1),
        Layer(256, 56, 256, 3, 1, 1),
        Layer(256, 28, 512, 3, 1, 1),
        Layer(512, 28, 512, 3, 1, 1),
        Layer(512, 14, 512, 3, 1, 1),
    ],
    "ResNet-18": [
        Layer(3, 224, 64, 7, 2, 3),
        Layer(64, 56, 64, 3, 1, 1),
        Layer(64, 56, 128, 3, 2, 1),
        Layer(64, 56, 128, 1, 2),
        Layer(128, 28, 128, 3, 1, 1),
        Layer(128, 28, 256, 3, 2, 1),
        Layer(128, 28, 256, 1, 2),
        Layer(256, 14, 256, 3, 1, 1),
        Layer(256, 14, 512, 3, 2, 1),
        Layer(256, 14, 512, 1, 2),
        Layer(512, 7, 512, 3, 1, 1),
    ],
    "ResNet-101": [
        Layer(64, 56, 64, 1),
        *bottleneck(64, 56),
        Layer(128, 56, 128, 3, 2, 1),
        Layer(256, 56, 512, 1, 2),
        *bottleneck(128, 28),
        Layer(256, 28, 256, 3, 2, 1),
        Layer(512, 28, 1024, 1, 2),
        *bottleneck(256, 14),
        Layer(512, 14, 512, 3, 2, 1),
        Layer(1024, 14, 2048, 1, 2),
        *bottleneck(512, 7),
    ],
    "MobileNetV2": [
        Layer(3, 224, 32, 3, 2, 1),
        *inverted(32, 112, 16, 1, 1)[1:],
        *inverted(16, 112, 24, 2),
        *inverted(24, 56, 32, 2),
        *inverted(32, 28, 64, 2),
        *inverted(64, 14, 96, 1),
        *inverted(96, 14, 160, 2),
        *inverted(160, 7, 320, 1),
        Layer(320, 7, 1280, 1),
    ],
}


def operands(T: Any, layer: Layer, batch: int) -> Names:
    x = T.randn(batch, layer.channels, layer.size, layer.size)
    w = T.randn(layer.out, layer.channels // layer.groups, layer.kernel, layer.kernel)
    arguments = (layer.stride, layer.padding, 1, layer.groups)
    return {"x": x, "w": w, "arguments": arguments}


def forward(layer: Layer, batch: int) -> Callable[[Any], Names]:
    return lambda T: operands(T, layer, batch)


def gradient(layer: Layer, batch: int, by: str) -> Callable[[Any], Names]:
    def setup(T: Any) -> Names:
        names = operands(T, layer, batch)
        names[by].requires_grad_()
        y = T.conv2d(names["x"], names["w"], None, *names["arguments"])
        return {"y": y, "of": names[by], "g": T.randn(*y.shape), "grad": T.autograd.grad}

    return setup


def training(batch: int) -> Callable[[Any], Names]:
    """The convolutions of LeNet-5 with 16 and 32 channels, as a training step runs them."""

    def setup(T: Any) -> Names:
        first, second = T.nn.Conv2d(1, 16, 5, padding=2), T.nn.Conv2d(16, 32, 5)
        x, pooled = T.randn(batch, 1, 28, 28), T.randn(batch, 16, 14, 14).requires_grad_()
        g1, g2 = T.randn(batch, 16, 28, 28), T.randn(batch, 32, 10, 10)

        def step() -> None:
            first(x).backward(g1)
            second(pooled).backward(g2)

        return {"step": step}

    return setup


def cases() -> list[Case]:
    found = [Case("conv2d_train", "LeNet-5 batch 64", "step()", training(64), 1.5, "LeNet-5")]
    grad = "grad(y, of, g, retain_graph=True)"
    seen: set[Layer] = set()
    for network, layers in NETWORKS.items():
        for layer in layers:
            if layer in seen:
                continue
            seen.add(layer)
            for batch in (1, 8):
                shape = f"{network} {layer} batch {batch}"
                group = "depthwise" if layer.groups > 1 else f"{network} batch {batch}"
                call = "T.conv2d(x, w, None, *arguments)"
                found += [
                    Case("conv2d", shape, call, forward(layer, batch), 1.0, f"{group} forward"),
                    Case("conv2d_data", shape, grad, gradient(layer, batch, "x"), 1.0, group),
                    Case("conv2d_weight", shape, grad, gradient(layer, batch, "w"), 1.0, group),
                ]
    return found


CASES = cases()

if __name__ == "__main__":
    main("benchmarks.python.conv", __doc__, CASES)
