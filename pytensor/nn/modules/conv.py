"""Convolution layers: ``Conv1d`` to ``ConvTranspose3d`` and their lazy forms."""

from __future__ import annotations

from typing import Any

import pytensor
from pytensor import Tensor
from pytensor.nn import functional as F
from pytensor.nn.modules._conv import Size, _ConvNd, _ConvTransposeNd
from pytensor.nn.modules.lazy import LazyModuleMixin
from pytensor.nn.parameter import UninitializedParameter

__all__ = [
    "Conv1d",
    "Conv2d",
    "Conv3d",
    "ConvTranspose1d",
    "ConvTranspose2d",
    "ConvTranspose3d",
    "LazyConv1d",
    "LazyConv2d",
    "LazyConv3d",
    "LazyConvTranspose1d",
    "LazyConvTranspose2d",
    "LazyConvTranspose3d",
]


class Conv1d(_ConvNd):
    """Slides kernels over sequences: a weighted sum of the channels under the kernel, plus a bias.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the result.
        kernel_size: length of the kernel.
            One int or a tuple, as all sizes below.
        stride: step of the kernel. Default: 1.
        padding: what is added on both sides, or ``"valid"`` or ``"same"``. Default: 0.
        dilation: spacing of the kernel's elements. Default: 1.
        groups: groups of channels that do not see each other. Default: 1.
        bias: whether there is a bias. Default: ``True``.
        padding_mode: ``"zeros"``, ``"reflect"``, ``"replicate"`` or ``"circular"``.
        device, dtype: of the parameters. Default: the default device and dtype.

    Shape:
        ``(N, in, L)``, or without ``N``.
        ``weight`` is ``(out, in / groups, *kernel_size)``; it and ``bias`` start uniform in
        ``+-1 / sqrt(in / groups * elements of the kernel)``.

    Raises:
        ValueError: when the groups do not divide the channels or ``padding`` is unknown.

    Example::

        >>> layer = pytensor.nn.Conv1d(16, 33, 3, stride=2)
        >>> layer(pytensor.randn(20, 16, 50)).shape
        torch.Size([20, 33, 24])
    """

    spatial_dims = 1
    function = F.conv1d


class Conv2d(_ConvNd):
    """Slides kernels over images: a weighted sum of the channels under the kernel, plus a bias.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the result.
        kernel_size: height and width of the kernel.
            One int or a tuple, as all sizes below.
        stride: step of the kernel. Default: 1.
        padding: what is added on both sides, or ``"valid"`` or ``"same"``. Default: 0.
        dilation: spacing of the kernel's elements. Default: 1.
        groups: groups of channels that do not see each other. Default: 1.
        bias: whether there is a bias. Default: ``True``.
        padding_mode: ``"zeros"``, ``"reflect"``, ``"replicate"`` or ``"circular"``.
        device, dtype: of the parameters. Default: the default device and dtype.

    Shape:
        ``(N, in, H, W)``, or without ``N``.
        ``weight`` is ``(out, in / groups, *kernel_size)``; it and ``bias`` start uniform in
        ``+-1 / sqrt(in / groups * elements of the kernel)``.

    Raises:
        ValueError: when the groups do not divide the channels or ``padding`` is unknown.

    Example::

        >>> layer = pytensor.nn.Conv2d(16, 33, (3, 5), padding=(1, 2))
        >>> layer(pytensor.randn(2, 16, 10, 12)).shape
        torch.Size([2, 33, 10, 12])
    """

    spatial_dims = 2
    function = F.conv2d


class Conv3d(_ConvNd):
    """Slides kernels over volumes: a weighted sum of the channels under the kernel, plus a bias.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the result.
        kernel_size: depth, height and width of the kernel.
            One int or a tuple, as all sizes below.
        stride: step of the kernel. Default: 1.
        padding: what is added on both sides, or ``"valid"`` or ``"same"``. Default: 0.
        dilation: spacing of the kernel's elements. Default: 1.
        groups: groups of channels that do not see each other. Default: 1.
        bias: whether there is a bias. Default: ``True``.
        padding_mode: ``"zeros"``, ``"reflect"``, ``"replicate"`` or ``"circular"``.
        device, dtype: of the parameters. Default: the default device and dtype.

    Shape:
        ``(N, in, D, H, W)``, or without ``N``.
        ``weight`` is ``(out, in / groups, *kernel_size)``; it and ``bias`` start uniform in
        ``+-1 / sqrt(in / groups * elements of the kernel)``.

    Raises:
        ValueError: when the groups do not divide the channels or ``padding`` is unknown.

    Example::

        >>> layer = pytensor.nn.Conv3d(3, 6, 3)
        >>> layer(pytensor.randn(1, 3, 5, 6, 7)).shape
        torch.Size([1, 6, 3, 4, 5])
    """

    spatial_dims = 3
    function = F.conv3d


