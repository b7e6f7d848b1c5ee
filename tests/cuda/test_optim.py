"""Optimizers on a device take the steps that they take on the cpu."""

from __future__ import annotations

import pytest

import pytensor as pt

pytestmark = pytest.mark.skipif(not pt.cuda.is_available(), reason="no cuda device")
SHAPES = [(), (5,), (70, 70), (3, 1, 2)] + [(2,)] * 60  # more parameters than a launch takes


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("SGD", {"lr": 0.1}),
        ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1}),
        ("Adam", {"amsgrad": True}),
        ("AdamW", {}),
        ("NAdam", {}),
        ("RAdam", {}),
        ("Adamax", {}),
        ("Adagrad", {}),
        ("Adadelta", {}),
        ("RMSprop", {"momentum": 0.5, "centered": True}),
        ("RMSprop", {"centered": True}),
        ("Rprop", {}),
        ("ASGD", {}),
    ],
)
def test_steps(name, options):
    pt.manual_seed(0)
    values = [pt.randn(s) for s in SHAPES]
    slopes = [pt.randn(s) for s in SHAPES]

    def after(device):
        params = [v.to(device).clone().requires_grad_() for v in values]
        optimizer = getattr(pt.optim, name)(params, **options)
        for step in range(3):
            for p, g in zip(params, slopes):
                p.grad = (g * (step - 0.5)).to(device)
            optimizer.step()
        return params

    for got, want in zip(after("cuda"), after("cpu")):
        assert got.is_cuda
        assert pt.allclose(got.detach().cpu(), want.detach(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("p", [1.0, 2.0, float("inf")])
def test_clipping(p):
    pt.manual_seed(0)
    slopes = [pt.randn(s) for s in SHAPES]

    def clipped(device):
        params = [pt.zeros(s, device=device, requires_grad=True) for s in SHAPES]
        for q, g in zip(params, slopes):
            q.grad = g.to(device).clone()
        norm = pt.nn.utils.clip_grad_norm_(params, 1.0, norm_type=p)
        return [norm, *(q.grad for q in params)]

    for got, want in zip(clipped("cuda"), clipped("cpu")):
        assert pt.allclose(got.cpu(), want, rtol=1e-5, atol=1e-6)
