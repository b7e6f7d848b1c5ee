"""Loss layers of class scores; see ``loss``."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from pytensor.nn import functional as F
from pytensor.nn.modules._loss import Loss, WeightedLoss

if TYPE_CHECKING:
    from pytensor import Tensor


class NLLLoss(WeightedLoss):
    """The negative log likelihood of classes under log probabilities.

    Args:
        weight: a factor for each class, ``(C)``.
        size_average, reduce: deprecated.
        ignore_index: a class whose targets do not count. Default: -100.
        reduction: ``'none'``, ``'mean'`` (weighted) or ``'sum'``. Default: ``'mean'``.

    Shape:
        scores ``(N, C, *)`` and classes ``(N, *)``, or ``(C)`` and one class.

    Example::

        >>> logs = pytensor.tensor([[-1.0, -2.0], [-3.0, -4.0]])
        >>> pytensor.nn.NLLLoss()(logs, pytensor.tensor([0, 1]))
        tensor(2.5000)
    """

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        ignore_index: int = -100,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.ignore_index = ignore_index

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.nll_loss(
            input,
            target,
            weight=self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
        )


class NLLLoss2d(NLLLoss):
    """``NLLLoss`` under its older name for images.

    Example::

        >>> import warnings
        >>> with warnings.catch_warnings():
        ...     warnings.simplefilter("ignore")
        ...     layer = pytensor.nn.NLLLoss2d()
        >>> layer
        NLLLoss2d()
    """

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        ignore_index: int = -100,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        warnings.warn(
            "`NLLLoss2d` has been deprecated. Please use `NLLLoss` instead as a drop-in "
            "replacement and see https://pytorch.org/docs/main/nn.html#torch.nn.NLLLoss for more "
            "details.",
            FutureWarning,
            stacklevel=2,
        )
        super().__init__(weight, size_average, ignore_index, reduce, reduction)


class CrossEntropyLoss(WeightedLoss):
    """The cross entropy of ``softmax(input)`` and a target.

    Args:
        weight: a factor for each class, ``(C)``.
        size_average, reduce: deprecated.
        ignore_index: a class whose targets do not count. Default: -100.
        reduction: ``'none'``, ``'mean'`` (weighted for classes) or ``'sum'``. Default: ``'mean'``.
        label_smoothing: how much of the target is spread evenly over the classes. Default: 0.

    Shape:
        scores ``(N, C, *)`` and classes ``(N, *)``, or ``(C)`` and one class; or
        probabilities of the scores' shape.

    Example::

        >>> pytensor.nn.CrossEntropyLoss()(pytensor.zeros(2, 4), pytensor.tensor([1, 3]))
        tensor(1.3863)
    """

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        ignore_index: int = -100,
        reduce: bool | None = None,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.cross_entropy(
            input,
            target,
            weight=self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
            label_smoothing=self.label_smoothing,
        )


class MultiMarginLoss(WeightedLoss):
    """``max(0, margin - x[y] + x[c]) ** p`` over the classes c other than y, by C.

    Args:
        p: 1 or 2. Default: 1.
        margin: by which the target's score should be ahead. Default: 1.
        weight: a factor for each target class, ``(C)``.
        size_average, reduce: deprecated.
        reduction: ``'none'``, ``'mean'`` or ``'sum'``. Default: ``'mean'``.

    Raises:
        ValueError: p is neither 1 nor 2, or `weight` is not one-dimensional.

    Shape:
        scores ``(N, C)`` and classes ``(N)``, or ``(C)`` and one class.

    Example::

        >>> scores = pytensor.tensor([[0.0, 0.5, 2.0]])
        >>> pytensor.nn.MultiMarginLoss()(scores, pytensor.tensor([2]))
        tensor(0.)
    """

    def __init__(
        self,
        p: int = 1,
        margin: float = 1.0,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        if p not in (1, 2):
            raise ValueError("only p == 1 and p == 2 supported")
        if weight is not None and weight.dim() != 1:
            raise ValueError(
                f"MultiMarginLoss: expected weight to be None or 1D tensor, got {weight.dim()}D "
                "instead"
            )
        self.p = p
        self.margin = margin

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.multi_margin_loss(
            input,
            target,
            p=self.p,
            margin=self.margin,
            weight=self.weight,
            reduction=self.reduction,
        )


class MultiLabelMarginLoss(Loss):
    """``max(0, 1 - x[l] + x[c])`` over the labels l and the other classes c, by C.

    Args:
        size_average, reduce: deprecated.
        reduction: ``'none'``, ``'mean'`` or ``'sum'``. Default: ``'mean'``.

    Shape:
        scores and labels ``(N, C)`` or ``(C)``; labels end at the first -1.

    Example::

        >>> scores, labels = pytensor.tensor([0.0, 0.5, 2.0]), pytensor.tensor([2, -1, 0])
        >>> pytensor.nn.MultiLabelMarginLoss()(scores, labels)
        tensor(0.)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.multilabel_margin_loss(input, target, reduction=self.reduction)


class MultiLabelSoftMarginLoss(WeightedLoss):
    """``BCEWithLogitsLoss`` averaged over the classes, the last dimension.

    Args:
        weight: factors of the classes.
        size_average, reduce: deprecated.
        reduction: ``'none'``, ``'mean'`` or ``'sum'``. Default: ``'mean'``.

    Shape:
        scores and targets, 0 or 1, ``(N, C)``.

    Example::

        >>> zero = pytensor.zeros(1, 2)
        >>> pytensor.nn.MultiLabelSoftMarginLoss()(zero, zero)
        tensor(0.6931)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.multilabel_soft_margin_loss(
            input, target, weight=self.weight, reduction=self.reduction
        )


class CTCLoss(Loss):
    """The connectionist temporal classification loss (Graves et al. 2006).

    Args:
        blank: the class that stands for no label. Default: 0.
        reduction: ``'none'``, ``'mean'`` (of losses by target lengths) or ``'sum'``. Default:
            ``'mean'``.
        zero_infinity: counts infinite losses as 0. Default: ``False``.

    Shape:
        log probabilities ``(T, N, C)`` or ``(T, C)``, targets ``(N, S)`` or concatenated, lengths
        ``(N)``.

    Example::

        >>> logs = pytensor.zeros(2, 1, 2).log_softmax(2)
        >>> pytensor.nn.CTCLoss()(logs, pytensor.tensor([[1]]), (2,), (1,))
        tensor(0.2877)
    """

    def __init__(
        self, blank: int = 0, reduction: str = "mean", zero_infinity: bool = False
    ) -> None:
        super().__init__(reduction=reduction)
        self.blank = blank
        self.zero_infinity = zero_infinity

    def forward(
        self, log_probs: Tensor, targets: Tensor, input_lengths: Any, target_lengths: Any
    ) -> Tensor:
        return F.ctc_loss(
            log_probs,
            targets,
            input_lengths,
            target_lengths,
            self.blank,
            self.reduction,
            self.zero_infinity,
        )
