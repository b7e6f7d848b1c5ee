"""Hooks of tensors and nodes against torch: when they run, what they see and may replace."""

from __future__ import annotations

import pytest

import pytensor
from tests.autograd.pair import agree


def leaf(t, *values):
    return t.tensor(values, dtype=t.float64, requires_grad=True)


def tensor_hooks_run_in_order(t):
    x = leaf(t, 1.0, 2.0)
    y = x * 2
    seen = []
    y.register_hook(lambda g: seen.append(("first", g.clone())))
    y.register_hook(lambda g: g * 10)
    y.register_hook(lambda g: seen.append(("second", g.clone())))
    y.sum().backward()
    return seen, x.grad


def leaf_hooks(t):
    x = leaf(t, 1.0, 2.0)
    x.register_hook(lambda g: g + 1)
    x.register_hook(lambda g: g * 10)
    (x * x).sum().backward()
    (other,) = t.autograd.grad((x * x).sum(), x)
    return x.grad, other


def removal(t):
    x = leaf(t, 1.0, 2.0)
    handle = x.register_hook(lambda g: g * 10)
    with x.register_hook(lambda g: g * 100):
        x.sum().backward()
    first = x.grad.clone()
    handle.remove()
    handle.remove()
    x.sum().backward()
    return first, x.grad


def retained_gradient(t):
    x = leaf(t, 1.0, 2.0)
    y = x * 2
    y.retain_grad()
    y.register_hook(lambda g: g * 10)
    y.sum().backward(retain_graph=True)
    first = y.grad.clone()
    y.sum().backward()
    x.retain_grad()
    return y.retains_grad, x.retains_grad, first, y.grad, x.grad


def retained_after_inplace(t):
    x = leaf(t, 1.0, 2.0)
    y = x * 2
    y.retain_grad()
    y.mul_(3)
    (y * 5).sum().backward()
    return y.grad, x.grad


def hook_before_inplace(t):
    x = leaf(t, 1.0, 2.0)
    y = x * 2
    seen = []
    y.register_hook(seen.append)
    y.mul_(3)
    y.register_hook(seen.append)
    (y * 5).sum().backward()
    return seen, x.grad


def retained_in_higher_order(t):
    x = leaf(t, 1.0, 2.0)
    y = x * x
    y.retain_grad()
    (y * y).sum().backward(create_graph=True)
    return y.grad, y.grad.requires_grad


def post_accumulate(t):
    x = leaf(t, 1.0, 2.0)
    seen = []

    def step(p):
        seen.append(p.grad.clone())
        p.grad = None

    handle = x.register_post_accumulate_grad_hook(step)
    (x * 2).sum().backward()
    (x * 3).sum().backward()
    handle.remove()
    (x * 4).sum().backward()
    return seen, x.grad


def node_hooks(t):
    x = leaf(t, 1.0, 2.0)
    y = x * 2
    seen = []
    y.grad_fn.register_prehook(lambda outputs: (outputs[0] * 10,))

    def hook(inputs, outputs):
        seen.append((inputs[0].clone(), outputs[0].clone()))
        return (inputs[0] * 100, None)

    y.grad_fn.register_hook(hook)
    y.sum().backward()
    return seen, x.grad


def accumulator_hook(t):
    x = leaf(t, 1.0, 2.0)
    seen = []
    accumulator = (x * 1).grad_fn.next_functions[0][0]
    accumulator.register_hook(lambda inputs, outputs: seen.append((inputs, outputs)))
    (x * 3).sum().backward()
    return accumulator.variable is x, seen, x.grad


def hook_sees_one_sum(t):
    x = leaf(t, 1.0, 2.0)
    y = x * 1
    seen = []
    y.register_hook(seen.append)
    (y * 2 + y * 3).sum().backward()
    return seen


def hook_removes_itself(t):
    x = leaf(t, 1.0)
    seen = []

    def once(g):
        seen.append(g)
        handle.remove()

    handle = x.register_hook(once)
    (x * 2).backward()
    (x * 3).backward()
    return seen


def hooks_with_graph(t):
    x = leaf(t, 1.0, 2.0)
    y = x * x
    y.register_hook(lambda g: g * x)
    (g,) = t.autograd.grad(y.sum(), x, create_graph=True)
    g.sum().backward()
    return g, x.grad


PROGRAMS = [v for v in list(globals().values()) if getattr(v, "__module__", "") == __name__]
PROGRAMS.remove(leaf)


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda f: f.__name__)
def test_agrees_with_torch(program) -> None:
    agree(program, raises=False)


def failing(result):
    def program(t):
        x = leaf(t, 1.0, 2.0)

        def hook(g):
            return result(t)

        x.register_hook(hook)
        x.sum().backward()

    return program


ERRORS = {
    "no_grad": lambda t: t.ones(1).register_hook(print),
    "post_accumulate_without_grad": lambda t: t.ones(1).register_post_accumulate_grad_hook(print),
    "post_accumulate_of_result": lambda t: (leaf(t, 1.0) * 2).register_post_accumulate_grad_hook(
        print
    ),
    "number": failing(lambda t: 3),
    "shape": failing(lambda t: t.ones(3, dtype=t.float64)),
    "dtype": failing(lambda t: t.ones(2, dtype=t.float32)),
    "own_error": failing(lambda t: {}["missing"]),
}


@pytest.mark.parametrize("name", ERRORS)
def test_same_error_as_torch(name) -> None:
    agree(ERRORS[name], raises=True)


def test_handle_keeps_nothing_alive() -> None:
    start = pytensor._C._live()
    x = pytensor.ones(2, requires_grad=True)
    y = x * 2
    handle = y.register_hook(lambda g: g)
    del x, y
    assert pytensor._C._live() == start
    handle.remove()


def test_retained_tensor_may_go_before_its_node() -> None:
    x = pytensor.ones(2, requires_grad=True)
    y = x * 2
    y.retain_grad()
    z = (y * y).sum()
    del y
    z.backward()
    assert x.grad.tolist() == [8.0, 8.0]


def test_handle_of_a_dict() -> None:
    import collections

    from pytensor.utils.hooks import RemovableHandle

    hooks = collections.OrderedDict()
    first, second = RemovableHandle(hooks), RemovableHandle(hooks)
    hooks[first.id], hooks[second.id] = "a", "b"
    first.remove()
    assert list(hooks.values()) == ["b"]
    with second:
        pass
    assert not hooks
