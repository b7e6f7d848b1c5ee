"""Loss layers of pairs and triples of vectors; see ``loss``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pytensor.nn import functional as F
from pytensor.nn.modules._loss import Loss
from pytensor.nn.modules.distance import PairwiseDistance

if TYPE_CHECKING:
    from pytensor import Tensor


class HingeEmbeddingLoss(Loss):
    """``input`` where target is 1, ``max(0, margin - input)`` where it is -1.

    Args:
        margin: Default: 1.0.
        size_average, reduce: deprecated.
        reduction: ``'none'``, ``'mean'`` or ``'sum'``. Default: ``'mean'``.

    Shape:
        input and target of one shape, any.

    Example::

        >>> pytensor.nn.HingeEmbeddingLoss()(pytensor.tensor([0.5]), pytensor.tensor([1]))
        tensor(0.5000)
    """

    def __init__(
        self,
        margin: float = 1.0,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.margin = margin

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.hinge_embedding_loss(input, target, margin=self.margin, reduction=self.reduction)


class CosineEmbeddingLoss(Loss):
    """``1 - cos`` where target is 1, ``max(0, cos - margin)`` where it is -1.

    Args:
        margin: Default: 0.0.
        size_average, reduce: deprecated.
        reduction: ``'none'``, ``'mean'`` or ``'sum'``. Default: ``'mean'``.

    Shape:
        vectors ``(N, D)`` or ``(D)`` twice, targets ``(N)`` or one.

    Example::

        >>> one = pytensor.ones(1, 2)
        >>> pytensor.nn.CosineEmbeddingLoss()(one, one, pytensor.tensor([-1]))
        tensor(1.)
    """

    def __init__(
        self,
        margin: float = 0.0,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.margin = margin

    def forward(self, input1: Tensor, input2: Tensor, target: Tensor) -> Tensor:
        return F.cosine_embedding_loss(
            input1, input2, target, margin=self.margin, reduction=self.reduction
        )


class MarginRankingLoss(Loss):
    """``max(0, -target * (input1 - input2) + margin)``: 1 wants input1 ahead.

    Args:
        margin: Default: 0.0.
        size_average, reduce: deprecated.
        reduction: ``'none'``, ``'mean'`` or ``'sum'``. Default: ``'mean'``.

    Shape:
        three tensors of one shape.

    Example::

        >>> x, y = pytensor.tensor([2.0]), pytensor.tensor([3.0])
        >>> pytensor.nn.MarginRankingLoss()(x, y, pytensor.tensor([1.0]))
        tensor(1.)
    """

    def __init__(
        self,
        margin: float = 0.0,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.margin = margin

    def forward(self, input1: Tensor, input2: Tensor, target: Tensor) -> Tensor:
        return F.margin_ranking_loss(
            input1, input2, target, margin=self.margin, reduction=self.reduction
        )


class TripletMarginLoss(Loss):
    """``max(0, |anchor - positive| - |anchor - negative| + margin)``.

    Args:
        margin: positive. Default: 1.
        p: the exponent of the norm. Default: 2.
        eps: added to the differences. Default: 1e-6.
        swap: takes the distance of positive and negative if it is less. Default: ``False``.
        size_average, reduce: deprecated.
        reduction: ``'none'``, ``'mean'`` or ``'sum'``. Default: ``'mean'``.

    Raises:
        ValueError: margin is not positive.

    Shape:
        ``(*, D)`` three times to ``(*)``.

    Example::

        >>> a, b = pytensor.zeros(1, 2), pytensor.tensor([[3.0, 4.0]])
        >>> pytensor.nn.TripletMarginLoss()(a, a, b)
        tensor(0.)
    """

    def __init__(
        self,
        margin: float = 1.0,
        p: float = 2.0,
        eps: float = 1e-6,
        swap: bool = False,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        if margin <= 0:
            raise ValueError(
                f"TripletMarginLoss: expected margin to be greater than 0, got {margin} instead"
            )
        self.margin = margin
        self.p = p
        self.eps = eps
        self.swap = swap

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        return F.triplet_margin_loss(
            anchor,
            positive,
            negative,
            margin=self.margin,
            p=self.p,
            eps=self.eps,
            swap=self.swap,
            reduction=self.reduction,
        )


class TripletMarginWithDistanceLoss(Loss):
    """``TripletMarginLoss`` with a distance of one's own.

    Args:
        distance_function: of two tensors. Default: ``PairwiseDistance()``.
        margin: positive. Default: 1.
        swap: takes the distance of positive and negative if it is less. Default: ``False``.
        reduction: ``'none'``, ``'mean'`` or ``'sum'``. Default: ``'mean'``.

    Raises:
        ValueError: margin is not positive.

    Shape:
        what the function takes three times, to what it returns.

    Example::

        >>> a, b = pytensor.zeros(1, 2), pytensor.tensor([[3.0, 4.0]])
        >>> layer = pytensor.nn.TripletMarginWithDistanceLoss(
        ...     distance_function=lambda x, y: (x - y).abs().sum(-1)
        ... )
        >>> layer(a, b, a)
        tensor(8.)
    """

    def __init__(
        self,
        *,
        distance_function: Callable[[Tensor, Tensor], Tensor] | None = None,
        margin: float = 1.0,
        swap: bool = False,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction=reduction)
        if margin <= 0:
            raise ValueError(
                "TripletMarginWithDistanceLoss: expected margin to be greater than 0, got "
                f"{margin} instead"
            )
        self.distance_function: Callable[[Tensor, Tensor], Tensor] | None = (
            PairwiseDistance() if distance_function is None else distance_function
        )
        self.margin = margin
        self.swap = swap

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        return F.triplet_margin_with_distance_loss(
            anchor,
            positive,
            negative,
            distance_function=self.distance_function,
            margin=self.margin,
            swap=self.swap,
            reduction=self.reduction,
        )
