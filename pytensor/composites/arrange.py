"""Functions that join, split, turn and lift tensors: the stack and split families, rot90, atleast.

All are views and concatenations; nothing is computed here.
"""

from __future__ import annotations

from pytensor import _C
from pytensor.composites.shared import scalar_name, wrap_dim, write_out

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from pytensor import Tensor

    Tensors = tuple[Tensor, ...]

__all__ = [
    "atleast_1d",
    "atleast_2d",
    "atleast_3d",
    "block_diag",
    "column_stack",
    "dsplit",
    "dstack",
    "fliplr",
    "flipud",
    "hsplit",
    "hstack",
    "rot90",
    "row_stack",
    "tensor_split",
    "vsplit",
    "vstack",
]


def _lift(name: str, lift: Callable[[Tensor], Tensor], tensors: tuple[Any, ...]) -> Any:
    single = len(tensors) == 1
    if single and isinstance(tensors[0], (list, tuple)):
        tensors, single = tuple(tensors[0]), False
    for t in tensors:
        if not isinstance(t, _C.Tensor):
            raise TypeError(
                f"{name}(): argument 'tensors' must be Tensor or tuple of Tensors, "
                f"not {type(t).__name__}"
            )
    return lift(tensors[0]) if single else tuple(lift(t) for t in tensors)


def _lift_1d(t: Tensor) -> Tensor:
    return t if t.dim() else t.reshape(1)


def _lift_2d(t: Tensor) -> Tensor:
    return t if t.dim() >= 2 else _lift_1d(t).unsqueeze(0)


def _lift_3d(t: Tensor) -> Tensor:
    return t if t.dim() >= 3 else _lift_2d(t).unsqueeze(-1)


def atleast_1d(*tensors: Any) -> Any:
    """Views with at least one dimension.

    Args:
        tensors: tensors, or one list of them.

    Shape:
        A tensor without dimensions becomes ``(1)``, others stay.

    Raises:
        TypeError: for anything that is no tensor.

    Example::

        >>> pytensor.atleast_1d(pytensor.tensor(3))
        tensor([3])
    """
    return _lift("atleast_1d", _lift_1d, tensors)


def atleast_2d(*tensors: Any) -> Any:
    """Views with at least two dimensions.

    Args:
        tensors: tensors, or one list of them.

    Shape:
        ``(n)`` becomes ``(1, n)``; larger tensors stay.

    Raises:
        TypeError: for anything that is no tensor.

    Example::

        >>> pytensor.atleast_2d(pytensor.tensor([1, 2]))
        tensor([[1, 2]])
    """
    return _lift("atleast_2d", _lift_2d, tensors)


def atleast_3d(*tensors: Any) -> Any:
    """Views with at least three dimensions.

    Args:
        tensors: tensors, or one list of them.

    Shape:
        ``(n)`` becomes ``(1, n, 1)``, ``(m, n)`` becomes ``(m, n, 1)``; larger tensors stay.

    Raises:
        TypeError: for anything that is no tensor.

    Example::

        >>> pytensor.atleast_3d(pytensor.tensor([1, 2])).shape
        torch.Size([1, 2, 1])
    """
    return _lift("atleast_3d", _lift_3d, tensors)


def _list_of_tensors(name: str, tensors: Any) -> list[Tensor]:
    if not isinstance(tensors, (list, tuple)):
        raise TypeError(
            f"{name}(): argument 'tensors' (position 1) must be tuple of Tensors, "
            f"not {type(tensors).__name__}"
        )
    if not tensors:
        raise RuntimeError(f"{name} expects a non-empty TensorList")
    return list(tensors)


def hstack(tensors: Sequence[Tensor], *, out: Tensor | None = None) -> Tensor:
    """Joins tensors side by side: along dimension 1, vectors along their only one.

    Args:
        tensors: the tensors.
        out: the tensor to write the result into.

    Shape:
        Equal in all dimensions but the one along which they are joined.

    Raises:
        RuntimeError: for an empty list or shapes that do not fit.

    Example::

        >>> pytensor.hstack((pytensor.tensor([1, 2]), pytensor.tensor([3])))
        tensor([1, 2, 3])
    """
    lifted = [_lift_1d(t) for t in _list_of_tensors("hstack", tensors)]
    return write_out(_C.cat(lifted, 0 if lifted[0].dim() == 1 else 1), out)


