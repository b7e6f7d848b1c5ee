"""Changes in place under autograd against torch: histories of views and bases, version errors."""

from __future__ import annotations

import pytest

import pytensor
from tests.autograd.pair import agree


def leaf(t, *values):
    return t.tensor(values, dtype=t.float64, requires_grad=True)


def chain(t):
    x = leaf(t, 1.0, 2.0, 3.0)
    y = x * 2
    y.mul_(x).add_(1)
    y += x
    y.sum().backward()
    return y, x.grad, y._version


def constant_gets_history(t):
    x = leaf(t, 1.0, 2.0)
    y = t.zeros(2, dtype=t.float64)
    y.add_(x * 3)
    (y * y).sum().backward()
    return y.requires_grad, x.grad


def through_a_view(t):
    x = leaf(t, 1.0, 2.0, 3.0)
    y = x * 1
    y[1:].mul_(10)
    (y * y).sum().backward()
    return y, x.grad, type(y.grad_fn).__name__


def base_changes_after_view(t):
    x = leaf(t, 1.0, 2.0, 3.0)
    y = x * 1
    v = y[1:]
    y.mul_(10)
    (v * v).sum().backward()
    return v, x.grad


def one_view_after_another(t):
    x = leaf(t, 1.0, 2.0, 3.0)
    y = x * 1
    a, b = y[:2], y[1:]
    a.mul_(2)
    b.mul_(x[:2])
    (y * y).sum().backward(retain_graph=True)
    first = x.grad.clone()
    (a * b).sum().backward()
    return y, a, b, first, x.grad


def view_of_view(t):
    x = t.arange(6.0, dtype=t.float64).requires_grad_()
    y = x * 1
    v = y.view(2, 3)
    v[0].mul_(2)
    v.t()[1].add_(5)
    v[1, 2].mul_(3)
    (y * y).sum().backward()
    return y, x.grad


def assigned_into_constant(t):
    x = leaf(t, 1.0, 2.0)
    y = t.zeros(3, dtype=t.float64)
    y[1:].copy_(x * 2)
    y[0].fill_(5)
    (y * y).sum().backward()
    return y, x.grad


def broadcast_into_view(t):
    x, w = leaf(t, 1.0, 2.0, 3.0, 4.0), leaf(t, 5.0, 6.0)
    y = (x * 1).view(2, 2)
    y.mul_(w)
    y[:, 0].add_(w[1])
    (y * y).sum().backward()
    return x.grad, w.grad


def double_backward_through_view(t):
    x = leaf(t, 1.0, 2.0, 3.0)
    y = x * x
    y[1:].mul_(x[:2])
    (g,) = t.autograd.grad((y * y).sum(), x, create_graph=True)
    g.sum().backward()
    return g, x.grad


def zeroed(t):
    x = leaf(t, 1.0, 2.0)
    y = x * 3
    y.zero_()
    z = x * 3
    z[0].zero_()
    (y + z).sum().backward()
    return x.grad


def leaf_under_no_grad(t):
    x = leaf(t, 1.0, 2.0)
    with t.no_grad():
        x.add_(5)
        x[0].mul_(2)
    (x * x).sum().backward()
    return x, x.is_leaf, x.grad


def data_is_not_counted(t):
    x = leaf(t, 1.0, 2.0)
    y = x * x
    before = x._version
    x.data.mul_(10)
    y.sum().backward()
    return before == x._version, x.grad


def detached_shares_version(t):
    x = leaf(t, 1.0, 2.0)
    y = x * 2
    before = y._version
    y.detach().add_(1)
    return y._version - before


def saved_by_its_own_op(t):
    x = leaf(t, 1.0, 2.0)
    y = x * 1
    y.mul_(x)
    z = x * 1
    z.exp_()
    (y + z).sum().backward()
    return x.grad


HELPERS = (leaf,)
PROGRAMS = [
    v
    for v in list(globals().values())
    if getattr(v, "__module__", "") == __name__ and v not in HELPERS
]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda f: f.__name__)
def test_agrees_with_torch(program) -> None:
    agree(program, raises=False)


def changed_input(t):
    x = leaf(t, 1.0, 2.0)
    y = x * 2
    z = y * y
    y.add_(1)
    z.sum().backward()


def changed_output(t):
    y = leaf(t, 1.0, 2.0).exp()
    y.add_(1)
    y.sum().backward()


def changed_constant(t):
    w = t.ones(2)
    z = t.ones(2, requires_grad=True) * w
    w.add_(1)
    z.sum().backward()


def changed_scalar(t):
    y = t.tensor(2.0, requires_grad=True) * 1
    z = y * y
    y.add_(1)
    z.backward()


def changed_through_detached(t):
    y = leaf(t, 1.0, 2.0) * 1
    z = y * y
    y.detach().add_(1)
    z.sum().backward()


def changed_leaf(t):
    x = leaf(t, 1.0, 2.0)
    z = x * x
    with t.no_grad():
        x.add_(1)
    z.sum().backward()


def changed_with_anomaly(t):
    with t.autograd.set_detect_anomaly(True):
        y = leaf(t, 1.0, 2.0) * 1
        z = y * y
        y.add_(1)
        import warnings

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            z.sum().backward()


VERSION_ERRORS = [
    changed_input,
    changed_output,
    changed_constant,
    changed_scalar,
    changed_through_detached,
    changed_leaf,
    changed_with_anomaly,
]


@pytest.mark.parametrize("program", VERSION_ERRORS, ids=lambda f: f.__name__)
def test_same_error_as_torch(program) -> None:
    agree(program, raises=True)


def test_operand_may_be_the_changed_tensor() -> None:
    x = leaf(pytensor, 1.0, 2.0)
    y = x * 3
    y.mul_(y)
    y.sum().backward()
    assert x.grad.tolist() == [18.0, 36.0]


def test_leaves_may_not_change() -> None:
    x = leaf(pytensor, 1.0, 2.0)
    with pytest.raises(
        RuntimeError,
        match=r"^a leaf Variable that requires grad is being used in an in-place operation\.",
    ):
        x.add_(1)
    with pytest.raises(
        RuntimeError,
        match=r"^a view of a leaf Variable that requires grad is being used in an in-place oper",
    ):
        x[0].add_(1)
    with pytest.raises(RuntimeError, match="can't be changed in place"):
        pytensor.zeros(2, dtype=pytensor.int64).add_(x)
