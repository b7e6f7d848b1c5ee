"""Loss functions. Part of ``pytensor.nn.functional``.

This file has the losses of pairs of elements; those of class scores are in ``class_loss``, those
of vectors and margins in ``ranking_loss``. All take `reduction`: ``'mean'``, ``'sum'`` or
``'none'``; `size_average` and `reduce` are its deprecated older form.
"""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING

import pytensor
from pytensor import _ops
from pytensor.nn.functional._reduction import chosen, code_of, reduced, warn_about_sizes
from pytensor.nn.functional.class_loss import (
    cross_entropy,
    ctc_loss,
    multi_margin_loss,
    multilabel_margin_loss,
    multilabel_soft_margin_loss,
    nll_loss,
)
from pytensor.nn.functional.ranking_loss import (
    cosine_embedding_loss,
    hinge_embedding_loss,
    margin_ranking_loss,
    triplet_margin_loss,
    triplet_margin_with_distance_loss,
)

if TYPE_CHECKING:
    from pytensor import Tensor

__all__ = [
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "cosine_embedding_loss",
    "cross_entropy",
    "ctc_loss",
    "gaussian_nll_loss",
    "hinge_embedding_loss",
    "huber_loss",
    "kl_div",
    "l1_loss",
    "margin_ranking_loss",
    "mse_loss",
    "multi_margin_loss",
    "multilabel_margin_loss",
    "multilabel_soft_margin_loss",
    "nll_loss",
    "poisson_nll_loss",
    "smooth_l1_loss",
    "soft_margin_loss",
    "triplet_margin_loss",
    "triplet_margin_with_distance_loss",
]

_mse_loss = _ops.internal["_mse_loss"]
_l1_loss = _ops.internal["_l1_loss"]
_smooth_l1_loss = _ops.internal["_smooth_l1_loss"]
_huber_loss = _ops.internal["_huber_loss"]
_binary_cross_entropy = _ops.internal["_binary_cross_entropy"]
_soft_margin_loss = _ops.internal["_soft_margin_loss"]


def _weighted_mean(losses: Tensor, input: Tensor, weight: Tensor, code: int) -> Tensor:
    """Losses times weights, whose mean is that of the weights."""
    if weight.shape != input.shape:
        raise ValueError("Weights and input must have the same size.")
    weighted = losses * weight
    return weighted.sum() / weight.sum() if code == 1 else reduced(weighted, code)


def mse_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """``(input - target) ** 2``.

    Args:
        input: floating point, any shape.
        target: of the same shape; one that broadcasts is taken with a warning.
        size_average, reduce: deprecated.
        reduction: ``'none'``, ``'mean'`` or ``'sum'``. Default: ``'mean'``.
        weight: factors of the elements; the mean is then divided by their sum.

    Raises:
        ValueError: `reduction` has another value, or `weight` another shape.

    Example::

        >>> pytensor.nn.functional.mse_loss(pytensor.tensor([1.0, 2.0]), pytensor.zeros(2))
        tensor(2.5000)
    """
    if target.shape != input.shape:
        warn_about_sizes(input, target)
    code = chosen(size_average, reduce, reduction)
    if weight is not None:
        return _weighted_mean(_mse_loss(input, target, 0), input, weight, code)
    return _mse_loss(input, target, code)


def l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """``abs(input - target)``, with the arguments of ``mse_loss``.

    Example::

        >>> pytensor.nn.functional.l1_loss(pytensor.tensor([1.0, 2.0]), pytensor.zeros(2))
        tensor(1.5000)
    """
    if target.shape != input.shape:
        warn_about_sizes(input, target)
    code = chosen(size_average, reduce, reduction)
    if weight is not None:
        return _weighted_mean(_l1_loss(input, target, 0), input, weight, code)
    return _l1_loss(input, target, code)


