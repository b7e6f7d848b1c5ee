"""Transformers beside torch's: weights from the same seed, outputs and gradients."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import pytensor
from tests.nn.twins import assert_close, assert_same_program, torch

LIBRARIES = (torch, pytensor)
RTOL, ATOL = 1e-4, 2e-5  # float32, several layers


def arrays(seed, *shapes):
    random = np.random.default_rng(seed)
    return [random.standard_normal(s).astype(np.float32) for s in shapes]


def compare(build, shapes, train=True, masks=None, grad=True):
    """`build(nn)` makes the module; `masks` are named arrays."""
    results, modules = [], []
    for library in LIBRARIES:
        library.manual_seed(2)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            module = build(library.nn).train(train)
            modules.append(module)
            inputs = [library.from_numpy(a).requires_grad_(grad) for a in arrays(0, *shapes)]
            given = {n: library.from_numpy(m.copy()) for n, m in (masks or {}).items()}
            library.manual_seed(8)
            with library.set_grad_enabled(grad):
                output = module(*inputs, **given)
        if grad:
            output.sin().sum().backward()
        results.append([output, *(t.grad for t in (*inputs, *module.parameters()) if grad)])
    ours, theirs = modules[1], modules[0]
    assert list(ours.state_dict()) == list(theirs.state_dict())
    for (name, a), b in zip(ours.named_parameters(), theirs.parameters()):
        assert np.array_equal(a.detach().numpy(), b.detach().numpy()), name
    assert_close(results[1], results[0], str(modules[1]), RTOL, ATOL)
    return results[1][0]


OPTIONS = [
    {},
    {"norm_first": True, "activation": "gelu", "batch_first": True},
    {"bias": False, "dropout": 0.0, "layer_norm_eps": 1e-3},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("train", [True, False])
def test_layers(options, train):
    compare(lambda nn: nn.TransformerEncoderLayer(8, 2, 16, **options), [(5, 3, 8)], train)
    shapes = [(5, 3, 8), (5, 3, 8)]
    compare(lambda nn: nn.TransformerDecoderLayer(8, 2, 16, **options), shapes, train)
    compare(lambda nn: nn.TransformerEncoderLayer(8, 2, 16, **options), [(5, 8)], train)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_whole(options):
    def build(nn):
        return nn.Transformer(8, 2, 2, 2, 16, **options)

    shapes = [(4, 3, 8), (4, 3, 8)]
    compare(build, shapes)
    compare(build, shapes, train=False)
    compare(build, [(4, 8), (5, 8)])
    batch = 4 if options.get("batch_first") else 3
    length = 7 - batch
    causal = np.triu(np.full((length, length), -np.inf, dtype=np.float32), 1)
    padding = np.zeros((batch, length), dtype=bool)
    padding[0, length - 1] = True
    compare(build, shapes, masks={"tgt_mask": causal})
    compare(
        build,
        shapes,
        masks={
            "src_mask": np.eye(length, dtype=bool)[::-1].copy(),
            "src_key_padding_mask": padding,
            "tgt_key_padding_mask": padding,
            "memory_key_padding_mask": padding,
            "memory_mask": np.tri(length, k=1, dtype=bool) ^ True,
        },
    )


def test_stacks_with_masks():
    def encoder(nn):
        layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
        return nn.TransformerEncoder(layer, 2, nn.LayerNorm(8))

    causal = np.triu(np.full((5, 5), -np.inf, dtype=np.float32), 1)
    padding = np.arange(5) >= np.array([[5], [3], [1]])
    compare(encoder, [(3, 5, 8)], masks={"mask": causal})
    compare(encoder, [(3, 5, 8)], masks={"mask": causal != 0, "src_key_padding_mask": padding})
    compare(encoder, [(3, 5, 8)], False, masks={"src_key_padding_mask": padding})

    def decoder(nn):
        return nn.TransformerDecoder(nn.TransformerDecoderLayer(8, 2, 16), 2, nn.LayerNorm(8))

    compare(decoder, [(5, 3, 8), (6, 3, 8)], masks={"tgt_mask": causal})


def test_results_at_padded_steps_without_gradients():
    """Zero before the last normalization, as those of torch's nested tensors."""

    def encoder(nn, **options):
        layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
        return nn.TransformerEncoder(layer, 2, **options)

    padding = np.arange(5) >= np.array([[5], [3], [1]])
    masks = {"src_key_padding_mask": padding}
    output = compare(encoder, [(3, 5, 8)], False, masks, grad=False)
    assert not output.numpy()[padding].any()
    output = compare(
        lambda nn: encoder(nn, enable_nested_tensor=False), [(3, 5, 8)], False, masks, grad=False
    )
    assert output.numpy()[padding].all()
    masks = {"src_key_padding_mask": padding[:, ::-1].copy()}  # before what it pads
    compare(encoder, [(3, 5, 8)], False, masks, grad=False)


def test_layers_of_a_stack_start_alike():
    encoder = pytensor.nn.TransformerEncoder(pytensor.nn.TransformerEncoderLayer(8, 2, 16), 3)
    first = list(encoder.layers[0].parameters())
    for layer in encoder.layers:
        for a, b in zip(first, layer.parameters()):
            assert bool((a == b).all())
    assert first[0] is not next(encoder.layers[1].parameters())


def test_text():
    assert_same_program("""
        print(nn.Transformer(4, 2, 1, 2, 8))
        print(nn.TransformerEncoderLayer(4, 2, 8, activation=nn.GELU(), bias=False))
        print(list(nn.Transformer(4, 2, 1, 1, 8).state_dict()))
        print(nn.Transformer.generate_square_subsequent_mask(3))
        print(nn.Transformer.generate_square_subsequent_mask(2, dtype=torch.float64).dtype)
    """)


@pytest.mark.parametrize(
    "build",
    [
        "nn.TransformerEncoderLayer(4, 2, 8)",
        "nn.TransformerEncoderLayer(4, 2, 8, batch_first=True, norm_first=True)",
        "nn.TransformerEncoderLayer(3, 1, 8, batch_first=True)",
        "nn.TransformerEncoderLayer(4, 2, 8, batch_first=True, activation=torch.tanh)",
        "nn.TransformerEncoderLayer(4, 2, 8, batch_first=True, bias=False)",
        "nn.TransformerEncoderLayer(4, 2, 8, batch_first=True)",
    ],
)
def test_warnings(build):
    assert_same_program(f"""
        import warnings
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            nn.TransformerEncoder({build}, 1)
        print([str(w.message) for w in seen])
    """)


FAILURES = [
    "nn.TransformerEncoderLayer(4, 2, 8, activation='x')",
    "nn.TransformerDecoderLayer(4, 2, 8, activation='x')",
    "nn.Transformer(4, 2, 1, 1, 8)(torch.zeros(3, 2, 4), torch.zeros(5, 3, 4))",
    "nn.Transformer(4, 2, 1, 1, 8)(torch.zeros(3, 2, 5), torch.zeros(5, 2, 5))",
    "nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 8), 1)(torch.zeros(2, 3))",
    "nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 8), 1)(torch.zeros(3, 2, 4),"
    " is_causal=True)",
    "nn.TransformerEncoderLayer(4, 2, 8)(torch.zeros(3, 2, 4),"
    " src_key_padding_mask=torch.zeros(2, 3).long())",
]


@pytest.mark.parametrize("program", FAILURES)
def test_failures(program):
    assert_same_program(program, fails=True)
