"""Kullback-Leibler divergences: the table of formulas by pairs of classes, and those of one family.

Pairs of different families are in ``_kl_pairs``.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import pytensor
from pytensor import Tensor
from pytensor.distributions.bernoulli import Bernoulli
from pytensor.distributions.beta import Beta
from pytensor.distributions.binomial import Binomial
from pytensor.distributions.categorical import Categorical
from pytensor.distributions.cauchy import Cauchy
from pytensor.distributions.continuous_bernoulli import ContinuousBernoulli
from pytensor.distributions.dirichlet import Dirichlet
from pytensor.distributions.distribution import Distribution
from pytensor.distributions.exp_family import ExponentialFamily
from pytensor.distributions.exponential import Exponential
from pytensor.distributions.gamma import Gamma
from pytensor.distributions.geometric import Geometric
from pytensor.distributions.gumbel import Gumbel
from pytensor.distributions.half_normal import HalfNormal
from pytensor.distributions.independent import Independent
from pytensor.distributions.laplace import Laplace
from pytensor.distributions.lowrank_multivariate_normal import (
    LowRankMultivariateNormal,
    low_rank_logdet,
    low_rank_mahalanobis,
)
from pytensor.distributions.multivariate_normal import MultivariateNormal, mahalanobis
from pytensor.distributions.normal import Normal
from pytensor.distributions.one_hot_categorical import OneHotCategorical
from pytensor.distributions.pareto import Pareto
from pytensor.distributions.poisson import Poisson
from pytensor.distributions.transformed_distribution import TransformedDistribution
from pytensor.distributions.uniform import Uniform
from pytensor.distributions.utils import euler_constant, sum_rightmost

__all__ = ["kl_divergence", "register_kl"]

_TABLE: dict[tuple[type, type], Callable[..., Any]] = {}
_FOUND: dict[tuple[type, type], Callable[..., Any]] = {}  # what was looked up before


def register_kl(type_p: type, type_q: type) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A decorator that enters a formula for a pair of classes, and their subclasses.

    Args:
        type_p: the class of the first distribution.
        type_q: the class of the second.

    Raises:
        TypeError: for what is no subclass of ``Distribution``.

    Example::

        >>> D = pytensor.distributions
        >>> class Mine(D.Normal): ...
        >>> @D.register_kl(Mine, D.Normal)
        ... def formula(p, q):
        ...     return pytensor.zeros(())
        >>> D.kl_divergence(Mine(0.0, 1.0), D.Normal(0.0, 2.0))
        tensor(0.)
    """
    for name, cls in (("type_p", type_p), ("type_q", type_q)):
        if not (isinstance(cls, type) and issubclass(cls, Distribution)):
            raise TypeError(f"Expected {name} to be a Distribution subclass but got {cls}")

    def decorator(formula: Callable[..., Any]) -> Callable[..., Any]:
        _TABLE[type_p, type_q] = formula
        _FOUND.clear()
        return formula

    return decorator


def _closest(matches: list[tuple[type, type]], first: int, p: type, q: type) -> tuple[type, type]:
    """The match whose class at `first` comes first in the order of resolution, then the other."""
    orders = (p.__mro__, q.__mro__)
    return min(
        matches,
        key=lambda m: (orders[first].index(m[first]), orders[1 - first].index(m[1 - first])),
    )


def _look_up(p: type, q: type) -> Callable[..., Any]:
    matches = [m for m in _TABLE if issubclass(p, m[0]) and issubclass(q, m[1])]
    if not matches:
        return NotImplemented
    left, right = _closest(matches, 0, p, q), _closest(matches, 1, p, q)
    if _TABLE[left] is not _TABLE[right]:
        warnings.warn(
            f"Ambiguous kl_divergence({p.__name__}, {q.__name__}). "
            f"Please register_kl({left[0].__name__}, {right[1].__name__})",
            RuntimeWarning,
            stacklevel=4,
        )
    return _TABLE[left]


def kl_divergence(p: Distribution, q: Distribution) -> Tensor:
    """The Kullback-Leibler divergence of q from p: the mean of log p(x) - log q(x) under p.

    Args:
        p: the distribution of x.
        q: the one it is compared with.

    Shape:
        The batch shape.

    Raises:
        NotImplementedError: if there is no formula for the two classes.

    Example::

        >>> D = pytensor.distributions
        >>> D.kl_divergence(D.Normal(0.0, 1.0), D.Normal(1.0, 1.0))
        tensor(0.5000)
    """
    pair = type(p), type(q)
    formula = _FOUND.get(pair)
    if formula is None:
        formula = _FOUND[pair] = _look_up(*pair)
    if formula is NotImplemented:
        raise NotImplementedError(
            f"No KL(p || q) is implemented for p type {pair[0].__name__} and "
            f"q type {pair[1].__name__}"
        )
    return formula(p, q)


def weighted_difference(weight: Tensor, difference: Tensor, impossible: Tensor) -> Tensor:
    """weight * difference: infinite where q excludes what p allows, 0 where p excludes it."""
    term = (weight * difference).masked_fill(impossible, math.inf)
    return term.masked_fill(weight == 0, 0)


