"""Attention beside torch's: the function over shapes and masks, and MultiheadAttention."""

from __future__ import annotations

import itertools
import warnings

import numpy as np
import pytest

import pytensor
from pytensor import _ops
from tests.nn.twins import assert_close, assert_same_program, torch

LIBRARIES = (torch, pytensor)
RTOL, ATOL = 2e-5, 3e-6  # float32 sums in another order


def arrays(seed, *shapes):
    random = np.random.default_rng(seed)
    return [random.standard_normal(s).astype(np.float32) for s in shapes]


def tensor(library, array, grad=False):
    return library.from_numpy(array.copy()).requires_grad_(grad and array.dtype != bool)


def projected(library, t):
    weight = (library.arange(t.numel(), dtype=t.dtype) + 1).cos().reshape(t.shape)
    return (t * weight).sum()


def compare(shapes, mask=None, dtype="float32", layout="heads first", **kwargs):
    """Outputs and gradients of the function for the same query, key and value."""
    results = []
    for library in LIBRARIES:
        leaves = [tensor(library, a).to(getattr(library, dtype)) for a in arrays(0, *shapes)]
        leaves = [t.requires_grad_() for t in leaves]
        q, k, v = leaves
        if layout == "heads in rows":  # as a projection leaves them
            q, k, v = (t.transpose(1, 2).contiguous().transpose(1, 2) for t in leaves)
        elif layout == "columns apart":
            q, k, v = (t.mT.contiguous().mT for t in leaves)
        given = None if mask is None else tensor(library, mask)
        library.manual_seed(3)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            output = library.nn.functional.scaled_dot_product_attention(q, k, v, given, **kwargs)
        projected(library, output.to(library.float64)).backward()
        results.append([output.double(), *(t.grad.double() for t in leaves)])
        if layout == "heads in rows" and q.shape[1] > 1:
            results[-1].append(library.tensor(output.stride()[:3]))
    rtol, atol = {"float64": (1e-10, 1e-11), "float32": (RTOL, ATOL)}.get(dtype, (3e-2, 3e-2))
    assert_close(results[1], results[0], f"{shapes} {kwargs}", rtol, atol)


def same(batch, heads, length, size, keys=None, value=None):
    keys = keys or length
    return [(batch, heads, length, size), (batch, heads, keys, size),
            (batch, heads, keys, value or size)]  # fmt: skip


SHAPES = [
    same(2, 3, 5, 4),
    same(1, 2, 33, 16, keys=70, value=40),
    same(1, 1, 300, 8),
    same(2, 2, 1, 32, keys=129),
    same(1, 5, 150, 33, keys=64),
]


@pytest.mark.parametrize("shapes", SHAPES, ids=str)
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("layout", ["heads first", "heads in rows", "columns apart"])
def test_shapes(shapes, causal, layout):
    compare(shapes, layout=layout, is_causal=causal)


@pytest.mark.parametrize("dtype", ["float64", "float16", "bfloat16"])
def test_dtypes(dtype):
    compare(same(2, 2, 9, 8), dtype=dtype)
    compare(same(1, 2, 70, 8), dtype=dtype, is_causal=True, scale=0.2)


def test_scale():
    compare(same(1, 2, 6, 4), scale=0.0)
    compare(same(1, 2, 6, 4), scale=-0.7)


MASKS = [(5, 7), (1, 1, 5, 7), (2, 1, 1, 7), (2, 3, 5, 7), (2, 1, 5, 1)]


@pytest.mark.parametrize("shape", MASKS, ids=str)
def test_masks(shape):
    random = np.random.default_rng(1)
    compare(same(2, 3, 5, 4, keys=7), random.random(shape) < 0.7)
    numbers = random.standard_normal(shape).astype(np.float32)
    compare(same(2, 3, 5, 4, keys=7), numbers)
    numbers[random.random(shape) < 0.3] = -np.inf
    compare(same(2, 3, 5, 4, keys=7), numbers)


