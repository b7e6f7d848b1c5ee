"""utils.checkpoint: the gradients, random numbers and errors of torch's."""

from __future__ import annotations

import gc

import pytest

import pytensor
from pytensor import _C
from pytensor.utils.checkpoint import CheckpointError, checkpoint
from tests.nn.twins import assert_close, outcome

torch = pytest.importorskip("torch")

START = """
from torch.utils.checkpoint import checkpoint, checkpoint_sequential
x = torch.linspace(-1, 2, 20).reshape(4, 5).requires_grad_()
net = nn.Sequential(nn.Linear(5, 7), nn.Tanh(), nn.Dropout(0.5), nn.Linear(7, 5))
def grads():
    return [x.grad, *(p.grad for p in net.parameters())]
"""

# Each leaves tensors in `result`; {r} is True and False.
BOTH = {
    "gradients": """
checkpoint(net, x * 2, use_reentrant={r}).sum().backward(); result = grads()
""",
    "random": """
a, b = checkpoint(lambda t: (net(t), torch.rand(2)), x * 2, use_reentrant={r})
a.sum().backward(); result = [a, b, torch.rand(2), *grads()]
""",
    "random_not_kept": """
checkpoint(net, x * 2, use_reentrant={r}, preserve_rng_state=False).sum().backward()
result = [torch.rand(2), *grads()]
""",
    "several_results": """
a, b = checkpoint(lambda t: (net(t), t.sin()), x, use_reentrant={r})
(a.sum() * 2 + b.sum()).backward(); result = grads()
""",
    "sequential": """
y = checkpoint_sequential(net, 2, x, use_reentrant={r}); y.sum().backward(); result = [y, *grads()]
""",
    "uneven_segments": """
y = checkpoint_sequential(net, 3, x, use_reentrant={r}); y.sum().backward(); result = grads()
""",
}
ONE = {
    "keywords_and_nesting": """
out = checkpoint(lambda t, *, k: {"r": (net(t) * k["s"], 3)}, x, k={"s": x}, use_reentrant=False)
out["r"][0].sum().backward(); result = grads()
""",
    "no_input_requires_grad": """
checkpoint(net, x.detach(), use_reentrant=False).sum().backward(); result = grads()[1:]
""",
    "autograd_grad": """
y = checkpoint(net, x * 2, use_reentrant=False)
result = torch.autograd.grad(y.sum(), [x, *net.parameters()])
assert net[0].weight.grad is None
""",
    "second_derivative": """
h = x * x
y = checkpoint(lambda a, b: (a * b * torch.tanh(a)).sum(1), h, x, use_reentrant=False)
g, = torch.autograd.grad(y.sum(), x, create_graph=True)
g.pow(2).sum().backward(); result = [g, x.grad]
""",
    "second_derivative_of_parameters": """
y = checkpoint(lambda a: torch.tanh(net(a)) * x, net(x), use_reentrant=False)
g, = torch.autograd.grad(y.sum(), x, create_graph=True)
g.pow(2).sum().backward(); result = [g, *grads()]
""",
    "history_from_outside": """
h = x.exp()
y = checkpoint(lambda a: a * h, x.sin(), use_reentrant=False); y.sum().backward(); result = [x.grad]
""",
    "part_of_a_split": """
a, b = (x * 2).split([2, 3], 1)
y = checkpoint(lambda t: t.sum() * b.sum(), a, use_reentrant=False)
y.backward(); result = [x.grad]
""",
    "passed_on": """
y, z = checkpoint(lambda t: (t, t * 2), x, use_reentrant=False)
assert y is x
(y.sum() + z.sum()).backward(); result = [x.grad]
""",
    "nested": """
part = lambda t: checkpoint(net, t * 2, use_reentrant=False).exp()
checkpoint(part, x, use_reentrant=False).sum().backward(); result = grads()
""",
    "retained": """
y = checkpoint(net, x, use_reentrant=False).sum()
y.backward(retain_graph=True); y.backward(); result = grads()
""",
    "unused_result": """
a, b = checkpoint(lambda t: (net(t), t.sin()), x, use_reentrant=False)
b.sum().backward(); result = [x.grad]; assert net[0].weight.grad is None
""",
}
PROGRAMS = {
    **{f"{n}_{r}": p.replace("{r}", str(r)) for n, p in BOTH.items() for r in (True, False)},
    **ONE,
}

