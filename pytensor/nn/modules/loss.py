"""Loss layers: the functions of ``pytensor.nn.functional.loss`` with their options kept.

All take `reduction`: ``'mean'``, ``'sum'`` or ``'none'``; `size_average` and `reduce` are its
deprecated older form. This file has the losses of pairs of elements; ``class_loss`` and
``ranking_loss`` have the others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytensor.nn import functional as F
from pytensor.nn.modules._loss import Loss, WeightedLoss
from pytensor.nn.modules.class_loss import (
    CrossEntropyLoss,
    CTCLoss,
    MultiLabelMarginLoss,
    MultiLabelSoftMarginLoss,
    MultiMarginLoss,
    NLLLoss,
    NLLLoss2d,
)
from pytensor.nn.modules.ranking_loss import (
    CosineEmbeddingLoss,
    HingeEmbeddingLoss,
    MarginRankingLoss,
    TripletMarginLoss,
    TripletMarginWithDistanceLoss,
)

if TYPE_CHECKING:
    from pytensor import Tensor

__all__ = [
    "BCELoss",
    "BCEWithLogitsLoss",
    "CTCLoss",
    "CosineEmbeddingLoss",
    "CrossEntropyLoss",
    "GaussianNLLLoss",
    "HingeEmbeddingLoss",
    "HuberLoss",
    "KLDivLoss",
    "L1Loss",
    "MSELoss",
    "MarginRankingLoss",
    "MultiLabelMarginLoss",
    "MultiLabelSoftMarginLoss",
    "MultiMarginLoss",
    "NLLLoss",
    "NLLLoss2d",
    "PoissonNLLLoss",
    "SmoothL1Loss",
    "SoftMarginLoss",
    "TripletMarginLoss",
    "TripletMarginWithDistanceLoss",
]


class L1Loss(Loss):
    """``abs(input - target)``.

    Args:
        size_average, reduce: deprecated.
        reduction: ``'none'``, ``'mean'`` or ``'sum'``. Default: ``'mean'``.

    Shape:
        input and target of one shape, any; the loss is a number, or of that shape with ``'none'``.

    Example::

        >>> pytensor.nn.L1Loss()(pytensor.tensor([1.0, 2.0]), pytensor.zeros(2))
        tensor(1.5000)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.l1_loss(input, target, reduction=self.reduction)


class MSELoss(Loss):
    """``(input - target) ** 2``.

    Args:
        size_average, reduce: deprecated.
        reduction: ``'none'``, ``'mean'`` or ``'sum'``. Default: ``'mean'``.

    Shape:
        input and target of one shape, any; the loss is a number, or of that shape with ``'none'``.

    Example::

        >>> pytensor.nn.MSELoss()(pytensor.tensor([1.0, 2.0]), pytensor.zeros(2))
        tensor(2.5000)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.mse_loss(input, target, reduction=self.reduction)


class SmoothL1Loss(Loss):
    """``L1Loss`` rounded off to a parabola where the difference is below `beta`.

    Args:
        size_average, reduce: deprecated.
        reduction: ``'none'``, ``'mean'`` or ``'sum'``. Default: ``'mean'``.
        beta: not negative. Default: 1.

    Shape:
        input and target of one shape, any; the loss is a number, or of that shape with ``'none'``.

    Example::

        >>> pytensor.nn.SmoothL1Loss()(pytensor.tensor([0.5]), pytensor.zeros(1))
        tensor(0.1250)
    """

    def __init__(
        self,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        beta: float = 1.0,
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.beta = beta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.smooth_l1_loss(input, target, reduction=self.reduction, beta=self.beta)


class HuberLoss(Loss):
    """`delta` times ``SmoothL1Loss`` with `beta` of that value.

    Args:
        reduction: ``'none'``, ``'mean'`` or ``'sum'``. Default: ``'mean'``.
        delta: positive. Default: 1.

    Shape:
        input and target of one shape, any; the loss is a number, or of that shape with ``'none'``.

    Example::

        >>> pytensor.nn.HuberLoss(delta=0.5)(pytensor.tensor([1.0]), pytensor.zeros(1))
        tensor(0.3750)
    """

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction=reduction)
        self.delta = delta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.huber_loss(input, target, reduction=self.reduction, delta=self.delta)


class BCELoss(WeightedLoss):
    """The cross entropy of probabilities.

    Args:
        weight: factors that broadcast to the shape.
        size_average, reduce: deprecated.
        reduction: ``'none'``, ``'mean'`` or ``'sum'``. Default: ``'mean'``.

    Shape:
        input and target of one shape, any; the loss is a number, or of that shape with ``'none'``.

    Example::

        >>> pytensor.nn.BCELoss()(pytensor.full((3,), 0.5), pytensor.ones(3))
        tensor(0.6931)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.binary_cross_entropy(input, target, weight=self.weight, reduction=self.reduction)