@register_kl(Bernoulli, Bernoulli)
def _bernoulli(p: Bernoulli, q: Bernoulli) -> Tensor:
    softplus = pytensor.softplus
    ones = softplus(-q.logits) - softplus(-p.logits)
    zeros = softplus(q.logits) - softplus(p.logits)
    return weighted_difference(p.probs, ones, q.probs == 0) + weighted_difference(
        1 - p.probs, zeros, q.probs == 1
    )


@register_kl(Binomial, Binomial)
def _binomial(p: Binomial, q: Binomial) -> Tensor:
    if (p.total_count < q.total_count).any():
        raise NotImplementedError(
            "KL between Binomials where q.total_count > p.total_count is not implemented"
        )
    each = p.probs * (p.logits - q.logits) + (-p.probs).log1p() - (-q.probs).log1p()
    return (p.total_count * each).masked_fill(p.total_count > q.total_count, math.inf)


@register_kl(Categorical, Categorical)
def _categorical(p: Categorical, q: Categorical) -> Tensor:
    return weighted_difference(p.probs, p.logits - q.logits, q.probs == 0).sum(-1)


@register_kl(OneHotCategorical, OneHotCategorical)
def _one_hot_categorical(p: OneHotCategorical, q: OneHotCategorical) -> Tensor:
    return _categorical(p._categorical, q._categorical)


@register_kl(Poisson, Poisson)
def _poisson(p: Poisson, q: Poisson) -> Tensor:
    return p.rate * (p.rate.log() - q.rate.log()) - (p.rate - q.rate)


@register_kl(Geometric, Geometric)
def _geometric(p: Geometric, q: Geometric) -> Tensor:
    return -p.entropy() - (-q.probs).log1p() / p.probs - q.logits


@register_kl(Normal, Normal)
def _normal(p: Normal, q: Normal) -> Tensor:
    ratio = (p.scale / q.scale).square()
    distance = ((p.loc - q.loc) / q.scale).square()
    return 0.5 * (ratio + distance - 1 - ratio.log())


@register_kl(HalfNormal, HalfNormal)
def _half_normal(p: HalfNormal, q: HalfNormal) -> Tensor:
    return _normal(p.base_dist, q.base_dist)


@register_kl(Laplace, Laplace)
def _laplace(p: Laplace, q: Laplace) -> Tensor:
    ratio = p.scale / q.scale
    distance = (p.loc - q.loc).abs()
    inner = ratio * (-distance / p.scale).exp()
    return -ratio.log() + distance / q.scale + inner - 1


@register_kl(Cauchy, Cauchy)
def _cauchy(p: Cauchy, q: Cauchy) -> Tensor:
    together = (p.scale + q.scale).square() + (p.loc - q.loc).square()
    return together.log() - (4 * p.scale * q.scale).log()


@register_kl(Gumbel, Gumbel)
def _gumbel(p: Gumbel, q: Gumbel) -> Tensor:
    ratio = p.scale / q.scale
    distance = (p.loc - q.loc) / q.scale
    tail = ((1 + ratio).lgamma() - distance).exp()
    return -ratio.log() + distance + ratio * euler_constant + tail - (1 + euler_constant)


@register_kl(Exponential, Exponential)
def _exponential(p: Exponential, q: Exponential) -> Tensor:
    ratio = q.rate / p.rate
    return ratio - ratio.log() - 1


@register_kl(Gamma, Gamma)
def _gamma(p: Gamma, q: Gamma) -> Tensor:
    return (
        q.concentration * (p.rate / q.rate).log()
        + q.concentration.lgamma()
        - p.concentration.lgamma()
        + (p.concentration - q.concentration) * p.concentration.digamma()
        + (q.rate - p.rate) * (p.concentration / p.rate)
    )


@register_kl(Dirichlet, Dirichlet)
def _dirichlet(p: Dirichlet, q: Dirichlet) -> Tensor:
    p_total, q_total = p.concentration.sum(-1), q.concentration.sum(-1)
    totals = p_total.lgamma() - q_total.lgamma()
    each = (q.concentration.lgamma() - p.concentration.lgamma()).sum(-1)
    logs = p.concentration.digamma() - p_total.digamma().unsqueeze(-1)
    return totals + each + ((p.concentration - q.concentration) * logs).sum(-1)


@register_kl(Beta, Beta)
def _beta(p: Beta, q: Beta) -> Tensor:
    return _dirichlet(p._dirichlet, q._dirichlet)


@register_kl(ContinuousBernoulli, ContinuousBernoulli)
def _continuous_bernoulli(p: ContinuousBernoulli, q: ContinuousBernoulli) -> Tensor:
    p_constant = p._log_norm() + (-p.probs).log1p()
    q_constant = q._log_norm() + (-q.probs).log1p()
    return p.mean * (p.logits - q.logits) + p_constant - q_constant


@register_kl(Pareto, Pareto)
def _pareto(p: Pareto, q: Pareto) -> Tensor:
    ratio = q.alpha / p.alpha
    result = q.alpha * (p.scale / q.scale).log() - ratio.log() + ratio - 1
    return result.masked_fill(p.scale < q.scale, math.inf)