class ConvTranspose1d(_ConvTransposeNd):
    """The transposed convolution of sequences: each input element adds the kernel, scaled by it.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the result.
        kernel_size: length of the kernel.
            One int or a tuple, as all sizes below.
        stride: step between the places of the kernel. Default: 1.
        padding: what is cut off on both sides of the result. Default: 0.
        output_padding: what is added at its end. Default: 0.
        groups: groups of channels that do not see each other. Default: 1.
        bias: whether there is a bias. Default: ``True``.
        dilation: spacing of the kernel's elements. Default: 1.
        padding_mode: ``"zeros"`` only.
        device, dtype: of the parameters. Default: the default device and dtype.

    Shape:
        ``(N, in, L)``, or without ``N``.
        ``forward`` takes an ``output_size`` that chooses among the sizes a stride allows.
        ``weight`` is ``(in, out / groups, *kernel_size)``.

    Raises:
        ValueError: when the groups do not divide the channels or ``output_size`` is impossible.

    Example::

        >>> layer = pytensor.nn.ConvTranspose1d(16, 33, 3, stride=2)
        >>> layer(pytensor.randn(20, 16, 50)).shape
        torch.Size([20, 33, 101])
    """

    spatial_dims = 1
    function = F.conv_transpose1d


class ConvTranspose2d(_ConvTransposeNd):
    """The transposed convolution of images: each input element adds the kernel, scaled by it.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the result.
        kernel_size: height and width of the kernel.
            One int or a tuple, as all sizes below.
        stride: step between the places of the kernel. Default: 1.
        padding: what is cut off on both sides of the result. Default: 0.
        output_padding: what is added at its end. Default: 0.
        groups: groups of channels that do not see each other. Default: 1.
        bias: whether there is a bias. Default: ``True``.
        dilation: spacing of the kernel's elements. Default: 1.
        padding_mode: ``"zeros"`` only.
        device, dtype: of the parameters. Default: the default device and dtype.

    Shape:
        ``(N, in, H, W)``, or without ``N``.
        ``forward`` takes an ``output_size`` that chooses among the sizes a stride allows.
        ``weight`` is ``(in, out / groups, *kernel_size)``.

    Raises:
        ValueError: when the groups do not divide the channels or ``output_size`` is impossible.

    Example::

        >>> layer = pytensor.nn.ConvTranspose2d(16, 8, 3, stride=2, padding=1, output_padding=1)
        >>> layer(pytensor.randn(2, 16, 5, 6)).shape
        torch.Size([2, 8, 10, 12])
    """

    spatial_dims = 2
    function = F.conv_transpose2d


class ConvTranspose3d(_ConvTransposeNd):
    """The transposed convolution of volumes: each input element adds the kernel, scaled by it.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the result.
        kernel_size: depth, height and width of the kernel.
            One int or a tuple, as all sizes below.
        stride: step between the places of the kernel. Default: 1.
        padding: what is cut off on both sides of the result. Default: 0.
        output_padding: what is added at its end. Default: 0.
        groups: groups of channels that do not see each other. Default: 1.
        bias: whether there is a bias. Default: ``True``.
        dilation: spacing of the kernel's elements. Default: 1.
        padding_mode: ``"zeros"`` only.
        device, dtype: of the parameters. Default: the default device and dtype.

    Shape:
        ``(N, in, D, H, W)``, or without ``N``.
        ``forward`` takes an ``output_size`` that chooses among the sizes a stride allows.
        ``weight`` is ``(in, out / groups, *kernel_size)``.

    Raises:
        ValueError: when the groups do not divide the channels or ``output_size`` is impossible.

    Example::

        >>> layer = pytensor.nn.ConvTranspose3d(3, 6, 2)
        >>> layer(pytensor.randn(1, 3, 5, 6, 7)).shape
        torch.Size([1, 6, 6, 7, 8])
    """

    spatial_dims = 3
    function = F.conv_transpose3d


