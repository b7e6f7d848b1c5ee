"""x[key], x[key] = value and the index ops against torch: values, gradients of both orders, errors.

Expressions are evaluated with either library under the name torch; what they give must agree.
"""

from __future__ import annotations

import random

import pytest

import pytensor

torch = pytest.importorskip("torch")
np = pytest.importorskip("numpy")
# torch deprecates keys that it still accepts.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def same(got, want) -> bool:
    """Equal structure and values to 1e-9; a missing gradient counts as zeros."""
    if got is None and want is not None and not isinstance(want, str):
        return _is_zero(want)
    if isinstance(want, (list, tuple)):
        return (
            isinstance(got, (list, tuple))
            and len(got) == len(want)
            and all(same(g, w) for g, w in zip(got, want))
        )
    if isinstance(want, float):
        return isinstance(got, float) and (abs(got - want) <= 1e-9 * (1 + abs(want)))
    return got == want


def _is_zero(value) -> bool:
    return all(map(_is_zero, value)) if isinstance(value, (list, tuple)) else value == 0


def result_of(module, expression, **names):
    """Shape and values of an expression, or class and message of its exception."""
    x = module.arange(24.0, dtype=module.float64).reshape(2, 3, 4)
    scope = {"torch": module, "np": np, "x": x, "m": x[0], "v": module.zeros(3), **names}
    try:
        value = eval(expression, scope)
    except Exception as e:
        return type(e).__name__, str(e)
    if isinstance(value, tuple):
        return [(tuple(t.shape), t.tolist()) for t in value]
    return str(value.dtype), tuple(value.shape), value.tolist()


def after(module, statement):
    """What a statement leaves in v, or class and message of its exception."""
    scope = {"torch": module, "np": np, "v": module.zeros(3), "w": module.ones(2, 3)}
    try:
        exec(statement, scope)
    except Exception as e:
        return type(e).__name__, str(e)
    return scope["v"].tolist(), scope["w"].tolist()


KEYS = """
0 | -1 | 1, 2 | 0, -1, 1 | ... | ..., 0 | 0, ..., 1 | None | None, 0 | :, None, 1 | ..., None | ()
1: | :1 | ::2 | -5:100 | 1:1 | 2:1 | :, 1:3 | 0, :, ::3 | 10**30: | :-(10**30)
True | False | :, True | True, [0, 1] | None, [0, 1] | torch.tensor(True) | torch.tensor(False)
[0] | [0, 1, -1] | [] | [[0, 1], [1, 2]] | [[0, 1]] | [slice(0, 1)] | [torch.tensor([0])]
[0, 1], [1, 2] | [0, 1], 0 | 0, [0, 1] | 0, :, [0, 1] | [0, 1], :, 0 | [0, 1], :, [0, 1]
:, [0, 1], [0, 1] | [[0], [1]], [[0, 2]] | ..., [0, 1] | (0, (0, 1)) | [1.5] | [True, False]
torch.tensor(1) | torch.tensor([1, 0]) | torch.tensor([1, 0], dtype=torch.int32) | range(2)
torch.tensor([1, 0], dtype=torch.uint8) | torch.tensor(1, dtype=torch.uint8)
np.array([0, 1]) | np.array([True, False]) | np.int64(1) | np.array(1) | np.array([0, 1]), 1
torch.tensor(0):torch.tensor(1) | np.int32(0):np.int64(2) | x[..., 0] > 5 | x > 5 | 0, x[0] > 5
torch.ones(2, 3, dtype=torch.bool), 1:2 | torch.ones(2, 3, dtype=torch.bool), 0
:, torch.tensor([True, False, True]) | :, x[0] > 5 | torch.empty(0, dtype=torch.long)
""".replace("\n", "|").split("|")


@pytest.mark.parametrize("key", [k.strip() for k in KEYS if k.strip()])
def test_get(key):
    expression = f"x[{key}]"
    assert same(result_of(pytensor, expression), result_of(torch, expression))


