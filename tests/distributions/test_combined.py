"""Distributions made of others, and what arguments are refused, beside torch."""

from __future__ import annotations

import pytest

import pytensor
from tests.python.torch_pair import assert_same, plain, to_pytensor, torch


def combined(library):
    D, t = library.distributions, library.tensor
    T = D.transforms
    normal = D.Normal(t([[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]), t([1.0, 2.0, 3.0]))
    weights = D.Categorical(t([[0.2, 0.3, 0.5], [0.6, 0.3, 0.1]]))
    return [
        D.Independent(normal, 1),
        D.Independent(normal, 2),
        D.Independent(D.Bernoulli(t([0.2, 0.7])), 1),
        D.MixtureSameFamily(weights, normal),
        D.MixtureSameFamily(
            D.Categorical(t([0.5, 0.5])),
            D.Independent(D.Normal(t([[0.0, 1.0], [2.0, 3.0]]), 1.0), 1),
        ),
        D.TransformedDistribution(normal, [T.AffineTransform(1.0, -2.0), T.ExpTransform()]),
        D.TransformedDistribution(normal, T.StickBreakingTransform()),
        D.TransformedDistribution(D.Uniform(t(0.0), t(1.0)), [T.SigmoidTransform().inv]),
        D.TransformedDistribution(D.Normal(t(0.0), t(1.0)), T.AffineTransform(t([1.0, 2.0]), 2.0)),
        D.TransformedDistribution(D.Normal(t([0.0] * 6), 1.0), T.ReshapeTransform((6,), (2, 3))),
    ]


PAIRS = list(zip(combined(pytensor), combined(torch)))


@pytest.mark.parametrize("pair", PAIRS, ids=lambda p: type(p[0]).__name__)
def test_values(pair):
    ours, theirs = pair
    assert plain(repr(ours)) == plain(repr(theirs))
    assert tuple(ours.batch_shape) == tuple(theirs.batch_shape)
    assert tuple(ours.event_shape) == tuple(theirs.event_shape)
    assert plain(repr(ours.support)) == plain(repr(theirs.support))
    assert ours.has_rsample == theirs.has_rsample
    torch.manual_seed(1)
    pytensor.manual_seed(1)
    value = theirs.sample((5,))
    assert_same(ours.sample((5,)), value, 1e-5, 1e-5)
    value = value + torch.zeros(())  # away from caches
    twin = to_pytensor(value)
    assert_same(ours.log_prob(twin), theirs.log_prob(value), 1e-4, 1e-5)
    for name in ("mean", "variance", "mode"):
        try:
            want = getattr(theirs, name)
        except NotImplementedError:
            continue
        assert_same(getattr(ours, name), want, 1e-5, 1e-5)
    try:
        want = theirs.cdf(value)
    except NotImplementedError:
        pass
    else:
        assert_same(ours.cdf(twin), want, 1e-4, 1e-5)
    big, other = ours.expand((2, *ours.batch_shape)), theirs.expand((2, *theirs.batch_shape))
    value = other.sample((3,))
    assert_same(big.log_prob(to_pytensor(value)), other.log_prob(value), 1e-4, 1e-5)


def test_icdf_of_transformed():
    ours, theirs = PAIRS[5]
    p = torch.tensor([[0.1, 0.5, 0.9]])
    assert_same(ours.icdf(to_pytensor(p)), theirs.icdf(p), 1e-4, 1e-5)


REFUSED = [
    lambda D, t: D.Normal(0.0, -1.0),
    lambda D, t: D.Normal(t([0.0]), "a"),
    lambda D, t: D.Normal(t([0.0, 1.0]), 1.0).log_prob(1.0),
    lambda D, t: D.Normal(t([0.0, 1.0]), 1.0).log_prob(t([0.0, 1.0, 2.0])),
    lambda D, t: D.Normal(t([0.0, 1.0]), 1.0).log_prob(t(float("nan"))),
    lambda D, t: D.Dirichlet(t([1.0, 1.0])).log_prob(t([0.0, 0.0, 0.0])),
    lambda D, t: D.Dirichlet(t(1.0)),
    lambda D, t: D.Bernoulli(),
    lambda D, t: D.Bernoulli(1.0, 2.0),
    lambda D, t: D.Bernoulli(0.4).log_prob(t(0.3)),
    lambda D, t: D.Categorical(),
    lambda D, t: D.Categorical(t(1.0)),
    lambda D, t: D.Categorical(logits=t(1.0)),
    lambda D, t: D.Categorical(t([-1.0, 2.0])),
    lambda D, t: D.Categorical(t([1.0, 2.0])).log_prob(t(3)),
    lambda D, t: D.Categorical(t([1.0, 2.0])).rsample(),
    lambda D, t: D.Uniform(1.0, 0.0),
    lambda D, t: D.Uniform(0.0, 1.0).log_prob(t(2.0)),
    lambda D, t: D.MultivariateNormal(t([0.0, 0.0])),
    lambda D, t: D.MultivariateNormal(t(0.0), t([[1.0]])),
    lambda D, t: D.MultivariateNormal(t([0.0, 0.0]), t([0.0, 0.0])),
    lambda D, t: D.MultivariateNormal(t([0.0, 0.0]), t([[0.0, 0.0], [0.0, 0.0]])),
    lambda D, t: D.MultivariateNormal(t([0.0, 0.0]), scale_tril=t([0.0, 0.0])),
    lambda D, t: D.LowRankMultivariateNormal(t([0.0, 0.0]), t([0.0, 0.0]), t([0.0])),
    lambda D, t: D.LowRankMultivariateNormal(t([0.0, 0.0]), t([[0.0]]), t([0.0])),
    lambda D, t: D.LowRankMultivariateNormal(t([0.0, 0.0]), t([[0.0], [0.0]]), t([0.0])),
    lambda D, t: D.Multinomial(-1, t([1.0, 1.0])),
    lambda D, t: D.Multinomial(t(2), t([1.0, 1.0])),
    lambda D, t: D.Independent(D.Normal(0.0, 1.0), 1),
    lambda D, t: D.Binomial(t([1.0, 2.0]), t(0.5)).enumerate_support(),
    lambda D, t: D.Pareto(1.0, 2.0).log_prob(t(0.5)),
    lambda D, t: D.LKJCholesky(1),
    lambda D, t: D.Wishart(t(1.0), t([[1.0, 0.0], [0.0, 1.0]])),
    lambda D, t: D.Wishart(t(3.0)),
    lambda D, t: D.TransformedDistribution(D.Normal(0.0, 1.0), 3),
    lambda D, t: D.TransformedDistribution(D.Normal(0.0, 1.0), [3]),
    lambda D, t: D.TransformedDistribution(D.Normal(0.0, 1.0), D.StickBreakingTransform()),
    lambda D, t: D.MixtureSameFamily(D.Normal(0.0, 1.0), D.Normal(0.0, 1.0)),
    lambda D, t: D.MixtureSameFamily(D.Categorical(t([1.0, 1.0])), 3),
    lambda D, t: D.MixtureSameFamily(D.Categorical(t([1.0])), D.Normal(t([0.0, 1.0]), 1.0)),
    lambda D, t: D.Geometric(probs=t(0.0)),
    lambda D, t: D.Distribution.set_default_validate_args(3),
    lambda D, t: D.Chi2(t(-2.0)),
    lambda D, t: D.Normal(0.0, 1.0).enumerate_support(),
    lambda D, t: D.Normal(t([0.0, 1.0]), 1.0).expand((3,)),
    lambda D, t: D.kl_divergence(D.Independent(D.Normal(t([0.0]), 1.0), 1), D.Normal(0.0, 1.0)),
]


@pytest.fixture
def torch_checks():
    """torch's compiler, where another test has imported it, switches these checks off."""
    torch.distributions.Distribution.set_default_validate_args(True)


@pytest.mark.usefixtures("torch_checks")
@pytest.mark.parametrize("index", range(len(REFUSED)))
def test_refused(index):
    with pytest.raises(Exception) as want:
        REFUSED[index](torch.distributions, torch.tensor)
    with pytest.raises(want.type) as got:
        REFUSED[index](pytensor.distributions, pytensor.tensor)
    if want.type is ValueError and "df" not in str(want.value):
        assert plain(str(got.value)) == plain(str(want.value))


def test_checks_can_be_switched_off():
    D = pytensor.distributions
    assert D.Normal(0.0, -1.0, validate_args=False).scale.item() == -1
    D.Distribution.set_default_validate_args(False)
    try:
        assert D.Normal(0.0, -1.0).scale.item() == -1
    finally:
        D.Distribution.set_default_validate_args(True)
    with pytest.raises(ValueError, match="to satisfy the constraint"):
        D.Normal(0.0, -1.0)


def test_subclass_with_own_init_expands():
    """Where torch asks for an expand() of its own."""

    class Mine(pytensor.distributions.Exponential):
        def __init__(self):
            super().__init__(1.0)

    assert Mine().expand((2,)).batch_shape == (2,)


def test_policy_gradient():
    """REINFORCE, the common use: log_prob of an action, by its logits."""
    logits = pytensor.zeros(3, requires_grad=True)
    action = pytensor.tensor(1)
    loss = -pytensor.distributions.Categorical(logits=logits).log_prob(action) * 2.0
    loss.backward()
    assert pytensor.allclose(logits.grad, pytensor.tensor([2 / 3, -4 / 3, 2 / 3]))
