"""Norms and condition numbers of matrices, on top of singular values and sums.

Used through ``pytensor.linalg``; norms of vectors are in norms.py.
"""

from __future__ import annotations

from pytensor.composites.matrices import check_floating, check_matrix, svdvals
from pytensor.composites.norms import vector_norm
from pytensor.composites.shared import wrap_dim, write_out

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from pytensor import Tensor

__all__ = [
    "cond",
    "matrix_norm",
    "norm",
]


_INF = float("inf")


def matrix_norm(
    A: Tensor,
    ord: float | str = "fro",
    dim: Sequence[int] = (-2, -1),
    keepdim: bool = False,
    *,
    dtype: Any = None,
    out: Tensor | None = None,
) -> Tensor:
    """The norm of matrices.

    Args:
        A: a (batch of) matrices.
        ord: "fro" (root of the sum of squares), "nuc" (sum of singular values), 2 or -2 (largest
            or smallest singular value), 1 or -1 (largest or smallest sum of a column's
            magnitudes), inf or -inf (of a row's).
        dim: the two dimensions that make up a matrix.
        keepdim: whether those dimensions stay with size 1.
        dtype: the dtype to convert to first.
        out: the tensor to write the result into.

    Shape:
        The input's without the two dimensions.

    Raises:
        RuntimeError: for an order that does not exist or a tensor that is no matrix.

    Example::

        >>> pytensor.linalg.matrix_norm(pytensor.tensor([[3.0, 0.0], [0.0, 4.0]]), ord=2)
        tensor(4.)
    """
    check_matrix("matrix_norm", A)
    check_floating("matrix_norm", A)
    dims = [dim] if isinstance(dim, int) else list(dim)
    if len(dims) != 2:
        raise RuntimeError(
            f"linalg.matrix_norm: dim must be a 2-tuple. Got {' '.join(str(d) for d in dims)}"
        )
    row, column = (wrap_dim(d, A.dim()) for d in dims)
    if row == column:
        raise RuntimeError(
            f"linalg.matrix_norm: dims must be different. Got ({dims[0]}, {dims[1]})"
        )
    if ord not in ("fro", "nuc", 1, -1, 2, -2, _INF, -_INF):
        raise RuntimeError(f"linalg.matrix_norm: Order {ord} not supported.")
    if dtype is not None:
        A = A.to(dtype)
    if ord == "fro":
        return vector_norm(A, 2, (row, column), keepdim, out=out)
    result = _spectral_or_sum_norm(A.movedim((row, column), (-2, -1)), ord)
    if keepdim:
        for d in sorted((row, column)):
            result = result.unsqueeze(d)
    return write_out(result, out)


def _spectral_or_sum_norm(m: Tensor, ord: Any) -> Tensor:
    if m.size(-1) == 0 or m.size(-2) == 0:
        return m.sum((-2, -1))
    if ord == "nuc":
        return svdvals(m).sum(-1)
    if abs(ord) == 2:
        return svdvals(m).select(-1, 0 if ord > 0 else -1)
    sums = m.abs().sum(-2 if abs(ord) == 1 else -1)
    return sums.amax(-1) if ord > 0 else sums.amin(-1)


def norm(
    A: Tensor,
    ord: float | str | None = None,
    dim: int | Sequence[int] | None = None,
    keepdim: bool = False,
    *,
    out: Tensor | None = None,
    dtype: Any = None,
) -> Tensor:
    """The norm of vectors or of matrices, by the number of dimensions.

    Args:
        A: the tensor.
        ord: the order, as in vector_norm() or matrix_norm(); the root of the sum of squares of
            all elements when None.
        dim: one dimension for vectors, two for matrices; all when None.
        keepdim: whether those dimensions stay with size 1.
        out: the tensor to write the result into.
        dtype: the dtype to convert to first.

    Shape:
        The input's without the dimensions.

    Raises:
        RuntimeError: when order and dimensions do not fit.

    Example::

        >>> pytensor.linalg.norm(pytensor.tensor([3.0, 4.0]))
        tensor(5.)
    """
    dims = None if dim is None else [dim] if isinstance(dim, int) else list(dim)
    if dims is not None and len(dims) not in (1, 2):
        raise RuntimeError(
            f"linalg.norm: If dim is specified, it must be of length 1 or 2. Got {dims}"
        )
    if ord is None:
        return vector_norm(A, 2, dims, keepdim, dtype=dtype, out=out)
    if dims is None and A.dim() not in (1, 2):
        raise RuntimeError(
            "linalg.norm: If dim is not specified but ord is, the input must be 1D or 2D. "
            f"Got {A.dim()}D."
        )
    count = A.dim() if dims is None else len(dims)
    if isinstance(ord, str) or count == 2:
        return matrix_norm(A, ord, dims or (-2, -1), keepdim, dtype=dtype, out=out)
    return vector_norm(A, ord, dims, keepdim, dtype=dtype, out=out)


def cond(A: Tensor, p: float | str | None = None, *, out: Tensor | None = None) -> Tensor:
    """The condition number of matrices: the norm times the norm of the inverse.

    Args:
        A: a (batch of) matrices, square unless ``p`` is 2 or -2.
        p: the order of the norm as in matrix_norm(); None stands for 2.
        out: the tensor to write the result into.

    Shape:
        ``(*, m, n)`` gives ``(*)``; infinite where a matrix is singular.

    Raises:
        RuntimeError: for an order that does not exist or a tensor that is no matrix.

    Example::

        >>> pytensor.linalg.cond(pytensor.tensor([[4.0, 0.0], [0.0, 2.0]]))
        tensor(2.)
    """
    if A.dim() < 2:
        raise RuntimeError("linalg.cond: The input tensor must have at least 2 dimensions.")
    if p not in (None, "fro", "nuc", 1, -1, 2, -2, _INF, -_INF):
        raise RuntimeError(f"linalg.cond got an invalid norm type: {p}")
    if A.size(-1) == 0 or A.size(-2) == 0:
        return write_out(A.sum((-2, -1)), out)
    if p is None or p in (2, -2):
        values = svdvals(A)
        large, small = values.select(-1, 0), values.select(-1, -1)
        return write_out(small / large if p == -2 else large / small, out)
    check_matrix(f"cond(ord={p})", A, square=True)
    from pytensor.composites.solvers import inv_ex

    inverse, info = inv_ex(A)
    result = matrix_norm(A, p) * matrix_norm(inverse.masked_fill(inverse.isnan(), 0), p)
    return write_out(result.masked_fill(info != 0, _INF), out)
