"""Products, powers, spectra, ranks and pseudo-inverses of matrices, on top of svd, eigh and inv.

Used through ``pytensor.linalg``; factorisations themselves are the registry's ops.
"""

from __future__ import annotations

from pytensor import _C
from pytensor.composites.casting import autocasts
from pytensor.composites.shared import dtype_name, scalar_name, write_out

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from pytensor import Tensor

__all__ = [
    "cross",
    "diagonal",
    "eigvalsh",
    "matmul",
    "matrix_power",
    "matrix_rank",
    "multi_dot",
    "pinv",
    "svdvals",
    "vander",
    "vecdot",
]


def transposed(t: Tensor) -> Tensor:
    return t.transpose(-2, -1)


def check_matrix(name: str, t: Tensor, square: bool = False, argument: str = "A") -> None:
    if t.dim() < 2:
        raise RuntimeError(
            f"linalg.{name}: The input tensor {argument} must have at least 2 dimensions."
        )
    if square and t.size(-1) != t.size(-2):
        raise RuntimeError(
            f"linalg.{name}: {argument} must be batches of square matrices, but they are "
            f"{t.size(-2)} by {t.size(-1)} matrices"
        )


def check_floating(name: str, t: Tensor) -> None:
    if not t.is_floating_point():
        raise RuntimeError(
            f"linalg.{name}: Expected a floating point or complex tensor as input. Got "
            + scalar_name(t)
        )


