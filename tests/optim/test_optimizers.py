"""Steps of every optimizer beside torch's: parameters and states after 20 steps, all options."""

from __future__ import annotations

import pytest

import pytensor
from tests.optim.twins import assert_close, parameters, set_gradients, tensor, torch, values

VARIANTS = {
    "SGD": [
        {},
        {"lr": 0.1, "momentum": 0.9},
        {"momentum": 0.9, "dampening": 0.5, "weight_decay": 0.1},
        {"momentum": 0.9, "nesterov": True, "weight_decay": 0.1},
        {"momentum": 0.9, "maximize": True, "foreach": True},
        {"lr": 0.1, "weight_decay": 0.2, "fused": True},
    ],
    "Adam": [
        {},
        {"lr": 0.1, "weight_decay": 0.1},
        {"amsgrad": True, "betas": (0.5, 0.9), "eps": 1e-3},
        {"amsgrad": True, "weight_decay": 0.1, "maximize": True},
        {"decoupled_weight_decay": True, "weight_decay": 0.1, "foreach": False},
        {"fused": True},
    ],
    "AdamW": [
        {},
        {"lr": 0.1, "weight_decay": 0.5, "amsgrad": True},
        {"betas": (0.8, 0.9), "maximize": True, "foreach": True},
    ],
    "NAdam": [
        {},
        {"lr": 0.1, "weight_decay": 0.1, "momentum_decay": 0.1},
        {"weight_decay": 0.1, "decoupled_weight_decay": True, "maximize": True},
    ],
    "RAdam": [
        {},
        {"lr": 0.1, "betas": (0.8, 0.9), "weight_decay": 0.1},
        {"weight_decay": 0.1, "decoupled_weight_decay": True, "maximize": True},
    ],
    "Adamax": [{}, {"lr": 0.1, "weight_decay": 0.1}, {"betas": (0.5, 0.9), "maximize": True}],
    "Adagrad": [
        {},
        {"lr": 0.1, "lr_decay": 0.1, "weight_decay": 0.1},
        {"initial_accumulator_value": 0.5, "eps": 1e-3, "maximize": True},
    ],
    "Adadelta": [{}, {"lr": 0.5, "rho": 0.5, "weight_decay": 0.1}, {"maximize": True, "eps": 1e-3}],
    "RMSprop": [
        {},
        {"lr": 0.1, "alpha": 0.5, "momentum": 0.9},
        {"centered": True, "weight_decay": 0.1},
        {"centered": True, "momentum": 0.9, "maximize": True},
    ],
    "Rprop": [{}, {"lr": 0.1, "etas": (0.3, 1.5), "step_sizes": (1e-3, 0.2), "maximize": True}],
    "ASGD": [
        {},
        {"lr": 0.1, "lambd": 0.1, "alpha": 0.5, "t0": 5.0, "weight_decay": 0.1},
        {"t0": 0.0, "maximize": True},
    ],
    "Adafactor": [
        {},
        {"lr": 0.1, "eps": (1e-3, 1e-2), "weight_decay": 0.1},
        {"beta2_decay": -0.5, "d": 2.0, "maximize": True},
    ],
}
TABLE = [
    pytest.param(name, kwargs, id=f"{name}-{i}")
    for name, variants in VARIANTS.items()
    for i, kwargs in enumerate(variants)
]
RTOL = {"float32": 3e-5, "float64": 1e-11, "bfloat16": 0.03, "float16": 5e-3}
ATOL = {"float32": 1e-6, "float64": 1e-12, "bfloat16": 0.03, "float16": 5e-3}


def train(library, name, kwargs, steps=20, dtype="float32", params=None):
    params = parameters(library, dtype=dtype) if params is None else params
    optimizer = getattr(library.optim, name)(params, **kwargs)
    for i in range(steps):
        set_gradients(library, params, i, dtype)
        assert optimizer.step() is None
    return params, optimizer


def dtypes(optimizer):
    return [[str(v.dtype) for v in s.values()] for s in optimizer.state.values()]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("name", "kwargs"), TABLE)
def test_twenty_steps(name, kwargs, dtype):
    got, ours = train(pytensor, name, kwargs, dtype=dtype)
    want, theirs = train(torch, name, kwargs, dtype=dtype)
    tolerance = RTOL[dtype], ATOL[dtype]
    assert_close(values(got), values(want), *tolerance, "parameters")
    assert_close(values(ours.state_dict()), values(theirs.state_dict()), *tolerance, "state")
    assert repr(ours) == repr(theirs)
    assert dtypes(ours) == dtypes(theirs)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW", "Adagrad", "RMSprop", "Adadelta"])