class BCEWithLogitsLoss(Loss):
    """``BCELoss`` of ``sigmoid(input)``, without overflow.

    Args:
        weight: factors that broadcast to the shape.
        size_average, reduce: deprecated.
        reduction: ``'none'``, ``'mean'`` or ``'sum'``. Default: ``'mean'``.
        pos_weight: factors of the target's part, broadcasting to the shape.

    Shape:
        input and target of one shape, any; the loss is a number, or of that shape with ``'none'``.

    Example::

        >>> pytensor.nn.BCEWithLogitsLoss()(pytensor.zeros(3), pytensor.ones(3))
        tensor(0.6931)
    """

    weight: Tensor | None
    pos_weight: Tensor | None

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        pos_weight: Tensor | None = None,
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.register_buffer("weight", weight)
        self.register_buffer("pos_weight", pos_weight)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.binary_cross_entropy_with_logits(
            input,
            target,
            self.weight,
            pos_weight=self.pos_weight,
            reduction=self.reduction,
        )


class SoftMarginLoss(Loss):
    """``log(1 + exp(-target * input))`` for targets 1 and -1.

    Args:
        size_average, reduce: deprecated.
        reduction: ``'none'``, ``'mean'`` or ``'sum'``. Default: ``'mean'``.

    Shape:
        input and target of one shape, any; the loss is a number, or of that shape with ``'none'``.

    Example::

        >>> pytensor.nn.SoftMarginLoss()(pytensor.zeros(2), pytensor.ones(2))
        tensor(0.6931)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.soft_margin_loss(input, target, reduction=self.reduction)


class KLDivLoss(Loss):
    """The Kullback-Leibler divergence of log probabilities from a target.

    Args:
        size_average, reduce: deprecated.
        reduction: ``'none'``, ``'mean'``, ``'sum'`` or ``'batchmean'``. Default: ``'mean'``.
        log_target: whether target holds logarithms. Default: ``False``.

    Shape:
        input and target of one shape, any; the loss is a number, or of that shape with ``'none'``.

    Example::

        >>> p = pytensor.tensor([[0.5, 0.5]])
        >>> pytensor.nn.KLDivLoss(reduction="batchmean")(p.log(), p)
        tensor(0.)
    """

    def __init__(
        self,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        log_target: bool = False,
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.log_target = log_target

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.kl_div(input, target, reduction=self.reduction, log_target=self.log_target)


class PoissonNLLLoss(Loss):
    """The negative log likelihood of counts under Poisson distributions.

    Args:
        log_input: whether input holds logarithms of rates. Default: ``True``.
        full: adds Stirling's approximation of ``log(target!)``. Default: ``False``.
        size_average, reduce: deprecated.
        eps: added to a rate before its logarithm is taken. Default: 1e-8.
        reduction: ``'none'``, ``'mean'`` or ``'sum'``. Default: ``'mean'``.

    Shape:
        input and target of one shape, any; the loss is a number, or of that shape with ``'none'``.

    Example::

        >>> pytensor.nn.PoissonNLLLoss()(pytensor.zeros(2), pytensor.ones(2))
        tensor(1.)
    """

    def __init__(
        self,
        log_input: bool = True,
        full: bool = False,
        size_average: bool | None = None,
        eps: float = 1e-8,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.log_input = log_input
        self.full = full
        self.eps = eps

    def forward(self, log_input: Tensor, target: Tensor) -> Tensor:
        return F.poisson_nll_loss(
            log_input,
            target,
            log_input=self.log_input,
            full=self.full,
            eps=self.eps,
            reduction=self.reduction,
        )


class GaussianNLLLoss(Loss):
    """The negative log likelihood under normal distributions.

    Args:
        full: adds ``log(2 * pi) / 2``. Default: ``False``.
        eps: the least variance. Default: 1e-6.
        reduction: ``'none'``, ``'mean'`` or ``'sum'``. Default: ``'mean'``.

    Shape:
        means and samples of one shape; variances of it, of it but for the last dimension, or one
        number.

    Example::

        >>> one = pytensor.ones(2)
        >>> pytensor.nn.GaussianNLLLoss()(one, one * 2, one)
        tensor(0.5000)
    """

    def __init__(self, *, full: bool = False, eps: float = 1e-6, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.full = full
        self.eps = eps

    def forward(self, input: Tensor, target: Tensor, var: Tensor | float) -> Tensor:
        return F.gaussian_nll_loss(
            input, target, var, full=self.full, eps=self.eps, reduction=self.reduction
        )
