"""Ops on tensors of every layout against numpy: random shapes, permutations, slices, expansions.

Each case draws a view of a fresh array, makes the same view in both libraries, and compares one
op. Values are small integers, so that every result is exact and compared for equality.
"""

from __future__ import annotations

import random

import pytest

import pytensor as torch

np = pytest.importorskip("numpy")

CASES_PER_OP = 40
DTYPES = ["float32", "float64", "int64", "int32", "int16", "int8", "uint8", "bool", "float16"]


class Pair:
    """The same view in numpy and in pytensor, and the memory that both look at."""

    def __init__(self, array, tensor):
        self.array, self.tensor = array, tensor

    def both(self, f):
        return Pair(f(self.array), f(self.tensor))


def fresh(rng: random.Random, shape, dtype: str) -> Pair:
    count = int(np.prod(shape))
    low = 0 if dtype in ("uint8", "bool") else -5
    values = [rng.randint(low, 1 if dtype == "bool" else 5) for _ in range(count)]
    array = np.array(values, dtype="int64").astype(dtype).reshape(shape)
    return Pair(array, torch.from_numpy(array.copy()))


def random_shape(rng: random.Random) -> list[int]:
    """Up to 6 dimensions; few elements, but now and then rows longer than a tile."""
    dims = rng.randint(0, 6)
    shape = [rng.choice([1, 2, 2, 3, 3, 4, 5, 7]) for _ in range(dims)]
    if dims and rng.random() < 0.1:
        shape[rng.randrange(dims)] = 0
    elif 0 < dims <= 3 and rng.random() < 0.4:
        shape[rng.randrange(dims)] = rng.choice([31, 32, 33, 65, 130, 1025, 2100])
    return shape


def permuted(rng: random.Random, pair: Pair) -> Pair:
    order = rng.sample(range(pair.array.ndim), pair.array.ndim)
    return Pair(pair.array.transpose(order), pair.tensor.permute(order))


def sliced(rng: random.Random, pair: Pair) -> Pair:
    """Slices with steps, integers, None and an ellipsis."""
    key: list[object] = []
    for size in pair.array.shape:
        kind = rng.random()
        if kind < 0.4:
            key.append(slice(None))
        elif kind < 0.5 and size > 0:
            key.append(rng.randrange(-size, size))
        else:
            start, stop = sorted(rng.randint(0, size) for _ in range(2))
            key.append(slice(start, max(stop, min(start + 1, size)), rng.randint(1, 3)))
    if rng.random() < 0.2 and pair.array.ndim < 6:
        key.insert(rng.randint(0, len(key)), None)
    return pair.both(lambda x: x[tuple(key)])


def expanded(rng: random.Random, pair: Pair) -> Pair:
    """Dimensions of size 1 stretched, and a new one in front."""
    shape = [rng.randint(1, 4) if n == 1 else n for n in pair.array.shape]
    if rng.random() < 0.4 and len(shape) < 6:
        shape.insert(0, rng.randint(1, 4))
    return Pair(np.broadcast_to(pair.array, shape), pair.tensor.expand(shape))


def view(rng: random.Random, dtype: str, shape=None) -> Pair:
    pair = fresh(rng, random_shape(rng) if shape is None else shape, dtype)
    for _ in range(rng.randint(0, 3)):
        pair = rng.choice([permuted, sliced, expanded])(rng, pair)
    return pair


def laid_out(rng: random.Random, shape, dtype: str) -> Pair:
    """A view of exactly `shape` in a random layout: permuted, with gaps, behind an offset."""
    return laid_out_in_memory(rng, shape, dtype)[0]


def laid_out_in_memory(rng: random.Random, shape, dtype: str) -> tuple[Pair, Pair]:
    """The same, and all of the memory that it looks into."""
    order = rng.sample(range(len(shape)), len(shape))
    steps = [rng.choice([1, 1, 2, 3]) for _ in shape]
    offsets = [rng.choice([0, 0, 1, 2]) for _ in shape]
    memory = [shape[d] * steps[d] + offsets[d] for d in order]
    whole = fresh(rng, memory, dtype)
    back = [order.index(d) for d in range(len(shape))]
    pair = Pair(whole.array.transpose(back), whole.tensor.permute(back))
    key = tuple(
        slice(offset, offset + size * step, step)
        for offset, size, step in zip(offsets, shape, steps)
    )
    return pair.both(lambda x: x[(*key, ...)]), whole


def broadcastable(rng: random.Random, shape) -> list[int]:
    """A shape that broadcasts with `shape`."""
    return [1 if rng.random() < 0.3 else n for n in shape][rng.randint(0, len(shape)) :]


def check(got, want) -> None:
    assert tuple(got.shape) == np.shape(want)
    assert str(got.dtype) == f"torch.{np.asarray(want).dtype}"
    np.testing.assert_array_equal(got.numpy(), want)


def copies(rng, dtype):
    a = view(rng, dtype)
    check(a.tensor, a.array)
    for copy in (a.tensor.clone(), a.tensor.contiguous()):
        check(copy, a.array)
    assert a.tensor.contiguous().is_contiguous()


def conversions(rng, dtype):
    a, target = view(rng, dtype), rng.choice(DTYPES)
    if target == "uint8":
        a = a.both(abs) if dtype != "bool" else a
    check(a.tensor.to(getattr(torch, target)), a.array.astype(target))


