"""Embeddings, bags and one_hot beside torch's."""

from __future__ import annotations

import pytest

import pytensor
from tests.nn.side_by_side import compare, compare_failure, gradients, seeded, torch
from tests.python.torch_pair import assert_same, to_pytensor

F, TF = pytensor.nn.functional, torch.nn.functional
TABLE = seeded(7, 5)
INDICES = torch.tensor([[1, 2, 6, 1], [0, 0, 0, 3]])


@pytest.mark.parametrize(
    "options",
    [{}, {"padding_idx": 1}, {"padding_idx": -7}, {"scale_grad_by_freq": True},
     {"scale_grad_by_freq": True, "padding_idx": 0}],
)  # fmt: skip
@pytest.mark.parametrize("dtype", [torch.int64, torch.int32])
def test_embedding(options, dtype):
    for indices in (INDICES, INDICES[0, 0], INDICES[:, :0], INDICES.t()):
        compare(F.embedding, TF.embedding, indices.to(dtype), TABLE, track=(1,), **options)


@pytest.mark.parametrize("norm_type", [2.0, 1.0, float("inf")])
def test_max_norm(norm_type):
    """The rows that are named are shortened in place, the others left alone."""
    theirs, ours = TABLE.clone(), to_pytensor(TABLE)
    options = {"max_norm": 0.8, "norm_type": norm_type}
    want = TF.embedding(INDICES[0], theirs, **options)
    assert_same(F.embedding(to_pytensor(INDICES[0]), ours, **options), want)
    assert_same(ours, theirs)
    want = TF.embedding_bag(INDICES[1:], theirs, **options)
    assert_same(F.embedding_bag(to_pytensor(INDICES[1:]), ours, **options), want)
    assert_same(ours, theirs)


@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
@pytest.mark.parametrize("padding_idx", [None, 1, -7])
@pytest.mark.parametrize("offsets", [(0, 3), (0, 0, 4, 8), (0, 2, 2)])
def test_embedding_bag(mode, padding_idx, offsets):
    options = {"mode": mode, "padding_idx": padding_idx}
    flat, offsets = INDICES.reshape(-1), torch.tensor(offsets)
    compare(F.embedding_bag, TF.embedding_bag, flat, TABLE, offsets, track=(1,), **options)
    compare(F.embedding_bag, TF.embedding_bag, INDICES, TABLE, track=(1,), **options)
    if offsets[-1] == len(flat):
        compare(
            F.embedding_bag, TF.embedding_bag, flat, TABLE, offsets, track=(1,),
            include_last_offset=True, **options,
        )  # fmt: skip


def test_bags_scaled_by_frequency():
    """A row's gradient is divided by how often it is named (torch looks up other counts here)."""
    table = to_pytensor(TABLE).requires_grad_()
    flat, offsets = to_pytensor(INDICES.reshape(-1)), pytensor.tensor([0, 3])
    counts = pytensor.bincount(flat, minlength=7).clamp(min=1)[:, None]
    for mode in ("sum", "mean"):
        plain = F.embedding_bag(flat, table, offsets, mode=mode)
        scaled = F.embedding_bag(flat, table, offsets, mode=mode, scale_grad_by_freq=True)
        (want,), (got,) = (gradients(pytensor, t, [table]) for t in (plain, scaled))
        assert pytensor.allclose(got, want / counts)


@pytest.mark.parametrize("padding_idx", [None, 1])
def test_weights_of_samples(padding_idx):
    weights = seeded(2, 4)
    compare(
        F.embedding_bag, TF.embedding_bag, INDICES, TABLE, track=(1, "per_sample_weights"),
        mode="sum", per_sample_weights=weights, padding_idx=padding_idx,
    )  # fmt: skip
    compare(
        F.embedding_bag, TF.embedding_bag, INDICES.reshape(-1), TABLE, torch.tensor([0, 5]),
        track=(1, "per_sample_weights"), mode="sum", per_sample_weights=weights.reshape(-1),
    )  # fmt: skip


def test_second_gradients():
    """What reaches the table through its gradient agrees with finite differences."""
    table = pytensor.randn(4, 3, dtype=pytensor.float64, requires_grad=True)
    weights = pytensor.rand(5, dtype=pytensor.float64, requires_grad=True)
    indices, offsets = pytensor.tensor([0, 3, 3, 1, 2]), pytensor.tensor([0, 2])

    def bag(table, weights):
        return F.embedding_bag(
            indices, table, offsets, mode="sum", per_sample_weights=weights
        ).tanh()

    assert pytensor.autograd.gradgradcheck(bag, (table, weights))
    assert pytensor.autograd.gradgradcheck(lambda t: F.embedding(indices, t).tanh(), (table,))