def smooth_l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Tensor:
    """``abs(d) - beta / 2`` of the difference d, rounded off to ``d ** 2 / (2 * beta)`` below beta.

    Args:
        input: floating point, any shape.
        target: of the same shape; one that broadcasts is taken with a warning.
        size_average, reduce: deprecated.
        reduction: ``'none'``, ``'mean'`` or ``'sum'``. Default: ``'mean'``.
        beta: where the parabola ends, not negative; 0 gives ``l1_loss``. Default: 1.

    Example::

        >>> F = pytensor.nn.functional
        >>> F.smooth_l1_loss(pytensor.tensor([0.5, 2.0]), pytensor.zeros(2), reduction="none")
        tensor([0.1250, 1.5000])
    """
    if target.shape != input.shape:
        warn_about_sizes(input, target)
    return _smooth_l1_loss(input, target, chosen(size_average, reduce, reduction), beta)


def huber_loss(
    input: Tensor,
    target: Tensor,
    reduction: str = "mean",
    delta: float = 1.0,
    weight: Tensor | None = None,
) -> Tensor:
    """``delta`` times ``smooth_l1_loss``.

    Args:
        input: floating point, any shape.
        target: of the same shape; one that broadcasts is taken with a warning.
        reduction: ``'none'``, ``'mean'`` or ``'sum'``. Default: ``'mean'``.
        delta: where the parabola ends, positive. Default: 1.
        weight: factors of the elements.

    Example::

        >>> F = pytensor.nn.functional
        >>> F.huber_loss(pytensor.tensor([0.5, 2.0]), pytensor.zeros(2), reduction="none")
        tensor([0.1250, 1.5000])
    """
    if target.shape != input.shape:
        warn_about_sizes(input, target)
    code = code_of(reduction)
    if weight is None:
        return _huber_loss(input, target, code, delta)
    if weight.shape != input.shape:
        raise ValueError("Weights and input must have the same size.")
    return reduced(_huber_loss(input, target, 0, delta) * weight, code)


def binary_cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """``-target * log(input) - (1 - target) * log(1 - input)``, logarithms limited to -100.

    Args:
        input: probabilities, any shape.
        target: probabilities of the same shape and dtype.
        weight: factors that broadcast to the shape.
        size_average, reduce: deprecated.
        reduction: ``'none'``, ``'mean'`` or ``'sum'``. Default: ``'mean'``.

    Raises:
        ValueError: the shapes differ.
        RuntimeError: an element is not between 0 and 1.

    Example::

        >>> half = pytensor.full((3,), 0.5)
        >>> pytensor.nn.functional.binary_cross_entropy(half, pytensor.ones(3))
        tensor(0.6931)
    """
    code = chosen(size_average, reduce, reduction)
    if target.shape != input.shape:
        raise ValueError(
            f"Using a target size (torch.Size({list(target.shape)})) that is different to the "
            f"input size (torch.Size({list(input.shape)})) is deprecated. Please ensure they have "
            "the same size."
        )
    return _binary_cross_entropy(input, target, weight, code)


def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Tensor:
    """``binary_cross_entropy`` of ``sigmoid(input)``, without overflow.

    Args:
        input: any numbers, any shape.
        target: probabilities of the same shape.
        weight: factors that broadcast to the shape.
        size_average, reduce: deprecated.
        reduction: ``'none'``, ``'mean'`` or ``'sum'``. Default: ``'mean'``.
        pos_weight: factors of the target's part, broadcasting to the shape.

    Raises:
        ValueError: the shapes differ.

    Example::

        >>> F = pytensor.nn.functional
        >>> F.binary_cross_entropy_with_logits(pytensor.zeros(3), pytensor.ones(3))
        tensor(0.6931)
    """
    code = chosen(size_average, reduce, reduction)
    if target.shape != input.shape:
        raise ValueError(
            f"Target size (torch.Size({list(target.shape)})) must be the same as input size "
            f"(torch.Size({list(input.shape)}))"
        )
    return _ops.binary_cross_entropy_with_logits(input, target, weight, pos_weight, code)


def soft_margin_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """``log(1 + exp(-target * input))`` for targets 1 and -1.

    Example::

        >>> pytensor.nn.functional.soft_margin_loss(pytensor.zeros(2), pytensor.ones(2))
        tensor(0.6931)
    """
    return _soft_margin_loss(input, target, chosen(size_average, reduce, reduction))


