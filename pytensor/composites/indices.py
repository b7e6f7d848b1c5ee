"""Functions about indices and shapes: broadcasting, choices of elements, triangles.

Results are tensors of indices, or of elements chosen by them; shapes are plain Python.
"""

from __future__ import annotations

from pytensor import _C

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from pytensor import Tensor

__all__ = [
    "broadcast_shapes",
    "cartesian_prod",
    "combinations",
    "nonzero",
    "tril_indices",
    "triu_indices",
    "unravel_index",
]


def broadcast_shapes(*shapes: Any) -> Any:
    """The shape that tensors of the given shapes broadcast to.

    Args:
        shapes: shapes as tuples of integers, or integers for shapes of one dimension.

    Raises:
        RuntimeError: when the shapes do not fit.
        ValueError: for a negative size.

    Example::

        >>> pytensor.broadcast_shapes((2, 1), (3,), (1, 1, 1))
        torch.Size([1, 2, 3])
    """
    result: list[int] = []
    for index, given in enumerate(shapes):
        shape = (given,) if isinstance(given, int) else tuple(given)
        result[:0] = [1] * (len(shape) - len(result))
        for back in range(-1, -len(shape) - 1, -1):
            size = shape[back]
            if size < 0:
                raise ValueError("Attempting to broadcast a dimension with negative length!")
            if size == 1 or size == result[back]:
                continue
            if result[back] != 1:
                raise RuntimeError(
                    f"Attempting to broadcast a dimension of length {size} at {back}! Mismatching "
                    f"argument at index {index} had {shape}; but expected shape should be "
                    f"broadcastable to {result}"
                )
            result[back] = size
    return _C.Size(result)


def cartesian_prod(*tensors: Tensor) -> Tensor:
    """All combinations of one element from each vector, the last changing fastest.

    Args:
        tensors: vectors of the same dtype.

    Shape:
        ``(n1 * n2 * ..., number of vectors)``; a single vector is returned as it is.

    Raises:
        RuntimeError: for a tensor that is no vector.

    Example::

        >>> pytensor.cartesian_prod(pytensor.tensor([1, 2]), pytensor.tensor([3, 4]))
        tensor([[1, 3],
                [1, 4],
                [2, 3],
                [2, 4]])
    """
    if len(tensors) == 1 and isinstance(tensors[0], (list, tuple)):
        tensors = tuple(tensors[0])
    for t in tensors:
        if t.dim() != 1:
            raise RuntimeError(f"Expect a 1D vector, but got shape {list(t.shape)}")
    if len(tensors) == 1:
        return tensors[0]
    if not tensors:
        raise RuntimeError("meshgrid expects a non-empty TensorList")
    if any(t.dtype != tensors[0].dtype for t in tensors):
        raise RuntimeError("meshgrid expects all tensors to have the same dtype")
    sizes = [t.numel() for t in tensors]
    columns = []
    for i, t in enumerate(tensors):
        shape = [1] * len(sizes)
        shape[i] = sizes[i]
        columns.append(t.reshape(shape).expand(sizes).reshape(-1))
    return _C.stack(columns, dim=1)


def combinations(input: Tensor, r: int = 2, with_replacement: bool = False) -> Tensor:
    """All choices of ``r`` elements of a vector, in order.

    Args:
        input: the vector.
        r: number of elements to choose.
        with_replacement: whether an element may be chosen again.

    Shape:
        ``(number of choices, r)``; ``(0)`` for ``r = 0``.

    Raises:
        RuntimeError: when the input is no vector or ``r`` is negative.

    Example::

        >>> pytensor.combinations(pytensor.tensor([1, 2, 3]))
        tensor([[1, 2],
                [1, 3],
                [2, 3]])
    """
    if input.dim() != 1:
        raise RuntimeError(f"Expect a 1D vector, but got shape {list(input.shape)}")
    if r < 0:
        raise RuntimeError(f"Expect a non-negative number, but got {r}")
    if r == 0:
        return input.new_empty((0,))
    n = input.numel()
    # chosen: rows of r increasing indices, grown one column at a time
    order = _C.arange(n, device=input.device)
    chosen = order.reshape(n, 1)
    for _ in range(1, r):
        last = chosen[:, -1:]
        allowed = order >= last if with_replacement else order > last
        pairs = allowed.nonzero()
        chosen = _C.cat([chosen[pairs[:, 0]], pairs[:, 1:]], 1)
    return input[chosen]