@pytest.mark.parametrize("keys", [3, 200])
def test_rows_that_attend_to_nothing(keys):
    mask = np.random.default_rng(1).random((5, keys)) < 0.5
    mask[[1, 4]] = False
    compare(same(1, 2, 5, 4, keys=keys), mask)
    compare(same(1, 2, 5, 4, keys=keys), np.where(mask, 0, -np.inf).astype(np.float32))
    compare(same(1, 2, 5, 4, keys=keys), mask, dropout_p=0.5)


def test_mask_and_causal_together():
    compare(same(1, 2, 5, 4), np.random.default_rng(1).random((5, 5)) < 0.7, is_causal=True)


def test_gradient_of_the_mask():
    results = []
    for library in LIBRARIES:
        q, k, v, mask = (
            tensor(library, a, True) for a in arrays(0, *same(2, 2, 5, 4), (2, 1, 5, 5))
        )
        output = library.nn.functional.scaled_dot_product_attention(q, k, v, mask)
        projected(library, output).backward()
        results.append([output, q.grad, k.grad, v.grad, mask.grad])
    assert_close(results[1], results[0], "mask", RTOL, ATOL)


def test_fewer_heads_of_keys():
    for q, kv in ((6, 2), (6, 1), (4, 4)):
        shapes = [(2, q, 5, 4), (2, kv, 9, 4), (2, kv, 9, 4)]
        compare(shapes, enable_gqa=True)
        compare(shapes, enable_gqa=True, is_causal=True)
        compare(shapes, np.random.default_rng(0).random((5, 9)) < 0.6, enable_gqa=True)
        compare(shapes, enable_gqa=True, dropout_p=0.3)
    compare([(3, 4, 5, 4), (3, 2, 6, 4), (3, 4, 6, 4)], enable_gqa=True)
    compare([(4, 5, 4), (2, 6, 4), (2, 6, 4)], enable_gqa=True)


def test_dropout_draws_torch_numbers():
    compare(same(2, 3, 5, 4), dropout_p=0.5)
    compare(same(2, 3, 5, 4), dropout_p=0.5, is_causal=True)
    compare(same(2, 3, 5, 4), dropout_p=1.0)


@pytest.mark.parametrize(
    "shapes",
    [
        [(5, 4), (7, 4), (7, 3)],
        [(2, 5, 4), (2, 7, 4), (2, 7, 4)],
        [(2, 3, 5, 4), (1, 3, 7, 4), (2, 1, 7, 4)],
        [(2, 3, 5, 4), (3, 7, 4), (7, 4)],
        [(2, 1, 2, 3, 4), (1, 3, 2, 5, 4), (2, 3, 2, 5, 4)],
        [(1, 2, 0, 4), (1, 2, 5, 4), (1, 2, 5, 4)],
        [(1, 2, 3, 4), (1, 2, 0, 4), (1, 2, 0, 4)],
        [(1, 2, 3, 0), (1, 2, 5, 0), (1, 2, 5, 4)],
        [(0, 2, 3, 4), (0, 2, 5, 4), (0, 2, 5, 4)],
        [(2, 0, 3, 4), (2, 0, 5, 4), (2, 0, 5, 4)],
    ],
    ids=str,
)
def test_broadcast_and_empty(shapes):
    compare(shapes)


@pytest.mark.parametrize("causal", [False, True])
def test_gradient_of_gradient(causal):
    results = []
    for library in LIBRARIES:
        q, k, v = (
            tensor(library, a).double().requires_grad_()
            for a in arrays(0, (1, 4, 3, 2), (1, 2, 5, 2), (1, 2, 5, 2))
        )
        # torch's fused kernel has no second derivative
        with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
            output = library.nn.functional.scaled_dot_product_attention(
                q, k, v, is_causal=causal, enable_gqa=True
            )
        grads = library.autograd.grad(output.sin().sum(), [q, k, v], create_graph=True)
        sum(g.pow(2).sum() for g in grads).backward()
        results.append([q.grad, k.grad, v.grad])
    assert_close(results[1], results[0], "twice", 1e-9, 1e-12)


def test_long_sequences_of_one_head():
    """Few heads: tasks share the keys, then the rows."""
    compare(same(1, 1, 700, 8), is_causal=True)
    compare(same(1, 1, 700, 8))


