"""autograd.Function against torch: ctx, outputs of every kind, gradients, errors."""

from __future__ import annotations

import gc

import pytest

import pytensor
from tests.autograd.pair import agree


def leaf(t, *values):
    return t.tensor(values, dtype=t.float64, requires_grad=True)


def make(t, forward, backward, setup_context=None):
    """A Function class with these methods."""
    members = {"forward": staticmethod(forward), "backward": staticmethod(backward)}
    if setup_context:
        members["setup_context"] = staticmethod(setup_context)
    return type("Mine", (t.autograd.Function,), members)


def square(t):
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return g * 2 * x

    return make(t, forward, backward)


def basic(t):
    x = leaf(t, 1.0, 2.0)
    y = square(t).apply(x)
    y.sum().backward()
    return y, x.grad, y.is_leaf, type(y.grad_fn).__name__, y.grad_fn.name()


def double_backward(t):
    x = leaf(t, 1.0, 2.0)
    y = square(t).apply(square(t).apply(x))
    (g,) = t.autograd.grad(y.sum(), x, create_graph=True)
    (h,) = t.autograd.grad(g.sum(), x, create_graph=True)
    return g, h, t.autograd.grad(h.sum(), x)


def attributes_and_constants(t):
    def forward(ctx, x, factor, name=None):
        ctx.factor = factor
        ctx.needs = ctx.needs_input_grad
        return x * factor

    def backward(ctx, g):
        seen.append((ctx.needs, ctx.needs_input_grad))
        return g * ctx.factor, None, None

    seen = []
    x = leaf(t, 1.0, 2.0)
    f = make(t, forward, backward)
    f.apply(x, 3, "a").sum().backward()
    return x.grad, seen


def keywords(t):
    def forward(ctx, x, factor=2):
        ctx.factor = factor
        return x * factor

    x = leaf(t, 1.0, 2.0)
    f = make(t, forward, lambda ctx, g: (g * ctx.factor, None))
    f.apply(x, factor=5).sum().backward()
    return x.grad


def several_outputs(t):
    def forward(ctx, x, y):
        ctx.save_for_backward(x, y)
        return x * y, x + y, "text", 3

    def backward(ctx, gp, gs, *rest):
        x, y = ctx.saved_tensors
        seen.append(rest)
        return gp * y + gs, gp * x + gs

    seen = []
    x, y = leaf(t, 1.0, 2.0), leaf(t, 3.0, 4.0)
    out = make(t, forward, backward).apply(x, y)
    out[0].sum().backward(retain_graph=True)
    first = x.grad.clone()
    (out[0] * out[1]).sum().backward()
    return out, first, x.grad, y.grad, seen, out[0].grad_fn is out[1].grad_fn, out[1].output_nr


def tuple_of_one(t):
    x = leaf(t, 1.0)
    f = make(t, lambda ctx, x: (x * 2,), lambda ctx, g: (g * 2,))
    out = f.apply(x)
    out[0].backward()
    return isinstance(out, tuple), x.grad


def materialized(t):
    seen = []

    def program(on):
        def forward(ctx, x):
            if not on:
                ctx.set_materialize_grads(False)
            return x * 2, x * 3

        def backward(ctx, a, b):
            seen.append((a, b))
            return a

        x = leaf(t, 1.0, 2.0)
        make(t, forward, backward).apply(x)[0].sum().backward()
        return x.grad

    return program(True), program(False), seen


def non_differentiable(t):
    def forward(ctx, x):
        sign = x.sign()
        index = x.long()
        ctx.mark_non_differentiable(sign)
        return x * 2, sign, index

    x = leaf(t, 1.0, -2.0)
    out = make(t, forward, lambda ctx, a, b, c: a * 2 + b).apply(x)
    out[0].sum().backward()
    return out, x.grad


