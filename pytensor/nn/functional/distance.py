"""Distances and normalization of vectors. Part of ``pytensor.nn.functional``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytensor
from pytensor.functional import cosine_similarity, pairwise_distance, pdist

if TYPE_CHECKING:
    from pytensor import Tensor

__all__ = ["cosine_similarity", "normalize", "pairwise_distance", "pdist"]


def normalize(
    input: Tensor,
    p: float = 2.0,
    dim: int | tuple[int, ...] = 1,
    eps: float = 1e-12,
    out: Tensor | None = None,
) -> Tensor:
    """Divides by the p-norm along a dimension.

    Args:
        input: floating point, any shape.
        p: the exponent of the norm. Default: 2.
        dim: the dimension, or several. Default: 1.
        eps: the least value to divide by. Default: 1e-12.
        out: where the result goes. Default: a new tensor.

    Example::

        >>> pytensor.nn.functional.normalize(pytensor.tensor([[3.0, 4.0]]))
        tensor([[0.6000, 0.8000]])
    """
    length = input.norm(p, dim, keepdim=True).clamp_min(eps)
    if out is not None:
        return pytensor.div(input, length, out=out)
    return input / length
