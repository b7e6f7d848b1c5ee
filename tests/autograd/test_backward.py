"""backward() and autograd.grad() against torch: values, accumulation, inputs, higher orders."""

from __future__ import annotations

import pytest

from tests.autograd.pair import agree


def leaf(t, *values, dtype=None):
    return t.tensor(values, dtype=dtype or t.float64, requires_grad=True)


def diamond(t):
    x = leaf(t, 1.0, 2.0, 3.0)
    a = x * 2
    b = a * x
    c = a + b
    (c * b).sum().backward()
    return x.grad


def same_input_twice(t):
    x = leaf(t, 1.0, 2.0)
    (x * x + x).sum().backward()
    return x.grad


def broadcast(t):
    x, y = leaf(t, 1.0, 2.0, 3.0), t.ones(2, 1, dtype=t.float64, requires_grad=True)
    (x * y).sum().backward()
    return x.grad, y.grad


def mixed_dtypes(t):
    x = leaf(t, 1.0, 2.0, dtype=t.float32)
    y = leaf(t, 3.0, 4.0, dtype=t.float64)
    (x * y).sum().backward()
    return x.grad, y.grad


def vector_gradient(t):
    x = leaf(t, 1.0, 2.0)
    (x * x).backward(t.tensor([10.0, 100.0], dtype=t.float64))
    return x.grad


def accumulates(t):
    x = leaf(t, 1.0, 2.0)
    (x * x).sum().backward()
    first = x.grad
    kept = first.clone()
    (x * 3).sum().backward()
    return x.grad is first, kept, x.grad


def accumulates_with_graph(t):
    x = leaf(t, 1.0, 2.0)
    (x**3).sum().backward(create_graph=True)
    first = x.grad
    (x**3).sum().backward(create_graph=True)
    return x.grad is first, first, x.grad, x.grad.requires_grad


def several_roots(t):
    x = leaf(t, 1.0, 2.0)
    a = x * 2
    t.autograd.backward(
        [a.sum(), (a * x).sum(), a], [None, t.tensor(2.0, dtype=t.float64), a.detach()]
    )
    return x.grad


def root_inside_other_root(t):
    x = leaf(t, 1.0, 2.0)
    a = x * x
    b = a.sum()
    t.autograd.backward([b, a], [None, t.ones(2, dtype=t.float64)])
    return x.grad


def leaf_as_root(t):
    x = leaf(t, 2.0)
    x.backward()
    return x.grad, t.autograd.grad(x, x)


def retain_graph(t):
    x = leaf(t, 1.0, 2.0)
    y = (x.exp() * x).sum()
    y.backward(retain_graph=True)
    y.backward()
    return x.grad


def inputs_only(t):
    x, w = leaf(t, 1.0, 2.0), leaf(t, 3.0, 4.0)
    h = x * w
    y = (h * h).sum()
    y.backward(inputs=[x], retain_graph=True)
    y.backward(inputs=w, retain_graph=True)
    before = h.retains_grad
    y.backward(inputs=[h])
    return x.grad, w.grad, h.grad, before, h.retains_grad


def grad_of_intermediate(t):
    x = leaf(t, 1.0, 2.0)
    h = x * x
    y = (h * h + x).sum()
    return t.autograd.grad(y, [h, x, h]), x.grad


def grad_behind_another(t):
    x = leaf(t, 1.0, 2.0)
    a = x * x
    b = a * 3
    return t.autograd.grad(b.sum(), [b, a, x], retain_graph=True), t.autograd.grad(b.sum(), [x])


def unused_inputs(t):
    x, z = leaf(t, 1.0, 2.0), leaf(t, 1.0)
    y = (x * x).sum()
    some = t.autograd.grad(y, [x, z], allow_unused=True, retain_graph=True)
    zeros = t.autograd.grad(y, [x, z], materialize_grads=True, retain_graph=True)
    graph = t.autograd.grad(y, [x, z], materialize_grads=True, create_graph=True)
    return some, zeros, graph


def batched(t):
    x = leaf(t, 1.0, 2.0)
    y = x * x
    rows = t.tensor([[1.0, 0.0], [0.0, 1.0], [2.0, 3.0]], dtype=t.float64)
    return t.autograd.grad(y, x, rows, is_grads_batched=True)


def third_derivative(t):
    x = leaf(t, 1.0, 2.0)
    y = (x**4).sum()
    values = []
    for _ in range(3):
        (g,) = t.autograd.grad(y, x, create_graph=True)
        values.append(g)
        y = g.sum()
    y.backward()
    return values, x.grad


def double_backward_of_product(t):
    a, b = leaf(t, 1.0, 2.0), leaf(t, 3.0, 5.0)
    y = (a * b * a.exp()).sum()
    ga, gb = t.autograd.grad(y, [a, b], create_graph=True)
    (ga * gb).sum().backward()
    return ga, gb, a.grad, b.grad


def gradient_penalty(t):
    x, w = leaf(t, 1.0, 2.0), leaf(t, 0.5, -0.5)
    out = (x * w).exp().sum()
    (g,) = t.autograd.grad(out, x, create_graph=True)
    ((g * g).sum() - 1).pow(2).backward()
    return w.grad, x.grad