def returns_input(t):
    x = leaf(t, 1.0, 2.0)
    f = make(t, lambda ctx, x: x, lambda ctx, g: g * 7)
    y = f.apply(x)
    y.sum().backward()
    with t.no_grad():
        z = f.apply(x)
    return y is x, x.grad, x.is_leaf, z is x, z.requires_grad


def changes_input(t):
    def forward(ctx, x):
        ctx.mark_dirty(x)
        return x.mul_(2)

    x = leaf(t, 1.0, 2.0)
    b = x * 1
    version = b._version
    f = make(t, forward, lambda ctx, g: g * 2)
    y = f.apply(b)
    (y * y).sum().backward()
    return y is b, b._version - version, x.grad, type(b.grad_fn).__name__


def changes_view(t):
    def forward(ctx, x):
        ctx.mark_dirty(x)
        return x.mul_(2)

    x = leaf(t, 1.0, 2.0, 3.0)
    b = x * 1
    make(t, forward, lambda ctx, g: g * 2).apply(b[:2])
    (b * b).sum().backward()
    return b, x.grad


def no_gradient_returned(t):
    called = []

    def recorded(ctx, g):
        called.append(g)
        return g

    x = leaf(t, 1.0, 2.0)
    inner = make(t, lambda ctx, x: x * 2, recorded)
    outer = make(t, lambda ctx, x: x * 2, lambda ctx, g: None)
    outer.apply(inner.apply(x)).sum().backward()
    return x.grad, called


def surplus_none(t):
    x = leaf(t, 1.0)
    make(t, lambda ctx, x: x * 2, lambda ctx, g: (g, None, None)).apply(x).backward()
    return x.grad


def broadcast_gradient(t):
    x = leaf(t, 1.0, 2.0)
    f = make(t, lambda ctx, x: x.unsqueeze(0) * t.ones(3, 1, dtype=t.float64), lambda ctx, g: g)
    f.apply(x).sum().backward()
    return x.grad


def gradient_of_other_dtype(t):
    x = leaf(t, 1.0, 2.0)
    make(t, lambda ctx, x: x * 2, lambda ctx, g: g.float()).apply(x).sum().backward()
    return x.grad


def split_setup(t):
    def forward(x, factor=3):
        return x * factor

    def setup_context(ctx, inputs, output):
        x, ctx.factor = inputs
        ctx.save_for_backward(x, output)

    def backward(ctx, g):
        _, output = ctx.saved_tensors
        return g * ctx.factor + 0 * output, None

    x = leaf(t, 1.0, 2.0)
    f = make(t, forward, backward, setup_context)
    f.apply(x).sum().backward()
    first = x.grad.clone()
    f.apply(x, factor=5).sum().backward()
    return first, x.grad


def saved_output_and_none(t):
    def forward(ctx, x, bias):
        y = x.exp()
        ctx.save_for_backward(y, bias)
        return y

    def backward(ctx, g):
        y, bias = ctx.saved_tensors
        return g * y, bias

    x = leaf(t, 1.0, 2.0)
    y = make(t, forward, backward).apply(x, None)
    (g,) = t.autograd.grad(y.sum(), x, create_graph=True)
    g.sum().backward()
    return g, x.grad


def checkpointed(t):
    """A backward pass within a backward pass."""

    def forward(ctx, x, w):
        ctx.save_for_backward(x, w)
        return (x * w).exp()

    def backward(ctx, g):
        x, w = (s.detach().requires_grad_() for s in ctx.saved_tensors)
        with t.enable_grad():
            y = (x * w).exp()
        t.autograd.backward(y, g)
        return x.grad, w.grad

    x, w = leaf(t, 0.1, 0.2), leaf(t, 3.0, 4.0)
    f = make(t, forward, backward)
    y = x
    for _ in range(3):
        y = f.apply(y, w)
    y.sum().backward()
    return x.grad, w.grad


