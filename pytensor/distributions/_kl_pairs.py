"""Divergences between different families: the mean of -log q(x) under p, less p's entropy.

The mean needs a few moments of p only; the functions below give it for each q. Where p has values
that q excludes, the divergence is infinite. Entered in the table of ``kl``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytensor
from pytensor import Tensor
from pytensor.distributions.bernoulli import Bernoulli
from pytensor.distributions.beta import Beta
from pytensor.distributions.binomial import Binomial
from pytensor.distributions.continuous_bernoulli import ContinuousBernoulli
from pytensor.distributions.exponential import Exponential
from pytensor.distributions.gamma import Gamma
from pytensor.distributions.gumbel import Gumbel
from pytensor.distributions.kl import register_kl
from pytensor.distributions.laplace import Laplace
from pytensor.distributions.normal import Normal
from pytensor.distributions.pareto import Pareto
from pytensor.distributions.poisson import Poisson
from pytensor.distributions.uniform import Uniform
from pytensor.distributions.utils import euler_constant


def _x_log_x(x: Tensor) -> Tensor:
    return pytensor.special.xlogy(x, x)


def _mean_log(p: Any) -> Tensor:
    """The mean of log x."""
    if isinstance(p, Exponential):
        return -p.rate.log() - euler_constant
    if isinstance(p, Beta):
        return p.concentration1.digamma() - (p.concentration1 + p.concentration0).digamma()
    if isinstance(p, Pareto):
        return p.scale.log() + p.alpha.reciprocal()
    return (_x_log_x(p.high) - _x_log_x(p.low)) / (p.high - p.low) - 1  # uniform


def _mean_exp(p: Any, loc: Tensor, scale: Tensor) -> Tensor:
    """The mean of exp(-(x - loc) / scale)."""
    if isinstance(p, Exponential):
        return (loc / scale).exp() * (p.rate / (p.rate + scale.reciprocal()))
    if isinstance(p, Gamma):
        return (loc / scale - p.concentration * (p.rate * scale).reciprocal().log1p()).exp()
    if isinstance(p, Normal):
        return ((loc - p.loc) / scale + 0.5 * (p.scale / scale).square()).exp()
    ends = (-(p.low - loc) / scale).exp() - (-(p.high - loc) / scale).exp()  # uniform
    return scale * ends / (p.high - p.low)


def _to_normal(p: Any, q: Normal) -> Tensor:
    distance = p.variance + (p.mean - q.loc).square()
    return 0.5 * ((2 * math.pi * q.variance).log() + distance / q.variance)


def _to_exponential(p: Any, q: Exponential) -> Tensor:
    return q.rate * p.mean - q.rate.log()


def _to_gamma(p: Any, q: Gamma) -> Tensor:
    constant = q.concentration.lgamma() - q.concentration * q.rate.log()
    return constant - (q.concentration - 1) * _mean_log(p) + q.rate * p.mean


def _to_gumbel(p: Any, q: Gumbel) -> Tensor:
    return (p.mean - q.loc) / q.scale + _mean_exp(p, q.loc, q.scale) + q.scale.log()


def _to_continuous_bernoulli(p: Any, q: ContinuousBernoulli) -> Tensor:
    return -p.mean * q.logits - (-q.probs).log1p() - q._log_norm()


def _to_uniform(p: Any, q: Uniform) -> Tensor:
    # p is on the unit interval
    width = (q.high - q.low).log()
    return width.masked_fill((q.low > 0) | (q.high < 1), math.inf)


def _enter(cross: Callable[..., Tensor], q_type: type, *p_types: type) -> None:
    def formula(p: Any, q: Any) -> Tensor:
        return cross(p, q) - p.entropy()

    for p_type in p_types:
        register_kl(p_type, q_type)(formula)


_enter(_to_normal, Normal, Beta, ContinuousBernoulli, Exponential, Gamma, Gumbel, Laplace, Uniform)
_enter(_to_exponential, Exponential, Beta, ContinuousBernoulli, Gamma, Pareto)
_enter(_to_gamma, Gamma, Beta, Exponential, Pareto)
_enter(_to_gumbel, Gumbel, Exponential, Gamma, Normal)
_enter(_to_continuous_bernoulli, ContinuousBernoulli, Beta)
_enter(_to_uniform, Uniform, Beta, ContinuousBernoulli)


def _infinite(p: Any, q: Any) -> Tensor:
    shape = pytensor.broadcast_shapes(p.batch_shape, q.batch_shape)
    return p.mean.new_full(shape, math.inf)


for _p, _excluding in {
    Beta: (Pareto,),
    ContinuousBernoulli: (Pareto,),
    Exponential: (Beta, ContinuousBernoulli, Pareto, Uniform),
    Gamma: (Beta, ContinuousBernoulli, Pareto, Uniform),
    Gumbel: (Beta, ContinuousBernoulli, Exponential, Gamma, Pareto, Uniform),
    Laplace: (Beta, ContinuousBernoulli, Exponential, Gamma, Pareto, Uniform),
    Normal: (Beta, ContinuousBernoulli, Exponential, Gamma, Pareto, Uniform),
    Pareto: (Beta, ContinuousBernoulli, Uniform),
    Poisson: (Bernoulli, Binomial),
}.items():
    for _q in _excluding:
        register_kl(_p, _q)(_infinite)


@register_kl(Bernoulli, Poisson)
def _bernoulli_poisson(p: Bernoulli, q: Poisson) -> Tensor:
    return -p.entropy() - (p.probs * q.rate.log() - q.rate)


@register_kl(Normal, Laplace)
def _normal_laplace(p: Normal, q: Laplace) -> Tensor:
    distance = p.loc - q.loc
    z = distance / (p.scale * math.sqrt(2))
    mean_distance = p.scale * math.sqrt(2 / math.pi) * (-z.square()).exp() + distance * z.erf()
    return (2 * q.scale).log() + mean_distance / q.scale - p.entropy()


@register_kl(Pareto, Normal)
def _pareto_normal(p: Pareto, q: Normal) -> Tensor:
    # the mean square diverges up to an exponent of 2
    return (_to_normal(p, q) - p.entropy()).masked_fill(p.alpha <= 2, math.inf)


@register_kl(Uniform, Beta)
def _uniform_beta(p: Uniform, q: Beta) -> Tensor:
    a, b = q.concentration1, q.concentration0
    log_beta = a.lgamma() + b.lgamma() - (a + b).lgamma()
    width = p.high - p.low
    mean_log_rest = (_x_log_x(1 - p.low) - _x_log_x(1 - p.high)) / width - 1
    result = log_beta - (a - 1) * _mean_log(p) - (b - 1) * mean_log_rest - p.entropy()
    return result.masked_fill((p.high > 1) | (p.low < 0), math.inf)


@register_kl(Uniform, ContinuousBernoulli)
def _uniform_continuous_bernoulli(p: Uniform, q: ContinuousBernoulli) -> Tensor:
    result = _to_continuous_bernoulli(p, q) - p.entropy()
    return result.masked_fill((p.high > 1) | (p.low < 0), math.inf)


@register_kl(Uniform, Exponential)
def _uniform_exponential(p: Uniform, q: Exponential) -> Tensor:
    return (_to_exponential(p, q) - p.entropy()).masked_fill(p.low < 0, math.inf)


@register_kl(Uniform, Gamma)
def _uniform_gamma(p: Uniform, q: Gamma) -> Tensor:
    return (_to_gamma(p, q) - p.entropy()).masked_fill(p.low < 0, math.inf)


@register_kl(Uniform, Gumbel)
def _uniform_gumbel(p: Uniform, q: Gumbel) -> Tensor:
    return _to_gumbel(p, q) - p.entropy()


@register_kl(Uniform, Pareto)
def _uniform_pareto(p: Uniform, q: Pareto) -> Tensor:
    cross = (q.alpha + 1) * _mean_log(p) - q.alpha.log() - q.alpha * q.scale.log()
    return (cross - p.entropy()).masked_fill(p.low < q.scale, math.inf)