GET_ERRORS = [
    "x[5]", "x[-3]", "x[0, 5]", "x[0, 0, 0, 0]", "x[[5]]", "x[0, [5]]", "x[[-3]]", "x[1.5]",
    "x['a']", "x[0, 'a']", "x[{}]", "x[object()]", "x[np.float64(1)]", "x[::-1]", "x[::0]",
    "x['a':]", "x[1.0:]", "x[10**30]", "x[torch.tensor([1.0])]", "x[torch.tensor(1.0)]",
    "x[torch.tensor([1, 0], dtype=torch.int16)]", "x[[0, 1], [0, 1, 2]]",
    "x[torch.ones(4, dtype=torch.bool)]", "x[:, torch.ones(4, dtype=torch.bool)]",
    "x[0, torch.zeros(3, 5, dtype=torch.bool)]", "x[:, [0, 1], :, [0, 1]]",
    "x[[True, False, True]]",
    "torch.tensor(1.0)[0]", "torch.tensor(1.0)[0:1]", "torch.tensor(1.0)[[0]]",
    "torch.tensor(1.0)[torch.tensor(0)]", "torch.zeros(0, 3)[[0]]", "torch.zeros(3, 0)[:, [5]]",
    "x.gather(0, torch.tensor([[0]]))", "m.gather(0, torch.tensor([[5]]))",
    "m.gather(2, torch.tensor([[0]]))", "m.gather(0, torch.zeros(1, 9, dtype=torch.long))",
    "m.gather(0, torch.tensor([[-1]]))", "m.gather(0, torch.tensor([[0]], dtype=torch.int16))",
    "m.scatter(0, torch.tensor([[5]]), 1.0)", "m.scatter(0, torch.tensor([[0]]), m.float())",
    "m.scatter(0, torch.tensor([[0, 1]]), m[:1, :1])", "m.scatter(0, torch.tensor([0]), m)",
    "m.scatter(0, torch.tensor([[0]]), 1.0, reduce='bad')",
    "m.scatter_reduce(0, torch.tensor([[0]]), m, 'bad')",
    "m.index_select(0, torch.tensor([5]))", "m.index_select(0, torch.tensor([-1]))",
    "m.index_select(0, torch.tensor([[0]]))", "m.index_select(0, torch.tensor([0.0]))",
    "m.index_add(0, torch.tensor([5]), m[:1])", "m.index_add(0, torch.tensor([0, 1]), m[:1])",
    "m.index_add(0, torch.tensor([0]), m[:1, :2])", "m.index_add(0, torch.tensor([0.0]), m[:1])",
    "m.index_add(0, torch.tensor([0]), m[:1].float())",
    "m.index_copy(0, torch.tensor([5]), m[:1])", "m.index_copy(0, torch.tensor([0]), m[0])",
    "m.index_copy(0, torch.tensor([0]), m[:1, :2])",
    "m.index_fill(0, torch.tensor([5]), 1)", "m.index_fill(0, torch.tensor([0]), m[0])",
    "m.take(torch.tensor([13]))", "m.take(torch.tensor([0], dtype=torch.int32))",
    "m.put(torch.tensor([13]), m[0, :1])", "m.put(torch.tensor([0, 1]), m[0, :1])",
    "m.masked_fill(torch.tensor([1, 0, 1, 0]), 1.0)",
    "m.masked_fill(torch.tensor([True] * 4), torch.tensor([1.0]))",
    "m.masked_fill_(torch.ones(2, 3, 4, dtype=torch.bool), 1.0)",
    "m.masked_select(torch.tensor([1] * 4))",
    "m.masked_scatter(torch.tensor([True] * 4), m[0])",
    "torch.take_along_dim(m, torch.tensor([0]), 1)",
    "torch.take_along_dim(m, torch.tensor([-1]))",
    "m.index_put((torch.tensor([0]),), m[0, :3])",
    "m.index_put((torch.tensor([0]),), torch.tensor(1.0))",
    "m.index_put((torch.tensor([0]),) * 3, m[0, 0])",
]  # fmt: skip


@pytest.mark.parametrize("expression", GET_ERRORS)
def test_errors_of_reading(expression):
    got, want = result_of(pytensor, expression), result_of(torch, expression)
    assert len(want) == 2, "torch accepts this"
    assert got == want