class _LazyConv(LazyModuleMixin):
    """Takes ``in_channels`` from the first input; put before the layer's class."""

    in_channels: int
    out_channels: int
    groups: int
    weight: Any
    bias: Any
    spatial_dims: int
    _weight_shape: Any

    def __init__(self, out_channels: int, kernel_size: Size, *args: Any, **kwargs: Any) -> None:
        super().__init__(0, out_channels, kernel_size, *args, **kwargs)

    def _make_parameters(self, bias: bool, device: Any, dtype: Any) -> None:
        self.weight = UninitializedParameter(device=device, dtype=dtype)
        self.bias = UninitializedParameter(device=device, dtype=dtype) if bias else None

    def reset_parameters(self) -> None:
        """Draws new initial values, once the shapes are known."""
        if not self.has_uninitialized_params() and self.in_channels != 0:
            super().reset_parameters()  # type: ignore[misc]

    def initialize_parameters(self, input: Tensor, *args: Any, **kwargs: Any) -> None:
        """Takes ``in_channels`` from the input."""
        if not self.has_uninitialized_params():
            return
        n = self.spatial_dims
        if input.dim() not in (n + 1, n + 2):
            raise RuntimeError(
                f"Expected {n + 1}D (unbatched) or {n + 2}D (batched) input to "
                f"{type(self).__name__}, but got input of size: {input.shape}"
            )
        self.in_channels = input.shape[-n - 1]
        if self.in_channels % self.groups != 0:
            raise ValueError("in_channels must be divisible by groups")
        with pytensor.no_grad():
            self.weight.materialize(self._weight_shape())
            if self.bias is not None:
                self.bias.materialize((self.out_channels,))
        self.reset_parameters()


class LazyConv1d(_LazyConv, Conv1d):
    """A ``Conv1d`` that takes ``in_channels`` from its first input.

    Example::

        >>> layer = pytensor.nn.LazyConv1d(6, 2)
        >>> _ = layer(pytensor.ones(1, 3, 8))
        >>> layer.weight.shape
        torch.Size([6, 3, 2])
    """

    cls_to_become = Conv1d


class LazyConv2d(_LazyConv, Conv2d):
    """A ``Conv2d`` that takes ``in_channels`` from its first input.

    Example::

        >>> layer = pytensor.nn.LazyConv2d(6, 2)
        >>> _ = layer(pytensor.ones(1, 3, 8, 8))
        >>> layer.weight.shape
        torch.Size([6, 3, 2, 2])
    """

    cls_to_become = Conv2d


class LazyConv3d(_LazyConv, Conv3d):
    """A ``Conv3d`` that takes ``in_channels`` from its first input.

    Example::

        >>> layer = pytensor.nn.LazyConv3d(6, 2)
        >>> _ = layer(pytensor.ones(1, 3, 8, 8, 8))
        >>> layer.weight.shape
        torch.Size([6, 3, 2, 2, 2])
    """

    cls_to_become = Conv3d


class LazyConvTranspose1d(_LazyConv, ConvTranspose1d):
    """A ``ConvTranspose1d`` that takes ``in_channels`` from its first input.

    Example::

        >>> layer = pytensor.nn.LazyConvTranspose1d(6, 2)
        >>> _ = layer(pytensor.ones(1, 3, 8))
        >>> layer.weight.shape
        torch.Size([3, 6, 2])
    """

    cls_to_become = ConvTranspose1d


class LazyConvTranspose2d(_LazyConv, ConvTranspose2d):
    """A ``ConvTranspose2d`` that takes ``in_channels`` from its first input.

    Example::

        >>> layer = pytensor.nn.LazyConvTranspose2d(6, 2)
        >>> _ = layer(pytensor.ones(1, 3, 8, 8))
        >>> layer.weight.shape
        torch.Size([3, 6, 2, 2])
    """

    cls_to_become = ConvTranspose2d


class LazyConvTranspose3d(_LazyConv, ConvTranspose3d):
    """A ``ConvTranspose3d`` that takes ``in_channels`` from its first input.

    Example::

        >>> layer = pytensor.nn.LazyConvTranspose3d(6, 2)
        >>> _ = layer(pytensor.ones(1, 3, 8, 8, 8))
        >>> layer.weight.shape
        torch.Size([3, 6, 2, 2, 2])
    """

    cls_to_become = ConvTranspose3d
