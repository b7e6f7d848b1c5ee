"""Parameters and gradients for both libraries, and comparisons, for the tests of this folder."""

from __future__ import annotations

import numpy as np
import pytest

import pytensor

torch = pytest.importorskip("torch")

SHAPES = ((3, 4), (5,), (2, 3, 2), ())


def tensor(library, array, dtype="float32"):
    return library.tensor(np.asarray(array).tolist(), dtype=getattr(library, dtype))


def arrays(seed: int, shapes=SHAPES):
    random = np.random.default_rng(seed)
    return [random.standard_normal(s) for s in shapes]


def parameters(library, shapes=SHAPES, dtype="float32", seed=0):
    return [tensor(library, a, dtype).requires_grad_() for a in arrays(seed, shapes)]


def set_gradients(library, params, seed: int, dtype="float32"):
    """Other numbers for each seed; some of them zero."""
    for p, a in zip(params, arrays(1000 + seed, [tuple(p.shape) for p in params])):
        p.grad = tensor(library, np.where(np.abs(a) < 0.1, 0.0, a), dtype)


def values(tree):
    """Tensors become lists of numbers, whatever they are in."""
    if hasattr(tree, "detach"):
        return tree.detach().to(type_library(tree).float64).tolist()
    if isinstance(tree, dict):
        return {k: values(v) for k, v in tree.items()}
    if isinstance(tree, (list, tuple)):
        return [values(v) for v in tree]
    return tree


def type_library(t):
    return torch if isinstance(t, torch.Tensor) else pytensor


def assert_close(got, want, rtol, atol=0.0, where="value"):
    if isinstance(want, dict):
        assert list(got) == list(want), where
        for k in want:
            assert_close(got[k], want[k], rtol, atol, f"{where}[{k!r}]")
    elif isinstance(want, (list, tuple)):
        assert len(got) == len(want), where
        for i, (g, w) in enumerate(zip(got, want)):
            assert_close(g, w, rtol, atol, f"{where}[{i}]")
    elif isinstance(want, float):
        np.testing.assert_allclose(got, want, rtol=rtol, atol=atol, err_msg=where)
    else:
        assert got == want, where


def to_pytensor(tree):
    """A state of torch with tensors of pytensor."""
    if isinstance(tree, torch.Tensor):
        name = str(tree.dtype).rsplit(".", 1)[-1]
        return pytensor.tensor(tree.tolist(), dtype=getattr(pytensor, name))
    if isinstance(tree, dict):
        return {k: to_pytensor(v) for k, v in tree.items()}
    if isinstance(tree, (list, tuple)):
        return type(tree)(to_pytensor(v) for v in tree)
    return tree