def matmul(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The matrix product, as pytensor.matmul().

    Args:
        input: the left (batch of) matrices or vector.
        other: the right one.
        out: the tensor to write the result into.

    Shape:
        As pytensor.matmul().

    Raises:
        RuntimeError: when shapes do not fit.

    Example::

        >>> pytensor.linalg.matmul(pytensor.ones(2, 3), pytensor.ones(3))
        tensor([3., 3.])
    """
    return write_out(_C.matmul(input, other), out)


def multi_dot(tensors: Sequence[Tensor], *, out: Tensor | None = None) -> Tensor:
    """The product of several matrices, in the order of multiplications that costs least.

    Args:
        tensors: at least two matrices; the first and the last may be vectors.
        out: the tensor to write the result into.

    Shape:
        Rows of the first by columns of the last matrix, without the dimension of a vector.

    Raises:
        RuntimeError: for fewer than two tensors or shapes that do not fit.

    Example::

        >>> a, b, c = pytensor.ones(2, 9), pytensor.ones(9, 4), pytensor.ones(4)
        >>> pytensor.linalg.multi_dot([a, b, c])
        tensor([36., 36.])
    """
    count = len(tensors)
    if count < 2:
        raise RuntimeError(f"multi_dot(): expected at least 2 tensors but got {count}")
    for i, t in enumerate(tensors):
        if 0 < i < count - 1 and t.dim() != 2:
            raise RuntimeError(f"multi_dot(): tensor {i} must be 2D but got {t.dim()}D")
        if t.dim() not in (1, 2):
            which = "first" if i == 0 else "last"
            raise RuntimeError(
                f"multi_dot(): the {which} tensor must be 1D or 2D but got {t.dim()}D"
            )
        if t.dtype != tensors[0].dtype:
            raise RuntimeError(
                "multi_dot(): all tensors must have be the same dtype but tensor 0 is "
                f"{scalar_name(tensors[0]).lower()} and tensor {i} {scalar_name(t).lower()}"
            )
    first, last = tensors[0], tensors[-1]
    matrices = [first.unsqueeze(0) if first.dim() == 1 else first, *tensors[1:-1]]
    matrices.append(last.unsqueeze(1) if last.dim() == 1 else last)
    for i in range(count - 1):
        if matrices[i].size(1) != matrices[i + 1].size(0):
            raise RuntimeError(
                f"multi_dot(): tensors {i} and {i + 1} with shapes {list(matrices[i].shape)} and "
                f"{list(matrices[i + 1].shape)} cannot be multiplied"
            )
    result = _chain(matrices, _cheapest_splits(matrices), 0, count - 1)
    if first.dim() == 1:
        result = result.squeeze(0)
    if last.dim() == 1:
        result = result.squeeze(-1)
    return write_out(result, out)


def _cheapest_splits(matrices: Sequence[Tensor]) -> dict[tuple[int, int], int]:
    """Where to split each run of matrices: dynamic programming over the run's length."""
    sizes = [m.size(0) for m in matrices] + [matrices[-1].size(1)]
    count = len(matrices)
    cost = {(i, i): 0 for i in range(count)}
    split: dict[tuple[int, int], int] = {}
    for length in range(1, count):
        for i in range(count - length):
            j = i + length
            options = [
                (cost[i, k] + cost[k + 1, j] + sizes[i] * sizes[k + 1] * sizes[j + 1], k)
                for k in range(i, j)
            ]
            cost[i, j], split[i, j] = min(options)
    return split


def _chain(matrices: Sequence[Tensor], split: dict[tuple[int, int], int], i: int, j: int) -> Tensor:
    if i == j:
        return matrices[i]
    k = split[i, j]
    return _chain(matrices, split, i, k).mm(_chain(matrices, split, k + 1, j))


def matrix_power(A: Tensor, n: int, *, out: Tensor | None = None) -> Tensor:
    """Square matrices multiplied with themselves ``n`` times.

    Args:
        A: a (batch of) square matrices.
        n: the exponent; a negative one takes powers of the inverse.
        out: the tensor to write the result into.

    Shape:
        As the input.

    Raises:
        RuntimeError: for a tensor that is no square matrix.

    Example::

        >>> pytensor.linalg.matrix_power(pytensor.tensor([[1, 1], [0, 1]]), 5)
        tensor([[1, 5],
                [0, 1]])
    """
    check_matrix("matrix_power", A, square=True)
    if n == 0:
        eye = _C.eye(A.size(-1), dtype=A.dtype, device=A.device)
        return write_out(eye.expand(tuple(A.shape)).clone(), out)
    if n < 0:
        check_floating("inv", A)
    square = _C.linalg_inv(A) if n < 0 else A
    result: Any = None
    n = abs(n)
    while True:
        if n & 1:
            result = square if result is None else result.matmul(square)
        n >>= 1
        if n == 0:
            break
        square = square.matmul(square)
    return write_out(result.clone() if result is A else result, out)


def svdvals(A: Tensor, *, driver: str | None = None, out: Tensor | None = None) -> Tensor:
    """The singular values of matrices, in descending order.

    Args:
        A: a (batch of) matrices.
        driver: accepted.
        out: the tensor to write the result into.

    Shape:
        ``(*, m, n)`` gives ``(*, min(m, n))``.

    Raises:
        RuntimeError: for a tensor that is no matrix.

    Example::

        >>> pytensor.linalg.svdvals(pytensor.tensor([[3.0, 0.0], [0.0, 4.0]]))
        tensor([4., 3.])
    """
    return write_out(_C.linalg_svd(A, full_matrices=False)[1], out)


def eigvalsh(A: Tensor, UPLO: str = "L", *, out: Tensor | None = None) -> Tensor:
    """The eigenvalues of symmetric matrices, in ascending order.

    Args:
        A: a (batch of) symmetric matrices.
        UPLO: "L" reads the lower triangle, "U" the upper one.
        out: the tensor to write the result into.

    Shape:
        ``(*, n, n)`` gives ``(*, n)``.

    Raises:
        RuntimeError: for a tensor that is no square matrix.

    Example::

        >>> pytensor.linalg.eigvalsh(pytensor.tensor([[2.0, 0.0], [0.0, 1.0]]))
        tensor([1., 2.])
    """
    return write_out(_C.linalg_eigh(A, UPLO)[0], out)


def _as_tolerance(value: Any, like: Tensor) -> Tensor:
    if isinstance(value, _C.Tensor):
        return value.to(like.dtype)
    return _C.tensor(float(value), dtype=like.dtype, device=like.device)


def _threshold(t: Tensor, largest: Tensor, atol: Any, rtol: Any) -> Tensor:
    """Below it singular values count as zero: max(atol, rtol * largest), one for each matrix."""
    if rtol is None:
        # An absolute tolerance switches the relative one off; zero counts as not given.
        relative = _C.full(
            (), max(t.size(-2), t.size(-1)) * _eps(t), dtype=t.dtype, device=t.device
        )
        if atol is not None:
            given = _as_tolerance(atol, t)
            relative = _C.where(given > 0, _C.zeros_like(given), relative)
    else:
        relative = _as_tolerance(rtol, t)
    absolute = _as_tolerance(0.0 if atol is None else atol, t)
    return _C.maximum(absolute, relative * largest)


def _eps(t: Tensor) -> float:
    from pytensor._finfo import finfo

    return finfo(t.dtype).eps


def matrix_rank(
    A: Tensor,
    tol: Any = None,
    hermitian: bool = False,
    *,
    atol: Any = None,
    rtol: Any = None,
    out: Tensor | None = None,
) -> Tensor:
    """The rank of matrices: the number of singular values above a threshold.

    Args:
        A: a (batch of) matrices.
        tol: the threshold itself.
        hermitian: whether the matrices are symmetric, which is quicker.
        atol: absolute tolerance, 0 when None.
        rtol: tolerance relative to the largest singular value; the larger size times the dtype's
            epsilon when neither tolerance is given.
        out: the tensor to write the result into.

    Shape:
        ``(*, m, n)`` gives ``(*)``.

    Raises:
        RuntimeError: for a tensor that is no matrix.

    Example::

        >>> pytensor.linalg.matrix_rank(pytensor.ones(2, 2))
        tensor(1)
    """
    if A.dim() < 2:
        raise RuntimeError(
            "torch.linalg.matrix_rank: The input tensor input must have at least 2 dimensions."
        )
    A = A.detach()
    if A.size(-1) == 0 or A.size(-2) == 0:
        return write_out(_C.zeros(tuple(A.shape[:-2]), dtype=_C.int64, device=A.device), out)
    values = eigvalsh(A).abs() if hermitian else svdvals(A)
    if tol is not None:
        atol, rtol = tol, 0.0
    threshold = _threshold(A, values.amax(-1), atol, rtol)
    return write_out((values > threshold.unsqueeze(-1)).sum(-1), out)


_pinv_function: Any = None


def _make_pinv_function() -> Any:
    from pytensor.autograd import Function

    class PseudoInverse(Function):
        """The gradient by the pseudo-inverse itself: exact also for equal singular values."""

        @staticmethod
        def forward(ctx: Any, matrix: Tensor, atol: Any, rtol: Any, hermitian: bool) -> Tensor:
            inverse = _pinv_by_svd(matrix, atol, rtol, hermitian)
            ctx.save_for_backward(matrix, inverse)
            return inverse

        @staticmethod
        def backward(ctx: Any, grad: Tensor) -> Any:
            matrix, inverse = ctx.saved_tensors
            inverse_t, grad_t = transposed(inverse), transposed(grad)
            left = grad_t - matrix.matmul(inverse.matmul(grad_t))
            right = grad_t - grad_t.matmul(inverse).matmul(matrix)
            result = (
                left.matmul(inverse).matmul(inverse_t)
                + inverse_t.matmul(inverse).matmul(right)
                - inverse_t.matmul(grad).matmul(inverse_t)
            )
            return result, None, None, None

    return PseudoInverse


def _pinv_by_svd(matrix: Tensor, atol: Any, rtol: Any, hermitian: bool) -> Tensor:
    if hermitian:
        values, vectors = _C.linalg_eigh(matrix)
        left, right = vectors, transposed(vectors)
        magnitudes = values.abs()
    else:
        u, values, vh = _C.linalg_svd(matrix, full_matrices=False)
        left, right = transposed(vh), transposed(u)
        magnitudes = values
    threshold = _threshold(matrix, magnitudes.amax(-1), atol, rtol).unsqueeze(-1)
    kept = magnitudes > threshold
    inverted = values.masked_fill(kept.logical_not(), 1).reciprocal() * kept
    return (left * inverted.unsqueeze(-2)).matmul(right)


def pinv(
    A: Tensor,
    rcond: Any = None,
    hermitian: bool = False,
    *,
    atol: Any = None,
    rtol: Any = None,
    out: Tensor | None = None,
) -> Tensor:
    """The Moore-Penrose pseudo-inverse of matrices.

    Args:
        A: a (batch of) matrices.
        rcond: the same as ``rtol``.
        hermitian: whether the matrices are symmetric, which is quicker.
        atol: absolute tolerance below which singular values count as zero, 0 when None.
        rtol: tolerance relative to the largest singular value; the larger size times the dtype's
            epsilon when neither tolerance is given.
        out: the tensor to write the result into.

    Shape:
        ``(*, m, n)`` gives ``(*, n, m)``.

    Raises:
        RuntimeError: for a tensor that is no matrix.

    Example::

        >>> pytensor.linalg.pinv(pytensor.tensor([[2.0], [0.0]]))
        tensor([[0.5000, 0.0000]])
    """
    if dtype_name(A) not in ("float32", "float64") or A.dim() < 2:
        raise RuntimeError(
            f"linalg.pinv({scalar_name(A)}{{{list(A.shape)}}}): expected a tensor with 2 or more "
            "dimensions of float, double, cfloat or cdouble types"
        )
    if hermitian:
        check_matrix("eigh", A, square=True)
    if A.numel() == 0:
        return write_out(transposed(A).clone(), out)
    global _pinv_function
    if _pinv_function is None:
        _pinv_function = _make_pinv_function()
    result = _pinv_function.apply(A, atol, rcond if rtol is None else rtol, hermitian)
    return write_out(result, out)


def vander(x: Tensor, *, N: int | None = None) -> Tensor:
    """Vandermonde matrices of vectors: rising powers in columns.

    Args:
        x: a (batch of) vectors.
        N: number of columns, the vectors' length when None.

    Shape:
        ``(*, n)`` gives ``(*, n, N)``.

    Raises:
        RuntimeError: when there would be fewer than two columns.

    Example::

        >>> pytensor.linalg.vander(pytensor.tensor([1, 2, 3]))
        tensor([[1, 1, 1],
                [1, 2, 4],
                [1, 3, 9]])
    """
    from pytensor.composites.calculus import rising_powers

    if x.dtype == _C.bool:
        raise RuntimeError(
            "linalg.vander supports floating point, complex, and integer tensors, but got Bool"
        )
    columns = (x.size(-1) if x.dim() else 1) if N is None else N
    if columns <= 1 or x.dim() == 0:
        raise RuntimeError("N must be greater than 1.")
    return rising_powers(x, columns)


@autocasts("lower")
def vecdot(x: Tensor, y: Tensor, *, dim: int = -1, out: Tensor | None = None) -> Tensor:
    """Dot products of corresponding vectors of two tensors.

    Args:
        x: the first vectors.
        y: the second vectors; both broadcast.
        dim: the dimension that makes up a vector.
        out: the tensor to write the result into.

    Shape:
        The broadcast shape without the dimension.

    Raises:
        RuntimeError: when the dtypes differ or are not floating-point.

    Example::

        >>> pytensor.linalg.vecdot(pytensor.ones(2, 3), pytensor.ones(3))
        tensor([3., 3.])
    """
    check_floating("vecdot", x)
    if x.dtype != y.dtype:
        raise RuntimeError(
            "linalg.vecdot: Expected x and y to have the same dtype, but found x of type "
            f"{scalar_name(x)} and y of type {scalar_name(y)} instead"
        )
    return write_out((x * y).sum(dim), out)


def cross(input: Tensor, other: Tensor, *, dim: int = -1, out: Tensor | None = None) -> Tensor:
    """Cross products of corresponding vectors of length 3.

    Args:
        input: the left vectors.
        other: the right vectors; both broadcast.
        dim: the dimension that makes up a vector.
        out: the tensor to write the result into.

    Shape:
        The broadcast shape.

    Raises:
        RuntimeError: when the dimension has not size 3.

    Example::

        >>> x, y = pytensor.tensor([1, 0, 0]), pytensor.tensor([0, 1, 0])
        >>> pytensor.linalg.cross(x, y)
        tensor([0, 0, 1])
    """
    from pytensor.composites.einsum import cross as cross_product

    if input.dim() == 0:
        raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
    return cross_product(input, other, dim, out=out)


def diagonal(A: Tensor, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """Views of matrices' diagonals, as Tensor.diagonal() but for the last two dimensions.

    Args:
        A: a (batch of) matrices.
        offset: which diagonal; 0 is the main one, positive ones lie above it.
        dim1: the dimension of rows.
        dim2: the dimension of columns.

    Shape:
        The input's without the two dimensions, then the diagonal.

    Raises:
        IndexError: for a dimension that does not exist.

    Example::

        >>> pytensor.linalg.diagonal(pytensor.tensor([[1, 2], [3, 4]]))
        tensor([1, 4])
    """
    return A.diagonal(offset, dim1, dim2)
