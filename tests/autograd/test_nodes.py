"""grad_fn objects: names, identity, edges, saved tensors."""

from __future__ import annotations

import re

import pytest

import pytensor
from tests.autograd.pair import agree


def test_name_and_repr() -> None:
    y = pytensor.ones(2, requires_grad=True) + 1
    assert type(y.grad_fn).__name__ == "AddBackward0"
    assert y.grad_fn.name() == "AddBackward0"
    assert re.fullmatch(r"<AddBackward0 object at 0x[0-9a-f]+>", repr(y.grad_fn))
    assert pytensor.ones(2, requires_grad=True).grad_fn is None
    assert isinstance(y.grad_fn, pytensor._C.Node)
    with pytest.raises(TypeError):
        type(y.grad_fn)()


def test_identity_while_alive() -> None:
    x = pytensor.ones(2, requires_grad=True)
    y = x * 2
    z = y + 1
    assert y.grad_fn is y.grad_fn
    assert z.grad_fn.next_functions[0][0] is y.grad_fn
    node = z.grad_fn
    del z, y
    assert node.next_functions[0][0].name() == "MulBackward0"


def walk(t):
    x = t.ones(2, requires_grad=True)
    w = t.ones(2, requires_grad=True)
    y = (x * w + x).exp().sum()
    names = []

    def visit(node):
        names.append(type(node).__name__)
        for child, nr in node.next_functions:
            names.append(nr)
            if child is not None:
                visit(child)

    visit(y.grad_fn)
    return names


def constant_has_no_edge(t):
    return [n for n, _ in (t.ones(2, requires_grad=True) * 2).grad_fn.next_functions][1]


def saved(t):
    x = t.tensor([1.0, 2.0], requires_grad=True)
    w = t.tensor([3.0, 4.0], requires_grad=True)
    node = (x * w).grad_fn
    return node._saved_self, node._saved_other, x.exp().grad_fn._saved_result


@pytest.mark.parametrize("program", [walk, constant_has_no_edge, saved], ids=lambda f: f.__name__)
def test_agrees_with_torch(program) -> None:
    agree(program, raises=False)


def freed(t):
    y = t.ones(2, requires_grad=True).exp()
    y.sum().backward()
    return y.grad_fn._saved_result


def unknown(t):
    return t.ones(2, requires_grad=True).exp().grad_fn._saved_nothing


@pytest.mark.parametrize("program", [freed, unknown], ids=lambda f: f.__name__)
def test_same_error_as_torch(program) -> None:
    agree(program, raises=True)
