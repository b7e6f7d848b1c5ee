"""Transforms and the registry of constraints, beside torch."""

from __future__ import annotations

import re

import pytest

import pytensor
from tests.python.torch_pair import assert_same, plain, to_pytensor, torch


def transforms(library):
    """Transforms with the shape of an input and whether it must be positive."""
    D, t = library.distributions, library.tensor
    T = D.transforms
    return [
        (T.AbsTransform(), (3,), False),
        (T.AffineTransform(t([1.0, 2.0, 3.0]), t([-1.0, 2.0, 0.5])), (4, 3), False),
        (T.AffineTransform(1.0, -2.0, event_dim=1), (4, 3), False),
        (T.CatTransform([T.ExpTransform(), T.AffineTransform(1, 2)], -1, [2, 1]), (4, 3), False),
        (T.ComposeTransform([T.AffineTransform(1.0, 2.0), T.SigmoidTransform()]), (4, 3), False),
        (T.ComposeTransform([T.ExpTransform(), T.StickBreakingTransform()]), (4, 3), False),
        (T.ComposeTransform([]), (4,), False),
        (T.CorrCholeskyTransform(), (2, 6), False),
        (T.CumulativeDistributionTransform(D.Normal(t(0.5), t(2.0))), (4,), False),
        (T.ExpTransform(), (3,), False),
        (T.ExpTransform().inv, (3,), True),
        (T.IndependentTransform(T.ExpTransform(), 1), (4, 3), False),
        (T.LowerCholeskyTransform(), (2, 3, 3), False),
        (T.PositiveDefiniteTransform(), (2, 3, 3), False),
        (T.PowerTransform(t(1.5)), (3,), True),
        (T.ReshapeTransform((6,), (2, 3)), (4, 6), False),
        (T.SigmoidTransform(), (3,), False),
        (T.SoftmaxTransform(), (4, 3), False),
        (T.SoftplusTransform(), (3,), False),
        (T.StackTransform([T.ExpTransform(), T.TanhTransform()], 1), (4, 2), False),
        (T.StickBreakingTransform(), (4, 3), False),
        (T.TanhTransform(), (3,), False),
    ]


PAIRS = list(zip(transforms(pytensor), transforms(torch)))


@pytest.mark.parametrize("pair", PAIRS, ids=lambda p: type(p[0][0]).__name__)
def test_values(pair):
    (ours, shape, positive), (theirs, _, _) = pair
    torch.manual_seed(1)
    x = torch.randn(shape)
    x = x.abs() + 0.1 if positive else x
    twin = to_pytensor(x)
    y, image = theirs(x), ours(twin)
    assert_same(image, y, 1e-5, 1e-6)
    back = theirs.inv(y)
    assert_same(ours.inv(image), back, 1e-4, 1e-4)
    assert plain(repr(ours)) == plain(repr(theirs))
    assert plain(repr(ours.inv)) == plain(repr(theirs.inv))
    assert ours.bijective == theirs.bijective
    for name in ("domain", "codomain"):
        assert plain(repr(getattr(ours, name))) == plain(repr(getattr(theirs, name)))
        assert getattr(ours, name).event_dim == getattr(theirs, name).event_dim
    if theirs.bijective:
        assert_same(
            ours.log_abs_det_jacobian(twin, image), theirs.log_abs_det_jacobian(x, y), 1e-4, 1e-4
        )
        assert_same(
            ours.inv.log_abs_det_jacobian(image, twin),
            theirs.inv.log_abs_det_jacobian(y, x),
            1e-4,
            1e-4,
        )
    assert tuple(ours.forward_shape(shape)) == tuple(theirs.forward_shape(shape))
    assert tuple(ours.inverse_shape(y.shape)) == tuple(theirs.inverse_shape(y.shape))
    assert ours.inv.inv == ours
    assert ours.inv.inv is ours