def nonzero(input: Tensor, *, out: Tensor | None = None, as_tuple: bool = False) -> Any:
    """The indices of the elements that are not zero, in row-major order.

    Args:
        input: the tensor.
        out: the result if given; not with ``as_tuple``.
        as_tuple: return a tuple of vectors, one per dimension, as an index for ``input``.

    Shape:
        (number of such elements, number of dimensions).

    Example::

        >>> pytensor.nonzero(pytensor.tensor([1, 0, 3]))
        tensor([[0],
                [2]])
    """
    if not as_tuple:
        return _C.functions["nonzero"](input, out=out)
    if out is not None:
        raise TypeError("nonzero(): argument 'out' does not go with as_tuple=True")
    return _C.internal["_nonzero_numpy"](input)


def unravel_index(indices: Tensor, shape: Any) -> tuple[Tensor, ...]:
    """Positions in a tensor of the given shape for indices into its flattened elements.

    Args:
        indices: a tensor of integers.
        shape: the shape, an integer or a sequence.

    Shape:
        One tensor of the indices' shape for each dimension.

    Raises:
        TypeError: when indices or shape are not integers.
        ValueError: for a negative size.

    Example::

        >>> pytensor.unravel_index(pytensor.tensor([5, 7]), (3, 4))
        (tensor([1, 1]), tensor([1, 3]))
    """
    if (
        not isinstance(indices, _C.Tensor)
        or indices.is_floating_point()
        or (indices.dtype == _C.bool)
    ):
        given = indices.dtype if isinstance(indices, _C.Tensor) else type(indices).__name__
        raise TypeError(f"expected 'indices' to be integer dtype, but got {given}")
    if isinstance(shape, int):
        shape = (shape,)
    elif not isinstance(shape, (list, tuple)):
        raise TypeError(f"expected 'shape' to be int or sequence of ints, but got {type(shape)}")
    for size in shape:
        if not isinstance(size, int):
            raise TypeError(f"expected 'shape' sequence to only contain ints, but got {type(size)}")
    if any(size < 0 for size in shape):
        raise ValueError(f"'shape' cannot have negative values, but got {tuple(shape)}")
    positions = []
    stride = 1
    for size in reversed(shape):
        scaled = indices if stride == 1 else indices.div(stride, rounding_mode="floor")
        positions.append(scaled.remainder(size) if indices.numel() else scaled.clone())
        stride *= size
    return tuple(reversed(positions))


def _triangle(
    name: str, row: int, col: int, offset: int, dtype: Any, device: Any, upper: bool
) -> Tensor:
    for what, count in (("row", row), ("col", col)):
        if count < 0:
            raise RuntimeError(f"{what} must be non-negative, got{count}")
    dtype = _C.int64 if dtype is None else dtype
    if dtype not in (_C.int32, _C.int64):
        kind = str(dtype).rsplit(".", 1)[-1]
        raise NotImplementedError(f"\"{name}\" not implemented for '{kind}'")
    beyond = _C.arange(col, device=device) - _C.arange(row, device=device).reshape(row, 1)
    inside = beyond >= offset if upper else beyond <= offset
    return inside.nonzero().t().contiguous().to(dtype)


def tril_indices(
    row: int,
    col: int,
    offset: int = 0,
    *,
    dtype: Any = None,
    device: Any = None,
    layout: Any = None,
    pin_memory: bool | None = None,
) -> Tensor:
    """Indices of the lower triangle of a matrix, row by row.

    Args:
        row: number of rows.
        col: number of columns.
        offset: the last diagonal that belongs to the triangle; 0 is the main one.
        dtype: int64 (default) or int32.
        device: where the result lies.
        layout: accepted; results are always strided.
        pin_memory: accepted.

    Shape:
        ``(2, n)``: the rows, then the columns.

    Raises:
        RuntimeError: for a negative size.

    Example::

        >>> pytensor.tril_indices(2, 2)
        tensor([[0, 1, 1],
                [0, 0, 1]])
    """
    return _triangle("tril_indices", row, col, offset, dtype, device, False)


def triu_indices(
    row: int,
    col: int,
    offset: int = 0,
    *,
    dtype: Any = None,
    device: Any = None,
    layout: Any = None,
    pin_memory: bool | None = None,
) -> Tensor:
    """Indices of the upper triangle of a matrix, row by row.

    Args:
        row: number of rows.
        col: number of columns.
        offset: the first diagonal that belongs to the triangle; 0 is the main one.
        dtype: int64 (default) or int32.
        device: where the result lies.
        layout: accepted; results are always strided.
        pin_memory: accepted.

    Shape:
        ``(2, n)``: the rows, then the columns.

    Raises:
        RuntimeError: for a negative size.

    Example::

        >>> pytensor.triu_indices(2, 2)
        tensor([[0, 0, 1],
                [0, 1, 1]])
    """
    return _triangle("triu_indices", row, col, offset, dtype, device, True)
