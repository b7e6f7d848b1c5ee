"""The same program under pytensor and under torch, for the tests of this folder.

A program is Python text that uses the name `torch` (and `nn`, `F`) and prints. What it prints, and
the class and message of the exception that ends it, must be the same in both libraries.
"""

from __future__ import annotations

import contextlib
import io
import re
import textwrap
import warnings

import pytest

import pytensor

torch = pytest.importorskip("torch")

# Places in memory and in files differ; so does the name of the library.
_NOISE = [
    (re.compile(r"0x[0-9a-f]+"), "0x"),
    (re.compile(r"\bpytensor\b"), "torch"),
]


def _plain(text: str) -> str:
    for pattern, replacement in _NOISE:
        text = pattern.sub(replacement, text)
    return text


def outcome(program: str, library) -> tuple[str, str]:
    """What the program prints, and the exception that ended it ("" if none)."""
    printed = io.StringIO()
    names = {"torch": library, "nn": library.nn, "F": library.nn.functional, "__name__": "program"}
    error = ""
    library.manual_seed(0)
    with contextlib.redirect_stdout(printed), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            exec(compile(textwrap.dedent(program), "program", "exec"), names)
        except Exception as e:
            error = f"{type(e).__name__}: {e}"
    return _plain(printed.getvalue()), _plain(error)


def assert_same_program(program: str, fails: bool = False) -> None:
    want, want_error = outcome(program, torch)
    got, got_error = outcome(program, pytensor)
    assert bool(want_error) == fails, f"under torch: {want_error or 'no exception'}"
    assert got == want, got_error
    assert got_error == want_error


def load_weights(ours, theirs) -> None:
    """Copies the state of a torch module into ours."""
    state = {k: to_ours(v) for k, v in theirs.state_dict().items() if isinstance(v, torch.Tensor)}
    ours.load_state_dict(state)


def to_ours(value):
    if isinstance(value, torch.Tensor):
        value = value.detach()
        if value.dtype == torch.bfloat16:
            return pytensor.from_numpy(value.float().numpy().copy()).to(pytensor.bfloat16)
        return pytensor.from_numpy(value.numpy().copy())
    if isinstance(value, (list, tuple)):
        return type(value)(to_ours(v) for v in value)
    return value


def tensors(value):
    """The tensors of a structure, in order."""
    if hasattr(value, "detach"):
        yield value
    elif isinstance(value, dict):
        for v in value.values():
            yield from tensors(v)
    elif isinstance(value, (list, tuple)):
        for v in value:
            yield from tensors(v)


def assert_close(got, want, where: str, rtol=1e-4, atol=1e-5) -> None:
    """Structures of tensors with the same shapes, dtypes and values."""
    ours, theirs = list(tensors(got)), list(tensors(want))
    assert len(ours) == len(theirs), where
    for i, (a, b) in enumerate(zip(ours, theirs)):
        assert tuple(a.shape) == tuple(b.shape), (where, i)
        assert str(a.dtype).split(".")[-1] == str(b.dtype).split(".")[-1], (where, i)
        torch.testing.assert_close(
            torch.from_numpy(a.detach().numpy().copy()),
            b.detach(),
            rtol=rtol,
            atol=atol,
            equal_nan=True,
            msg=lambda text, i=i: f"{where}[{i}]: {text}",
        )


def assert_threads_change_nothing(run) -> None:
    """`run()` returns tensors; with one thread and with two they have the same bits."""
    before = pytensor.get_num_threads()
    results = []
    try:
        for threads in (1, 2):
            pytensor.set_num_threads(threads)
            results.append([t.detach().numpy().tobytes() for t in run()])
    finally:
        pytensor.set_num_threads(before)
    assert results[0] == results[1]