STATEMENTS = """
v[0] = 1
v[-1] = 2.5
v[0] = True
v[0] = torch.tensor([[2.0]])
v[0:2] = torch.tensor([[2.0, 3.0]])
v[0:2] = torch.tensor([1, 2])
v[::2] = 1
v[...] = 3
v[None] = 3
v[()] = 3
v[True] = 3
v[False] = 3
v[torch.tensor(True)] = 5
v[[0, 1]] = torch.tensor([[1.0, 2.0]])
v[[0, 2]] = 7
v[[0, 0]] = torch.tensor([1.0, 2.0])
v[v == 0] = 4
v[v == 0] = torch.tensor(4)
v[v > 5] = 1
v[torch.tensor([True, False, True])] = torch.tensor([1.0, 2.0])
v[np.array([0, 2])] = 1
v[torch.tensor([0, 1], dtype=torch.int32)] = 9.0
w[0, 1] = 5
w[:, 1] = torch.tensor([3.0, 4.0])
w[:, [0, 2]] = torch.tensor([3.0, 4.0])
w[1, [0, 2]] = torch.tensor([3.0, 4.0])
w[w > 0] = torch.arange(6.0)
w[:, torch.tensor([True, False, True])] = -1
w[torch.tensor([True, False])] = torch.tensor([7.0, 8.0, 9.0])
w[..., 0] = 2
w[[0, 1], [1, 2]] = torch.tensor([1.5, 2.5])
w.t()[[0, 2]] = 8
w[0] += 2
w[[0, 0]] += 2
v[5] = 1
v[[5]] = 1
v[0, 0] = 1
v[::-1] = 1
v[1.5] = 2
v['a'] = 3
v[0] = [1, 2]
v[0] = None
v[0] = 'a'
v[0] = np.array(2.0)
v[0] = torch.tensor([1.0, 2.0, 3.0])
v[0:2] = torch.tensor([1.0, 2.0, 3.0])
v[[0, 1]] = torch.tensor([1.0, 2.0, 3.0])
v[[0, 1]] = torch.tensor([1, 2])
v[[0, 1]] = torch.tensor(1.0, dtype=torch.float64)
v[torch.tensor([True, False, True])] = torch.tensor([1.0, 2.0, 3.0])
v[torch.ones(4, dtype=torch.bool)] = 1
""".strip().split("\n")


@pytest.mark.parametrize("statement", STATEMENTS)
def test_set(statement):
    assert same(after(pytensor, statement), after(torch, statement))


def test_basic_keys_are_views_and_others_copies():
    x = pytensor.zeros(3, 4)
    for view in (x[0], x[1:], x[..., 2], x[None], x[0, 1], x[...], x[()]):
        before = x.sum().item()
        view += 1
        assert x.sum().item() > before
    copy = x[[0, 1]]
    before = x.tolist()
    copy += 1
    assert x.tolist() == before


def test_chain_of_basic_keys_is_one_node():
    x = pytensor.zeros(3, 4, 5, requires_grad=True)
    assert x[1, 1:3, None, ..., 0].grad_fn.next_functions[0][0].name() == "AccumulateGrad"


@pytest.mark.parametrize("data", [[[1, 0, 3], [0, 5, 0]], [0, 2], 1, 0, []])
def test_nonzero_as_tuple(data):
    for expression in (
        "torch.nonzero(t, as_tuple=True)",
        "t.nonzero(as_tuple=True)",
        "t.nonzero()",
    ):
        got = result_of(pytensor, expression, t=pytensor.tensor(data))
        assert got == result_of(torch, expression, t=torch.tensor(data))
    out = pytensor.empty(0, dtype=pytensor.int64)
    assert pytensor.nonzero(pytensor.tensor([0, 2]), out=out) is out
    assert out.tolist() == [[1]]


def test_leaf_is_not_written():
    x = pytensor.zeros(3, requires_grad=True)
    with pytest.raises(RuntimeError, match="leaf Variable"):
        x[0] = 1
    with pytest.raises(TypeError, match="deleting"):
        del x[0]


def gradients(module, function, arrays, indices):
    """Value of function(tensors, indices), gradients and gradients of these."""
    tensors = [module.tensor(np.asarray(a).tolist(), dtype=module.float64) for a in arrays]
    tensors = [t.reshape(np.shape(a)).requires_grad_(True) for t, a in zip(tensors, arrays)]
    index = [module.tensor(np.asarray(i).tolist()).reshape(np.shape(i)) for i in indices]
    y = function(module, tensors, index)
    out = [tuple(y.shape), y.tolist()]
    first = module.autograd.grad((y**3).sum(), tensors, create_graph=True, allow_unused=True)
    total = sum((g * g).sum() for g in first if g is not None)
    second = module.autograd.grad(total, tensors, allow_unused=True)
    return out + [[None if g is None else g.tolist() for g in gs] for gs in (first, second)]