def vstack(tensors: Sequence[Tensor], *, out: Tensor | None = None) -> Tensor:
    """Joins tensors below each other: along dimension 0, vectors as rows.

    Args:
        tensors: the tensors.
        out: the tensor to write the result into.

    Shape:
        Equal in all dimensions but the first; vectors count as ``(1, n)``.

    Raises:
        RuntimeError: for an empty list or shapes that do not fit.

    Example::

        >>> pytensor.vstack((pytensor.tensor([1, 2]), pytensor.tensor([3, 4])))
        tensor([[1, 2],
                [3, 4]])
    """
    return write_out(_C.cat([_lift_2d(t) for t in _list_of_tensors("vstack", tensors)], 0), out)


row_stack = vstack


def dstack(tensors: Sequence[Tensor], *, out: Tensor | None = None) -> Tensor:
    """Joins tensors in depth: along dimension 2.

    Args:
        tensors: the tensors.
        out: the tensor to write the result into.

    Shape:
        Equal in all dimensions but the third; ``(n)`` counts as ``(1, n, 1)``.

    Raises:
        RuntimeError: for an empty list or shapes that do not fit.

    Example::

        >>> pytensor.dstack((pytensor.tensor([1, 2]), pytensor.tensor([3, 4])))
        tensor([[[1, 3],
                 [2, 4]]])
    """
    return write_out(_C.cat([_lift_3d(t) for t in _list_of_tensors("dstack", tensors)], 2), out)


def column_stack(tensors: Sequence[Tensor], *, out: Tensor | None = None) -> Tensor:
    """Joins tensors along dimension 1, vectors as columns.

    Args:
        tensors: the tensors.
        out: the tensor to write the result into.

    Shape:
        Equal in all dimensions but the second; ``(n)`` counts as ``(n, 1)``.

    Raises:
        RuntimeError: for an empty list or shapes that do not fit.

    Example::

        >>> pytensor.column_stack((pytensor.tensor([1, 2]), pytensor.tensor([3, 4])))
        tensor([[1, 3],
                [2, 4]])
    """
    columns = [
        t if t.dim() >= 2 else t.reshape(t.numel(), 1)
        for t in _list_of_tensors("column_stack", tensors)
    ]
    return hstack(columns, out=out)


def tensor_split(
    input: Tensor,
    indices_or_sections: Any = None,
    dim: int = 0,
    *,
    indices: Sequence[int] | None = None,
    sections: int | None = None,
) -> Tensors:
    """Splits a tensor into views, of nearly equal size or at given places.

    Args:
        input: the tensor.
        indices_or_sections: the number of parts, or the indices before which to split, as a
            sequence or a tensor.
        dim: the dimension along which to split.
        indices: the indices, by keyword.
        sections: the number of parts, by keyword.

    Shape:
        Of ``n`` elements in ``s`` parts, the first ``n % s`` parts get one more than the others.

    Raises:
        RuntimeError: when the number of parts is not positive.

    Example::

        >>> pytensor.tensor_split(pytensor.arange(5), 2)
        (tensor([0, 1, 2]), tensor([3, 4]))
    """
    if input.dim() == 0:
        raise RuntimeError(
            "tensor_split expected at least a 1-dimensional tensor, but got a tensor with 0 dims"
        )
    places = indices_or_sections
    if places is None:
        places = sections if indices is None else indices
    if isinstance(places, _C.Tensor):
        if places.dim() > 1:
            raise RuntimeError(
                "tensor_split expected tensor_indices_or_sections to be a zero-dimensional or "
                f"one-dimensional tensor, but got a tensor with {places.dim()} dims"
            )
        if places.dtype != _C.int64:
            raise RuntimeError(
                "tensor_split expected tensor_indices_or_sections to have dtype of long, "
                f"but got {scalar_name(places)}"
            )
        places = places.tolist()
    dim = wrap_dim(dim, input.dim())
    size = input.size(dim)
    if isinstance(places, int) and not isinstance(places, bool):
        if places <= 0:
            raise RuntimeError(f"number of sections must be larger than 0, got {places}")
        base, longer = divmod(size, places)
        ends = [(i + 1) * base + min(i + 1, longer) for i in range(places)]
        bounds = list(zip([0, *ends], ends))
    elif isinstance(places, (list, tuple)):
        bounds = [slice(a, b).indices(size)[:2] for a, b in zip([0, *places], [*places, None])]
    else:
        raise TypeError(
            "tensor_split(): argument 'indices_or_sections' must be int, tuple of ints or Tensor, "
            f"not {type(places).__name__}"
        )
    return tuple(input.narrow(dim, start, max(end - start, 0)) for start, end in bounds)


