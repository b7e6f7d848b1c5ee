"""Masked reductions beside torch."""

from __future__ import annotations

import doctest

import pytest

import pytensor
from pytensor import masked
from tests.python.torch_pair import check_call, to_pytensor, torch

theirs = pytest.importorskip("torch.masked")

VALUES = torch.tensor([[1.0, -2.0, 3.0, 0.5], [4.0, 5.0, -6.0, 2.0], [0.1, 0.2, 0.3, 0.4]])
MASK = torch.tensor([[True, False, True, True], [False, True, True, False], [True] * 4])
REDUCTIONS = ["sum", "prod", "amax", "amin", "mean", "var", "std", "norm", "logsumexp"]


def call(library, name, *arguments, **options):
    return getattr(library, name)(*arguments, **options)


@pytest.mark.parametrize("name", REDUCTIONS)
@pytest.mark.parametrize("keepdim", [False, True])
@pytest.mark.parametrize("dim", [0, 1, (0, 1), (1,)])
@pytest.mark.parametrize("mask", [None, MASK, MASK[:1], MASK[:, :1]])
def test_reductions(name, keepdim, dim, mask):
    first = () if name != "norm" else (2.0,)
    check_call(
        lambda x: call(masked, name, x, *first, dim, keepdim=keepdim, mask=to_pytensor(mask)),
        lambda x: call(theirs, name, x, *first, dim, keepdim=keepdim, mask=mask),
        VALUES,
        grad=mask is MASK,
        tolerance=(1e-5, 1e-5),
    )


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "softmin", "cumsum", "cumprod"])
@pytest.mark.parametrize("dim", [0, 1])
@pytest.mark.parametrize("mask", [None, MASK])
def test_normalisations(name, dim, mask):
    check_call(
        lambda x: call(masked, name, x, dim, mask=to_pytensor(mask)).nan_to_num(neginf=0),
        lambda x: call(theirs, name, x, dim, mask=mask).nan_to_num(neginf=0),
        VALUES,
        tolerance=(1e-5, 1e-5),
    )


@pytest.mark.parametrize("name", ["argmax", "argmin"])
@pytest.mark.parametrize("dim", [None, 0, 1])
def test_places(name, dim):
    # torch gives these indices in the input's dtype, where they cannot index
    check_call(
        lambda x: call(masked, name, x, dim, mask=to_pytensor(MASK)),
        lambda x: call(theirs, name, x, dim, mask=MASK).long(),
        VALUES,
    )


@pytest.mark.parametrize("ord", [1.0, 2.0, 3.0, float("inf"), -float("inf"), 0.0])
def test_norms(ord):
    check_call(
        lambda x: masked.norm(x, ord, 1, mask=to_pytensor(MASK)),
        lambda x: theirs.norm(x, ord, (1,), mask=MASK),
        VALUES,
        grad=False,
    )
    check_call(
        lambda x: masked.normalize(x, ord, 1, mask=to_pytensor(MASK)),
        lambda x: theirs.normalize(x, ord, 1, mask=MASK),
        VALUES,
        grad=False,
    )


@pytest.mark.parametrize(
    "options", [{}, {"unbiased": False}, {"unbiased": True}, {"correction": 2}, {"correction": 0}]
)
def test_corrections(options):
    for name in ("var", "std"):
        check_call(
            lambda x, name=name: call(masked, name, x, 1, mask=to_pytensor(MASK), **options),
            lambda x, name=name: call(theirs, name, x, 1, mask=MASK, **options),
            VALUES,
            grad=False,
        )


def test_integers_and_dtypes():
    whole = torch.arange(12).reshape(3, 4)
    for name in ("sum", "prod", "amax", "amin"):
        check_call(
            lambda x, name=name: call(masked, name, x, 1, mask=to_pytensor(MASK)),
            lambda x, name=name: call(theirs, name, x, 1, mask=MASK),
            whole,
        )
    check_call(
        lambda x: masked.mean(x, 1, dtype=pytensor.float64, mask=to_pytensor(MASK)),
        lambda x: theirs.mean(x, 1, dtype=torch.float64, mask=MASK),
        whole,
    )


def test_logaddexp():
    check_call(
        lambda a, b: masked.logaddexp(
            a, b, input_mask=to_pytensor(MASK), other_mask=~to_pytensor(MASK)
        ),
        lambda a, b: theirs.logaddexp(a, b, input_mask=MASK, other_mask=~MASK),
        VALUES,
        VALUES.flip(0),
        grad=False,
    )


def test_nothing_counts():
    none = pytensor.zeros(3, dtype=pytensor.bool)
    x = pytensor.ones(3)
    assert masked.sum(x, mask=none).item() == 0
    assert masked.prod(x, mask=none).item() == 1
    assert masked.mean(x, mask=none).isnan()
    assert masked.amax(x, mask=none).item() == -float("inf")


def test_refused():
    x = pytensor.ones(3)
    with pytest.raises(TypeError, match="'input' must be Tensor, not list"):
        masked.sum([1.0])
    with pytest.raises(TypeError, match="'mask' must be Tensor, not list"):
        masked.sum(x, mask=[True])
    with pytest.raises(ValueError, match="floating-point"):
        masked.mean(x.long())
    with pytest.raises(ValueError, match="Only one"):
        masked.var(x, unbiased=True, correction=1)
    with pytest.raises(RuntimeError):
        masked.sum(x, mask=pytensor.ones(2))


def test_examples():
    assert doctest.testmod(masked, extraglobs={"pytensor": pytensor}).failed == 0