def copies_into(rng, dtype):
    """copy_ between two layouts, of other dtypes too; the memory between stays as it was."""
    shape = random_shape(rng)
    to, memory = laid_out_in_memory(rng, shape, dtype)
    other = rng.choice(["bool", dtype, dtype if dtype in ("uint8", "bool") else "int32"])
    source = laid_out(rng, broadcastable(rng, shape), other)
    to.tensor.copy_(source.tensor)
    to.array[...] = source.array
    check(memory.tensor, memory.array)


def sums_and_products(rng, dtype):
    shape = random_shape(rng)
    a = laid_out(rng, shape, dtype)
    b = laid_out(rng, broadcastable(rng, shape), dtype)
    if dtype == "bool":
        check(a.tensor | b.tensor, a.array | b.array)
        return
    check(a.tensor + b.tensor, a.array + b.array)
    check(b.tensor * a.tensor, b.array * a.array)
    other = laid_out(rng, shape, "float64")
    check(a.tensor.double() - other.tensor, a.array.astype("float64") - other.array)


def in_place(rng, dtype):
    """Into a layout; the memory between stays as it was."""
    if dtype == "bool":
        dtype = "int64"
    shape = random_shape(rng)
    a, memory = laid_out_in_memory(rng, shape, dtype)
    b = laid_out(rng, broadcastable(rng, shape), dtype)
    a.tensor.add_(b.tensor)
    a.array[...] += b.array
    check(memory.tensor, memory.array)


def selections(rng, dtype):
    shape = random_shape(rng)
    condition = laid_out(rng, broadcastable(rng, shape), "bool")
    a = laid_out(rng, shape, dtype)
    b = laid_out(rng, broadcastable(rng, shape), dtype)
    check(
        torch.where(condition.tensor, a.tensor, b.tensor),
        np.where(condition.array, a.array, b.array),
    )


def reductions(rng, dtype):
    a = view(rng, dtype)
    dims = rng.sample(range(a.array.ndim), rng.randint(1, a.array.ndim)) if a.array.ndim else []
    keep = rng.random() < 0.5
    total = "int64" if dtype.startswith(("int", "uint", "bool")) else dtype
    if dims:
        signed = [d - a.array.ndim if rng.random() < 0.5 else d for d in dims]
        want = a.array.astype("float64").sum(axis=tuple(dims), keepdims=keep).astype(total)
        check(a.tensor.sum(signed, keepdim=keep), want)
    check(a.tensor.sum(), np.asarray(a.array.astype("float64").sum()).astype(total))
    if a.array.size and dims:
        check(a.tensor.amax(dims, keepdim=keep), a.array.max(axis=tuple(dims), keepdims=keep))


def joins(rng, dtype):
    shape = random_shape(rng) or [3]
    along = rng.randrange(len(shape))
    parts = []
    for _ in range(rng.randint(1, 4)):
        shape[along] = rng.randint(0, 4)
        parts.append(laid_out(rng, shape, dtype))
    got = torch.cat([p.tensor for p in parts], along - rng.choice([0, len(shape)]))
    check(got, np.concatenate([p.array for p in parts], along))
    twins = [laid_out(rng, shape, dtype) for _ in range(3)]
    check(torch.stack([p.tensor for p in twins], along), np.stack([p.array for p in twins], along))


def reshapes(rng, dtype):
    a = view(rng, dtype)
    rest, shape = a.array.size, []
    for factor in (2, 3, 5, 2, 3):
        if rest and rest % factor == 0 and rng.random() < 0.6:
            shape.append(factor)
            rest //= factor
    shape.insert(rng.randint(0, len(shape)), rest)
    check(a.tensor.reshape(shape), a.array.reshape(shape))
    check(a.tensor.flatten(), a.array.reshape(-1))


OPS = [
    copies,
    conversions,
    copies_into,
    sums_and_products,
    in_place,
    selections,
    reductions,
    joins,
    reshapes,
]


@pytest.mark.parametrize("op", OPS, ids=lambda op: op.__name__)
def test_layouts(op) -> None:
    for case in range(CASES_PER_OP):
        rng = random.Random(f"{op.__name__} {case}")
        dtype = DTYPES[case % len(DTYPES)]
        try:
            op(rng, dtype)
        except AssertionError as e:
            raise AssertionError(f"case {case}, {dtype}") from e


@pytest.mark.parametrize(
    "too_many",
    [
        lambda x: x.unsqueeze(0),
        lambda x: x.unfold(0, 1, 1),
        lambda x: x.expand([1] * 65),
        lambda x: x.view([1] * 65),
        lambda x: x.as_strided([1] * 65, [1] * 65),
        lambda x: torch.stack([x, x]),
    ],
)
def test_views_keep_to_the_most_dimensions(too_many) -> None:
    x = torch.ones([1] * 64)
    assert (x + x).sum().item() == 2
    with pytest.raises(RuntimeError, match="at most 64 dimensions, got 65"):
        too_many(x)


@pytest.mark.parametrize(
    ("size", "stride", "offset"),
    [((4, 4), (4, 1), 0), ((3, 4), (4, 1), 1), ((2,), (1,), -1), ((2,), (-1,), 5)],
)
def test_as_strided_stays_inside_its_storage(size, stride, offset) -> None:
    x = torch.arange(12.0)
    with pytest.raises(RuntimeError):
        x.as_strided(size, stride, offset)
