"""Solving and factoring on top of inv, solve, cholesky and lu_factor: the ``_ex`` family, lu, ...

Used through ``pytensor.linalg``.
"""

from __future__ import annotations

from pytensor import _C
from pytensor.composites.matrices import check_matrix, transposed
from pytensor.composites.shared import named_result, write_out

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from pytensor import Tensor

__all__ = [
    "cholesky_ex",
    "inv_ex",
    "lu",
    "lu_solve",
    "solve_ex",
    "tensorinv",
    "tensorsolve",
]


_lu_result: Any = named_result("linalg_lu", ("P", "L", "U"))


def inv_ex(A: Tensor, *, check_errors: bool = False) -> Any:
    """The inverse of square matrices, without an error for singular ones.

    Args:
        A: a (batch of) square matrices.
        check_errors: whether a singular matrix is an error all the same.

    Shape:
        (inverse, info): the inverses, NaN for singular matrices; and for each matrix 0, or the
        first row of U, from 1 on, whose diagonal is zero.

    Raises:
        LinAlgError: for a singular matrix when ``check_errors`` is set.

    Example::

        >>> pytensor.linalg.inv_ex(pytensor.zeros(2, 2)).info
        tensor(1, dtype=torch.int32)
    """
    return _C.internal["linalg_inv_ex"](A, check_errors=check_errors)


def solve_ex(
    A: Tensor,
    B: Tensor,
    *,
    left: bool = True,
    check_errors: bool = False,
) -> Any:
    """Solves ``A @ X == B``, without an error for singular matrices.

    Args:
        A: a (batch of) square matrices.
        B: the right sides, vectors or matrices.
        left: False solves ``X @ A == B``.
        check_errors: whether a singular matrix is an error all the same.

    Shape:
        (result, info): the solutions, NaN for singular matrices; and for each matrix 0, or the
        first row of U, from 1 on, whose diagonal is zero.

    Raises:
        LinAlgError: for a singular matrix when ``check_errors`` is set.

    Example::

        >>> pytensor.linalg.solve_ex(pytensor.eye(2), pytensor.ones(2)).result
        tensor([1., 1.])
    """
    return _C.internal["linalg_solve_ex"](A, B, left=left, check_errors=check_errors)


def cholesky_ex(
    A: Tensor,
    *,
    upper: bool = False,
    check_errors: bool = False,
) -> Any:
    """The Cholesky factor of matrices, without an error for those that are not positive-definite.

    Args:
        A: a (batch of) symmetric matrices.
        upper: whether to return the upper factor.
        check_errors: whether a matrix that is not positive-definite is an error all the same.

    Shape:
        (L, info): the factors, NaN for matrices without one; and for each matrix 0, or the order
        of the first minor that is not positive.

    Raises:
        LinAlgError: for such a matrix when ``check_errors`` is set.

    Example::

        >>> pytensor.linalg.cholesky_ex(-pytensor.eye(2)).info
        tensor(1, dtype=torch.int32)
    """

    return _C.internal["linalg_cholesky_ex"](A, upper=upper, check_errors=check_errors)


def _permutation(pivots: Tensor, rows: int) -> Tensor:
    """For each matrix the order of rows that its pivots (counted from 1) lead to."""
    orders = []
    for exchanges in pivots.reshape(-1, pivots.size(-1)).tolist():
        order = list(range(rows))
        for i, pivot in enumerate(exchanges):
            order[i], order[pivot - 1] = order[pivot - 1], order[i]
        orders.append(order)
    return _C.tensor(orders, dtype=_C.int64, device=pivots.device).reshape(
        (*pivots.shape[:-1], rows)
    )


def lu(A: Tensor, *, pivot: bool = True) -> Any:
    """Factors matrices into ``P @ L @ U``: permutation, lower and upper triangle.

    Args:
        A: a (batch of) matrices.
        pivot: whether rows are exchanged; must be True.

    Shape:
        ``(*, m, n)`` gives P ``(*, m, m)``, L ``(*, m, k)`` and U ``(*, k, n)`` with
        ``k = min(m, n)``.

    Raises:
        RuntimeError: for a tensor that is no matrix, or without pivoting.

    Example::

        >>> P, L, U = pytensor.linalg.lu(pytensor.tensor([[0.0, 2.0], [1.0, 0.0]]))
        >>> P
        tensor([[0., 1.],
                [1., 0.]])
    """
    if not pivot:
        raise RuntimeError("linalg.lu: LU without pivoting is not implemented")
    factors, pivots = _C.linalg_lu_factor_ex(A)[:2]
    rows, columns = A.shape[-2:]
    rank = min(rows, columns)
    eye = _C.eye(rows, dtype=A.dtype, device=A.device)
    lower = factors[..., :rank].tril(-1) + eye[:, :rank]
    upper = factors[..., :rank, :].triu()
    return _lu_result(transposed(eye[_permutation(pivots, rows)]), lower, upper)


