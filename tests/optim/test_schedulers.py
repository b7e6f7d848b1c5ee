"""Every learning-rate scheduler beside torch's: 50 steps, states, messages."""

from __future__ import annotations

import inspect
import json
import warnings

import pytest

import pytensor
from tests.optim.twins import tensor, torch, type_library

STEPS = 50

# Text of the constructor's arguments; `s` is the library's lr_scheduler, `opt` the optimizer.
CASES = {
    "LambdaLR": [
        "lambda epoch: 0.9**epoch",
        "[lambda e: 0.9**e, lambda e: 1 / (e + 1)]",
        "lambda e: e / 10, 5",
    ],
    "MultiplicativeLR": ["lambda epoch: 0.95", "[lambda e: 0.9, lambda e: 0.8]"],
    "StepLR": ["7", "3, gamma=0.5", "5, 0.2, 11"],
    "MultiStepLR": ["[3, 20, 20, 30]", "milestones=[1, 40], gamma=0.5"],
    "ConstantLR": ["", "0.5, total_iters=7"],
    "LinearLR": ["", "0.2, 0.8, total_iters=20"],
    "ExponentialLR": ["0.9", "gamma=0.5, last_epoch=4"],
    "PolynomialLR": ["", "total_iters=20, power=2.5"],
    "CosineAnnealingLR": ["10", "30, eta_min=0.01", "13, 0.001, 6"],
    "CosineAnnealingWarmRestarts": ["7", "5, T_mult=2, eta_min=0.001"],
    "CyclicLR": [
        "0.01, 0.1, step_size_up=5",
        "0.01, 0.1, 4, 9, mode='triangular2', cycle_momentum=False",
        "[0.01, 0.02], [0.1, 0.3], 6, mode='exp_range', gamma=0.97",
        "0.01, 0.1, 3, scale_fn=lambda x: 1 / x, scale_mode='cycle'",
    ],
    "OneCycleLR": [
        "0.5, total_steps=50",
        "[0.5, 0.2], epochs=10, steps_per_epoch=6, pct_start=0.2, anneal_strategy='linear'",
        "max_lr=1.0, total_steps=60, three_phase=True, cycle_momentum=False",
    ],
    "SequentialLR": [
        "[s.ConstantLR(opt, 0.1, 5), s.ExponentialLR(opt, 0.9), s.StepLR(opt, 3)], [5, 20]",
    ],
    "ChainedScheduler": ["[s.LinearLR(opt, 0.1, total_iters=9), s.ExponentialLR(opt, 0.95)]"],
    "ReduceLROnPlateau": [
        "",
        "mode='max', factor=0.5, patience=2, cooldown=3, threshold=0.1",
        "patience=1, threshold_mode='abs', min_lr=[0.001, 0.0], eps=1e-4",
    ],
}
TABLE = [(name, text) for name, texts in CASES.items() for text in texts]
METRICS = [1.0, 0.9, 0.9, 0.95, 0.8, 0.8, 0.8, 0.79, 0.85, 0.85] * 5


def build(library, name, text):
    """An SGD optimizer with two groups, and the scheduler."""
    params = [tensor(library, [1.0, 2.0]).requires_grad_() for _ in range(2)]
    opt = library.optim.SGD(
        [{"params": [params[0]]}, {"params": [params[1]], "lr": 0.3}], lr=0.2, momentum=0.9
    )
    if "last_epoch" in text or text.endswith((", 5", ", 11", ", 6")):
        for group in opt.param_groups:
            group["initial_lr"] = group["lr"]
    s = library.optim.lr_scheduler
    if name == "ChainedScheduler":
        call = f"s.ChainedScheduler({text})"
    else:
        call = f"s.{name}(opt{', ' if text else ''}{text})"
    return opt, eval(call, {"s": s, "opt": opt})


def rates(opt):
    return [g[key] for g in opt.param_groups for key in ("lr", "momentum")]


def advance(opt, scheduler, i):
    opt.step()
    if "Plateau" in type(scheduler).__name__:
        scheduler.step(METRICS[i])
    else:
        scheduler.step()


def plain(state):
    """A state dict as text; functions and optimizers in it have no value to compare."""
    return json.dumps(state, default=lambda v: type(v).__name__, sort_keys=True)


