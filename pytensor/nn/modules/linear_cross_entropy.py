"""``LinearCrossEntropyLoss``: a linear layer and the cross entropy of its results."""

from __future__ import annotations

import math
from typing import Any

from pytensor import Tensor
from pytensor.nn import functional as F
from pytensor.nn.functional.linear_cross_entropy import LinearCrossEntropyOptions
from pytensor.nn.modules.linear import Linear
from pytensor.nn.modules.module import Module

__all__ = ["LinearCrossEntropyLoss", "LinearCrossEntropyOptions"]


class LinearCrossEntropyLoss(Module):
    """Cross entropy of the results of an own linear layer; see ``F.linear_cross_entropy``.

    Args:
        in_features: size of each sample.
        num_classes: number of classes.
        out_features: further dimensions of the loss. Default: none.
        bias: whether the linear layer has a bias. Default: ``False``.
        device, dtype: of the parameters. Default: the default device and dtype.
        reduction, weight, label_smoothing: as of ``CrossEntropyLoss``.
        ignore_index: a class that does not count. Default: none.
        options: accepted; see ``LinearCrossEntropyOptions``.

    Shape:
        Input ``(N, in_features)`` or ``(in_features,)``, target ``(N, *out_features)``, or of
        probabilities ``(N, num_classes, *out_features)``.

    Example::

        >>> loss = pytensor.nn.LinearCrossEntropyLoss(3, 4)
        >>> loss(pytensor.randn(2, 3), pytensor.tensor([0, 3])).shape
        torch.Size([])
    """

    weight: Tensor | None

    def __init__(
        self,
        in_features: int,
        num_classes: int,
        *,
        out_features: tuple[int, ...] = (),
        bias: bool = False,
        device: Any = None,
        dtype: Any = None,
        reduction: str = "mean",
        weight: Tensor | None = None,
        ignore_index: int | None = None,
        label_smoothing: float = 0.0,
        options: LinearCrossEntropyOptions | None = None,
    ) -> None:
        super().__init__()
        self.reduction = reduction
        self.register_buffer("weight", weight)
        self.in_features = in_features
        self.num_classes = num_classes
        self.out_features = tuple(out_features)
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing
        self.options = options
        rows = num_classes * math.prod(self.out_features)
        self.linear = Linear(in_features, rows, bias=bias, device=device, dtype=dtype)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        dims = (self.num_classes, *self.out_features)
        bias = self.linear.bias
        return F.linear_cross_entropy(
            input,
            self.linear.weight.reshape(*dims, self.in_features),
            target,
            linear_bias=None if bias is None else bias.reshape(dims),
            weight=self.weight,
            reduction=self.reduction,
            ignore_index=self.ignore_index,
            label_smoothing=self.label_smoothing,
            options=self.options,
        )

    def extra_repr(self) -> str:
        return (
            f"in_features={self.in_features}, num_classes={self.num_classes}, "
            f"out_features={self.out_features}, bias={self.linear.bias is not None}, "
            f"reduction={self.reduction}, ignore_index={self.ignore_index}, "
            f"label_smoothing={self.label_smoothing}, options={self.options}"
        )
