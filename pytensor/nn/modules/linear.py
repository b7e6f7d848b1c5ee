"""Linear layers: ``Linear``, ``Bilinear``, ``Identity`` and ``LazyLinear``."""

from __future__ import annotations

import math
from typing import Any

import pytensor
from pytensor import Tensor
from pytensor.nn import functional as F
from pytensor.nn import init
from pytensor.nn.modules.lazy import LazyModuleMixin
from pytensor.nn.modules.module import Module
from pytensor.nn.parameter import Parameter, UninitializedParameter

__all__ = ["Bilinear", "Identity", "LazyLinear", "Linear"]


class Identity(Module):
    """Returns its input; takes any arguments and ignores them.

    Example::

        >>> pytensor.nn.Identity(54, unused=0.1)(pytensor.ones(2))
        tensor([1., 1.])
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, input: Tensor) -> Tensor:
        return input


class Linear(Module):
    """``y = x @ weight.T + bias``.

    Args:
        in_features: size of each input sample.
        out_features: size of each output sample.
        bias: whether there is a bias. Default: ``True``.
        device, dtype: of the parameters. Default: the default device and dtype.

    Shape:
        ``(*, in_features)`` to ``(*, out_features)``. ``weight`` is ``(out_features,
        in_features)``; it and ``bias`` start uniform in ``+-1 / sqrt(in_features)``.

    Example::

        >>> pytensor.nn.Linear(20, 30)(pytensor.randn(128, 20)).shape
        torch.Size([128, 30])
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        self.weight = Parameter(
            pytensor.empty((out_features, in_features), device=device, dtype=dtype)
        )
        if bias:
            self.bias = Parameter(pytensor.empty(out_features, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draws new initial values."""
        # With a = sqrt(5) the bound is 1 / sqrt(in_features).
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            fan_in, _ = init._calculate_fan_in_and_fan_out(self.weight)
            bound = 1 / math.sqrt(fan_in) if fan_in > 0 else 0
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input: Tensor) -> Tensor:
        return F.linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        return (
            f"in_features={self.in_features}, out_features={self.out_features}, "
            f"bias={self.bias is not None}"
        )


class NonDynamicallyQuantizableLinear(Linear):
    """A ``Linear`` under the class name that ``MultiheadAttention`` gives its projection."""


class Bilinear(Module):
    """``y[k] = x1 @ weight[k] @ x2 + bias[k]``.

    Args:
        in1_features: size of each sample of the first input, at least 1.
        in2_features: size of each sample of the second input.
        out_features: size of each output sample.
        bias: whether there is a bias. Default: ``True``.
        device, dtype: of the parameters. Default: the default device and dtype.

    Shape:
        ``(*, in1_features)`` and ``(*, in2_features)`` to ``(*, out_features)``.

    Example::

        >>> layer = pytensor.nn.Bilinear(2, 3, 4)
        >>> layer(pytensor.ones(8, 2), pytensor.ones(8, 3)).shape
        torch.Size([8, 4])
    """

    def __init__(
        self,
        in1_features: int,
        in2_features: int,
        out_features: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        if in1_features <= 0:
            raise ValueError(f"in1_features must be > 0, but got {in1_features}")
        self.in1_features = in1_features
        self.in2_features = in2_features
        self.out_features = out_features
        shape = (out_features, in1_features, in2_features)
        self.weight = Parameter(pytensor.empty(shape, device=device, dtype=dtype))
        if bias:
            self.bias = Parameter(pytensor.empty(out_features, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draws new initial values."""
        bound = 1 / math.sqrt(self.weight.size(1))
        init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input1: Tensor, input2: Tensor) -> Tensor:
        return F.bilinear(input1, input2, self.weight, self.bias)

    def extra_repr(self) -> str:
        return (
            f"in1_features={self.in1_features}, in2_features={self.in2_features}, "
            f"out_features={self.out_features}, bias={self.bias is not None}"
        )


class LazyLinear(LazyModuleMixin, Linear):
    """A ``Linear`` that takes ``in_features`` from its first input.

    Args:
        out_features: size of each output sample.
        bias: whether there is a bias. Default: ``True``.
        device, dtype: of the parameters. Default: the default device and dtype.

    Example::

        >>> layer = pytensor.nn.LazyLinear(3)
        >>> _ = layer(pytensor.ones(2, 5))
        >>> layer
        Linear(in_features=5, out_features=3, bias=True)
    """

    cls_to_become = Linear
    weight: Any
    bias: Any

    def __init__(
        self, out_features: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        # The bias is added below: its size is known, but it is drawn after the weight.
        super().__init__(0, 0, False)
        self.weight = UninitializedParameter(device=device, dtype=dtype)
        self.out_features = out_features
        if bias:
            self.bias = UninitializedParameter(device=device, dtype=dtype)

    def reset_parameters(self) -> None:
        """Draws new initial values, once the shapes are known."""
        if not self.has_uninitialized_params() and self.in_features != 0:
            super().reset_parameters()

    def initialize_parameters(self, input: Tensor) -> None:
        """Takes ``in_features`` from the input."""
        if self.has_uninitialized_params():
            with pytensor.no_grad():
                self.in_features = input.shape[-1]
                self.weight.materialize((self.out_features, self.in_features))
                if self.bias is not None:
                    self.bias.materialize((self.out_features,))
                self.reset_parameters()
        if self.in_features == 0:
            self.in_features = self.weight.shape[-1]
