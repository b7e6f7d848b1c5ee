"""Lengths and distances of vectors: norm, renorm, cdist, pdist, pairwise_distance, similarity.

``pytensor.linalg`` shares vector_norm() from here. Gradients at zero vectors are zero, as those
of PyTorch.
"""

from __future__ import annotations

from pytensor import _C
from pytensor.composites.casting import autocasts
from pytensor.composites.shared import (
    guarded_sqrt,
    scalar_name,
    tracks_grad,
    wrap_dim,
    write_out,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from pytensor import Tensor

__all__ = ["cdist", "cosine_similarity", "norm", "pairwise_distance", "pdist", "renorm"]

_vector_norm = _C.internal["linalg_vector_norm"]
_LARGE_CDIST = 25  # rows from which on Euclidean distances are computed by a matrix product


def vector_norm(
    x: Tensor,
    ord: float = 2,
    dim: int | Sequence[int] | None = None,
    keepdim: bool = False,
    *,
    dtype: Any = None,
    out: Tensor | None = None,
) -> Tensor:
    """The length of vectors: ``sum(abs(x)**ord)**(1/ord)``.

    Args:
        x: the tensor.
        ord: the order; inf gives the largest, -inf the smallest magnitude, 0 counts non-zeros.
        dim: the dimensions that make up a vector; all when None.
        keepdim: whether those dimensions stay with size 1.
        dtype: the dtype to convert to first.
        out: the tensor to write the result into.

    Shape:
        The input's without the dimensions.

    Raises:
        RuntimeError: for a tensor that is not floating-point.

    Example::

        >>> pytensor.linalg.vector_norm(pytensor.tensor([3.0, 4.0]))
        tensor(5.)
    """
    if dtype is None and out is None:  # most calls
        return _vector_norm(x, ord, dim, keepdim)
    return _vector_norm(x, ord, dim, keepdim, dtype=dtype, out=out)


def norm(
    input: Tensor,
    p: float | str | None = "fro",
    dim: int | Sequence[int] | None = None,
    keepdim: bool = False,
    out: Tensor | None = None,
    dtype: Any = None,
) -> Tensor:
    """The norm of vectors or matrices.

    Args:
        input: the tensor.
        p: the order of a vector norm, "fro" for the square root of the sum of squares, or "nuc"
            for the sum of a matrix's singular values.
        dim: the dimensions that make up a vector or matrix; all when None.
        keepdim: whether those dimensions stay with size 1.
        out: the tensor to write the result into.
        dtype: the dtype to convert to first.

    Shape:
        The input's without the dimensions.

    Raises:
        RuntimeError: for an order that does not exist, or a tensor that is not floating-point.

    Example::

        >>> pytensor.norm(pytensor.tensor([[3.0, 0.0], [0.0, 4.0]]))
        tensor(5.)
    """
    few_dims = dim is None or isinstance(dim, int) or len(dim) <= 2
    if p is None or (p == "fro" and few_dims):
        return vector_norm(input, 2, dim, keepdim, dtype=dtype, out=out)
    if not isinstance(p, str):
        return vector_norm(input, p, dim, keepdim, dtype=dtype, out=out)
    from pytensor.linalg import matrix_norm

    dims: Any = tuple(range(input.dim())) if dim is None else dim
    return matrix_norm(input, p, dims, keepdim, dtype=dtype, out=out)


def renorm(
    input: Tensor, p: float, dim: int, maxnorm: float, *, out: Tensor | None = None
) -> Tensor:
    """Scales the slices along a dimension down whose norm is larger than a limit.

    Args:
        input: a tensor of at least two dimensions.
        p: the order of the norm.
        dim: the dimension whose slices are looked at.
        maxnorm: the limit.
        out: the tensor to write the result into.

    Shape:
        As the input.

    Raises:
        RuntimeError: for an order that is not positive or a negative limit.

    Example::

        >>> pytensor.renorm(pytensor.tensor([[3.0, 4.0], [0.0, 1.0]]), 2, 0, 1.0)
        tensor([[0.6000, 0.8000],
                [0.0000, 1.0000]])
    """
    if p <= 0:
        raise RuntimeError("renorm: non-positive-norm not supported")
    if maxnorm < 0:
        raise RuntimeError(f"renorm: expected maxnorm to be >= 0 but got {maxnorm:g}")
    if input.dim() < 2:
        raise RuntimeError(
            f"renorm: input needs at least 2 dimensions, got {input.dim()} dimensions"
        )
    dim = wrap_dim(dim, input.dim())
    others = [d for d in range(input.dim()) if d != dim]
    norms = vector_norm(input, p, others, True)
    factor = _C.where(norms > maxnorm, maxnorm / (norms + 1e-7), _C.ones_like(norms))
    return write_out(input * factor, out)


def pairwise_distance(
    x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False
) -> Tensor:
    """Distances between corresponding vectors (last dimension) of two tensors.

    Args:
        x1: the first vectors.
        x2: the second vectors; both broadcast.
        p: the order of the norm.
        eps: added to differences to keep gradients finite.
        keepdim: whether the last dimension stays with size 1.

    Shape:
        The broadcast shape without its last dimension.

    Raises:
        RuntimeError: when the shapes do not broadcast.

    Example::

        >>> pytensor.pairwise_distance(pytensor.zeros(1, 2), pytensor.tensor([[3.0, 4.0]]))
        tensor([5.0000])
    """
    return vector_norm(x1 - x2 + eps, p, -1, keepdim)


def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """The cosine of the angle between vectors.

    Args:
        x1: the first vectors.
        x2: the second vectors; both broadcast.
        dim: the dimension that makes up a vector.
        eps: the smallest length to divide by.

    Shape:
        The broadcast shape without the dimension.

    Raises:
        RuntimeError: when the shapes do not broadcast or the dtype is not floating-point.

    Example::

        >>> a, b = pytensor.tensor([[1.0, 0.0]]), pytensor.tensor([[3.0, 4.0]])
        >>> pytensor.cosine_similarity(a, b)
        tensor([0.6000])
    """
    dtype = _C.promote_types(x1.dtype, x2.dtype)
    x1, x2 = x1.to(dtype), x2.to(dtype)
    if not x1.is_floating_point():
        raise RuntimeError(
            "expected common dtype to be floating point, yet common dtype is " + scalar_name(x1)
        )
    x1, x2 = _C.internal["_broadcast_tensors"]([x1, x2])
    return (_unit(x1, dim, eps) * _unit(x2, dim, eps)).sum(dim)


def _unit(x: Tensor, dim: int, eps: float) -> Tensor:
    """The vectors with length 1; the lower bound on lengths is no part of the gradient."""
    length = vector_norm(x, 2, dim, True)
    if not tracks_grad(length):
        return x / length.clamp(min=eps)
    bare = length.detach()
    return x / (length + (bare.clamp(min=eps) - bare))


@autocasts("float32")
def cdist(
    x1: Tensor,
    x2: Tensor,
    p: float = 2.0,
    compute_mode: str = "use_mm_for_euclid_dist_if_necessary",
) -> Tensor:
    """Distances between all pairs of rows of two (batches of) matrices.

    Args:
        x1: the first rows.
        x2: the second rows.
        p: the order of the norm.
        compute_mode: "use_mm_for_euclid_dist_if_necessary" computes Euclidean distances of more
            than 25 rows by a matrix product; "use_mm_for_euclid_dist" always and
            "donot_use_mm_for_euclid_dist" never does.

    Shape:
        ``(*, P, M)`` and ``(*, R, M)`` give ``(*, P, R)``.

    Raises:
        RuntimeError: when the shapes do not fit, for a negative order or a wrong dtype.

    Example::

        >>> a, b = pytensor.zeros(1, 2), pytensor.tensor([[3.0, 4.0], [0.0, 1.0]])
        >>> pytensor.cdist(a, b)
        tensor([[5., 1.]])
    """
    for name, t in (("X1", x1), ("X2", x2)):
        if not t.is_floating_point():
            raise RuntimeError(
                f"cdist only supports floating-point dtypes, {name} got: {scalar_name(t)}"
            )
        if t.dim() < 2:
            raise RuntimeError(f"cdist only supports at least 2D tensors, {name} got: {t.dim()}D")
    if x1.size(-1) != x2.size(-1):
        raise RuntimeError(
            f"X1 and X2 must have the same number of columns. X1: {x1.size(-1)} X2: {x2.size(-1)}"
        )
    if p < 0:
        raise RuntimeError("cdist only supports non-negative p values")
    if x1.dtype != x2.dtype:
        raise RuntimeError(f"expected scalar type {scalar_name(x1)} but found {scalar_name(x2)}")
    rows = max(x1.size(-2), x2.size(-2))
    modes = {
        "use_mm_for_euclid_dist_if_necessary": rows > _LARGE_CDIST,
        "use_mm_for_euclid_dist": True,
        "donot_use_mm_for_euclid_dist": False,
    }
    if compute_mode not in modes:
        raise ValueError(f"{compute_mode} is not a valid value for compute_mode")
    if p == 2 and modes[compute_mode]:
        return _euclidean_by_product(x1, x2)
    return _difference_norm(x1.unsqueeze(-2) - x2.unsqueeze(-3), p)


def _euclidean_by_product(x1: Tensor, x2: Tensor) -> Tensor:
    """|a|^2 - 2ab + |b|^2 for all pairs as one product: rows (-2a, |a|^2, 1) and (b, 1, |b|^2)."""
    squares1 = (x1 * x1).sum(-1, keepdim=True)
    squares2 = (x2 * x2).sum(-1, keepdim=True)
    rows = _C.cat([x1 * -2, squares1, _C.ones_like(squares1)], -1)
    columns = _C.cat([x2, _C.ones_like(squares2), squares2], -1)
    squared = rows.matmul(columns.transpose(-2, -1))
    if tracks_grad(squared):
        return guarded_sqrt(squared.clamp(min=0))
    return squared.clamp_(min=0).sqrt_()


def _difference_norm(difference: Tensor, p: float) -> Tensor:
    if difference.size(-1) == 0:
        return difference.sum(-1)
    return vector_norm(difference, p, -1)


def pdist(input: Tensor, p: float = 2) -> Tensor:
    """Distances between all pairs of different rows of a matrix.

    Args:
        input: the matrix.
        p: the order of the norm.

    Shape:
        ``(N, M)`` gives ``(N * (N - 1) / 2)``: the upper triangle of the distances, row by row.

    Raises:
        RuntimeError: for a tensor that is no matrix, a negative order or a wrong dtype.

    Example::

        >>> pytensor.pdist(pytensor.tensor([[0.0, 0.0], [3.0, 4.0], [0.0, 1.0]]))
        tensor([5.0000, 1.0000, 4.2426])
    """
    from pytensor.composites.indices import triu_indices

    if input.dim() != 2:
        raise RuntimeError(f"pdist only supports 2D tensors, got: {input.dim()}D")
    if not input.is_floating_point():
        raise RuntimeError("pdist only supports floating-point dtypes")
    if p < 0:
        raise RuntimeError("pdist only supports non-negative p values")
    first, second = triu_indices(input.size(0), input.size(0), 1, device=input.device)
    return _difference_norm(input[first] - input[second], p)
