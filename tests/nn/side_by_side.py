"""Runs the same call or layer in pytensor and torch. Shared by the tests of this folder's losses,
normalizations and embeddings; not a test itself."""

from __future__ import annotations

import re
import warnings

import pytest

import pytensor
from tests.python.torch_pair import assert_same, plain, to_pytensor

torch = pytest.importorskip("torch")
LIBRARIES = (pytensor, torch)


def seeded(*shape, dtype=None, seed=0):
    generator = torch.Generator().manual_seed(seed + sum(shape))
    return torch.randn(*shape, generator=generator, dtype=dtype)


def twins(values, track):
    """Detached torch values and their pytensor twins; float tensors that `track` names by position
    or key require a gradient."""

    def prepare(key, value):
        if isinstance(value, torch.Tensor):
            value = value.detach().clone()
            if track is None or key in track:
                value.requires_grad_(value.is_floating_point())
        return value

    items = values.items() if isinstance(values, dict) else enumerate(values)
    theirs = {key: prepare(key, value) for key, value in items}
    return {key: to_pytensor(value) for key, value in theirs.items()}, theirs


def leaves(values):
    return [v for v in values if hasattr(v, "requires_grad") and v.requires_grad]


def gradients(library, result, inputs):
    """Gradients of a fixed projection of the result."""
    weight = (library.arange(result.numel(), dtype=result.dtype) + 1).cos().reshape(result.shape)
    return library.autograd.grad((result * weight).sum(), inputs)


def compare(ours, theirs, *args, track=(0,), rtol=None, atol=None, **kwargs):
    """Results and gradients of the two functions agree; returns pytensor's result."""
    args_ours, args_theirs = twins(args, track)
    kwargs_ours, kwargs_theirs = twins(kwargs, track)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        got = ours(*args_ours.values(), **kwargs_ours)
        want = theirs(*args_theirs.values(), **kwargs_theirs)
    assert_same(got, want, rtol, atol)
    assert got.requires_grad == want.requires_grad
    if want.requires_grad:
        inputs_ours = leaves([*args_ours.values(), *kwargs_ours.values()])
        inputs_theirs = leaves([*args_theirs.values(), *kwargs_theirs.values()])
        assert_same(
            gradients(pytensor, got, inputs_ours),
            gradients(torch, want, inputs_theirs),
            rtol,
            atol,
        )
    return got


def caught(function, *args, **kwargs):
    """(the exception's class and text, or None; texts and classes of warnings)"""
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        try:
            function(*args, **kwargs)
            failure = None
        except Exception as error:
            failure = type(error).__name__, plain(str(error))
    return failure, [(plain(str(w.message)), w.category) for w in seen]


def compare_failure(ours, theirs, *args, text=True, **kwargs):
    """Both raise the same exception, with the same text unless that is left out, and warn alike."""
    args_ours, args_theirs = twins(args, ())
    kwargs_ours, kwargs_theirs = twins(kwargs, ())
    got = caught(ours, *args_ours.values(), **kwargs_ours)
    want = caught(theirs, *args_theirs.values(), **kwargs_theirs)
    assert want[0] is not None, "torch does not raise"
    assert got[0] is not None, f"does not raise; torch: {want[0]}"
    assert got[0][0] == want[0][0], (got, want)
    if text:
        assert re.sub(r"\s+", " ", got[0][1]) == re.sub(r"\s+", " ", want[0][1])
    assert got[1] == want[1]


def compare_warnings(ours, theirs, *args, **kwargs):
    args_ours, args_theirs = twins(args, ())
    got = caught(ours, *args_ours.values(), **kwargs)
    want = caught(theirs, *args_theirs.values(), **kwargs)
    assert want[1], "torch does not warn"
    assert got == want