rng = np.random.RandomState(0)
MASK = rng.rand(3, 4) < 0.5
AT = [[0, 2, 1, 1], [2, 0, 0, 1]]
OPS = {
    "select chain": (lambda T, t, i: t[0][1, ..., 1:3, None], [(3, 2, 4)], []),
    "of expanded": (lambda T, t, i: t[0].expand(3, 4)[1:, 1], [(4,)], []),
    "index": (lambda T, t, i: t[0][i[0]], [(3, 4)], [[0, 2, 0]]),
    "index pairs": (lambda T, t, i: t[0][i[0], :, i[0]], [(3, 2, 4)], [[0, 2, 0]]),
    "mask": (lambda T, t, i: t[0][i[0]], [(3, 4)], [MASK]),
    "gather": (lambda T, t, i: t[0].gather(0, i[0]), [(3, 4)], [AT]),
    "gather strided": (lambda T, t, i: t[0].t().gather(1, i[0]), [(4, 3)], [AT]),
    "gather small": (lambda T, t, i: t[0].gather(1, i[0]), [(3, 4)], [[[1], [3]]]),
    "scatter": (lambda T, t, i: t[0].scatter(1, i[0], t[1]), [(3, 4), (2, 2)], [[[0, 3], [2, 1]]]),
    "scatter value": (lambda T, t, i: t[0].scatter(0, i[0], 1.5), [(3, 4)], [AT]),
    "scatter_add": (lambda T, t, i: t[0].scatter_add(0, i[0], t[1]), [(3, 4), (2, 4)], [AT]),
    "index_select": (lambda T, t, i: t[0].index_select(1, i[0]), [(3, 4)], [[3, 0, 3]]),
    "index_add": (
        lambda T, t, i: t[0].index_add(1, i[0], t[1], alpha=2),
        [(3, 4), (3, 2)],
        [[1, 1]],
    ),
    "index_copy": (lambda T, t, i: t[0].index_copy(0, i[0], t[1]), [(3, 4), (2, 4)], [[2, 0]]),
    "index_fill": (lambda T, t, i: t[0].index_fill(0, i[0], 2.0), [(3, 4)], [[2, 0]]),
    "take": (lambda T, t, i: t[0].take(i[0]), [(3, 4)], [[[0, -1], [5, 5]]]),
    "put": (lambda T, t, i: t[0].put(i[0], t[1]), [(3, 4), (2,)], [[0, 5]]),
    "put accumulate": (lambda T, t, i: t[0].put(i[0], t[1], True), [(3, 4), (2,)], [[5, 5]]),
    "masked_fill": (lambda T, t, i: t[0].masked_fill(i[0], 3.0), [(3, 4)], [MASK]),
    "masked_fill tensor": (lambda T, t, i: t[0].masked_fill(i[0], t[1]), [(3, 4), ()], [MASK]),
    "masked_select": (lambda T, t, i: t[0].masked_select(i[0]), [(4,)], [MASK]),
    "masked_scatter": (lambda T, t, i: t[0].masked_scatter(i[0], t[1]), [(3, 4), (12,)], [MASK]),
    "index_put": (lambda T, t, i: t[0].index_put((i[0],), t[1]), [(3, 4), (4,)], [[0, 2]]),
    "index_put accumulate": (
        lambda T, t, i: t[0].index_put((i[0],), t[1], accumulate=True),
        [(3, 4), (3, 1)],
        [[0, 0, 2]],
    ),
    "take_along_dim": (lambda T, t, i: T.take_along_dim(t[0], i[0], 1), [(3, 4)], [[[1, 0]]]),
    "take_along_dim_wraps": (
        lambda T, t, i: T.take_along_dim(t[0], i[0], 1),
        [(3, 4)],
        [[[-1], [7], [-9]]],
    ),
    "set view": (lambda T, t, i: assigned(t[0], (1, slice(1, 3)), t[1]), [(3, 4), (2,)], []),
    "set index": (
        lambda T, t, i: assigned(t[0], (slice(1, 3), i[0]), t[1]),
        [(3, 4), (2,)],
        [[0, 2]],
    ),
    "set mask": (lambda T, t, i: assigned(t[0], i[0], 0), [(3, 4)], [MASK]),
    "set mask tensor": (lambda T, t, i: assigned(t[0], i[0], t[1]), [(3, 4), ()], [MASK]),
}
for _reduce in ("sum", "prod", "mean", "amax", "amin"):
    for _self in (True, False):
        OPS[f"scatter_reduce {_reduce} {_self}"] = (
            lambda T, t, i, r=_reduce, s=_self: t[0].scatter_reduce(
                0, i[0], t[1], r, include_self=s
            ),
            [(3, 4), (2, 4)],
            [AT],
        )


