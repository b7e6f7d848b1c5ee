"""Dropout layers: active in training mode, the identity in evaluation mode."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytensor.nn import functional as F
from pytensor.nn.modules.module import Module

if TYPE_CHECKING:
    from pytensor import Tensor

__all__ = [
    "AlphaDropout",
    "Dropout",
    "Dropout1d",
    "Dropout2d",
    "Dropout3d",
    "FeatureAlphaDropout",
]


class _DropoutNd(Module):
    """What all dropout layers share.

    Args:
        p: the probability of zero. Default: 0.5.
        inplace: may overwrite the input. Default: ``False``.
    """

    p: float
    inplace: bool

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        if p < 0 or p > 1:
            raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
        self.p = p
        self.inplace = inplace

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"


class Dropout(_DropoutNd):
    """Sets elements to zero with probability p and scales the others by ``1 / (1 - p)``.

    Args:
        p: the probability. Default: 0.5.
        inplace: may overwrite the input. Default: ``False``.

    Example::

        >>> pytensor.nn.Dropout(0.2).eval()(pytensor.ones(2))
        tensor([1., 1.])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout(input, self.p, self.training, self.inplace)


class Dropout1d(_DropoutNd):
    """``Dropout`` of whole channels of ``(N, C, L)`` or ``(C, L)``; arguments of ``Dropout``."""

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout1d(input, self.p, self.training, self.inplace)


class Dropout2d(_DropoutNd):
    """``Dropout`` of whole channels of ``(N, C, H, W)``; arguments of ``Dropout``."""

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout2d(input, self.p, self.training, self.inplace)


class Dropout3d(_DropoutNd):
    """``Dropout`` of whole channels of ``(N, C, D, H, W)``; arguments of ``Dropout``."""

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout3d(input, self.p, self.training, self.inplace)


class AlphaDropout(_DropoutNd):
    """Dropout that keeps mean and variance of what comes out of ``SELU``; arguments of
    ``Dropout``."""

    def forward(self, input: Tensor) -> Tensor:
        return F.alpha_dropout(input, self.p, self.training)


class FeatureAlphaDropout(_DropoutNd):
    """``AlphaDropout`` of whole channels; arguments of ``Dropout``."""

    def forward(self, input: Tensor) -> Tensor:
        return F.feature_alpha_dropout(input, self.p, self.training)