def test_threads_do_not_change_results():
    before = pytensor.get_num_threads()
    seen = []
    try:
        for threads in (1, 2, 3):
            pytensor.set_num_threads(threads)
            bits = []
            for shapes in (same(1, 1, 600, 16), same(4, 8, 40, 16)):
                q, k, v = (tensor(pytensor, a, True) for a in arrays(0, *shapes))
                f = pytensor.nn.functional.scaled_dot_product_attention
                output = f(q, k, v, is_causal=True)
                output.sin().sum().backward()
                bits += [t.numpy() for t in (output.detach(), q.grad, k.grad, v.grad)]
            seen.append(bits)
    finally:
        pytensor.set_num_threads(before)
    for other in seen[1:]:
        assert all(np.array_equal(a, b) for a, b in zip(seen[0], other))


def test_large_scores():
    q, k, v = (tensor(pytensor, 100 * a) for a in arrays(0, *same(1, 1, 9, 4)))
    output = pytensor.nn.functional.scaled_dot_product_attention(q, k, v)
    assert bool(output.isfinite().all())


FAILURES = [
    "q, q[..., :2], q",
    "q, q, q[:, :, :2]",
    "q[0, 0, 0], q, q",
    "q, q.double(), q",
    "q.long(), q.long(), q.long()",
    "q, q, q, torch.zeros(3, 3, dtype=torch.float64)",
    "q, q, q, torch.zeros(3, 3, dtype=torch.int64)",
    "q, q, q, torch.zeros(4, 3)",
    "q, q, q, torch.zeros(1, 2, 1, 2, 3, 3)",
    "q, q, q, None, 1.5",
    "q, q, q, None, -0.5",
    "q, q[:, :3].repeat(1, 3, 1, 1)[:, :3], q, enable_gqa=True",
]


@pytest.mark.parametrize("arguments", FAILURES)
def test_failures(arguments):
    text = f"f({arguments})"
    for library in LIBRARIES:
        if library is torch and arguments == FAILURES[1]:
            continue  # torch reads past the end of value
        f = library.nn.functional.scaled_dot_product_attention
        with pytest.raises(RuntimeError):
            eval(text, {"f": f, "q": library.ones(1, 2, 3, 4), "torch": library})


def test_hostile_calls_of_the_kernel_are_refused():
    f, zeros = _ops.internal["_attention"], pytensor.zeros
    q = zeros(2, 4, 3, 2)
    for args in (
        (q, q[:1], q, None),
        (q, q, q[..., :2, :], None),
        (q, q[:, :3], q[:, :3], None),
        (q, q[:, :0], q[:, :0], None),
        (q, q, q, zeros(2, 4, 3, 2)),
        (q, q, q, zeros(3, 3)),
        (q, q, q, zeros(2, 4, 3, 3, dtype=pytensor.int64)),
        (q[0], q[0], q[0], None),
        (q, q.double(), q, None),
    ):
        with pytest.raises(RuntimeError):
            f(*args, False, 1.0)


# --- MultiheadAttention ---