def test_half_precision(name, dtype):
    kwargs = {"eps": 1e-3} if name != "SGD" else {"momentum": 0.9}
    got, _ = train(pytensor, name, kwargs, 5, dtype)
    want, _ = train(torch, name, kwargs, 5, dtype)
    assert_close(values(got), values(want), RTOL[dtype], ATOL[dtype])


@pytest.mark.parametrize("name", [n for n in VARIANTS if n != "Adafactor"])
def test_one_step_is_exact_to_rounding(name):
    got, _ = train(pytensor, name, {}, 1)
    want, _ = train(torch, name, {}, 1)
    assert_close(values(got), values(want), 1e-6, 1e-8)


@pytest.mark.parametrize("name", [n for n in VARIANTS if n != "Adafactor"])
def test_any_layout(name):
    """Transposed parameters, gradients and states of other strides, and parameters with gaps."""

    def run(library):
        square, wide = parameters(library, ((3, 4), (4, 6)))
        params = [
            square.detach().t().requires_grad_(),
            wide.detach()[:, ::2].requires_grad_(),
            parameters(library, ((3, 4),))[0],
        ]
        optimizer = getattr(library.optim, name)(params)
        for i in range(3):
            for p, other in zip(params, parameters(library, ((3, 4), (3, 4), (4, 3)), seed=i)):
                p.grad = other.detach().t()
            optimizer.step()
            for state in optimizer.state.values():
                for key, value in state.items():
                    if value.dim() == 2:
                        state[key] = value.t().contiguous().t()
        return params, optimizer

    got, ours = run(pytensor)
    want, theirs = run(torch)
    assert_close(values(got), values(want), 1e-5, 1e-6)
    assert_close(values(ours.state_dict()), values(theirs.state_dict()), 1e-5, 1e-6)


@pytest.mark.parametrize("name", VARIANTS)
def test_missing_gradients(name):
    """Parameters without a gradient rest, and count their own steps."""

    def run(library):
        params = parameters(library)
        optimizer = getattr(library.optim, name)([{"params": params[:2]}, {"params": params[2:]}])
        for i in range(6):
            set_gradients(library, params, i)
            for k, p in enumerate(params):
                if (i + k) % 3 == 0:
                    p.grad = None
            optimizer.step()
        return params, optimizer

    got, ours = run(pytensor)
    want, theirs = run(torch)
    assert_close(values(got), values(want), 1e-5, 1e-6)
    assert_close(values(ours.state_dict()["state"]), values(theirs.state_dict()["state"]), 1e-5)


@pytest.mark.parametrize("name", [n for n in VARIANTS if n != "Adafactor"])
def test_threads_make_no_difference(name):
    def run(threads):
        pytensor.set_num_threads(threads)
        params = [pytensor.linspace(-1, 1, n).requires_grad_() for n in (40_000, 3, 17_001)]
        optimizer = getattr(pytensor.optim, name)(params)
        for i in range(2):
            for p in params:
                p.grad = p.detach().cos() + i
            optimizer.step()
        return params

    before = pytensor.get_num_threads()
    try:
        assert all(a.equal(b) for a, b in zip(run(1), run(3)))
    finally:
        pytensor.set_num_threads(before)


def test_groups_and_changed_options():
    def run(library):
        params = parameters(library)
        optimizer = library.optim.Adam(
            [{"params": params[0], "lr": 0.1}, {"params": params[1:], "betas": (0.5, 0.6)}],
            lr=0.01,
        )
        for i in range(5):
            set_gradients(library, params, i)
            optimizer.param_groups[0]["lr"] *= 0.5
            optimizer.param_groups[1]["weight_decay"] = 0.1 * i
            optimizer.step()
        return params

    assert_close(values(run(pytensor)), values(run(torch)), 1e-5)


@pytest.mark.parametrize("name", ["SGD", "Adam", "RMSprop", "ASGD", "LBFGS", "Rprop"])
def test_tensor_lr_and_betas(name):
    def run(library):
        params = parameters(library)
        kwargs = {"lr": library.tensor(0.125)}
        if name == "Adam":
            kwargs["betas"] = (library.tensor([0.5]), library.tensor(0.75))
        optimizer = getattr(library.optim, name)(params, **kwargs)
        for _ in range(3):

            def closure():
                optimizer.zero_grad()
                loss = sum((p * p).sum() for p in params)
                loss.backward()
                return loss

            optimizer.step(closure)
            optimizer.param_groups[0]["lr"].mul_(0.5)
        return params

    assert_close(values(run(pytensor)), values(run(torch)), 1e-5, 1e-6)


