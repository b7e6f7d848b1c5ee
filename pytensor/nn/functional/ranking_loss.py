"""Losses of pairs and triples of vectors. Part of ``pytensor.nn.functional``; see ``loss``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytensor
from pytensor import _ops
from pytensor.functional import pairwise_distance
from pytensor.nn.functional._reduction import chosen, code_of, reduced

if TYPE_CHECKING:
    from pytensor import Tensor

_hinge_embedding_loss = _ops.hinge_embedding_loss
_margin_ranking_loss = _ops.margin_ranking_loss
_cosine_embedding_loss = _ops.cosine_embedding_loss
_triplet_margin_loss = _ops.triplet_margin_loss


def hinge_embedding_loss(
    input: Tensor,
    target: Tensor,
    margin: float = 1.0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """``input`` where target is 1, ``max(0, margin - input)`` where it is -1.

    Example::

        >>> x, y = pytensor.tensor([0.5, 0.25]), pytensor.tensor([1, -1])
        >>> pytensor.nn.functional.hinge_embedding_loss(x, y, reduction="none")
        tensor([0.5000, 0.7500])
    """
    code = chosen(size_average, reduce, reduction)
    return _hinge_embedding_loss(input, target, margin, code)


def margin_ranking_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """``max(0, -target * (input1 - input2) + margin)``: 1 wants input1 ahead, -1 input2.

    Example::

        >>> x, y = pytensor.tensor([2.0]), pytensor.tensor([3.0])
        >>> pytensor.nn.functional.margin_ranking_loss(x, y, pytensor.tensor([1.0]))
        tensor(1.)
    """
    code = chosen(size_average, reduce, reduction)
    if input1.dim() != input2.dim() or input1.dim() != target.dim():
        sizes = [f"torch.Size({list(t.shape)})" for t in (input1, input2, target)]
        raise RuntimeError(
            "margin_ranking_loss : All input tensors should have same dimension but got sizes: "
            f"input1: {sizes[0]}, input2: {sizes[1]}, target: {sizes[2]} "
        )
    return _margin_ranking_loss(input1, input2, target, margin, code)


def cosine_embedding_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """``1 - cos`` where target is 1, ``max(0, cos - margin)`` where it is -1.

    Args:
        input1, input2: vectors, ``(N, D)`` or ``(D)``.
        target: 1 or -1 for each pair, ``(N)`` or one.
        margin: a cosine that is good enough for -1. Default: 0.
        size_average, reduce: deprecated.
        reduction: ``'none'``, ``'mean'`` or ``'sum'``. Default: ``'mean'``.

    Example::

        >>> one = pytensor.ones(1, 2)
        >>> pytensor.nn.functional.cosine_embedding_loss(one, one, pytensor.tensor([-1]))
        tensor(1.)
    """
    code = chosen(size_average, reduce, reduction)
    return _cosine_embedding_loss(input1, input2, target, margin, code)


def triplet_margin_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin: float = 1.0,
    p: float = 2,
    eps: float = 1e-6,
    swap: bool = False,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """``max(0, |anchor - positive| - |anchor - negative| + margin)``.

    Args:
        anchor, positive, negative: vectors, ``(*, D)``.
        margin: positive. Default: 1.
        p: the exponent of the norm. Default: 2.
        eps: added to the differences. Default: 1e-6.
        swap: takes the distance of positive and negative if it is less (Balntas et al. 2016).
            Default: ``False``.
        size_average, reduce: deprecated.
        reduction: ``'none'``, ``'mean'`` or ``'sum'``. Default: ``'mean'``.

    Raises:
        ValueError: margin is not positive.

    Example::

        >>> a, b = pytensor.zeros(1, 2), pytensor.tensor([[3.0, 4.0]])
        >>> pytensor.nn.functional.triplet_margin_loss(a, a, b)
        tensor(0.)
    """
    code = chosen(size_average, reduce, reduction)
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    return _triplet_margin_loss(anchor, positive, negative, margin, p, eps, swap, code)


def triplet_margin_with_distance_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    *,
    distance_function: Callable[[Tensor, Tensor], Tensor] | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Tensor:
    """``triplet_margin_loss`` with a distance of one's own.

    Args:
        anchor, positive, negative: what the function takes.
        distance_function: of two tensors. Default: ``pairwise_distance``.
        margin, swap, reduction: as of ``triplet_margin_loss``.

    Raises:
        ValueError: margin is not positive.

    Example::

        >>> a, b = pytensor.zeros(1, 2), pytensor.tensor([[3.0, 4.0]])
        >>> pytensor.nn.functional.triplet_margin_with_distance_loss(
        ...     a, b, a, distance_function=lambda x, y: (x - y).abs().sum(-1)
        ... )
        tensor(8.)
    """
    code = code_of(reduction)
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    if not anchor.dim() == positive.dim() == negative.dim():
        raise RuntimeError(
            "The anchor, positive, and negative tensors are expected to have the same number of "
            f"dimensions, but got: anchor {anchor.dim()}D, positive {positive.dim()}D, and "
            f"negative {negative.dim()}D inputs"
        )
    distance = pairwise_distance if distance_function is None else distance_function
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = pytensor.minimum(far, distance(positive, negative))
    return reduced((margin + near - far).clamp_min(0), code)