OPTIONS = [
    {},
    {"bias": False},
    {"add_bias_kv": True, "add_zero_attn": True},
    {"kdim": 5, "vdim": 3},
    {"kdim": 5, "vdim": 3, "add_bias_kv": True, "bias": False, "batch_first": True},
    {"dropout": 0.4, "batch_first": True},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("weights", [True, False])
@pytest.mark.parametrize("kind", ["self", "other", "padding", "masks", "unbatched"])
def test_multihead(options, weights, kind):
    if kind == "self" and "kdim" in options:
        return
    results, modules = [], []
    random = np.random.default_rng(2)
    masks = {}
    if kind in ("padding", "masks"):
        masks["key_padding_mask"] = np.arange(6) >= np.array([[6], [4], [1]])
    if kind == "masks":
        masks["attn_mask"] = random.random((3 * 2, 5, 6)) < 0.2
    if kind == "unbatched":
        masks["attn_mask"] = random.standard_normal((5, 6)).astype(np.float32)
    for library in LIBRARIES:
        library.manual_seed(4)
        module = library.nn.MultiheadAttention(8, 2, **options)
        modules.append(module)
        shapes = [(5, 3, 8), (6, 3, options.get("kdim", 8)), (6, 3, options.get("vdim", 8))]
        if options.get("batch_first"):
            shapes = [(b, n, e) for n, b, e in shapes]
        if kind == "unbatched":
            shapes = [(n, e) for n, e in zip((5, 6, 6), (s[-1] for s in shapes))]
        q, k, v = (tensor(library, a, True) for a in arrays(0, *shapes))
        if kind == "self":
            k = v = q
        given = {name: tensor(library, mask) for name, mask in masks.items()}
        library.manual_seed(6)
        output, w = module(q, k, v, need_weights=weights, **given)
        averaged = [] if w is None else [w, module(q, k, v, average_attn_weights=False)[1]]
        (projected(library, output) + (projected(library, w) if weights else 0)).backward()
        grads = [t.grad for t in (q, k, v, *module.parameters())]
        library.manual_seed(6)
        results.append([output, averaged, grads, module.eval()(q, k, v, **given)])
    ours, theirs = modules[1], modules[0]
    assert list(ours.state_dict()) == list(theirs.state_dict())
    for a, b in zip(ours.parameters(), theirs.parameters()):
        assert np.array_equal(a.detach().numpy(), b.detach().numpy())
    assert_close(results[1], results[0], str(options), RTOL, ATOL)


def test_multihead_causal_hint():
    results = []
    for library, weights in itertools.product(LIBRARIES, (True, False)):
        library.manual_seed(4)
        module = library.nn.MultiheadAttention(8, 2)
        x = tensor(library, arrays(0, (5, 3, 8))[0])
        mask = library.nn.Transformer.generate_square_subsequent_mask(5)
        results.append(
            module(x, x, x, attn_mask=mask, is_causal=True, need_weights=weights)[0].detach()
        )
    for other in results[1:]:
        np.testing.assert_allclose(other.numpy(), results[0].numpy(), rtol=RTOL, atol=ATOL)


MULTIHEAD_FAILURES = [
    "nn.MultiheadAttention(5, 2)",
    "nn.MultiheadAttention(0, 2)",
    "m(x, x[:, 0], x)",
    "m(x[:, 0], x, x)",
    "m(x[0, 0], x, x)",
    "m(x, x, x[:2])",
    "m(torch.zeros(3, 2, 5), x, x)",
    "m(x, x, x, is_causal=True)",
    "m(x, x, x, attn_mask=torch.ones(2, 3).bool())",
    "m(x, x, x, attn_mask=torch.ones(2, 3, 3).bool())",
    "m(x, x, x, attn_mask=torch.ones(3).bool())",
    "m(x, x, x, attn_mask=torch.ones(3, 3).long())",
    "m(x, x, x, key_padding_mask=torch.zeros(3, 2).bool())",
    "m(x, x, x, key_padding_mask=torch.zeros(2, 3).long())",
    "m(x[:, 0], x[:, 0], x[:, 0], key_padding_mask=torch.zeros(2, 3).bool())",
    "m(x[:, 0], x[:, 0], x[:, 0], attn_mask=torch.zeros(5, 3, 3))",
    "nn.MultiheadAttention(4, 2, kdim=3)(x, x, x)",
]


@pytest.mark.parametrize("program", MULTIHEAD_FAILURES)
def test_multihead_failures(program):
    head = "m = nn.MultiheadAttention(4, 2)\nx = torch.zeros(3, 2, 4)\n"
    assert_same_program(head + program, fails=True)


def test_multihead_text():
    assert_same_program("""
        print(nn.MultiheadAttention(4, 2, bias=False))
        print(list(nn.MultiheadAttention(4, 2, kdim=3, add_bias_kv=True).state_dict()))
        m = nn.MultiheadAttention(4, 2)
        x, mask = torch.zeros(3, 5, 4), torch.ones(5, 5)
        print(m.merge_masks(None, None, x), m.merge_masks(mask, None, x)[0].shape)
        print(m.merge_masks(None, torch.zeros(3, 5), x), m.merge_masks(mask, torch.ones(3, 5), x))
    """)