def assigned(x, key, value):
    z = x * 1
    z[key] = value
    return z


@pytest.mark.parametrize("name", OPS)
def test_gradients(name):
    function, shapes, indices = OPS[name]
    arrays = [np.random.RandomState(i).randn(*s) for i, s in enumerate(shapes)]
    want = gradients(torch, function, arrays, indices)
    assert same(gradients(pytensor, function, arrays, indices), want)


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int8", "int16", "int32", "int64", "float16",
                                   "bfloat16", "float32", "float64"])  # fmt: skip
def test_every_dtype(dtype):
    expressions = [
        "t[[2, 0]]", "t[t > 0]", "t.gather(1, i)", "t.scatter(1, i, t)", "t.scatter_add(1, i, t)",
        "t.index_add(0, i[0, :2], t[:2])", "t.index_put((i[0],), t[0, :1], accumulate=True)",
        "t.masked_fill(t > 0, 1)", "t.masked_scatter(t > 0, t)", "t.nonzero()", "t.take(i)",
        "t.index_fill(1, i[0], 1)", "t.index_copy(0, i[1, :2], t[:2])",
        "t.scatter_reduce(1, i, t, 'amax')", "t.scatter_reduce(1, i, t, 'prod')",
    ]  # fmt: skip
    data = [[1, 0, 2, 3], [0, 1, 4, 0], [5, 0, 0, 1]]
    for expression in expressions:
        results = []
        for module in (pytensor, torch):
            t = module.tensor(data).to(getattr(module, dtype))
            i = module.tensor([[0, 3], [1, 0], [2, 2]])
            results.append(result_of(module, expression, t=t, i=i))
        got, want = results
        assert same(got[1:], want[1:]), expression


def test_repeated_indices_add_up_in_order():
    # Large enough for several threads; float32 sums depend on the order of addition.
    x = np.random.RandomState(0).randn(200_000).astype(np.float32)
    at = np.random.RandomState(1).randint(0, 7, 200_000)
    want = np.zeros(7, np.float32)
    for i in range(7):
        for part in x[at == i]:
            want[i] += part
    got = pytensor.zeros(7).index_put_((pytensor.tensor(at),), pytensor.tensor(x), accumulate=True)
    assert got.tolist() == want.tolist()
    got = pytensor.zeros(7).scatter_add_(0, pytensor.tensor(at), pytensor.tensor(x))
    assert got.tolist() == want.tolist()


@pytest.mark.parametrize("threads", [1, 2])
def test_large_against_torch(threads):
    before = pytensor.get_num_threads()
    pytensor.set_num_threads(threads)
    try:
        g = np.random.RandomState(3)
        a, i = g.randn(300, 700), g.randint(0, 300, (300, 700))
        rows = g.randint(0, 300, 500)
        for f in (
            lambda T, a, i, r: a[r],
            lambda T, a, i, r: a[:, r],
            lambda T, a, i, r: a[a > 0.5],
            lambda T, a, i, r: a.gather(0, i),
            lambda T, a, i, r: a.gather(1, i),
            lambda T, a, i, r: a.t().gather(1, i.t()),
            lambda T, a, i, r: a.scatter_add(0, i, a),
            lambda T, a, i, r: a.scatter_add(1, i, a),
            lambda T, a, i, r: a.index_add(0, r, a[r]),
            lambda T, a, i, r: a.index_add(1, r, a[:, r]),
            lambda T, a, i, r: (a > 0).nonzero(),
            lambda T, a, i, r: a.masked_scatter(a > 0, a.t().reshape(-1)),
        ):
            got = f(pytensor, *(pytensor.tensor(v) for v in (a, i, rows)))
            want = f(torch, *(torch.tensor(v) for v in (a, i, rows)))
            torch.testing.assert_close(torch.tensor(got.tolist(), dtype=want.dtype), want)
    finally:
        pytensor.set_num_threads(before)