@register_kl(Uniform, Uniform)
def _uniform(p: Uniform, q: Uniform) -> Tensor:
    result = ((q.high - q.low) / (p.high - p.low)).log()
    return result.masked_fill((q.low > p.low) | (q.high < p.high), math.inf)


def _squares(matrix: Tensor) -> Tensor:
    """The sum of the squares of each matrix's elements: the trace of M M'."""
    return matrix.square().sum((-2, -1))


def _solve(tril: Tensor, right: Tensor) -> Tensor:
    """tril^-1 right, for batches that broadcast."""
    return pytensor.linalg.solve_triangular(tril, right, upper=False)


def _check_same_length(p: Any, q: Any) -> None:
    if p.event_shape != q.event_shape:
        name = "Low Rank Multivariate Normals"
        if isinstance(p, MultivariateNormal) or isinstance(q, MultivariateNormal):
            name = "(Low Rank) Multivariate Normals"
        if isinstance(p, MultivariateNormal) and isinstance(q, MultivariateNormal):
            name = "two Multivariate Normals"
        raise ValueError(
            f"KL-divergence between {name} with different event shapes cannot be computed"
        )


def _factors(p: Any) -> list[Tensor]:
    """Matrices whose products M M' add up to p's covariance."""
    if isinstance(p, MultivariateNormal):
        return [p._unbroadcasted_scale_tril]
    return [p._unbroadcasted_cov_factor, p._unbroadcasted_cov_diag.sqrt().diag_embed()]


def _log_det(p: Any) -> Tensor:
    """The logarithm of the determinant of p's covariance."""
    return 2 * p._half_log_det() if isinstance(p, MultivariateNormal) else p._log_det()


@register_kl(MultivariateNormal, MultivariateNormal)
@register_kl(LowRankMultivariateNormal, MultivariateNormal)
def _to_multivariate_normal(p: Any, q: MultivariateNormal) -> Tensor:
    _check_same_length(p, q)
    tril = q._unbroadcasted_scale_tril
    trace: Any = sum(_squares(_solve(tril, factor)) for factor in _factors(p))
    distance = mahalanobis(tril, q.loc - p.loc)
    return 0.5 * (_log_det(q) - _log_det(p) + trace + distance - p.event_shape[0])


@register_kl(MultivariateNormal, LowRankMultivariateNormal)
@register_kl(LowRankMultivariateNormal, LowRankMultivariateNormal)
def _to_low_rank(p: Any, q: LowRankMultivariateNormal) -> Tensor:
    _check_same_length(p, q)
    factor, diagonal = q._unbroadcasted_cov_factor, q._unbroadcasted_cov_diag
    capacitance = q._capacitance_tril
    distance = low_rank_mahalanobis(factor, diagonal, q.loc - p.loc, capacitance)
    # (W W' + D)^-1 = D^-1 - A' A by the Woodbury identity
    a = _solve(capacitance, factor.mT / diagonal.unsqueeze(-2))
    root = diagonal.rsqrt().unsqueeze(-1)
    trace: Any = sum(_squares(root * m) - _squares(a @ m) for m in _factors(p))
    log_det = low_rank_logdet(diagonal, capacitance)
    return 0.5 * (log_det - _log_det(p) + trace + distance - p.event_shape[0])


@register_kl(ExponentialFamily, ExponentialFamily)
def _exponential_family(p: ExponentialFamily, q: ExponentialFamily) -> Tensor:
    if type(p) is not type(q):
        raise NotImplementedError(
            "The cross KL-divergence between different exponential families cannot be computed "
            "using Bregman divergences"
        )
    p_params = [t.detach().requires_grad_() for t in p._natural_params]
    q_params = q._natural_params
    normalizer = p._log_normalizer(*p_params)
    slopes = pytensor.autograd.grad(normalizer.sum(), p_params, create_graph=True)
    result = q._log_normalizer(*q_params) - normalizer
    for ours, theirs, slope in zip(p_params, q_params, slopes):
        events = ours.dim() - normalizer.dim()
        result = result - sum_rightmost((theirs - ours) * slope, max(events, 0))
    return result


@register_kl(Independent, Independent)
def _independent(p: Independent, q: Independent) -> Tensor:
    if p.reinterpreted_batch_ndims != q.reinterpreted_batch_ndims:
        raise NotImplementedError
    return sum_rightmost(kl_divergence(p.base_dist, q.base_dist), p.reinterpreted_batch_ndims)


@register_kl(TransformedDistribution, TransformedDistribution)
def _transformed(p: TransformedDistribution, q: TransformedDistribution) -> Tensor:
    if p.transforms != q.transforms:
        raise NotImplementedError
    if p.event_shape != q.event_shape:
        raise NotImplementedError
    extra = len(p.event_shape) - len(p.base_dist.event_shape)
    base = kl_divergence(p.base_dist, q.base_dist)
    return sum_rightmost(base, extra)


from pytensor.distributions import _kl_pairs as _kl_pairs  # noqa: E402
