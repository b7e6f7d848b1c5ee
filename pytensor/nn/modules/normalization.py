"""Normalization of samples by themselves: layer, RMS, group and local response norm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytensor
from pytensor.nn import functional as F
from pytensor.nn import init
from pytensor.nn.modules.module import Module
from pytensor.nn.parameter import Parameter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytensor import Tensor

__all__ = ["CrossMapLRN2d", "GroupNorm", "LayerNorm", "LocalResponseNorm", "RMSNorm"]


class LocalResponseNorm(Module):
    """Divides by ``(k + alpha * mean(x ** 2)) ** beta`` over neighbouring channels.

    Args:
        size: how many channels are neighbours.
        alpha, beta, k: Default: 1e-4, 0.75, 1.

    Shape:
        ``(N, C, *)`` to the same.

    Example::

        >>> pytensor.nn.LocalResponseNorm(1, alpha=3, beta=0.5)(pytensor.ones(1, 1, 1))
        tensor([[[0.5000]]])
    """

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> None:
        super().__init__()
        self.size = size
        self.alpha = alpha
        self.beta = beta
        self.k = k

    def forward(self, input: Tensor) -> Tensor:
        return F.local_response_norm(input, self.size, self.alpha, self.beta, self.k)

    def extra_repr(self) -> str:
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"


class CrossMapLRN2d(LocalResponseNorm):
    """``LocalResponseNorm`` of images under the name of Lua Torch's layer.

    PyTorch's layer of this name never takes the first channel out of its windows; this one does.

    Args:
        size: how many channels are neighbours.
        alpha, beta, k: Default: 1e-4, 0.75, 1.

    Shape:
        ``(N, C, H, W)`` to the same.

    Example::

        >>> pytensor.nn.CrossMapLRN2d(1, alpha=3, beta=0.5)(pytensor.ones(1, 1, 1, 1))
        tensor([[[[0.5000]]]])
    """

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1) -> None:
        super().__init__(size, alpha, beta, k)

    def forward(self, input: Tensor) -> Tensor:
        # Lua Torch's window reaches as far to both sides.
        reach = (self.size - 1) // 2
        width = 2 * reach + 1
        return F.local_response_norm(
            input, width, self.alpha * width / self.size, self.beta, self.k
        )


class LayerNorm(Module):
    """Normalizes over the last dimensions (Ba et al. 2016).

    Args:
        normalized_shape: the sizes of the dimensions to normalize over, or the last one.
        eps: added to the variance. Default: 1e-5.
        elementwise_affine: whether there is a weight, and a bias. Default: ``True``.
        bias: whether there is a bias then. Default: ``True``.
        device, dtype: of the parameters. Default: the default device and dtype.

    Shape:
        ``(*, normalized_shape)`` to the same. `weight` starts at 1, `bias` at 0.

    Example::

        >>> pytensor.nn.LayerNorm(2)(pytensor.tensor([[1.0, 3.0]])).detach()
        tensor([[-1.0000,  1.0000]])
    """

    normalized_shape: tuple[int, ...]
    weight: Any
    bias: Any

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        if isinstance(normalized_shape, int):
            normalized_shape = (normalized_shape,)
        self.normalized_shape = tuple(normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        for name, wanted in (("weight", elementwise_affine), ("bias", elementwise_affine and bias)):
            parameter = None
            if wanted:
                parameter = Parameter(
                    pytensor.empty(self.normalized_shape, device=device, dtype=dtype)
                )
            self.register_parameter(name, parameter)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Sets the initial values."""
        if self.elementwise_affine:
            init.ones_(self.weight)
            if self.bias is not None:
                init.zeros_(self.bias)

    def forward(self, input: Tensor) -> Tensor:
        return F.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.normalized_shape}, eps={self.eps}, "
            f"elementwise_affine={self.elementwise_affine}, bias={self.bias is not None}"
        )


class RMSNorm(Module):
    """Divides by the root mean square over the last dimensions (Zhang and Sennrich 2019).

    Args:
        normalized_shape: the sizes of the dimensions to normalize over, or the last one.
        eps: added to the mean square. Default: the machine epsilon of the dtype.
        elementwise_affine: whether there is a weight. Default: ``True``.
        device, dtype: of the weight. Default: the default device and dtype.

    Shape:
        ``(*, normalized_shape)`` to the same. `weight` starts at 1.

    Example::

        >>> pytensor.nn.RMSNorm(2)(pytensor.tensor([[3.0, 3.0]])).detach()
        tensor([[1., 1.]])
    """

    normalized_shape: tuple[int, ...]

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float | None = None,
        elementwise_affine: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        if isinstance(normalized_shape, int):
            normalized_shape = (normalized_shape,)
        self.normalized_shape = tuple(normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        if elementwise_affine:
            self.weight = Parameter(
                pytensor.empty(self.normalized_shape, device=device, dtype=dtype)
            )
        else:
            self.register_parameter("weight", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Sets the initial values."""
        if self.elementwise_affine:
            init.ones_(self.weight)

    def forward(self, x: Tensor) -> Tensor:
        return F.rms_norm(x, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"
        )


class GroupNorm(Module):
    """Normalizes groups of channels of each sample (Wu and He 2018).

    Args:
        num_groups: divides num_channels.
        num_channels: size of dimension 1.
        eps: added to the variance. Default: 1e-5.
        affine: whether there is a weight, and a bias. Default: ``True``.
        device, dtype: of the parameters. Default: the default device and dtype.
        bias: whether there is a bias then. Default: ``True``.

    Shape:
        ``(N, C, *)`` to the same. `weight` ``(C)`` starts at 1, `bias` at 0.

    Raises:
        ValueError: the groups do not divide the channels.

    Example::

        >>> pytensor.nn.GroupNorm(2, 4)(pytensor.tensor([[1.0, 3.0, 5.0, 9.0]])).detach()
        tensor([[-1.0000,  1.0000, -1.0000,  1.0000]])
    """

    weight: Any
    bias: Any

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        if num_channels % num_groups != 0:
            raise ValueError(
                f"num_channels ({num_channels}) must be divisible by num_groups ({num_groups})"
            )
        self.num_groups = num_groups
        self.num_channels = num_channels
        self.eps = eps
        self.affine = affine
        for name, wanted in (("weight", affine), ("bias", affine and bias)):
            parameter = None
            if wanted:
                parameter = Parameter(pytensor.empty(num_channels, device=device, dtype=dtype))
            self.register_parameter(name, parameter)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Sets the initial values."""
        if self.affine:
            init.ones_(self.weight)
            if self.bias is not None:
                init.zeros_(self.bias)

    def forward(self, input: Tensor) -> Tensor:
        return F.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, "
            f"bias={self.bias is not None}"
        )
