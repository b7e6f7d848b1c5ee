"""unique and unique_consecutive against torch: what they return, along dimensions, of NaN."""

from __future__ import annotations

import itertools

import pytest

import pytensor

torch = pytest.importorskip("torch")

INTS = [[3, 1, 3], [1, 1, 2], [3, 1, 3]]
INPUTS = {
    "ints": (INTS, "int64"),
    "bytes": (INTS, "uint8"),
    "floats": ([1.5, 0.0, -0.0, 1.5, 1.5], "float32"),
    "nan": ([1.0, float("nan"), 0.0, float("nan")], "float64"),
    "bools": ([True, False, True, True], "bool"),
    "empty": ([], "float32"),
    "number": (2.5, "float32"),
}


def pair(name):
    data, dtype = INPUTS[name]
    return [lib.tensor(data, dtype=getattr(lib, dtype)) for lib in (torch, pytensor)]


def as_lists(result):
    if isinstance(result, tuple):
        return [as_lists(r) for r in result]
    return str(result.dtype).rsplit(".", 1)[-1], tuple(result.shape), repr(result.tolist())


@pytest.mark.parametrize("name", INPUTS)
@pytest.mark.parametrize("function", ["unique", "unique_consecutive"])
@pytest.mark.parametrize("dim", [None, 0, -1])
def test_values(function, name, dim):
    theirs, ours = pair(name)
    for inverse, counts in itertools.product((False, True), repeat=2):
        options = {"return_inverse": inverse, "return_counts": counts, "dim": dim}
        try:
            want = getattr(torch, function)(theirs, **options)
        except IndexError:
            with pytest.raises(IndexError):
                getattr(pytensor, function)(ours, **options)
            continue
        assert as_lists(getattr(pytensor, function)(ours, **options)) == as_lists(want)
        assert as_lists(getattr(ours, function)(**options)) == as_lists(want)


def test_empty_slices_have_no_unique():
    with pytest.raises(RuntimeError, match="0 sized dimensions"):
        pytensor.empty(0, 2).unique(dim=1)
    assert pytensor.empty(0, 2).unique(dim=0).shape == (0, 2)


def test_gradient_is_refused():
    x = pytensor.ones(3, requires_grad=True)
    with pytest.raises(NotImplementedError, match="_unique2"):
        x.unique().sum().backward()