def _axis_split(name: str, input: Tensor, places: Any, dim: int, min_dims: int) -> Tensors:
    if input.dim() < min_dims:
        raise RuntimeError(
            f"torch.{name} requires a tensor with at least {min_dims} dimension, but got a tensor "
            f"with {input.dim()} dimensions!"
        )
    if isinstance(places, int) and (places == 0 or input.size(dim) % places):
        raise RuntimeError(
            f"torch.{name} attempted to split along dimension {dim}, but the size of the "
            f"dimension {input.size(dim)} is not divisible by the split_size {places}!"
        )
    return tensor_split(input, places, dim)


def hsplit(
    input: Tensor,
    indices_or_sections: Any = None,
    *,
    indices: Sequence[int] | None = None,
    sections: int | None = None,
) -> Tensors:
    """Splits a tensor side by side: along dimension 1, a vector along its only one.

    Args:
        input: the tensor.
        indices_or_sections: the number of equal parts, or the indices before which to split.
        indices: the indices, by keyword.
        sections: the number of parts, by keyword.

    Shape:
        As tensor_split().

    Raises:
        RuntimeError: when the size is not a multiple of the number of parts.

    Example::

        >>> pytensor.hsplit(pytensor.arange(4), 2)
        (tensor([0, 1]), tensor([2, 3]))
    """
    places = _given(indices_or_sections, indices, sections)
    return _axis_split("hsplit", input, places, 0 if input.dim() == 1 else 1, 1)


def vsplit(
    input: Tensor,
    indices_or_sections: Any = None,
    *,
    indices: Sequence[int] | None = None,
    sections: int | None = None,
) -> Tensors:
    """Splits a tensor of at least two dimensions along dimension 0.

    Args:
        input: the tensor.
        indices_or_sections: the number of equal parts, or the indices before which to split.
        indices: the indices, by keyword.
        sections: the number of parts, by keyword.

    Shape:
        As tensor_split().

    Raises:
        RuntimeError: when the size is not a multiple of the number of parts.

    Example::

        >>> pytensor.vsplit(pytensor.arange(4).reshape(2, 2), 2)
        (tensor([[0, 1]]), tensor([[2, 3]]))
    """
    return _axis_split("vsplit", input, _given(indices_or_sections, indices, sections), 0, 2)


def dsplit(
    input: Tensor,
    indices_or_sections: Any = None,
    *,
    indices: Sequence[int] | None = None,
    sections: int | None = None,
) -> Tensors:
    """Splits a tensor of at least three dimensions along dimension 2.

    Args:
        input: the tensor.
        indices_or_sections: the number of equal parts, or the indices before which to split.
        indices: the indices, by keyword.
        sections: the number of parts, by keyword.

    Shape:
        As tensor_split().

    Raises:
        RuntimeError: when the size is not a multiple of the number of parts.

    Example::

        >>> pytensor.dsplit(pytensor.arange(4).reshape(1, 1, 4), 2)
        (tensor([[[0, 1]]]), tensor([[[2, 3]]]))
    """
    return _axis_split("dsplit", input, _given(indices_or_sections, indices, sections), 2, 3)


