"""MobileNetV2 (Sandler et al. 2018): narrow blocks that are wide inside, by channels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pytensor import Tensor, nn
from pytensor.nn.modules._fused import add_to_input
from pytensor.vision.models._init import initialize
from pytensor.vision.models._weights import WeightsEnum, model

__all__ = ["MobileNetV2", "MobileNet_V2_Weights", "mobilenet_v2"]

Norm = Callable[..., nn.Module]

# Of each stage: factor inside of a block, channels, blocks, stride of the first.
_SETTING = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)


def _divisible(channels: float, divisor: int) -> int:
    """The nearest multiple of a divisor that is not smaller by more than a tenth."""
    nearest = max(divisor, int(channels + divisor / 2) // divisor * divisor)
    return nearest + divisor if nearest < 0.9 * channels else nearest


class Conv2dNormActivation(nn.Sequential):
    """A convolution that keeps the size (but for its stride), normalization and ReLU6."""

    def __init__(
        self, before: int, after: int, kernel: int, stride: int, groups: int, norm: Norm
    ) -> None:
        super().__init__(
            nn.Conv2d(before, after, kernel, stride, (kernel - 1) // 2, groups=groups, bias=False),
            norm(after),
            nn.ReLU6(inplace=True),
        )
        self.out_channels = after


class InvertedResidual(nn.Module):
    """A block: 1 x 1 to more channels, 3 x 3 by channels, 1 x 1 to fewer; added to its input.

    Args:
        inp: channels of the input.
        oup: channels of the result.
        stride: 1 or 2.
        expand_ratio: factor inside.
        norm_layer: makes the normalizations. Default: ``BatchNorm2d``.
    """

    def __init__(
        self, inp: int, oup: int, stride: int, expand_ratio: int, norm_layer: Norm | None = None
    ) -> None:
        super().__init__()
        if stride not in (1, 2):
            raise ValueError(f"stride should be 1 or 2 instead of {stride}")
        norm = norm_layer or nn.BatchNorm2d
        self.stride = stride
        self.use_res_connect = stride == 1 and inp == oup
        hidden = round(inp * expand_ratio)
        layers: list[nn.Module] = []
        if expand_ratio != 1:
            layers.append(Conv2dNormActivation(inp, hidden, 1, 1, 1, norm))
        layers.append(Conv2dNormActivation(hidden, hidden, 3, stride, hidden, norm))
        layers += [nn.Conv2d(hidden, oup, 1, 1, 0, bias=False), norm(oup)]
        self.conv = nn.Sequential(*layers)
        self.out_channels = oup

    def forward(self, x: Tensor) -> Tensor:
        return add_to_input(self.conv, x) if self.use_res_connect else self.conv(x)


class MobileNetV2(nn.Module):
    """Stages of ``InvertedResidual`` and a linear layer.

    Args:
        num_classes: length of the result. Default: 1000.
        width_mult: factor of all channels. Default: 1.
        inverted_residual_setting: of each stage: factor inside of a block, channels, blocks,
            stride of the first. Default: the paper's.
        round_nearest: channels are a multiple of this. Default: 8.
        block: makes a block. Default: ``InvertedResidual``.
        norm_layer: makes the normalizations. Default: ``BatchNorm2d``.
        dropout: probability of zeros before the linear layer. Default: 0.2.

    Shape:
        (N, 3, H, W) to (N, num_classes).
    """

    def __init__(
        self,
        num_classes: int = 1000,
        width_mult: float = 1.0,
        inverted_residual_setting: Sequence[Sequence[int]] | None = None,
        round_nearest: int = 8,
        block: Callable[..., nn.Module] | None = None,
        norm_layer: Norm | None = None,
        dropout: float = 0.2,
    ) -> None:
        super().__init__()
        make = block or InvertedResidual
        norm = norm_layer or nn.BatchNorm2d
        setting = _SETTING if inverted_residual_setting is None else inverted_residual_setting
        if len(setting) == 0 or any(len(stage) != 4 for stage in setting):
            raise ValueError(
                "inverted_residual_setting should be non-empty or a 4-element list, got "
                f"{inverted_residual_setting}"
            )
        channels = _divisible(32 * width_mult, round_nearest)
        self.last_channel = _divisible(1280 * max(1.0, width_mult), round_nearest)
        features: list[nn.Module] = [Conv2dNormActivation(3, channels, 3, 2, 1, norm)]
        for factor, wanted, blocks, stride in setting:
            after = _divisible(wanted * width_mult, round_nearest)
            for i in range(blocks):
                step = stride if i == 0 else 1
                features.append(make(channels, after, step, expand_ratio=factor, norm_layer=norm))
                channels = after
        features.append(Conv2dNormActivation(channels, self.last_channel, 1, 1, 1, norm))
        self.features = nn.Sequential(*features)
        self.classifier = nn.Sequential(
            nn.Dropout(p=dropout), nn.Linear(self.last_channel, num_classes)
        )
        initialize(self, linear_std=0.01)

    def forward(self, x: Tensor) -> Tensor:
        x = nn.functional.adaptive_avg_pool2d(self.features(x), (1, 1))
        return self.classifier(x.flatten(1))


class MobileNet_V2_Weights(WeightsEnum):
    """Weights of ``mobilenet_v2``."""

    IMAGENET1K_V1 = ("mobilenet_v2-b0353104.pth", 224, 256)
    IMAGENET1K_V2 = ("mobilenet_v2-7ebf99e0.pth", 224, 232)
    DEFAULT = IMAGENET1K_V2


@model(MobileNet_V2_Weights)
def mobilenet_v2(**kwargs: Any) -> MobileNetV2:
    """MobileNetV2; arguments as of ``alexnet`` and ``MobileNetV2``."""
    return MobileNetV2(**kwargs)
