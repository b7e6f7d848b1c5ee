"""Divergences beside torch: every pair that torch has a formula for."""

from __future__ import annotations

import pytest

import pytensor
from tests.distributions.cases import CASES, build
from tests.distributions.test_families import compare
from tests.python.torch_pair import torch

SIMPLE = [family for family in CASES if family not in ("LKJCholesky", "Wishart")]
_TABLE = torch.distributions.kl._KL_REGISTRY


def has_formula(p, q):
    mine = getattr(torch.distributions, p), getattr(torch.distributions, q)
    exact = any(pair == mine for pair in _TABLE)
    return exact or (p == q)


PAIRS = [
    (p, q)
    for p in SIMPLE
    for q in SIMPLE
    if has_formula(p, q) and (p, q) != ("ContinuousBernoulli", "Uniform")  # see below
]


@pytest.mark.parametrize(("p", "q"), PAIRS)
def test_pairs(p, q):
    for index in range(len(CASES[p])):
        ours_p, theirs_p, p_pairs = build(p, index)
        ours_q, theirs_q, q_pairs = build(q, 0)
        try:
            shape = torch.broadcast_shapes(theirs_p.batch_shape, theirs_q.batch_shape)
        except RuntimeError:
            continue
        try:
            want = torch.distributions.kl_divergence(theirs_p, theirs_q)
        except IndexError:
            continue  # some formulas of torch do not broadcast
        except (ValueError, NotImplementedError) as error:
            with pytest.raises(type(error)):
                pytensor.distributions.kl_divergence(ours_p, ours_q)
            continue
        got = pytensor.distributions.kl_divergence(ours_p, ours_q)
        if want.isinf().all():  # torch gives these in the shape of p alone
            want = want.expand(shape)
        compare(got, want, p_pairs + q_pairs, 1e-3, 1e-4)


def changed(library):
    """Distributions of the same families with other parameters, within each other's support."""
    D, t = library.distributions, library.tensor
    p = [
        D.Bernoulli(t([0.2, 0.0, 1.0, 0.5])),
        D.Beta(t([2.0, 0.7]), t([1.0, 3.0])),
        D.Binomial(5, t([0.2, 0.9])),
        D.Categorical(t([0.2, 0.0, 0.8])),
        D.Cauchy(t([0.0, 2.0]), t([1.0, 2.0])),
        D.ContinuousBernoulli(t([0.3, 0.5])),
        D.Dirichlet(t([0.5, 2.0])),
        D.Exponential(t([0.5, 2.0])),
        D.Gamma(t([0.5, 2.0]), t([1.0, 3.0])),
        D.Geometric(t([0.2, 0.9])),
        D.Gumbel(t([0.0, 2.0]), t([1.0, 2.0])),
        D.HalfNormal(t([0.5, 2.0])),
        D.Independent(D.Normal(t([0.0, 2.0]), t([1.0, 2.0])), 1),
        D.Laplace(t([0.0, 2.0]), t([1.0, 2.0])),
        D.LogNormal(t([0.0, 2.0]), t([1.0, 2.0])),
        D.LowRankMultivariateNormal(t([0.0, 1.0]), t([[1.0], [2.0]]), t([1.0, 2.0])),
        D.MultivariateNormal(t([0.0, 1.0]), t([[2.0, 0.5], [0.5, 1.0]])),
        D.Normal(t([0.0, 2.0]), t([1.0, 2.0])),
        D.OneHotCategorical(t([0.2, 0.3, 0.5])),
        D.Pareto(t([2.0, 1.0]), t([3.0, 1.5])),
        D.Poisson(t([0.5, 4.0])),
        D.Uniform(t([0.2, 0.3]), t([0.6, 0.9])),
        D.Wishart(t(4.0), t([[2.0, 0.5], [0.5, 1.0]])),
    ]
    q = [
        D.Bernoulli(t([0.3, 0.0, 0.6, 1.0])),
        D.Beta(t([1.0, 2.0]), t([3.0, 1.5])),
        D.Binomial(5, t([0.5, 0.1])),
        D.Categorical(t([0.5, 0.5, 0.0])),
        D.Cauchy(t([1.0, 2.0]), t([2.0, 2.0])),
        D.ContinuousBernoulli(t([0.6, 0.1])),
        D.Dirichlet(t([1.5, 1.0])),
        D.Exponential(t([1.0, 0.3])),
        D.Gamma(t([1.5, 1.0]), t([2.0, 0.3])),
        D.Geometric(t([0.5, 0.4])),
        D.Gumbel(t([1.0, 2.0]), t([3.0, 1.0])),
        D.HalfNormal(t([1.5, 1.0])),
        D.Independent(D.Normal(t([1.0, 2.0]), t([2.0, 1.0])), 1),
        D.Laplace(t([1.0, 2.0]), t([2.0, 1.0])),
        D.LogNormal(t([1.0, 2.0]), t([2.0, 1.0])),
        D.LowRankMultivariateNormal(t([1.0, 1.0]), t([[0.5], [-1.0]]), t([2.0, 1.0])),
        D.MultivariateNormal(t([1.0, 1.0]), t([[1.0, 0.2], [0.2, 3.0]])),
        D.Normal(t([1.0, 2.0]), t([2.0, 1.0])),
        D.OneHotCategorical(t([0.5, 0.1, 0.4])),
        D.Pareto(t([1.0, 1.5]), t([1.0, 2.0])),
        D.Poisson(t([1.5, 2.0])),
        # torch counts the ends of the unit interval as too narrow for ContinuousBernoulli
        D.Uniform(t([-0.01, 0.1]), t([1.01, 0.8])),
        D.Wishart(t(6.0), t([[1.0, 0.2], [0.2, 3.0]])),
    ]
    return p, q


