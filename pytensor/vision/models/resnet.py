"""ResNet (He et al. 2015), ResNeXt (Xie et al. 2016), wide ResNet (Zagoruyko et al. 2016)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pytensor import Tensor, nn
from pytensor.nn.modules._fused import conv_norm_act
from pytensor.vision.models._init import initialize
from pytensor.vision.models._weights import WeightsEnum, model

__all__ = [
    "BasicBlock",
    "Bottleneck",
    "ResNeXt50_32X4D_Weights",
    "ResNeXt101_32X8D_Weights",
    "ResNet",
    "ResNet18_Weights",
    "ResNet34_Weights",
    "ResNet50_Weights",
    "ResNet101_Weights",
    "ResNet152_Weights",
    "Wide_ResNet50_2_Weights",
    "Wide_ResNet101_2_Weights",
    "resnet18",
    "resnet34",
    "resnet50",
    "resnet101",
    "resnet152",
    "resnext50_32x4d",
    "resnext101_32x8d",
    "wide_resnet50_2",
    "wide_resnet101_2",
]

Norm = Callable[..., nn.Module]


def conv3x3(before: int, after: int, stride: int = 1, groups: int = 1, dilation: int = 1) -> Any:
    """A 3 x 3 convolution that keeps the size (but for its stride)."""
    return nn.Conv2d(
        before, after, 3, stride, padding=dilation, groups=groups, bias=False, dilation=dilation
    )


def conv1x1(before: int, after: int, stride: int = 1) -> Any:
    """A 1 x 1 convolution."""
    return nn.Conv2d(before, after, 1, stride, bias=False)


class BasicBlock(nn.Module):
    """Two 3 x 3 convolutions, added to their input.

    Args:
        inplanes: channels of the input.
        planes: channels of the result.
        stride: of the first convolution. Default: 1.
        downsample: brings the input to the result's shape; None where it has it.
        groups, base_width, dilation: only their defaults are possible.
        norm_layer: makes the normalizations. Default: ``BatchNorm2d``.
    """

    expansion = 1

    def __init__(
        self,
        inplanes: int,
        planes: int,
        stride: int = 1,
        downsample: nn.Module | None = None,
        groups: int = 1,
        base_width: int = 64,
        dilation: int = 1,
        norm_layer: Norm | None = None,
    ) -> None:
        super().__init__()
        norm = norm_layer or nn.BatchNorm2d
        if groups != 1 or base_width != 64:
            raise ValueError("BasicBlock only supports groups=1 and base_width=64")
        if dilation > 1:
            raise NotImplementedError("Dilation > 1 not supported in BasicBlock")
        self.conv1 = conv3x3(inplanes, planes, stride)
        self.bn1 = norm(planes)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = conv3x3(planes, planes)
        self.bn2 = norm(planes)
        self.downsample = downsample
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        first = (self.conv1, self.bn1, self.relu)
        second = (self.conv2, self.bn2, self.relu)
        return conv_norm_act(x, first, second, residual=x, shortcut=self.downsample)


class Bottleneck(nn.Module):
    """A 3 x 3 convolution between two of 1 x 1, added to their input.

    Args:
        inplanes: channels of the input.
        planes: a fourth of the result's channels.
        stride: of the 3 x 3 convolution. Default: 1.
        downsample: brings the input to the result's shape; None where it has it.
        groups, dilation: of the 3 x 3 convolution. Default: 1.
        base_width: its channels in a group, for 64 planes. Default: 64.
        norm_layer: makes the normalizations. Default: ``BatchNorm2d``.
    """

    expansion = 4

    def __init__(
        self,
        inplanes: int,
        planes: int,
        stride: int = 1,
        downsample: nn.Module | None = None,
        groups: int = 1,
        base_width: int = 64,
        dilation: int = 1,
        norm_layer: Norm | None = None,
    ) -> None:
        super().__init__()
        norm = norm_layer or nn.BatchNorm2d
        width = int(planes * (base_width / 64.0)) * groups
        self.conv1 = conv1x1(inplanes, width)
        self.bn1 = norm(width)
        self.conv2 = conv3x3(width, width, stride, groups, dilation)
        self.bn2 = norm(width)
        self.conv3 = conv1x1(width, planes * self.expansion)
        self.bn3 = norm(planes * self.expansion)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = downsample
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        first = (self.conv1, self.bn1, self.relu)
        second = (self.conv2, self.bn2, self.relu)
        third = (self.conv3, self.bn3, self.relu)
        return conv_norm_act(x, first, second, third, residual=x, shortcut=self.downsample)


class ResNet(nn.Module):
    """A convolution, four stages of blocks, and a linear layer.

    Args:
        block: ``BasicBlock`` or ``Bottleneck``.
        layers: number of blocks in each stage.
        num_classes: length of the result. Default: 1000.
        zero_init_residual: whether blocks start as the identity. Default: ``False``.
        groups, width_per_group: of the blocks.
        replace_stride_with_dilation: for the last three stages, whether they keep the size and
            widen their filters instead.
        norm_layer: makes the normalizations. Default: ``BatchNorm2d``.

    Shape:
        (N, 3, H, W) to (N, num_classes).
    """

    def __init__(
        self,
        block: type[BasicBlock | Bottleneck],
        layers: Sequence[int],
        num_classes: int = 1000,
        zero_init_residual: bool = False,
        groups: int = 1,
        width_per_group: int = 64,
        replace_stride_with_dilation: Sequence[bool] | None = None,
        norm_layer: Norm | None = None,
    ) -> None:
        super().__init__()
        self._norm_layer = norm_layer or nn.BatchNorm2d
        self.inplanes = 64
        self.dilation = 1
        dilate = replace_stride_with_dilation or [False, False, False]
        if len(dilate) != 3:
            raise ValueError(
                "replace_stride_with_dilation should be None or a 3-element tuple, got "
                f"{replace_stride_with_dilation}"
            )
        self.groups = groups
        self.base_width = width_per_group
        self.conv1 = nn.Conv2d(3, 64, kernel_size=7, stride=2, padding=3, bias=False)
        self.bn1 = self._norm_layer(64)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(kernel_size=3, stride=2, padding=1)
        self.layer1 = self._stage(block, 64, layers[0], 1, False)
        self.layer2 = self._stage(block, 128, layers[1], 2, dilate[0])
        self.layer3 = self._stage(block, 256, layers[2], 2, dilate[1])
        self.layer4 = self._stage(block, 512, layers[3], 2, dilate[2])
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(512 * block.expansion, num_classes)
        initialize(self, "relu")
        if zero_init_residual:
            for m in self.modules():
                if isinstance(m, (BasicBlock, Bottleneck)):
                    last: Any = m.bn3 if isinstance(m, Bottleneck) else m.bn2
                    nn.init.zeros_(last.weight)

    def _stage(self, block: Any, planes: int, blocks: int, stride: int, dilate: bool) -> Any:
        norm = self._norm_layer
        downsample = None
        dilation_before = self.dilation
        if dilate:
            self.dilation *= stride
            stride = 1
        out = planes * block.expansion
        if stride != 1 or self.inplanes != out:
            downsample = nn.Sequential(conv1x1(self.inplanes, out, stride), norm(out))
        common = (self.groups, self.base_width)
        made = [block(self.inplanes, planes, stride, downsample, *common, dilation_before, norm)]
        self.inplanes = out
        for _ in range(1, blocks):
            made.append(block(out, planes, 1, None, *common, self.dilation, norm))
        return nn.Sequential(*made)

    def forward(self, x: Tensor) -> Tensor:
        x = self.maxpool(conv_norm_act(x, (self.conv1, self.bn1, self.relu)))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(self.avgpool(x).flatten(1))


class ResNet18_Weights(WeightsEnum):
    """Weights of ``resnet18``."""

    IMAGENET1K_V1 = ("resnet18-f37072fd.pth", 224, 256)
    DEFAULT = IMAGENET1K_V1


class ResNet34_Weights(WeightsEnum):
    """Weights of ``resnet34``."""

    IMAGENET1K_V1 = ("resnet34-b627a593.pth", 224, 256)
    DEFAULT = IMAGENET1K_V1


class ResNet50_Weights(WeightsEnum):
    """Weights of ``resnet50``."""

    IMAGENET1K_V1 = ("resnet50-0676ba61.pth", 224, 256)
    IMAGENET1K_V2 = ("resnet50-11ad3fa6.pth", 224, 232)
    DEFAULT = IMAGENET1K_V2


class ResNet101_Weights(WeightsEnum):
    """Weights of ``resnet101``."""

    IMAGENET1K_V1 = ("resnet101-63fe2227.pth", 224, 256)
    IMAGENET1K_V2 = ("resnet101-cd907fc2.pth", 224, 232)
    DEFAULT = IMAGENET1K_V2


class ResNet152_Weights(WeightsEnum):
    """Weights of ``resnet152``."""

    IMAGENET1K_V1 = ("resnet152-394f9c45.pth", 224, 256)
    IMAGENET1K_V2 = ("resnet152-f82ba261.pth", 224, 232)
    DEFAULT = IMAGENET1K_V2


class ResNeXt50_32X4D_Weights(WeightsEnum):
    """Weights of ``resnext50_32x4d``."""

    IMAGENET1K_V1 = ("resnext50_32x4d-7cdf4587.pth", 224, 256)
    IMAGENET1K_V2 = ("resnext50_32x4d-1a0047aa.pth", 224, 232)
    DEFAULT = IMAGENET1K_V2


class ResNeXt101_32X8D_Weights(WeightsEnum):
    """Weights of ``resnext101_32x8d``."""

    IMAGENET1K_V1 = ("resnext101_32x8d-8ba56ff5.pth", 224, 256)
    IMAGENET1K_V2 = ("resnext101_32x8d-110c445d.pth", 224, 232)
    DEFAULT = IMAGENET1K_V2


class Wide_ResNet50_2_Weights(WeightsEnum):
    """Weights of ``wide_resnet50_2``."""

    IMAGENET1K_V1 = ("wide_resnet50_2-95faca4d.pth", 224, 256)
    IMAGENET1K_V2 = ("wide_resnet50_2-9ba9bcbe.pth", 224, 232)
    DEFAULT = IMAGENET1K_V2


class Wide_ResNet101_2_Weights(WeightsEnum):
    """Weights of ``wide_resnet101_2``."""

    IMAGENET1K_V1 = ("wide_resnet101_2-32ee1156.pth", 224, 256)
    IMAGENET1K_V2 = ("wide_resnet101_2-d733dc28.pth", 224, 232)
    DEFAULT = IMAGENET1K_V2


@model(ResNet18_Weights)
def resnet18(**kwargs: Any) -> ResNet:
    """ResNet with 18 layers; arguments as of ``alexnet`` and ``ResNet``."""
    return ResNet(BasicBlock, [2, 2, 2, 2], **kwargs)


@model(ResNet34_Weights)
def resnet34(**kwargs: Any) -> ResNet:
    """ResNet with 34 layers; arguments as of ``alexnet`` and ``ResNet``."""
    return ResNet(BasicBlock, [3, 4, 6, 3], **kwargs)


@model(ResNet50_Weights)
def resnet50(**kwargs: Any) -> ResNet:
    """ResNet with 50 layers; arguments as of ``alexnet`` and ``ResNet``."""
    return ResNet(Bottleneck, [3, 4, 6, 3], **kwargs)


@model(ResNet101_Weights)
def resnet101(**kwargs: Any) -> ResNet:
    """ResNet with 101 layers; arguments as of ``alexnet`` and ``ResNet``."""
    return ResNet(Bottleneck, [3, 4, 23, 3], **kwargs)


@model(ResNet152_Weights)
def resnet152(**kwargs: Any) -> ResNet:
    """ResNet with 152 layers; arguments as of ``alexnet`` and ``ResNet``."""
    return ResNet(Bottleneck, [3, 8, 36, 3], **kwargs)


@model(ResNeXt50_32X4D_Weights)
def resnext50_32x4d(**kwargs: Any) -> ResNet:
    """ResNeXt with 50 layers and 32 groups; arguments as of ``alexnet`` and ``ResNet``."""
    return ResNet(Bottleneck, [3, 4, 6, 3], **{"groups": 32, "width_per_group": 4} | kwargs)


@model(ResNeXt101_32X8D_Weights)
def resnext101_32x8d(**kwargs: Any) -> ResNet:
    """ResNeXt with 101 layers and 32 groups; arguments as of ``alexnet`` and ``ResNet``."""
    return ResNet(Bottleneck, [3, 4, 23, 3], **{"groups": 32, "width_per_group": 8} | kwargs)


@model(Wide_ResNet50_2_Weights)
def wide_resnet50_2(**kwargs: Any) -> ResNet:
    """ResNet with 50 layers, the inner ones twice as wide; arguments as of ``ResNet``."""
    return ResNet(Bottleneck, [3, 4, 6, 3], **{"width_per_group": 128} | kwargs)


@model(Wide_ResNet101_2_Weights)
def wide_resnet101_2(**kwargs: Any) -> ResNet:
    """ResNet with 101 layers, the inner ones twice as wide; arguments as of ``ResNet``."""
    return ResNet(Bottleneck, [3, 4, 23, 3], **{"width_per_group": 128} | kwargs)