def lu_solve(
    LU: Tensor,
    pivots: Tensor,
    B: Tensor,
    *,
    left: bool = True,
    adjoint: bool = False,
    out: Tensor | None = None,
) -> Tensor:
    """Solves ``A @ X == B`` with the factors of A that lu_factor() returned.

    Args:
        LU: the factors of a (batch of) square matrices.
        pivots: their pivots.
        B: the right sides, matrices.
        left: False solves ``X @ A == B``.
        adjoint: whether to solve with the transpose of A.
        out: the tensor to write the result into.

    Shape:
        As ``B``.

    Raises:
        RuntimeError: when the shapes do not fit.

    Example::

        >>> LU, pivots = pytensor.linalg.lu_factor(2 * pytensor.eye(2))
        >>> pytensor.linalg.lu_solve(LU, pivots, pytensor.ones(2, 1))
        tensor([[0.5000],
                [0.5000]])
    """
    check_matrix("lu_solve", B, argument="B")
    if not left:  # X A = B is A' X' = B'
        turned = lu_solve(LU, pivots, transposed(B), adjoint=not adjoint)
        return write_out(transposed(turned), out)
    triangular = _C.linalg_solve_triangular
    eye = _C.eye(LU.size(-1), dtype=LU.dtype, device=LU.device)
    exchange = eye[_permutation(pivots, LU.size(-1))]
    if adjoint:
        half = triangular(transposed(LU), B, upper=False)
        solved = triangular(transposed(LU), half, upper=True, unitriangular=True)
        return write_out(transposed(exchange).matmul(solved), out)
    half = triangular(LU, exchange.matmul(B), upper=False, unitriangular=True)
    return write_out(triangular(LU, half, upper=True), out)


def _product(sizes: Sequence[int]) -> int:
    total = 1
    for size in sizes:
        total *= size
    return total


def tensorinv(A: Tensor, ind: int = 2, *, out: Tensor | None = None) -> Tensor:
    """The inverse of a tensor as a map from its last to its first dimensions.

    Args:
        A: the tensor; the products of its first ``ind`` sizes and of the others must be equal.
        ind: how many dimensions come first.
        out: the tensor to write the result into.

    Shape:
        ``A.shape[ind:] + A.shape[:ind]``.

    Raises:
        RuntimeError: when the sizes do not fit or the map has no inverse.

    Example::

        >>> pytensor.linalg.tensorinv(pytensor.eye(6).reshape(2, 3, 6)).shape
        torch.Size([6, 2, 3])
    """
    if ind <= 0:
        raise RuntimeError(f"Expected a strictly positive integer for 'ind', but got {ind}")
    shape = list(A.shape)
    rows, columns = _product(shape[:ind]), _product(shape[ind:])
    if rows != columns:
        raise RuntimeError(
            "Expected self to satisfy the requirement prod(self.shape[ind:]) == "
            f"prod(self.shape[:ind]), but got {columns} != {rows}"
        )
    return write_out(
        _C.linalg_inv(A.reshape(rows, columns)).reshape(shape[ind:] + shape[:ind]), out
    )


def tensorsolve(
    A: Tensor,
    B: Tensor,
    dims: Sequence[int] | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Solves ``tensordot(A, X, X.dim()) == B`` for X.

    Args:
        A: the tensor of coefficients.
        B: the right side.
        dims: dimensions of ``A`` to move to its end first.
        out: the tensor to write the result into.

    Shape:
        ``A.shape[B.dim():]``.

    Raises:
        RuntimeError: when the sizes do not fit or there is no single solution.

    Example::

        >>> pytensor.linalg.tensorsolve(pytensor.eye(6).reshape(2, 3, 6), pytensor.ones(2, 3))
        tensor([1., 1., 1., 1., 1., 1.])
    """
    if dims is not None:
        A = A.movedim(tuple(dims), tuple(range(A.dim() - len(dims), A.dim())))
    solution_shape = list(A.shape[B.dim() :])
    columns, rows = _product(solution_shape), _product(A.shape[: B.dim()])
    if columns != rows:
        raise RuntimeError(
            "Expected self to satisfy the requirement prod(self.shape[other.ndim:]) == "
            f"prod(self.shape[:other.ndim]), but got {columns} != {rows}"
        )
    solution = _C.linalg_solve(A.reshape(rows, columns), B.reshape(-1))
    return write_out(solution.reshape(solution_shape), out)