def kl_div(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Tensor:
    """The Kullback-Leibler divergence, ``target * (log(target) - input)``.

    Args:
        input: log probabilities, any shape.
        target: probabilities, or their logarithms with `log_target`.
        size_average, reduce: deprecated.
        reduction: ``'none'``, ``'mean'``, ``'sum'`` or ``'batchmean'``, the sum divided by the size
            of the first dimension, which is the divergence's definition. Default: ``'mean'``.
        log_target: whether target holds logarithms. Default: ``False``.

    Example::

        >>> p = pytensor.tensor([[0.5, 0.5]])
        >>> pytensor.nn.functional.kl_div(p.log(), p, reduction="batchmean")
        tensor(0.)
    """
    if size_average is None and reduce is None:
        if reduction == "mean":
            warnings.warn(
                "reduction: 'mean' divides the total loss by both the batch size and the support "
                "size.'batchmean' divides only by the batch size, and aligns with the KL div math "
                "definition.'mean' will be changed to behave the same as 'batchmean' in the next "
                "major release.",
                stacklevel=2,
            )
        if reduction == "batchmean":
            total = _ops.kl_div(input, target, 2, log_target=log_target)
            return total / input.shape[0] if input.dim() else total
    code = chosen(size_average, reduce, reduction)
    return _ops.kl_div(input, target, code, log_target=log_target)


def poisson_nll_loss(
    input: Tensor,
    target: Tensor,
    log_input: bool = True,
    full: bool = False,
    size_average: bool | None = None,
    eps: float = 1e-8,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """The negative log likelihood of counts under Poisson distributions.

    Args:
        input: logarithms of the rates, or the rates when not `log_input`.
        target: counts, of the same shape.
        log_input: what input is. Default: ``True``.
        full: adds Stirling's approximation of ``log(target!)``. Default: ``False``.
        size_average, reduce: deprecated.
        eps: added to a rate before its logarithm is taken. Default: 1e-8.
        reduction: ``'none'``, ``'mean'`` or ``'sum'``. Default: ``'mean'``.

    Example::

        >>> pytensor.nn.functional.poisson_nll_loss(pytensor.zeros(2), pytensor.ones(2))
        tensor(1.)
    """
    code = chosen(size_average, reduce, reduction)
    return _ops.poisson_nll_loss(input, target, log_input, full, eps, code)


def gaussian_nll_loss(
    input: Tensor,
    target: Tensor,
    var: Tensor | float,
    full: bool = False,
    eps: float = 1e-6,
    reduction: str = "mean",
) -> Tensor:
    """The negative log likelihood under normal distributions with means and variances given.

    Args:
        input: the means.
        target: samples, of the same shape.
        var: the variances: of the same shape, the same without the last dimension or with size 1
            there, or one number. They are limited from below by `eps`, without a gradient for it.
        full: adds ``log(2 * pi) / 2``. Default: ``False``.
        eps: the least variance. Default: 1e-6.
        reduction: ``'none'``, ``'mean'`` or ``'sum'``. Default: ``'mean'``.

    Raises:
        ValueError: `var` has another shape or a negative element.

    Example::

        >>> one = pytensor.ones(2)
        >>> pytensor.nn.functional.gaussian_nll_loss(one, one * 2, one)
        tensor(0.5000)
    """
    if not isinstance(var, pytensor.Tensor):
        if var < 0:
            raise ValueError("var has negative entry/entries")
        var = var * pytensor.ones_like(input)
    elif (var < 0).any():
        raise ValueError("var has negative entry/entries")
    if var.shape != input.shape:
        if input.shape[:-1] == var.shape:
            var = var.unsqueeze(-1)
        elif not (input.shape[:-1] == var.shape[:-1] and var.shape[-1] == 1):
            raise ValueError("var is of incorrect size")
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"{reduction} is not valid")
    var = var.clone()
    with pytensor.no_grad():
        var.clamp_(min=eps)
    losses = (var.log() + (input - target) ** 2 / var) * 0.5
    if full:
        losses = losses + 0.5 * math.log(2 * math.pi)
    return reduced(losses, code_of(reduction))