@pytest.mark.parametrize("index", [9, 14, 16, 18, 21])
def test_jacobian_is_that_of_the_map(index):
    ours, shape, positive = transforms(pytensor)[index]
    pytensor.manual_seed(2)
    x = pytensor.randn(shape, dtype=pytensor.double)
    x = (x.abs() + 0.1 if positive else x).requires_grad_()
    y = ours(x)
    (slope,) = pytensor.autograd.grad(y.sum(), x)
    assert pytensor.allclose(slope.abs().log(), ours.log_abs_det_jacobian(x, y))


def constraints(library):
    c, t = library.distributions.constraints, library.tensor
    return [
        c.real,
        c.real_vector,
        c.positive,
        c.nonnegative,
        c.greater_than(t([1.0, 2.0])),
        c.less_than(2.0),
        c.unit_interval,
        c.interval(1.0, 3.0),
        c.half_open_interval(0.0, 1.0),
        c.simplex,
        c.lower_cholesky,
        c.corr_cholesky,
        c.positive_definite,
        c.positive_semidefinite,
        c.independent(c.positive, 1),
        c.cat([c.positive, c.real], -1, [2, 1]),
        c.stack([c.positive, c.real], -1),
        c.boolean,
    ]


@pytest.mark.parametrize("name", ["biject_to", "transform_to"])
def test_registry(name):
    shapes = {"LowerCholesky": (3, 3), "CorrCholesky": (6,), "Stack": (2,), "Cat": (3,)}
    shapes |= {"PositiveDefinite": (3, 3), "PositiveSemidefinite": (3, 3)}
    for ours, theirs in zip(constraints(pytensor), constraints(torch)):
        assert plain(repr(ours)) == plain(repr(theirs))
        try:
            want = getattr(torch.distributions, name)(theirs)
        except NotImplementedError as error:
            with pytest.raises(NotImplementedError, match=re.escape(str(error))):
                getattr(pytensor.distributions, name)(ours)
            continue
        got = getattr(pytensor.distributions, name)(ours)
        assert plain(repr(got)) == plain(repr(want))
        torch.manual_seed(3)
        x = torch.randn((4, *shapes.get(repr(theirs).split("(")[0], (2,))))
        y = want(x)
        image = got(to_pytensor(x))
        assert_same(image, y, 1e-5, 1e-6)
        assert ours.check(image).all()


CHECKED = [
    ("square", (2, 2)),
    ("square", (2, 3)),
    ("symmetric", (2, 2)),
    ("lower_triangular", (2, 2)),
    ("positive_semidefinite", (2, 2)),
    ("one_hot", (3,)),
    ("boolean", (3,)),
    ("nonnegative_integer", (3,)),
    ("positive_integer", (3,)),
    ("simplex", (3,)),
]


@pytest.mark.parametrize(("name", "shape"), CHECKED)
def test_checks(name, shape):
    torch.manual_seed(4)
    values = [torch.zeros(shape), torch.ones(shape), torch.eye(3)[: shape[0], : shape[-1]]]
    values += [torch.randn(shape), torch.rand(shape).tril() if len(shape) > 1 else torch.eye(3)]
    for value in values:
        want = getattr(torch.distributions.constraints, name).check(value)
        got = getattr(pytensor.distributions.constraints, name).check(to_pytensor(value))
        assert_same(got, want)


def test_cache():
    transform = pytensor.distributions.TanhTransform(cache_size=1)
    x = pytensor.tensor([30.0])  # atanh(tanh(30)) is infinite
    assert transform.inv(transform(x)) is x
    assert pytensor.distributions.TanhTransform().with_cache().inv(transform(x)) is not x


def test_equality():
    T = pytensor.distributions.transforms
    assert T.ExpTransform() == T.ExpTransform() != T.TanhTransform()
    assert T.AffineTransform(1, 2) == T.AffineTransform(1, 2) != T.AffineTransform(1, 3)
    assert T.ComposeTransform([T.ExpTransform()]) == T.ComposeTransform([T.ExpTransform()])
    assert T.ExpTransform().inv == T.ExpTransform().inv