def grad_mode_in_backward(t):
    modes = []

    def backward(ctx, g):
        modes.append(t.is_grad_enabled())
        return g

    def forward(ctx, x):
        modes.append(t.is_grad_enabled())
        return x * 2

    x = leaf(t, 1.0)
    y = make(t, forward, backward).apply(x)
    t.autograd.grad(y, x, retain_graph=True)
    t.autograd.grad(y, x, create_graph=True)
    return modes, t.is_grad_enabled()


def retained_twice(t):
    x = leaf(t, 1.0, 2.0)
    y = square(t).apply(x).sum()
    y.backward(retain_graph=True)
    y.backward()
    return x.grad


def once(t):
    class Once(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        @t.autograd.function.once_differentiable
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return 2 * x * g

    return Once


def once_differentiated(t):
    x = leaf(t, 1.0, 2.0)
    once(t).apply(x).sum().backward()
    (g,) = t.autograd.grad(once(t).apply(x).sum(), x, create_graph=True)
    return x.grad, g.detach()


def outside_of_graph(t):
    x = t.ones(2)
    y = square(t).apply(x)
    with t.no_grad():
        z = square(t).apply(leaf(t, 1.0))
    return y, y.grad_fn, z, z.grad_fn


def hooks_of_ctx(t):
    x = leaf(t, 1.0, 2.0)
    y = square(t).apply(x)
    y.grad_fn.register_hook(lambda inputs, outputs: (inputs[0] * 10,))
    y.register_hook(lambda g: g * 3)
    y.sum().backward()
    edges = y.grad_fn.next_functions
    return x.grad, len(edges), type(edges[0][0]).__name__


def vjp_name(t):
    class Named(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def vjp(ctx, g):
            return g * 2

    x = leaf(t, 1.0)
    Named.apply(x).backward()
    return x.grad


HELPERS = (leaf, make, square, once)
PROGRAMS = [
    v
    for v in list(globals().values())
    if getattr(v, "__module__", "") == __name__ and v not in HELPERS
]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda f: f.__name__)
def test_agrees_with_torch(program) -> None:
    agree(program, raises=False)


def answering(*answer):
    """A program whose backward returns this for two inputs, the second one a number."""

    def program(t):
        x = leaf(t, 1.0, 2.0)
        values = tuple(t.ones(3) if a == "shape" else a for a in answer)
        f = make(
            t, lambda ctx, x, n: x * n, lambda ctx, g: values if len(values) != 1 else values[0]
        )
        f.apply(x, 2).sum().backward()

    return program


def modified_input(t):
    x = leaf(t, 1.0, 2.0)
    b = x * 1
    y = square(t).apply(b)
    b.add_(1)
    y.sum().backward()


def modified_output(t):
    def forward(ctx, x):
        y = x.exp()
        ctx.save_for_backward(y)
        return y

    x = leaf(t, 1.0, 2.0)
    y = make(t, forward, lambda ctx, g: g * ctx.saved_tensors[0]).apply(x)
    y.add_(1)
    y.sum().backward()


def freed(t):
    x = leaf(t, 1.0, 2.0)
    y = square(t).apply(x).sum()
    y.backward()
    y.backward()


def freed_saved_tensors(t):
    x = leaf(t, 1.0, 2.0)
    y = square(t).apply(x)
    y.sum().backward()
    return y.grad_fn.saved_tensors


def own_error(t):
    def backward(ctx, g):
        raise KeyError("mine")

    make(t, lambda ctx, x: x * 2, backward).apply(leaf(t, 1.0)).backward()


def dirty_not_returned(t):
    def forward(ctx, x):
        ctx.mark_dirty(x)
        return x.clone()

    make(t, forward, lambda ctx, g: g).apply(leaf(t, 1.0) * 1)


def dirty_leaf(t):
    def forward(ctx, x):
        ctx.mark_dirty(x)
        return x.mul_(2)

    make(t, forward, lambda ctx, g: g).apply(leaf(t, 1.0))


def saves_number(t):
    def forward(ctx, x):
        ctx.save_for_backward(3)
        return x * 2

    make(t, forward, lambda ctx, g: g).apply(leaf(t, 1.0))


def differentiated_twice(t):
    x = leaf(t, 1.0, 2.0)
    (g,) = t.autograd.grad(once(t).apply(x).sum(), x, create_graph=True)
    g.sum().backward()


def without_forward(t):
    class Empty(t.autograd.Function):
        pass

    Empty.apply(leaf(t, 1.0))


def without_backward(t):
    class Half(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

    Half.apply(leaf(t, 1.0)).backward()


def called_instance(t):
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        instance = square(t)()
    instance(leaf(t, 1.0))


ERRORS = {
    "too_few": answering(1),
    "too_many": answering(None, None, "shape"),
    "gradient_of_number": answering(None, "shape"),
    "number": answering(3, None),
    "shape": answering("shape", None),
}
ERRORS |= {
    f.__name__: f
    for f in (
        modified_input,
        modified_output,
        freed,
        freed_saved_tensors,
        own_error,
        dirty_not_returned,
        dirty_leaf,
        saves_number,
        differentiated_twice,
        without_forward,
        without_backward,
        called_instance,
    )
}


@pytest.mark.parametrize("name", ERRORS)
def test_same_error_as_torch(name) -> None:
    agree(ERRORS[name], raises=True)


def test_ctx_is_the_grad_fn() -> None:
    seen = []

    def forward(ctx, x):
        ctx.mine = 5
        return x * 2

    def backward(ctx, g):
        seen.append(ctx)
        return g

    x = leaf(pytensor, 1.0)
    y = make(pytensor, forward, backward).apply(x)
    assert y.grad_fn.mine == 5
    y.backward()
    assert seen == [y.grad_fn]


def test_ctx_outlives_its_graph() -> None:
    y = square(pytensor).apply(leaf(pytensor, 1.0))
    ctx = y.grad_fn
    del y
    assert ctx.saved_tensors == ()
    with pytest.raises(RuntimeError, match="does not belong to a graph"):
        _ = ctx.next_functions


def test_no_leak() -> None:
    function = square(pytensor)
    gc.collect()
    start = pytensor._C._live()
    for _ in range(3):
        x = leaf(pytensor, 1.0, 2.0)
        y = function.apply(function.apply(x))
        y.sum().backward()
        (g,) = pytensor.autograd.grad(function.apply(x).sum(), x, create_graph=True)
        kept = y.grad_fn
        del x, y, g, kept
    assert pytensor._C._live() == start


def test_no_leak_when_forward_or_backward_fails() -> None:
    def fail(ctx, x):
        ctx.save_for_backward(x)
        raise ValueError("no")

    start = pytensor._C._live()
    x = leaf(pytensor, 1.0)
    with pytest.raises(ValueError, match="no"):
        make(pytensor, fail, fail).apply(x)
    with pytest.raises(ValueError, match="no"):
        make(pytensor, lambda ctx, x: x * 2, fail).apply(x).backward()
    del x
    gc.collect()
    assert pytensor._C._live() == start


def test_gradcheck() -> None:
    function = square(pytensor)
    x = leaf(pytensor, 0.5, -1.5)
    assert pytensor.autograd.gradcheck(function.apply, (x,))
    assert pytensor.autograd.gradgradcheck(function.apply, (x,))


def saved_view(t):
    """What backward() sees of a saved view that is no leaf."""
    seen = []

    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.sum()

    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        seen.append(t.tensor([float(x.requires_grad), float(x.grad_fn is not None)]))
        return g.expand(x.shape)

    x = leaf(t, 1.0, 2.0, 3.0)
    make(t, forward, backward).apply((x * 2)[:2]).backward()
    return [seen[0], x.grad]


def test_saved_view_keeps_its_history():
    agree(saved_view)