def no_grad_inside(t):
    x = leaf(t, 1.0, 2.0)
    with t.no_grad():
        c = x * 2
    y = (x * c).sum()
    y.backward()
    return c.requires_grad, x.grad


def views(t):
    x = t.arange(6.0, dtype=t.float64).reshape(2, 3).requires_grad_()
    y = x.t()[1:] * 2
    (y * y).sum().backward()
    return x.grad


def expanded(t):
    x = leaf(t, 1.0, 2.0)
    y = x.unsqueeze(0).expand(3, 2)
    (y * y).sum().backward()
    return x.grad, x.grad.is_contiguous()


def freed_shapes_may_rerun(t):
    x = leaf(t, 1.0, 2.0)
    y = x.sum()
    y.backward()
    y.backward()
    return x.grad


def variable(t):
    x = leaf(t, 1.0)
    v = t.autograd.Variable(x * 2, requires_grad=True)
    return isinstance(x, t.autograd.Variable), v.is_leaf, v


def detach(t):
    x = leaf(t, 1.0, 2.0)
    y = x * 2
    z = y.detach()
    w = x * 3
    back = w.detach_()
    return z.requires_grad, z.grad_fn, back is w, w.requires_grad, w.grad_fn, w.is_leaf


PROGRAMS = [v for v in list(globals().values()) if getattr(v, "__module__", "") == __name__]
PROGRAMS.remove(leaf)


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda f: f.__name__)
def test_agrees_with_torch(program) -> None:
    agree(program, raises=False)


def twice(t):
    x = leaf(t, 1.0, 2.0)
    y = x.exp().sum()
    y.backward()
    y.backward()


def product_twice(t):
    x = leaf(t, 1.0, 2.0)
    y = x * 2
    y.sum().backward()
    y.sum().backward()


def grad_then_backward(t):
    x = leaf(t, 1.0, 2.0)
    y = (x * x).sum()
    t.autograd.grad(y, x)
    y.backward()


ERRORS = {
    "twice": twice,
    "product_twice": product_twice,
    "grad_then_backward": grad_then_backward,
    "no_grad": lambda t: t.ones(1).backward(),
    "integers": lambda t: t.ones(2, dtype=t.int64).requires_grad_(),
    "not_scalar": lambda t: leaf(t, 1.0, 2.0).backward(),
    "wrong_shape": lambda t: leaf(t, 1.0, 2.0).backward(t.ones(3)),
    "empty_inputs": lambda t: leaf(t, 1.0).backward(inputs=[]),
    "empty_inputs_of_function": lambda t: t.autograd.backward(leaf(t, 1.0), inputs=[]),
    "grad_without_inputs": lambda t: t.autograd.grad(leaf(t, 1.0), []),
    "unused": lambda t: t.autograd.grad(leaf(t, 1.0) * 2, [leaf(t, 1.0)]),
    "input_without_grad": lambda t: t.autograd.grad(leaf(t, 1.0) * 2, t.ones(1)),
    "materialize_and_not_unused": lambda t: t.autograd.grad(
        leaf(t, 1.0), leaf(t, 1.0), allow_unused=False, materialize_grads=True
    ),
    "flag_of_result": lambda t: (leaf(t, 1.0) * 2).requires_grad_(False),
    "detach_view": lambda t: (leaf(t, 1.0) * 2)[0].detach_(),
    "retain_without_grad": lambda t: t.ones(1).retain_grad(),
}


@pytest.mark.parametrize("name", ERRORS)
def test_same_error_as_torch(name) -> None:
    agree(ERRORS[name], raises=True)


def test_gradient_is_not_shared_with_other_tensors() -> None:
    import pytensor

    x = pytensor.ones(3, requires_grad=True)
    y = pytensor.ones(3, requires_grad=True)
    given = pytensor.ones(3)
    (x + y).backward(given)
    x.grad.mul_(5)
    assert given.tolist() == [1.0] * 3
    assert y.grad.tolist() == [1.0] * 3


def test_gradients_of_unwanted_inputs_are_not_computed() -> None:
    import pytensor

    x = pytensor.ones(2, requires_grad=True)
    w = pytensor.ones(2, requires_grad=True)
    seen = []
    w.register_hook(seen.append)
    pytensor.autograd.grad((x * w).sum(), x)
    assert seen == []
    assert w.grad is None


def test_second_derivative_through_a_kept_mask() -> None:
    agree(lambda t: _gradient_penalty(t, t.nn.functional.dropout))
    agree(lambda t: _gradient_penalty(t, lambda x: x.max(1).values))


def _gradient_penalty(t, function):
    t.manual_seed(0)
    x = t.tensor([[1.0, -2.0, 3.0], [0.5, 4.0, 2.0]], requires_grad=True)
    (g,) = t.autograd.grad((function(x * x) * x.sum()).sum(), x, create_graph=True)
    (g * g).sum().backward()
    return x.grad
