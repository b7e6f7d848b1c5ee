"""Every family beside torch: samples of one seed, densities, moments, gradients."""

from __future__ import annotations

import warnings

import pytest

import pytensor
from tests.distributions.cases import LISTED, build
from tests.python.torch_pair import assert_same, plain, to_pytensor, torch

# torch's slopes of gamma and beta samples are approximations to about four digits
APPROXIMATE = {"Beta", "Chi2", "Dirichlet", "FisherSnedecor", "Gamma", "InverseGamma", "StudentT"}

# torch's mode of it is NaN for all parameters above 1, where there is one
BETTER = {("Kumaraswamy", "mode")}

pytestmark = pytest.mark.filterwarnings("ignore:Singular sample", "ignore:Low df values")


def outcome(function, *arguments):
    try:
        return function(*arguments)
    except (NotImplementedError, AttributeError) as error:
        return type(error).__name__


def gradients(library, result, leaves):
    return outcome(
        lambda: library.autograd.grad(result.sum(), leaves, allow_unused=True, retain_graph=True)
    )


def compare(ours, theirs, pairs, rtol=1e-4, atol=1e-5):
    """Values, and the gradients of a weighted sum by every parameter."""
    if isinstance(theirs, str) or not isinstance(theirs, torch.Tensor):
        assert ours == theirs
        return
    assert not isinstance(ours, str), ours
    assert_same(ours, theirs, rtol, atol)
    assert ours.requires_grad == theirs.requires_grad
    if not theirs.requires_grad or not theirs.isfinite().all():
        return
    weights = torch.linspace(-1, 2, theirs.numel(), dtype=theirs.dtype).reshape(theirs.shape)
    try:
        want = gradients(torch, theirs * weights, [t for _, t in pairs])
    except RuntimeError as error:  # torch's rsample of Wishart breaks its own graph
        if "modified by an inplace operation" in str(error):
            return
        raise
    got = gradients(pytensor, ours * to_pytensor(weights), [o for o, _ in pairs])
    if isinstance(want, str) or isinstance(got, str):
        assert got == want
        return
    for g, w in zip(got, want):
        zero = w is None or not w.any()
        if zero:
            assert g is None or not g.any()
        else:
            assert_same(g, w, rtol, atol)


@pytest.mark.parametrize(("family", "index"), LISTED)
def test_samples(family, index):
    ours, theirs, pairs = build(family, index)
    assert plain(repr(ours)) == plain(repr(theirs))
    for shape in [(), (2, 3)]:
        for draw in ("sample", "rsample"):
            pytensor.manual_seed(11)
            torch.manual_seed(11)
            got = outcome(getattr(ours, draw), shape)
            want = outcome(getattr(theirs, draw), shape)
            tolerance = {"rtol": 1e-3, "atol": 1e-4} if family in APPROXIMATE else {}
            compare(got, want, pairs, **tolerance)
    assert pytensor.rand(1).item() == torch.rand(1).item()  # as many numbers were drawn


@pytest.mark.parametrize(("family", "index"), LISTED)
def test_values(family, index):
    ours, theirs, pairs = build(family, index)
    torch.manual_seed(5)
    value = theirs.sample((4,))
    twin = to_pytensor(value)
    compare(ours.log_prob(twin), theirs.log_prob(value), pairs)
    for name in ("mean", "mode", "variance", "stddev"):
        if (family, name) in BETTER:
            continue
        compare(outcome(getattr, ours, name), outcome(getattr, theirs, name), pairs)
    compare(outcome(ours.entropy), outcome(theirs.entropy), pairs)
    compare(outcome(lambda: ours.cdf(twin)), outcome(lambda: theirs.cdf(value)), pairs)
    probability = torch.tensor([0.1, 0.5, 0.95]).to(value.dtype)
    probability = probability.reshape(3, *[1] * len(theirs.batch_shape))
    if not theirs.event_shape:
        compare(
            outcome(lambda: ours.icdf(to_pytensor(probability))),
            outcome(lambda: theirs.icdf(probability)),
            pairs,
        )
    for expand in (True, False):
        compare(
            outcome(ours.enumerate_support, expand),
            outcome(theirs.enumerate_support, expand),
            pairs,
        )


@pytest.mark.parametrize(("family", "index"), LISTED)
def test_gradient_of_log_prob_by_the_value(family, index):
    ours, theirs, _ = build(family, index)
    torch.manual_seed(6)
    value = theirs.sample((3,))
    if not value.is_floating_point():
        pytest.skip("integers have no gradient")
    value.requires_grad_()
    twin = to_pytensor(value)
    want = theirs.log_prob(value)
    got = ours.log_prob(twin)
    (slope,) = torch.autograd.grad(want.sum(), value, allow_unused=True)
    (mine,) = pytensor.autograd.grad(got.sum(), twin, allow_unused=True)
    assert (slope is None) == (mine is None)
    if slope is not None:
        assert_same(mine, slope, 1e-3, 1e-4)


@pytest.mark.parametrize(("family", "index"), LISTED)
def test_expand(family, index):
    ours, theirs, _ = build(family, index)
    shape = (3, *theirs.batch_shape)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        big, other = ours.expand(shape), theirs.expand(shape)
    assert tuple(big.batch_shape) == tuple(other.batch_shape)
    assert tuple(big.event_shape) == tuple(other.event_shape)
    pytensor.manual_seed(12)
    torch.manual_seed(12)
    value = other.sample((2,))
    assert_same(big.sample((2,)), value, 1e-4, 1e-5)
    assert_same(big.log_prob(to_pytensor(value)), other.log_prob(value).detach(), 1e-4, 1e-4)
    # and once more, from what was expanded
    assert_same(
        big.expand((2, *shape)).log_prob(to_pytensor(value)),
        other.expand((2, *shape)).log_prob(value).detach(),
        1e-4,
        1e-4,
    )


@pytest.mark.parametrize(("family", "index"), LISTED)
def test_support(family, index):
    ours, theirs, _ = build(family, index, grad=False)
    assert plain(repr(ours.support)) == plain(repr(theirs.support))
    assert ours.support.event_dim == theirs.support.event_dim
    assert ours.support.is_discrete == theirs.support.is_discrete
    assert ours.has_rsample == theirs.has_rsample
    assert ours.has_enumerate_support == theirs.has_enumerate_support
    torch.manual_seed(7)
    for value in (theirs.sample((2,)), torch.randn((2, *theirs.batch_shape, *theirs.event_shape))):
        want = theirs.support.check(value.to(theirs.sample().dtype))
        got = ours.support.check(to_pytensor(value.to(theirs.sample().dtype)))
        assert_same(got, want)


def test_families_are_all_here():
    listed = {family for family, _ in LISTED}
    bases = {"Distribution", "ExponentialFamily"}
    combined = {"Independent", "MixtureSameFamily", "TransformedDistribution"}
    theirs = {
        name
        for name in torch.distributions.__all__
        if isinstance(getattr(torch.distributions, name), type)
        and issubclass(getattr(torch.distributions, name), torch.distributions.Distribution)
    }
    assert theirs == listed | bases | combined
    assert set(torch.distributions.__all__) <= set(pytensor.distributions.__all__)