ERRORS = {
    "keyword": "checkpoint(net, x, use_reentrant=True, other=2)",
    "debug": "checkpoint(net, x, use_reentrant=True, debug=True)",
    "check": "checkpoint(net, x, use_reentrant=False, determinism_check='some')",
    "grad": "torch.autograd.grad(checkpoint(net, x, use_reentrant=True).sum(), x)",
    "inputs": "checkpoint(net, x, use_reentrant=True).sum().backward(inputs=[x])",
    "no_history": "checkpoint(lambda t: t.detach(), x, use_reentrant=True).sum().backward()",
    "twice": "y = checkpoint(net, x, use_reentrant=False).sum(); y.backward(); y.backward()",
    "twice_reentrant": """
y = checkpoint(net, x, use_reentrant=True).sum(); y.backward(); y.backward()
""",
    "changed": """
w = x * 1; y = checkpoint(torch.sin, w, use_reentrant=False); w.add_(1); y.sum().backward()
""",
}


def run(program, library):
    """The tensors that a program leaves, with the library's own package in its imports."""
    names = {"torch": library, "nn": library.nn}
    library.manual_seed(3)
    exec((START + program).replace("from torch.", f"from {library.__name__}."), names)
    return names["result"]


@pytest.mark.parametrize("name", PROGRAMS)
def test_same_as_torch(name):
    want = run(PROGRAMS[name], torch)
    assert_close(run(PROGRAMS[name], pytensor), want, name)


@pytest.mark.parametrize("name", ERRORS)
def test_error(name):
    text = START + ERRORS[name]
    _, want = outcome(text, torch)
    _, got = outcome(text.replace("from torch.", "from pytensor."), pytensor)
    assert want
    assert got.split(". ")[0] == want.split(". ")[0]


def test_warnings():
    x = pytensor.ones(2, requires_grad=True)
    with pytest.warns(UserWarning, match="use_reentrant parameter"):
        checkpoint(pytensor.sin, x)
    with pytest.warns(UserWarning, match="None of the inputs have requires_grad=True"):
        checkpoint(pytensor.sin, x.detach(), use_reentrant=True)


def test_other_computation_is_noticed():
    calls = []

    def other_operations(t):
        calls.append(1)
        return t.sin() if len(calls) % 2 else t.cos().sin()

    def other_shape(t):
        calls.append(1)
        return t[: 2 + len(calls) % 2].sin()

    x = pytensor.ones(3, requires_grad=True)
    with pytest.raises(CheckpointError, match=r"other operations.*\n.*Sin.*\n.*Cos"):
        checkpoint(other_operations, x, use_reentrant=False).sum().backward()
    with pytest.raises(CheckpointError, match="different metadata"):
        checkpoint(other_shape, x, use_reentrant=False).sum().backward()
    calls.clear()
    y = checkpoint(other_operations, x, use_reentrant=False, determinism_check="none")
    y.sum().backward()
    assert x.grad is not None


def test_history_from_outside_is_refused_where_gradients_would_be_wrong():
    x = pytensor.ones(3, requires_grad=True)
    h = x.exp()
    y = checkpoint(lambda t: t * h, x * 2, use_reentrant=False).sum()
    with pytest.raises(RuntimeError, match="not among its arguments"):
        pytensor.autograd.grad(y, x)


@pytest.mark.parametrize("reentrant", [True, False])
def test_only_arguments_are_kept(reentrant):
    def deep(t):
        for _ in range(50):
            t = t.sin()
        return t

    x = pytensor.ones(4, requires_grad=True)
    gc.collect()
    before = _C._live()
    y = checkpoint(deep, x, use_reentrant=reentrant)
    kept = _C._live()
    assert all(kept[k] - before[k] < 12 for k in kept), (before, kept)
    del y


def test_recording_off():
    x = pytensor.ones(2, requires_grad=True)
    with pytensor.no_grad():
        assert not checkpoint(pytensor.sin, x, use_reentrant=False).requires_grad