@pytest.mark.parametrize(("name", "text"), TABLE)
def test_fifty_steps(name, text):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        opt, ours = build(pytensor, name, text)
        their_opt, theirs = build(torch, name, text)
        for i in range(STEPS):
            assert rates(opt) == pytest.approx(rates(their_opt), rel=1e-12), i
            assert list(ours.get_last_lr()) == pytest.approx(list(theirs.get_last_lr()), rel=1e-12)
            advance(opt, ours, i)
            advance(their_opt, theirs, i)
    assert type(ours).__name__ == type(theirs).__name__
    assert set(ours.state_dict()) == set(theirs.state_dict())


@pytest.mark.parametrize(("name", "text"), TABLE)
def test_state_dict_continues_where_it_was(name, text):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        opt, first = build(pytensor, name, text)
        for i in range(20):
            advance(opt, first, i)
        other, second = build(pytensor, name, text)
        other.load_state_dict(opt.state_dict())
        second.load_state_dict(first.state_dict())
        for i in range(20, 40):
            assert rates(other) == rates(opt)
            advance(opt, first, i)
            advance(other, second, i)
    assert plain(first.state_dict()) == plain(second.state_dict())


ERRORS = [
    "s.StepLR(3, 4)",
    "s.LambdaLR(opt, [lambda e: 1])",
    "s.ConstantLR(opt, 2.0)",
    "s.LinearLR(opt, 0.0)",
    "s.LinearLR(opt, 0.5, 3.0)",
    "s.CosineAnnealingWarmRestarts(opt, 0)",
    "s.CosineAnnealingWarmRestarts(opt, 3, T_mult=0)",
    "s.CyclicLR(opt, 0.1, 0.2, mode='x')",
    "s.CyclicLR(opt, [0.1], 0.2)",
    "s.OneCycleLR(opt, 0.1)",
    "s.OneCycleLR(opt, 0.1, total_steps=-1)",
    "s.OneCycleLR(opt, 0.1, total_steps=10, pct_start=2.0)",
    "s.OneCycleLR(opt, 0.1, total_steps=10, anneal_strategy='x')",
    "s.SequentialLR(opt, [s.StepLR(opt, 1)], [1])",
    "s.ReduceLROnPlateau(opt, mode='x')",
    "s.ReduceLROnPlateau(opt, factor=1.0)",
    "s.ReduceLROnPlateau(opt, min_lr=[0.1])",
    "s.StepLR(opt, 3, last_epoch=5)",
    "s.ChainedScheduler([])",
    "[x.step() for x in [s.OneCycleLR(opt, 0.1, total_steps=2)] for _ in range(5)]",
]


@pytest.mark.parametrize("text", ERRORS)
def test_errors(text):
    found = []
    for library in (pytensor, torch):
        opt, _ = build(library, "StepLR", "7")
        for group in opt.param_groups:
            group.pop("initial_lr", None)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with pytest.raises(Exception) as caught:
                eval(text, {"s": library.optim.lr_scheduler, "opt": opt})
        found.append((type(caught.value).__name__, str(caught.value)))
    assert found[0] == found[1]


def test_warns_when_called_before_the_optimizer():
    for library in (pytensor, torch):
        _, scheduler = build(library, "StepLR", "7")
        with pytest.warns(UserWarning, match=r"lr_scheduler.step\(\)` before `optimizer.step\(\)"):
            scheduler.step()


def test_every_scheduler_of_torch_has_a_case():
    module = torch.optim.lr_scheduler
    names = {
        n
        for n, c in vars(module).items()
        if inspect.isclass(c) and issubclass(c, module.LRScheduler) and not n.startswith("_")
    }
    assert names - {"LRScheduler"} == set(CASES)


def test_lr_as_tensor_is_changed_in_place():
    for library in (pytensor, torch):
        p = tensor(library, [1.0]).requires_grad_()
        lr = tensor(library, 0.5)
        opt = library.optim.SGD([p], lr=lr)
        scheduler = library.optim.lr_scheduler.ExponentialLR(opt, 0.5)
        opt.step()
        scheduler.step()
        assert type_library(lr) is library
        assert opt.param_groups[0]["lr"] is lr
        assert lr.item() == 0.25