@pytest.mark.filterwarnings("ignore:Ambiguous")
def test_other_parameters():
    compared = 0
    for p, other_p in zip(*[changed(library)[0] for library in (pytensor, torch)]):
        for q, other_q in zip(*[changed(library)[1] for library in (pytensor, torch)]):
            try:
                torch.broadcast_shapes(other_p.batch_shape, other_q.batch_shape)
                want = torch.distributions.kl_divergence(other_p, other_q)
            except (NotImplementedError, RuntimeError, ValueError):
                continue
            got = pytensor.distributions.kl_divergence(p, q)
            torch.testing.assert_close(
                torch.tensor(got.tolist()), want, rtol=1e-4, atol=1e-5, msg=f"{p} {q}: {got} {want}"
            )
            compared += 1
    assert compared >= 85


def test_divergence_is_the_mean_log_ratio():
    D = pytensor.distributions
    pytensor.manual_seed(0)
    p, q = D.Gamma(2.0, 1.0), D.Exponential(0.7)
    x = p.sample((200000,))
    estimate = (p.log_prob(x) - q.log_prob(x)).mean().item()
    assert abs(D.kl_divergence(p, q).item() - estimate) < 0.01


def test_registration():
    D = pytensor.distributions

    class Mine(D.Normal):
        pass

    p = Mine(0.0, 1.0)
    assert D.kl_divergence(p, p).item() == 0.0  # the formula of the base class

    @D.register_kl(Mine, D.Normal)
    def formula(p, q):
        return 7

    assert D.kl_divergence(p, D.Normal(0.0, 1.0)) == 7

    @D.register_kl(D.Normal, Mine)
    def other(p, q):
        return 8

    with pytest.warns(RuntimeWarning, match="Ambiguous kl_divergence"):
        D.kl_divergence(p, p)


def test_no_formula():
    D = pytensor.distributions
    with pytest.raises(NotImplementedError, match="No KL"):
        D.kl_divergence(D.Cauchy(0.0, 1.0), D.Normal(0.0, 1.0))
    with pytest.raises(TypeError, match="Distribution subclass"):
        D.register_kl(int, D.Normal)
