"""Embeddings. Part of ``pytensor.nn.functional``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytensor
from pytensor import _ops

if TYPE_CHECKING:
    from pytensor import Tensor

__all__ = ["embedding", "embedding_bag", "one_hot"]

_embedding, _embedding_bag = _ops.embedding, _ops.embedding_bag
_MODES = {"sum": 0, "mean": 1, "max": 2}


def _limit_norms(weight: Tensor, rows: Tensor, max_norm: float, norm_type: float) -> None:
    """Scales the rows that are named and longer than `max_norm` down to it, in place."""
    with pytensor.no_grad():
        rows = pytensor.unique(rows.reshape(-1))
        found = weight.index_select(0, rows)
        length = found.norm(norm_type, 1, keepdim=True)
        factor = pytensor.where(length > max_norm, max_norm / (length + 1e-7), 1.0)
        weight.index_copy_(0, rows.long(), found * factor.to(weight.dtype))


def _row(padding_idx: int | None, weight: Tensor) -> int:
    """`padding_idx` as a row of the weight; -1 for none."""
    if padding_idx is None:
        return -1
    rows = weight.size(0)
    if not -rows <= padding_idx < rows:
        raise AssertionError("Padding_idx must be within num_embeddings")
    return padding_idx if padding_idx >= 0 else padding_idx + rows


def embedding(
    input: Tensor,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """The rows of a table that indices name.

    Args:
        input: int32 or int64, any shape.
        weight: the table, ``(V, D)``.
        padding_idx: a row that gets no gradient.
        max_norm: rows that are named are scaled down to this length, in place.
        norm_type: the exponent of that norm. Default: 2.
        scale_grad_by_freq: divides a row's gradient by how often it is named. Default: ``False``.
        sparse: accepted; gradients are dense all the same.

    Shape:
        ``(*)`` to ``(*, D)``.

    Raises:
        IndexError: an index is out of range.

    Example::

        >>> table = pytensor.tensor([[1.0, 2.0], [3.0, 4.0]])
        >>> pytensor.nn.functional.embedding(pytensor.tensor([1, 0]), table)
        tensor([[3., 4.],
                [1., 2.]])
    """
    row = _row(padding_idx, weight) if padding_idx is not None else -1
    if max_norm is not None:
        input = input.contiguous()
        _limit_norms(weight, input, max_norm, norm_type)
    return _embedding(weight, input, row, scale_grad_by_freq, sparse)


def embedding_bag(
    input: Tensor,
    weight: Tensor,
    offsets: Tensor | None = None,
    max_norm: float | None = None,
    norm_type: float = 2,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    sparse: bool = False,
    per_sample_weights: Tensor | None = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Tensor:
    """Sums, means or maxima of bags of rows of a table.

    Args:
        input: int32 or int64: ``(B, N)`` bags of one size, or ``(N)`` with `offsets`.
        weight: the table, ``(V, D)``.
        offsets: where each bag begins in a one-dimensional input.
        max_norm: rows that are named are scaled down to this length, in place.
        norm_type: the exponent of that norm. Default: 2.
        scale_grad_by_freq: divides a row's gradient by how often it is named. Default: ``False``.
        mode: ``'sum'``, ``'mean'`` or ``'max'``. Default: ``'mean'``.
        sparse: accepted; gradients are dense all the same.
        per_sample_weights: factors of input's shape, for sums.
        include_last_offset: the last offset is the end of the last bag. Default: ``False``.
        padding_idx: a row that does not count.

    Shape:
        The result is ``(B, D)``.

    Raises:
        ValueError: the shapes or the mode do not fit.

    Example::

        >>> table = pytensor.tensor([[1.0, 2.0], [3.0, 4.0]])
        >>> pytensor.nn.functional.embedding_bag(pytensor.tensor([[1, 0]]), table)
        tensor([[2., 3.]])
    """
    if per_sample_weights is not None and input.size() != per_sample_weights.size():
        raise ValueError(
            f"embedding_bag: If per_sample_weights (torch.Size({list(per_sample_weights.shape)})) "
            "is not None, then it must have the same shape as the input "
            f"(torch.Size({list(input.shape)}))"
        )
    if input.dim() == 2:
        if offsets is not None:
            raise ValueError(
                "if input is 2D, then offsets has to be None, as input is treated is a mini-batch "
                "of fixed length sequences. However, found offsets of type "
                f"{type(offsets)}"
            )
        size = input.size(1)
        offsets = pytensor.arange(0, input.numel(), size, device=input.device) if size else None
        if offsets is None:
            offsets = pytensor.zeros(input.size(0), dtype=pytensor.long, device=input.device)
        input = input.reshape(-1)
        if per_sample_weights is not None:
            per_sample_weights = per_sample_weights.reshape(-1)
    elif input.dim() == 1:
        if offsets is None:
            raise ValueError("offsets has to be a 1D Tensor but got None")
        if offsets.dim() != 1:
            raise ValueError("offsets has to be a 1D Tensor")
    else:
        raise ValueError(
            f"input has to be 1D or 2D Tensor, but got Tensor of dimension {input.dim()}"
        )
    code = _MODES.get(mode)
    if code is None:
        raise ValueError("mode has to be one of sum, mean or max")
    if code == 2 and scale_grad_by_freq:
        raise ValueError("max mode does not support scaling the gradient by the frequency")
    if code == 2 and sparse:
        raise ValueError("max mode does not support sparse weights")
    if max_norm is not None:
        _limit_norms(weight, input, max_norm, norm_type)
    if per_sample_weights is not None and mode != "sum":
        raise NotImplementedError(
            "embedding_bag: per_sample_weights was not None. per_sample_weights is only supported "
            f"for mode='sum' (got mode='{mode}'). Please open a feature request on GitHub."
        )
    return _embedding_bag(
        weight,
        input,
        offsets,
        scale_grad_by_freq,
        code,
        sparse,
        per_sample_weights,
        include_last_offset,
        padding_idx,
    )[0]


def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """Rows of zeros with a one at the class.

    Args:
        tensor: classes, int64, any shape.
        num_classes: how many there are. Default: one more than the largest.

    Shape:
        ``(*)`` to ``(*, num_classes)``.

    Raises:
        RuntimeError: a class is negative or too large.

    Example::

        >>> pytensor.nn.functional.one_hot(pytensor.tensor([0, 2]))
        tensor([[1, 0, 0],
                [0, 0, 1]])
    """
    if tensor.dtype != pytensor.int64:
        raise RuntimeError("one_hot is only applicable to index tensor of type LongTensor.")
    if tensor.numel() == 0:
        if num_classes <= 0:
            raise RuntimeError("Can not infer total number of classes from empty tensor.")
        return pytensor.empty(
            (*tensor.shape, num_classes), dtype=pytensor.int64, device=tensor.device
        )
    # On a device scatter_ finds wrong classes, without anybody's waiting.
    if num_classes < 0 or not tensor.is_cuda:
        if tensor.min() < 0:
            raise RuntimeError("Class values must be non-negative.")
        largest = int(tensor.max())
        if num_classes == -1:
            num_classes = largest + 1
        elif num_classes <= largest:
            raise RuntimeError("Class values must be smaller than num_classes.")
    zeros = pytensor.zeros((*tensor.shape, num_classes), dtype=pytensor.int64, device=tensor.device)
    return zeros.scatter_(-1, tensor.unsqueeze(-1), 1)