def _given(indices_or_sections: Any, indices: Any, sections: Any) -> Any:
    if indices_or_sections is not None:
        return indices_or_sections
    return sections if indices is None else indices


def rot90(input: Tensor, k: int = 1, dims: Sequence[int] = (0, 1)) -> Tensor:
    """Turns a tensor by quarter turns in the plane of two dimensions.

    Args:
        input: the tensor.
        k: number of quarter turns from the first towards the second dimension.
        dims: the two dimensions.

    Shape:
        The sizes of the two dimensions are exchanged when ``k`` is odd.

    Raises:
        RuntimeError: when ``dims`` are not two different dimensions.

    Example::

        >>> pytensor.rot90(pytensor.tensor([[1, 2], [3, 4]]))
        tensor([[2, 4],
                [1, 3]])
    """
    if len(dims) != 2:
        raise RuntimeError(f"expected total rotation dims == 2, but got dims = {len(dims)}")
    if input.dim() < 2:
        raise RuntimeError(f"expected total dims >= 2, but got total dims = {input.dim()}")
    first, second = (wrap_dim(d, input.dim()) for d in dims)
    if first == second:
        raise RuntimeError(
            f"expected rotation dims to be different, but got dim0 = {dims[0]} and dim1 = {dims[1]}"
        )
    turns = k % 4
    if turns == 0:
        return input.clone()
    if turns == 2:
        return input.flip((first, second))
    return input.flip((second if turns == 1 else first,)).transpose(first, second)


def fliplr(input: Tensor) -> Tensor:
    """Mirrors a tensor from left to right: reverses dimension 1.

    Args:
        input: a tensor of at least two dimensions.

    Shape:
        As the input.

    Raises:
        RuntimeError: for fewer dimensions.

    Example::

        >>> pytensor.fliplr(pytensor.tensor([[1, 2], [3, 4]]))
        tensor([[2, 1],
                [4, 3]])
    """
    if input.dim() < 2:
        raise RuntimeError("Input must be >= 2-d.")
    return input.flip((1,))


def flipud(input: Tensor) -> Tensor:
    """Mirrors a tensor from top to bottom: reverses dimension 0.

    Args:
        input: a tensor of at least one dimension.

    Shape:
        As the input.

    Raises:
        RuntimeError: for a tensor without dimensions.

    Example::

        >>> pytensor.flipud(pytensor.tensor([1, 2]))
        tensor([2, 1])
    """
    if input.dim() < 1:
        raise RuntimeError("Input must be >= 1-d.")
    return input.flip((0,))


def block_diag(*tensors: Tensor) -> Tensor:
    """A matrix with the given matrices along its diagonal and zeros elsewhere.

    Args:
        tensors: matrices; a vector counts as a row, a tensor without dimensions as ``(1, 1)``.

    Shape:
        The sums of their rows and of their columns.

    Raises:
        RuntimeError: for a tensor of more than two dimensions.

    Example::

        >>> pytensor.block_diag(pytensor.tensor([[1, 2]]), pytensor.tensor(3))
        tensor([[1, 2, 0],
                [0, 0, 3]])
    """
    blocks = []
    for index, t in enumerate(tensors):
        if not isinstance(t, _C.Tensor):
            raise TypeError(
                f"expected Tensor as element {index} in argument 0, but got {type(t).__name__}"
            )
        if t.dim() > 2:
            raise RuntimeError(
                "torch.block_diag: Input tensors must have 2 or fewer dimensions. "
                f"Input {index} has {t.dim()} dimensions"
            )
        blocks.append(_lift_2d(t))
    if not blocks:
        return _C.empty(1, 0)
    dtype = blocks[0].dtype
    for block in blocks[1:]:
        dtype = _C.promote_types(dtype, block.dtype)
    rows, columns = sum(b.size(0) for b in blocks), sum(b.size(1) for b in blocks)
    result = _C.zeros(rows, columns, dtype=dtype, device=blocks[0].device)
    row = column = 0
    for block in blocks:
        height, width = block.shape
        result[row : row + height, column : column + width] = block
        row, column = row + height, column + width
    return result