def random_item(chance, size):
    """One item of a key for a dimension of that size, as plain data."""
    kind = chance.choice(["int", "slice", "slice", "tensor", "list", "array", "mask", "scalar"])
    if size == 0 or kind == "slice":
        bound = lambda: chance.choice([None, chance.randint(-size - 2, size + 2)])  # noqa: E731
        return "plain", slice(bound(), bound(), chance.choice([None, 1, 2, 3]))
    if kind == "int":
        return "plain", chance.randint(-size, size - 1)
    if kind == "scalar":
        return "tensor", np.array(chance.randint(-size, size - 1))
    if kind == "mask":
        return "tensor", np.array([chance.random() < 0.5 for _ in range(size)])
    shape = chance.choice([(2,), (1,), (2,), (2,)] + ([(3, 2), (2, 2)] if kind == "tensor" else []))
    values = [chance.randint(-size, size - 1) for _ in range(int(np.prod(shape)))]
    return kind, np.array(values).reshape(shape)


def random_key(chance, shape):
    items, dim = [], 0
    while dim < len(shape) and chance.random() < 0.8:
        r = chance.random()
        if r < 0.1:
            items.append(("plain", None))
        elif r < 0.15:
            items.append(("plain", chance.random() < 0.8))
        elif r < 0.22 and dim + 2 <= len(shape):
            bits = [chance.random() < 0.5 for _ in range(shape[dim] * shape[dim + 1])]
            items.append(("tensor", np.array(bits, bool).reshape(shape[dim : dim + 2])))
            dim += 2
        elif r < 0.3 and ("plain", Ellipsis) not in items:
            items.append(("plain", Ellipsis))
            dim += chance.randint(0, len(shape) - dim)
        else:
            items.append(random_item(chance, shape[dim]))
            dim += 1
    return items or [("plain", chance.choice([Ellipsis, None, True]))]


def built(module, items):
    def item(kind, value):
        if kind == "tensor":
            dtype = module.bool if value.dtype == bool else module.int64
            return module.tensor(value.tolist(), dtype=dtype).reshape(value.shape)
        return value.tolist() if kind == "list" else value

    return tuple(item(*i) for i in items)


@pytest.mark.parametrize("seed", range(300))
def test_random_keys(seed):
    chance = random.Random(seed)
    shape = [chance.choice([1, 2, 3, 4, 4, 0]) for _ in range(chance.randint(0, 4))]
    order = list(range(len(shape)))
    if chance.random() < 0.4:
        chance.shuffle(order)
    items = random_key(chance, [shape[d] for d in order])
    number, cut = chance.random() < 0.3, chance.random()

    def outcomes(module):
        out = []
        numel = int(np.prod(shape))
        x = module.arange(float(numel), dtype=module.float64).reshape(tuple(shape)).permute(order)
        x = (x + 0).requires_grad_(True)
        key = built(module, items)
        try:
            y = x[key]
            out.append((tuple(y.shape), y.tolist()))
            grad = module.autograd.grad((y * y).sum(), [x], allow_unused=True)[0]
            out.append(None if grad is None else grad.tolist())
            sizes = list(y.shape)
            sizes = sizes[1:] if cut < 0.2 else [1, *sizes] if cut < 0.4 else sizes
            value = module.ones(tuple(sizes), dtype=module.float64).requires_grad_(True)
            z = x * 2
            z[key] = 3.5 if number else value * 2
            out.append(z.tolist())
            grads = module.autograd.grad((z * z).sum(), [x, value], allow_unused=True)
            out.extend(None if g is None else g.tolist() for g in grads)
        except Exception as e:
            out.append((type(e).__name__, None if "out of bounds" in str(e) else str(e)))
        return out

    got, want = outcomes(pytensor), outcomes(torch)
    assert same(got, want), items