def test_muon():
    def run(library):
        params = parameters(library, ((4, 6), (6, 3)))
        optimizer = library.optim.Muon(params, lr=0.1, adjust_lr_fn="match_rms_adamw")
        for i in range(5):
            set_gradients(library, params, i)
            optimizer.step()
        return params

    assert_close(values(run(pytensor)), values(run(torch)), 0.05, 0.02)


def rosenbrock(x):
    return (1 - x[:-1]).pow(2).sum() + 100 * (x[1:] - x[:-1].pow(2)).pow(2).sum()


@pytest.mark.parametrize(
    "kwargs",
    [
        {"lr": 1e-3},
        {"lr": 0.1, "max_iter": 4, "history_size": 2},
        {"line_search_fn": "strong_wolfe"},
        {"line_search_fn": "strong_wolfe", "max_iter": 5, "max_eval": 7, "history_size": 3},
    ],
)
def test_lbfgs(kwargs):
    def run(library):
        x = tensor(library, [-1.2, 1.0, 0.8, -0.3], "float64").requires_grad_()
        unused = tensor(library, [1.0, 2.0], "float64").requires_grad_()
        optimizer = library.optim.LBFGS([x, unused], **kwargs)
        losses = []
        for _ in range(6):

            def closure():
                optimizer.zero_grad()
                loss = rosenbrock(x)
                loss.backward()
                return loss

            losses.append(optimizer.step(closure).item())
        return losses, values(x), optimizer

    losses, x, ours = run(pytensor)
    wanted, y, theirs = run(torch)
    assert_close(losses, wanted, 1e-6, 1e-12)
    assert_close(x, y, 1e-6)
    got, want = (values(o.state_dict()["state"][0]) for o in (ours, theirs))
    assert {k: got[k] for k in ("func_evals", "n_iter")} == {
        k: want[k] for k in ("func_evals", "n_iter")
    }
    assert set(got) == set(want)


def test_lbfgs_finds_the_minimum():
    x = pytensor.tensor([-1.5, 2.0], dtype=pytensor.float64, requires_grad=True)
    optimizer = pytensor.optim.LBFGS([x], max_iter=100, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        loss = rosenbrock(x)
        loss.backward()
        return loss

    optimizer.step(closure)
    assert rosenbrock(x).item() < 1e-8


RECORDED = [
    t for t in TABLE if t.values[0] != "Adafactor" and not {"fused", "foreach"} & set(t.values[1])
]


@pytest.mark.parametrize(("name", "kwargs"), RECORDED)
def test_differentiable(name, kwargs):
    """Gradients flow through steps to the first parameters; torch allows some only one step."""

    def run(library, steps):
        start = parameters(library)
        params = [p.clone() for p in start]
        optimizer = getattr(library.optim, name)(params, differentiable=True, **kwargs)
        for i in range(steps):
            for k, p in enumerate(params):
                p.grad = start[k] * (1.5 + i) + start[k] ** 2
            optimizer.step()
        sum((p * p).sum() for p in params).backward()
        return values(params), [values(s.grad) for s in start]

    try:
        steps, want = 2, run(torch, 2)
    except RuntimeError:
        steps, want = 1, run(torch, 1)
    assert_close(run(pytensor, steps), want, 1e-4, 1e-5)


def test_differentiable_learning_rate():
    def run(library):
        lr = library.tensor(0.1, requires_grad=True)
        start = parameters(library)[0]
        p = start.clone()
        optimizer = library.optim.SGD([p], lr=lr, momentum=0.9, differentiable=True)
        p.grad = start * 2
        optimizer.step()
        p.sum().backward()
        return values(lr.grad)

    assert_close(run(pytensor), run(torch), 1e-5)


def test_steps_count_as_changes_in_place():
    w = pytensor.ones(3, requires_grad=True)
    loss = (w * w).sum()
    w.grad = pytensor.ones(3)
    before = w._version
    pytensor.optim.Adam([w]).step()
    assert w._version == before + 1
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


def test_steps_are_not_recorded():
    w = pytensor.ones(3, requires_grad=True)
    w.grad = (w * 2).detach()
    pytensor.optim.AdamW([w]).step()
    assert w.is_leaf
    assert w.grad_fn is None
