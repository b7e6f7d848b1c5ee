"""Losses of class scores. Part of ``pytensor.nn.functional``; see ``loss``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytensor import _ops
from pytensor.nn.functional._reduction import chosen, code_of, reduced
from pytensor.nn.functional.activation import logsigmoid

if TYPE_CHECKING:
    from pytensor import Tensor

_cross_entropy_loss = _ops.internal["cross_entropy_loss"]
_nll_loss_nd = _ops.internal["nll_loss_nd"]
_multi_margin_loss = _ops.internal["_multi_margin_loss"]
_multilabel_margin_loss = _ops.internal["_multilabel_margin_loss"]
_ctc_loss = _ops.ctc_loss


def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """The cross entropy of ``softmax(input)`` and a target.

    Args:
        input: unnormalized scores of C classes, ``(N, C, *)`` or ``(C)``.
        target: classes ``(N, *)``, or probabilities of input's shape.
        weight: a factor for each class, ``(C)``.
        size_average, reduce: deprecated.
        ignore_index: a class whose targets do not count. Default: -100.
        reduction: ``'none'``, ``'mean'`` (the weighted mean for classes) or ``'sum'``. Default:
            ``'mean'``.
        label_smoothing: how much of the target is spread evenly over the classes, 0 to 1.
            Default: 0.

    Raises:
        IndexError: a class is out of bounds.
        ValueError: the numbers of samples differ.

    Example::

        >>> scores = pytensor.zeros(2, 4)
        >>> pytensor.nn.functional.cross_entropy(scores, pytensor.tensor([1, 3]))
        tensor(1.3863)
    """
    code = chosen(size_average, reduce, reduction)
    return _cross_entropy_loss(input, target, weight, code, ignore_index, label_smoothing)


def nll_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """The negative log likelihood: minus the log probability of each target.

    Args:
        input: log probabilities of C classes, ``(N, C, *)`` or ``(C)``.
        target: classes, ``(N, *)`` or one.
        weight: a factor for each class, ``(C)``.
        size_average, reduce: deprecated.
        ignore_index: a class whose targets do not count. Default: -100.
        reduction: ``'none'``, ``'mean'`` (the weighted mean) or ``'sum'``. Default: ``'mean'``.

    Raises:
        IndexError: a class is out of bounds.
        ValueError: the numbers of samples differ.

    Example::

        >>> logs = pytensor.tensor([[-1.0, -2.0], [-3.0, -4.0]])
        >>> pytensor.nn.functional.nll_loss(logs, pytensor.tensor([0, 1]))
        tensor(2.5000)
    """
    code = chosen(size_average, reduce, reduction)
    return _nll_loss_nd(input, target, weight, code, ignore_index)


def multi_margin_loss(
    input: Tensor,
    target: Tensor,
    p: int = 1,
    margin: float = 1.0,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """``max(0, margin - x[y] + x[c]) ** p`` over the classes c other than the target y, by C.

    Args:
        input: scores x of C classes, ``(N, C)`` or ``(C)``.
        target: classes y, ``(N)`` or one.
        p: 1 or 2. Default: 1.
        margin: by which the target's score should be ahead. Default: 1.
        weight: a factor for each target class, ``(C)``.
        size_average, reduce: deprecated.
        reduction: ``'none'``, ``'mean'`` or ``'sum'``. Default: ``'mean'``.

    Raises:
        ValueError: p is neither 1 nor 2.

    Example::

        >>> scores = pytensor.tensor([[0.0, 0.5, 2.0]])
        >>> pytensor.nn.functional.multi_margin_loss(scores, pytensor.tensor([2]))
        tensor(0.)
    """
    code = chosen(size_average, reduce, reduction)
    if p not in (1, 2):
        raise ValueError("only p == 1 and p == 2 supported")
    if weight is not None and weight.dim() != 1:
        raise ValueError("weight must be one-dimensional")
    return _multi_margin_loss(input, target, p, margin, weight, code)


def multilabel_margin_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """``max(0, 1 - x[l] + x[c])`` over the labels l and the other classes c, by C.

    Args:
        input: scores x of C classes, ``(N, C)`` or ``(C)``.
        target: of the same shape; the labels are the indices in front of the first -1.
        size_average, reduce: deprecated.
        reduction: ``'none'``, ``'mean'`` or ``'sum'``. Default: ``'mean'``.

    Example::

        >>> scores = pytensor.tensor([[0.0, 0.5, 2.0]])
        >>> labels = pytensor.tensor([[2, -1, 0]])
        >>> pytensor.nn.functional.multilabel_margin_loss(scores, labels)
        tensor(0.)
    """
    return _multilabel_margin_loss(input, target, chosen(size_average, reduce, reduction))


def multilabel_soft_margin_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """``binary_cross_entropy_with_logits`` averaged over the classes, the last dimension.

    Args:
        input: scores of C classes, ``(*, C)``.
        target: of the same shape, 0 or 1.
        weight: factors of the classes.
        size_average, reduce: deprecated.
        reduction: ``'none'``, ``'mean'`` or ``'sum'`` of the rows. Default: ``'mean'``.

    Example::

        >>> zero = pytensor.zeros(1, 2)
        >>> pytensor.nn.functional.multilabel_soft_margin_loss(zero, zero)
        tensor(0.6931)
    """
    code = chosen(size_average, reduce, reduction)
    losses = -(target * logsigmoid(input) + (1 - target) * logsigmoid(-input))
    if weight is not None:
        losses = losses * weight
    return reduced(losses.sum(-1) / input.size(-1), code)


def ctc_loss(
    log_probs: Tensor,
    targets: Tensor,
    input_lengths: Any,
    target_lengths: Any,
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
) -> Tensor:
    """The connectionist temporal classification loss (Graves et al. 2006): minus the log
    probability of label sequences, summed over their alignments.

    Args:
        log_probs: ``(T, N, C)`` or ``(T, C)``, results of ``log_softmax``; the gradient holds for
            those alone, as in PyTorch.
        targets: labels ``(N, S)``, or all of them concatenated.
        input_lengths: of each sequence, at most T; a tensor or a tuple.
        target_lengths: of each target.
        blank: the class that stands for no label. Default: 0.
        reduction: ``'none'``, ``'mean'`` (of losses divided by target lengths) or ``'sum'``.
            Default: ``'mean'``.
        zero_infinity: counts infinite losses, of targets longer than the input, and their
            gradients as 0. Default: ``False``.

    Example::

        >>> logs = pytensor.zeros(2, 1, 2).log_softmax(2)
        >>> pytensor.nn.functional.ctc_loss(logs, pytensor.tensor([[1]]), (2,), (1,))
        tensor(0.2877)
    """
    code = code_of(reduction)
    return _ctc_loss(log_probs, targets, input_lengths, target_lengths, blank, code, zero_infinity)
