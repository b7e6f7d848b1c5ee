"""Helpers for tests that put pytensor beside torch: the same tensor in both, results compared.

Used by the tests of the Python face; not a test itself.
"""

from __future__ import annotations

import pytest

import pytensor

torch = pytest.importorskip("torch")


def name_of(dtype) -> str:
    return str(dtype).rsplit(".", 1)[-1]


def to_pytensor(value):
    """The pytensor twin of a torch tensor (or of the tensors in a list, tuple or dict)."""
    if isinstance(value, torch.Tensor):
        dtype = getattr(pytensor, name_of(value.dtype))
        twin = pytensor.tensor(value.detach().reshape(-1).tolist(), dtype=dtype)
        return twin.reshape(tuple(value.shape)).requires_grad_(value.requires_grad)
    if isinstance(value, torch.dtype):
        return getattr(pytensor, name_of(value))
    if isinstance(value, (list, tuple)):
        return type(value)(to_pytensor(v) for v in value)
    if isinstance(value, dict):
        return {k: to_pytensor(v) for k, v in value.items()}
    return value


def to_torch(value):
    """The torch twin of a pytensor tensor."""
    dtype = getattr(torch, name_of(value.dtype))
    flat = value.detach().reshape(-1).tolist()
    return torch.tensor(flat, dtype=dtype).reshape(tuple(value.shape))


def assert_same(got, want, rtol=None, atol=None) -> None:
    """Same structure, shapes and dtypes, and values within torch's usual tolerances."""
    if isinstance(want, torch.Tensor):
        torch.testing.assert_close(
            to_torch(got), want.detach(), rtol=rtol, atol=atol, equal_nan=True
        )
    elif isinstance(want, (list, tuple)) and not isinstance(want, torch.Size):
        assert len(got) == len(want)
        for g, w in zip(got, want):
            assert_same(g, w, rtol, atol)
    else:
        assert got == want


def plain(text: str) -> str:
    """Text without the name of the library, so that both libraries' texts can be compared."""
    return text.replace("pytensor.", "").replace("torch.", "")


def check_call(ours, theirs, *args, grad=True, tolerance=(None, None), **kwargs) -> None:
    """Calls both with twins of the arguments; compares results, and gradients where tracked.

    A result that carries no gradient in one library counts as having zero gradients there.
    """
    rtol, atol = tolerance
    leaves = []

    def tracked(value):
        if isinstance(value, torch.Tensor):
            track = grad and value.is_floating_point()
            value = value.detach().clone().requires_grad_(track)
            leaves.append(value)
            return value
        if isinstance(value, (list, tuple)):
            return type(value)(tracked(v) for v in value)
        return value

    args, kwargs = tracked(tuple(args)), {k: tracked(v) for k, v in kwargs.items()}
    twins: list = []

    def twin(value):
        if isinstance(value, torch.Tensor):
            twins.append(to_pytensor(value))
            return twins[-1]
        if isinstance(value, (list, tuple)):
            return type(value)(twin(v) for v in value)
        return to_pytensor(value)

    twin_args, twin_kwargs = twin(args), {k: twin(v) for k, v in kwargs.items()}
    want = theirs(*args, **kwargs)
    got = ours(*twin_args, **twin_kwargs)
    assert_same(got, want, rtol, atol)
    if not grad:
        return
    torch.manual_seed(7)
    pairs = [p for p in zip(_flat(got), _flat(want)) if isinstance(p[1], torch.Tensor)]
    pairs = [p for p in pairs if p[1].is_floating_point()]
    seeds = [torch.randn_like(w) for _, w in pairs]
    ours_tracked = [(g, to_pytensor(s)) for (g, _), s in zip(pairs, seeds) if g.requires_grad]
    theirs_tracked = [(w, s) for (_, w), s in zip(pairs, seeds) if w.requires_grad]
    if theirs_tracked:
        torch.autograd.backward(*zip(*theirs_tracked))
    if ours_tracked:
        pytensor.autograd.backward(*zip(*ours_tracked))
    for leaf, other in zip(leaves, twins):
        if leaf.grad is None:
            assert other.grad is None or not other.grad.any()
        elif other.grad is None:
            assert not leaf.grad.any()
        else:
            assert_same(other.grad, leaf.grad, rtol, atol)


def _flat(value):
    if isinstance(value, (list, tuple)):
        return [x for v in value for x in _flat(v)]
    return [value]


def check_same_error(ours, theirs, *args, **kwargs) -> str:
    """Both must raise the same class of error; returns our message for further checks."""
    with pytest.raises(Exception) as want:
        theirs(*args, **kwargs)
    with pytest.raises(want.type) as got:
        ours(*to_pytensor(args), **to_pytensor(kwargs))
    return str(got.value)
