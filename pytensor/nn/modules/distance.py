"""Distances of vectors as layers: ``PairwiseDistance``, ``CosineSimilarity``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytensor.nn import functional as F
from pytensor.nn.modules.module import Module

if TYPE_CHECKING:
    from pytensor import Tensor

__all__ = ["CosineSimilarity", "PairwiseDistance"]


class PairwiseDistance(Module):
    """The p-norm of the difference of each pair of vectors.

    Args:
        p: the exponent of the norm. Default: 2.
        eps: added to the difference. Default: 1e-6.
        keepdim: keeps the last dimension with size 1. Default: ``False``.

    Shape:
        ``(*, D)`` twice to ``(*)``.

    Example::

        >>> pytensor.nn.PairwiseDistance()(pytensor.zeros(1, 2), pytensor.tensor([[3.0, 4.0]]))
        tensor([5.0000])
    """

    def __init__(self, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> None:
        super().__init__()
        self.norm = p
        self.eps = eps
        self.keepdim = keepdim

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return F.pairwise_distance(x1, x2, self.norm, self.eps, self.keepdim)


class CosineSimilarity(Module):
    """The cosine of the angle between vectors along a dimension.

    Args:
        dim: the dimension of the vectors. Default: 1.
        eps: the least length to divide by. Default: 1e-8.

    Example::

        >>> pytensor.nn.CosineSimilarity()(pytensor.ones(1, 2), pytensor.tensor([[1.0, 0.0]]))
        tensor([0.7071])
    """

    def __init__(self, dim: int = 1, eps: float = 1e-8) -> None:
        super().__init__()
        self.dim = dim
        self.eps = eps

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return F.cosine_similarity(x1, x2, self.dim, self.eps)