FAILURES = [
    (F.embedding, TF.embedding, (torch.tensor([7]), TABLE), {}),
    (F.embedding, TF.embedding, (torch.tensor([-1]), TABLE), {}),
    (F.embedding, TF.embedding, (torch.tensor([1.0]), TABLE), {}),
    (F.embedding, TF.embedding, (torch.tensor([1]).byte(), TABLE), {}),
    (F.embedding, TF.embedding, (torch.tensor([1]), TABLE), {"padding_idx": 7}),
    (F.embedding, TF.embedding, (torch.tensor([1]), TABLE[0]), {}),
    (F.embedding_bag, TF.embedding_bag, (torch.tensor([1, 2]), TABLE), {}),
    (F.embedding_bag, TF.embedding_bag, (torch.tensor([1, 2]), TABLE, torch.tensor([1])), {}),
    (F.embedding_bag, TF.embedding_bag, (torch.tensor([1, 2]), TABLE, torch.tensor([0, 3])), {}),
    (F.embedding_bag, TF.embedding_bag, (torch.tensor([1, 9]), TABLE, torch.tensor([0])), {}),
    (F.embedding_bag, TF.embedding_bag, (torch.tensor([[1]]), TABLE), {"mode": "foo"}),
    (F.embedding_bag, TF.embedding_bag, (torch.tensor([[[1]]]), TABLE), {}),
    (F.embedding_bag, TF.embedding_bag, (torch.tensor([[1.0]]), TABLE), {}),
    (F.embedding_bag, TF.embedding_bag, (torch.tensor([[1]]), TABLE),
     {"mode": "max", "scale_grad_by_freq": True}),
    (F.embedding_bag, TF.embedding_bag, (torch.tensor([[1]]), TABLE),
     {"per_sample_weights": torch.ones(1, 1)}),
    (F.one_hot, TF.one_hot, (torch.tensor([1.0]),), {}),
    (F.one_hot, TF.one_hot, (torch.tensor([-1]),), {}),
    (F.one_hot, TF.one_hot, (torch.tensor([3]), 2), {}),
    (F.one_hot, TF.one_hot, (torch.zeros(0).long(),), {}),
]  # fmt: skip


@pytest.mark.parametrize(("ours", "theirs", "args", "options"), FAILURES)
def test_errors(ours, theirs, args, options):
    first = len(args) > 2 and args[2][0] == 1  # torch prints its tensor type after the number
    compare_failure(ours, theirs, *args, text=not first, **options)


def test_one_hot():
    for classes in (INDICES, INDICES[0, 0]):
        compare(F.one_hot, TF.one_hot, classes)
        compare(F.one_hot, TF.one_hot, classes, 9)
    compare(F.one_hot, TF.one_hot, torch.zeros(0).long(), 3)


@pytest.mark.parametrize(
    "build",
    [
        lambda nn: nn.Embedding(5, 3),
        lambda nn: nn.Embedding(5, 3, padding_idx=-2, max_norm=1.0, norm_type=1.0),
        lambda nn: nn.Embedding(5, 3, scale_grad_by_freq=True),
        lambda nn: nn.EmbeddingBag(5, 3),
        lambda nn: nn.EmbeddingBag(5, 3, mode="sum", padding_idx=0, max_norm=1.0),
    ],
)
def test_layers(build):
    """From one seed both libraries draw the same table."""
    torch.manual_seed(3)
    pytensor.manual_seed(3)
    theirs, ours = build(torch.nn), build(pytensor.nn)
    assert repr(ours) == repr(theirs)
    assert_same(ours.weight.detach(), theirs.weight)
    indices = torch.tensor([[1, 4, 4], [0, 3, 2]])
    want, got = theirs(indices), ours(to_pytensor(indices))
    assert_same(got.detach(), want)
    assert_same(gradients(pytensor, got, [ours.weight]), gradients(torch, want, [theirs.weight]))


@pytest.mark.parametrize("name", ["Embedding", "EmbeddingBag"])
def test_from_pretrained(name):
    ours = getattr(pytensor.nn, name).from_pretrained(to_pytensor(TABLE))
    theirs = getattr(torch.nn, name).from_pretrained(TABLE)
    assert not ours.weight.requires_grad
    assert (
        getattr(pytensor.nn, name).from_pretrained(to_pytensor(TABLE), False).weight.requires_grad
    )
    assert_same(ours(to_pytensor(INDICES)), theirs(INDICES))
    with pytest.raises(AssertionError):
        getattr(pytensor.nn, name).from_pretrained(to_pytensor(TABLE[0]))


def test_threads_do_not_change_gradients():
    table = pytensor.randn(3000, 40).requires_grad_()
    indices = pytensor.randint(3000, (9000,))
    threads, found = pytensor.get_num_threads(), []
    try:
        for n in (1, 2, 3):
            pytensor.set_num_threads(n)
            found += gradients(pytensor, F.embedding(indices, table), [table])
    finally:
        pytensor.set_num_threads(threads)
    assert all(bool((g == found[0]).all()) for g in found)
