"""nn.utils.summary: shapes, parameters and multiply-adds of layers."""

from __future__ import annotations

import doctest

import pytest

import pytensor as torch
from pytensor.nn.utils import model_summary, summary

nn = torch.nn


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(4, 8)
        self.second = nn.Linear(8, 4, bias=False)
        self.second.weight.requires_grad_(False)

    def forward(self, x, scale=1.0):
        return self.second(self.first(x).relu()) * scale


def test_layers():
    model = nn.Sequential(Block(), nn.Dropout(), nn.Linear(4, 2))
    model[1].eval()
    state = torch.get_rng_state()
    result = summary(model, (5, 4))
    assert [(r.name, r.kind, r.depth, r.output_shape) for r in result.layers] == [
        ("", "Sequential", 0, (5, 2)),
        ("0", "Block", 1, (5, 4)),
        ("first", "Linear", 2, (5, 8)),
        ("second", "Linear", 2, (5, 4)),
        ("1", "Dropout", 1, (5, 4)),
        ("2", "Linear", 1, (5, 2)),
    ]
    assert [r.num_params for r in result.layers] == [0, 0, 40, 32, 0, 10]
    assert [r.mult_adds for r in result.layers] == [0, 0, 160, 160, 0, 40]
    assert [r.is_leaf for r in result.layers] == [False, False, True, True, True, True]
    assert result.layers[1].input_shape == (5, 4)
    assert (result.total_params, result.trainable_params) == (82, 50)
    assert result.non_trainable_params == 32
    assert result.total_mult_adds == 360
    assert result.param_bytes == 82 * 4
    assert result.input_bytes == 80
    assert result.output_bytes == 4 * (40 + 20 + 20 + 10)
    assert result.total_bytes == result.param_bytes + result.input_bytes + result.output_bytes
    # nothing of the model has changed
    assert (torch.get_rng_state() == state).all()
    assert [m.training for m in model.modules()] == [True, True, True, True, False, True]
    assert not model._forward_hooks
    assert not model[0].first._forward_pre_hooks


def test_table():
    model = nn.Sequential(Block(), nn.ReLU())
    text = str(summary(model, (5, 4)))
    assert text.splitlines()[1:8] == [
        "Layer                  Output shape  Parameters  Mult-adds",
        "==========================================================",
        "Sequential             [5, 4]                --         --",
        "├─ 0 (Block)           [5, 4]                --         --",
        "│  ├─ first (Linear)   [5, 8]                40        160",
        "│  └─ second (Linear)  [5, 4]                32        160",
        "└─ 1 (ReLU)            [5, 4]                --         --",
    ]
    assert "Total parameters: 72" in text
    assert "Mult-adds: 320" in text
    assert "first" not in str(summary(model, (5, 4), depth=1))


def test_shared_layers_count_once():
    layer = nn.Linear(3, 3)
    result = summary(nn.Sequential(layer, layer), (2, 3))
    assert [r.repeated for r in result.layers] == [False, False, True]
    assert [r.num_params for r in result.layers] == [0, 12, 0]
    assert result.total_params == 12
    assert result.total_mult_adds == 36
    assert "(repeated)" in str(result)


def test_inputs():
    class Two(nn.Module):
        def forward(self, a, b, flag=False):
            return {"sum": a + b, "flag": flag}

    result = summary(Two(), [(2, 3), (2, 3)], dtypes=[torch.float64, torch.int64])
    assert result.input_bytes == 96
    assert result.layers[0].output_bytes == 48
    tensors = (torch.ones(2), torch.ones(2))
    assert summary(Two(), input_data=tensors, flag=True).layers[0].output_shape == (2,)
    assert summary(Block(), input_data=torch.ones(1, 4), scale=2.0).layers[0].output_shape == (1, 4)
    for wrong in ({}, {"input_size": (1,), "input_data": torch.ones(1)}):
        with pytest.raises(ValueError, match="either 'input_size' or 'input_data'"):
            summary(Two(), **wrong)
    with pytest.raises(ValueError, match="1 entries for 2 inputs"):
        summary(Two(), [(1,), (1,)], dtypes=[torch.float64])


def test_a_failing_model_is_left_as_it_was():
    model = nn.Sequential(nn.Linear(3, 2), nn.Linear(3, 2))
    with pytest.raises(RuntimeError):
        summary(model, (1, 3))
    assert all(m.training and not m._forward_hooks for m in model.modules())


LAYERS = [
    ("Conv2d", (3, 8, 3), {"padding": 1}, (2, 3, 5, 7), 2 * 35 * 8 * 3 * 9),
    ("Conv2d", (4, 8, 3), {"groups": 2, "stride": 2}, (2, 4, 5, 7), 2 * 6 * 8 * 2 * 9),
    ("Conv1d", (3, 8, 3), {}, (2, 3, 7), 2 * 5 * 8 * 9),
    ("ConvTranspose2d", (3, 8, 3), {}, (2, 3, 5, 7), 2 * 35 * 3 * 8 * 9),
    ("Linear", (3, 4), {}, (2, 5, 3), 10 * 12),
    ("LSTM", (3, 4), {}, (5, 2, 3), 10 * 16 * (3 + 4)),
    ("GRU", (3, 4), {"num_layers": 2}, (5, 2, 3), 10 * 12 * (3 + 4 + 4 + 4)),
    ("GRUCell", (3, 4), {}, (2, 3), 2 * 12 * (3 + 4)),
    ("Embedding", (9, 4), {}, (2, 3), 0),
    ("BatchNorm2d", (3,), {}, (2, 3, 5, 5), 0),
]


@pytest.mark.parametrize(("kind", "arguments", "options", "shape", "expected"), LAYERS)
def test_multiply_adds(kind, arguments, options, shape, expected):
    if not hasattr(nn, kind):
        pytest.skip(f"there is no {kind}")
    layer = getattr(nn, kind)(*arguments, **options)
    dtype = torch.int64 if kind == "Embedding" else None
    result = summary(layer, shape, dtypes=dtype)
    assert result.total_mult_adds == expected
    assert result.total_params == sum(p.numel() for p in layer.parameters())


def test_attention():
    if not hasattr(nn, "MultiheadAttention"):
        pytest.skip("there is no MultiheadAttention")
    layer = nn.MultiheadAttention(8, 2, batch_first=True)
    result = summary(layer, [(3, 5, 8), (3, 7, 8), (3, 7, 8)])
    projections = (15 + 21 + 21 + 15) * 64
    assert result.total_mult_adds == projections + 2 * 3 * 5 * 7 * 8


def test_example():
    assert doctest.testmod(model_summary, extraglobs={"pytensor": torch}).failed == 0
