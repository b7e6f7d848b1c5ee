"""Gradients of convolutions as functions, beside torch's."""

from __future__ import annotations

import pytest

import pytensor
from tests.nn.twins import to_ours, torch

CASES = [
    ({}, 1),
    ({"stride": 2, "padding": 1}, 1),
    ({"stride": (2,), "padding": 1, "dilation": 2}, 1),
    ({"padding": 2, "groups": 2}, 2),
]


@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize("case", range(len(CASES)))
def test_gradients_of_convolutions(dims, case):
    arguments, groups = CASES[case]
    torch.manual_seed(case)
    x = torch.randn(2, 4, *(9, 7, 8)[:dims], dtype=torch.float64)
    w = torch.randn(6, 4 // groups, *(3, 2, 3)[:dims], dtype=torch.float64)
    y = getattr(torch.nn.functional, f"conv{dims}d")(x, w, **arguments)
    grad = torch.randn_like(y)
    ours_x, ours_w, ours_grad = to_ours([x, w, grad])
    for name, ours, theirs in [
        ("input", (x.shape, ours_w, ours_grad), (x.shape, w, grad)),
        ("weight", (ours_x, w.shape, ours_grad), (x, w.shape, grad)),
    ]:
        got = getattr(pytensor.nn.grad, f"conv{dims}d_{name}")(*ours, **arguments)
        want = getattr(torch.nn.grad, f"conv{dims}d_{name}")(*theirs, **arguments)
        assert tuple(got.shape) == tuple(want.shape)
        torch.testing.assert_close(torch.from_numpy(got.numpy()), want)


def test_wrong_sizes():
    g, ones = pytensor.nn.grad, pytensor.ones
    with pytest.raises(RuntimeError):
        g.conv2d_input((1, 1, 9, 9), ones(1, 1, 2, 2), ones(1, 1, 2, 2))
    with pytest.raises(RuntimeError):
        g.conv2d_input((3, 3), ones(1, 1, 2, 2), ones(1, 1, 2, 2))
    with pytest.raises(RuntimeError, match="weight"):
        g.conv2d_weight(ones(1, 1, 3, 3), (5, 1, 2, 2), ones(1, 1, 2, 2))
    with pytest.raises(RuntimeError):
        g.conv2d_weight(ones(1, 1, 3, 3), (1, 1, 1, 1), ones(1, 1, 2, 2))
    with pytest.raises(RuntimeError, match="stride"):
        g.conv2d_weight(ones(1, 1, 3, 3), (1, 1, 2, 2), ones(1, 1, 2, 2), stride=(1, 1, 1))
