"""Windows beside torch."""

from __future__ import annotations

import doctest

import pytest

import pytensor
from pytensor.signal import windows
from tests.python.torch_pair import assert_same, plain, torch

theirs = pytest.importorskip("torch.signal.windows")

OPTIONS = {
    "bartlett": [{}],
    "blackman": [{}],
    "cosine": [{}],
    "exponential": [{}, {"tau": 2.5}, {"center": 1.0, "sym": False}],
    "gaussian": [{}, {"std": 0.7}],
    "general_cosine": [{"a": [0.5, 0.3, 0.2]}],
    "general_hamming": [{}, {"alpha": 0.3}],
    "hamming": [{}],
    "hann": [{}],
    "kaiser": [{}, {"beta": 3.0}, {"beta": 0.0}],
    "nuttall": [{}],
}


def test_all_are_here():
    assert sorted(windows.__all__) == sorted(theirs.__all__) == sorted(OPTIONS)


@pytest.mark.parametrize("name", OPTIONS)
@pytest.mark.parametrize("length", [0, 1, 2, 5, 8])
def test_values(name, length):
    for options in OPTIONS[name]:
        for sym in [True, False] if "sym" not in options else [False]:
            given = {**options, "sym": sym}
            for dtype in ("float32", "float64"):
                got = getattr(windows, name)(length, **given, dtype=getattr(pytensor, dtype))
                want = getattr(theirs, name)(length, **given, dtype=getattr(torch, dtype))
                assert_same(got, want, 1e-5, 1e-6)


@pytest.mark.parametrize("name", OPTIONS)
def test_refused(name):
    given = OPTIONS[name][0]
    for length, more in ((-1, {}), (5, {"dtype": "int64"}), (5, {"dtype": "float16"})):
        text = []
        for library, module in ((pytensor, windows), (torch, theirs)):
            options = {k: getattr(library, v) for k, v in more.items()}
            with pytest.raises(ValueError) as caught:
                getattr(module, name)(length, **given, **options)
            text.append(plain(str(caught.value)))
        assert text[0] == text[1]
    with pytest.raises(TypeError):
        getattr(windows, name)(2.5, **given)
    with pytest.raises(TypeError, match="unexpected keyword argument 'wrong'"):
        getattr(windows, name)(5, **given, wrong=1)


WRONG = [
    ("exponential", {"tau": 0.0}),
    ("exponential", {"center": 1.0}),
    ("gaussian", {"std": 0.0}),
    ("general_cosine", {"a": []}),
    ("general_cosine", {"a": 3}),
    ("kaiser", {"beta": -1.0}),
]


@pytest.mark.parametrize(("name", "options"), WRONG)
def test_wrong_parameters(name, options):
    with pytest.raises((ValueError, TypeError)) as want:
        getattr(theirs, name)(5, **options)
    with pytest.raises(want.type) as got:
        getattr(windows, name)(5, **options)
    assert str(got.value) == str(want.value)


def test_requires_grad():
    assert windows.hann(4, requires_grad=True).requires_grad
    assert "sym: whether" in windows.hann.__doc__


def test_examples():
    assert doctest.testmod(windows, extraglobs={"pytensor": pytensor}).failed == 0
