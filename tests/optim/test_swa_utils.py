"""Averaged models, their rules and schedule, beside torch."""

from __future__ import annotations

import doctest

import pytest

import pytensor
from pytensor.optim import swa_utils
from tests.python.torch_pair import assert_same, to_pytensor, torch

theirs = pytest.importorskip("torch.optim.swa_utils")

RULES = [
    lambda m: {},
    lambda m: {"avg_fn": m.get_swa_avg_fn()},
    lambda m: {"avg_fn": m.get_ema_avg_fn(0.7)},
    lambda m: {"multi_avg_fn": m.get_ema_multi_avg_fn(0.7)},
    lambda m: {"multi_avg_fn": m.get_swa_multi_avg_fn()},
    lambda m: {"avg_fn": m.get_swa_avg_fn(), "use_buffers": True},
    lambda m: {"multi_avg_fn": m.get_ema_multi_avg_fn(), "use_buffers": True},
]


def pair():
    """The same small model with batch normalization twice."""
    torch.manual_seed(2)
    other = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))
    mine = pytensor.nn.Sequential(pytensor.nn.Linear(3, 2), pytensor.nn.BatchNorm1d(2))
    mine.load_state_dict({k: to_pytensor(v) for k, v in other.state_dict().items()})
    return mine, other


def assert_same_state(mine, other):
    state = mine.state_dict()
    assert list(state) == list(other.state_dict())
    for name, value in other.state_dict().items():
        assert_same(state[name], value)


@pytest.mark.parametrize("rule", RULES)
def test_averages(rule):
    mine, other = pair()
    average, expected = (
        m.AveragedModel(model, **rule(m)) for m, model in ((swa_utils, mine), (theirs, other))
    )
    for _ in range(4):
        x = torch.randn(5, 3)
        mine(to_pytensor(x)), other(x)
        change = torch.randn(2, 3)
        with torch.no_grad(), pytensor.no_grad():
            other[0].weight += change
            mine[0].weight += to_pytensor(change)
        average.update_parameters(mine)
        expected.update_parameters(other)
        assert_same_state(average, expected)
    x = torch.randn(5, 3)
    assert_same(average(to_pytensor(x)).detach(), expected(x).detach(), 1e-5, 1e-5)
    assert average.module[0].weight.requires_grad
    assert mine[0].weight is not average.module[0].weight


@pytest.mark.parametrize("as_pairs", [False, True])
def test_update_bn(as_pairs):
    mine, other = pair()
    mine.eval(), other.eval()
    batches = [torch.randn(4, 3) for _ in range(3)]
    mine[1].momentum = other[1].momentum = 0.3
    pairs = [(b, 0) for b in batches] if as_pairs else batches
    theirs.update_bn(pairs, other)
    swa_utils.update_bn(to_pytensor(pairs), mine)
    assert_same_state(mine, other)
    assert mine[1].momentum == 0.3
    assert not mine.training
    swa_utils.update_bn([], pytensor.nn.Linear(1, 1))  # nothing to do


SCHEDULES = [
    (0.05, {}),
    (0.05, {"anneal_epochs": 3}),
    (0.05, {"anneal_epochs": 4, "anneal_strategy": "linear"}),
    (0.05, {"anneal_epochs": 0}),
    ([0.05, 0.4], {"anneal_epochs": 3}),
]


@pytest.mark.parametrize(("rate", "options"), SCHEDULES)
def test_schedule(rate, options):
    def rates(library, module):
        groups = [{"params": [library.ones(1, requires_grad=True)], "lr": lr} for lr in (0.1, 0.2)]
        optimizer = library.optim.SGD(groups, lr=0.1)
        other = library.optim.lr_scheduler.ExponentialLR(optimizer, 0.9)
        schedule = module.SWALR(optimizer, rate, **options)
        seen = []
        for step in range(8):
            optimizer.step()
            if step % 3 == 1:
                other.step()  # which the schedule has to follow
            schedule.step()
            seen += schedule.get_last_lr()
        return seen, set(schedule.state_dict())

    got, keys = rates(pytensor, swa_utils)
    want, expected = rates(torch, theirs)
    assert got == pytest.approx(want, rel=1e-12)
    assert keys == expected


REFUSED = [
    lambda m, o, n: m.SWALR(o, 0.1, anneal_strategy="x"),
    lambda m, o, n: m.SWALR(o, 0.1, anneal_epochs=-1),
    lambda m, o, n: m.SWALR(o, 0.1, anneal_epochs=1.5),
    lambda m, o, n: m.SWALR(o, [0.1, 0.2]),
    lambda m, o, n: m.get_ema_avg_fn(2.0),
    lambda m, o, n: m.get_ema_multi_avg_fn(-1.0),
    lambda m, o, n: m.AveragedModel(n, avg_fn=1, multi_avg_fn=2),
]


@pytest.mark.parametrize("index", range(len(REFUSED)))
def test_refused(index):
    def attempt(library, module):
        optimizer = library.optim.SGD([library.ones(1, requires_grad=True)], lr=0.1)
        REFUSED[index](module, optimizer, library.nn.Linear(1, 1))

    with pytest.raises(Exception) as want:
        attempt(torch, theirs)
    with pytest.raises(want.type) as got:
        attempt(pytensor, swa_utils)
    assert str(got.value) == str(want.value)


def test_examples():
    assert doctest.testmod(swa_utils, extraglobs={"pytensor": pytensor}).failed == 0
