"""Indexing, sorting and scans on a device against the cpu, at sizes that take several blocks.

The samples of the ops (tests/ops/test_registry.py) are small: what is cut into tiles, merged or
carried along is tested here.
"""

from __future__ import annotations

import pytest

import pytensor as pt

pytestmark = pytest.mark.skipif(not pt.cuda.is_available(), reason="no cuda device")


@pytest.fixture(autouse=True)
def _seed():
    pt.manual_seed(3)


def same(got, want):
    got = got if isinstance(got, (tuple, list)) else (got,)
    want = want if isinstance(want, (tuple, list)) else (want,)
    assert len(got) == len(want)
    for g, w in zip(got, want):
        assert g.is_cuda
        assert pt.allclose(g.cpu().double(), w.double(), rtol=1e-5, atol=1e-5, equal_nan=True)
        assert g.dtype == w.dtype
        assert g.shape == w.shape


@pytest.mark.parametrize("n", [1, 2, 33, 1023, 1024, 1025, 3000])
def test_sorts_are_stable(n):
    x = pt.randint(-40, 40, (3, n))
    same(x.cuda().sort(stable=True), x.sort(stable=True))
    same(x.cuda().sort(descending=True), x.sort(descending=True))
    same(x.t().float().cuda().sort(0), x.t().float().sort(0))


def test_nan_counts_as_the_largest():
    x = pt.randn(2, 2100)
    x[:, ::7] = float("nan")
    x[:, 3] = -0.0
    x[:, 9] = float("-inf")
    same(x.cuda().sort(), x.sort())
    same(x.cuda().sort(descending=True), x.sort(descending=True))
    same(x.cuda().nanmedian(1), x.nanmedian(1))
    same(x.cuda().median(1), x.median(1))


@pytest.mark.parametrize("k", [1, 7, 200, 600])
def test_topk_of_many_tiles(k):
    x = pt.randn(2, 9000)
    same(x.cuda().topk(k), x.topk(k))
    same(x.cuda().topk(k, largest=False).values, x.topk(k, largest=False).values)


def test_selection_by_rank():
    x = pt.randint(0, 30, (2, 2500))
    same(x.cuda().kthvalue(1200), x.kthvalue(1200))
    same(x.cuda().mode(), x.mode())


def test_unique():
    x = pt.randint(-20, 20, (2500,))
    same(
        x.cuda().unique(return_inverse=True, return_counts=True),
        x.unique(return_inverse=True, return_counts=True),
    )
    runs = x.abs() // 8
    same(
        runs.cuda().unique_consecutive(return_inverse=True, return_counts=True),
        runs.unique_consecutive(return_inverse=True, return_counts=True),
    )
    rows = pt.randint(0, 3, (70, 3))
    same(
        rows.cuda().unique(dim=0, return_inverse=True, return_counts=True),
        rows.unique(dim=0, return_inverse=True, return_counts=True),
    )


def test_searching_and_counting():
    edges, x = pt.randn(500).sort().values, pt.randn(700)
    same(pt.bucketize(x.cuda(), edges.cuda(), right=True), pt.bucketize(x, edges, right=True))
    i = pt.randint(0, 50, (3000,))
    same(i.cuda().bincount(minlength=60), i.bincount(minlength=60))
    w = pt.randn(3000)
    same(i.cuda().bincount(w.cuda()), i.bincount(w))
    same(x.cuda().histc(20, -2, 2), x.histc(20, -2, 2))
    same(pt.isin(i.cuda(), pt.tensor([3, 7, 7, 99]).cuda()), pt.isin(i, pt.tensor([3, 7, 99])))


@pytest.mark.parametrize("shape", [(5000,), (3, 700), (700, 3), (2, 300, 5)])
@pytest.mark.parametrize("op", ["cumsum", "cumprod", "cummax", "cummin", "logcumsumexp"])
def test_scans_of_pieces(shape, op):
    x = pt.rand(shape, dtype=pt.float64) + 0.5
    for dim in range(len(shape)):
        same(getattr(x.cuda(), op)(dim), getattr(x, op)(dim))


def test_masks_of_several_tiles():
    x = pt.randn(7, 500)
    mask = x > 0.3
    same(x.cuda()[mask.cuda()], x[mask])
    same(mask.cuda().nonzero(), mask.nonzero())
    source = pt.arange(3500.0)
    same(
        x.cuda().masked_scatter(mask.cuda(), source.cuda()),
        x.masked_scatter(mask, source),
    )
    same(x.cuda()[:, mask.cuda()[0]], x[:, mask[0]])
    assert pt.zeros(0, 3, device="cuda").nonzero().shape == (0, 2)


@pytest.mark.parametrize("shape", [(6000,), (2, 3000), (300, 40)])
def test_scatters_add_in_order(shape):
    x, index = pt.randn(shape), pt.randint(0, shape[0] if len(shape) == 1 else 2, shape)
    start = pt.zeros(shape)
    got = start.cuda().scatter_add(0, index.cuda(), x.cuda())
    assert pt.equal(got.cpu(), start.scatter_add(0, index, x))  # the cpu's bits
    same(
        start.cuda().scatter_reduce(0, index.cuda(), x.cuda(), "amax"),
        start.scatter_reduce(0, index, x, "amax"),
    )
    same(start.cuda().scatter(0, index.cuda(), x.cuda()), start.scatter(0, index, x))


def test_accumulating_indices():
    x, i = pt.randn(3000, 4), pt.randint(-9, 9, (3000,))
    base = pt.zeros(9, 4)
    got = base.cuda().index_put((i.cuda(),), x.cuda(), accumulate=True)
    assert pt.equal(got.cpu(), base.index_put((i,), x, accumulate=True))
    last = base.cuda().index_put((i.cuda(),), x.cuda())
    assert pt.equal(last.cpu(), base.index_put((i,), x))
    added = base.cuda().index_add(0, i.abs().cuda() % 9, x.cuda())
    assert pt.equal(added.cpu(), base.index_add(0, i.abs() % 9, x))


def test_indices_and_numbers_may_be_the_cpus():
    x = pt.arange(12.0).reshape(3, 4)
    there = x.cuda()
    same(there[pt.tensor([2, 0])], x[pt.tensor([2, 0])])
    there[pt.tensor([1])] = pt.tensor(5.0)
    x[pt.tensor([1])] = 5.0
    same(there, x)
    with pytest.raises(RuntimeError, match="indices should be either on cpu"):
        x[pt.tensor([1]).cuda()]


def test_an_index_out_of_bounds_is_reported_when_the_device_is_waited_for():
    x = pt.arange(6.0, device="cuda")
    with pytest.raises(IndexError, match="index 6 is out of bounds for dimension 0 with size 6"):
        x[pt.tensor([0, 6]).cuda()].cpu()
    with pytest.raises(IndexError, match="index -7"):
        x.index_put((pt.tensor([-7]).cuda(),), pt.ones(1).cuda()).cpu()
    with pytest.raises(RuntimeError, match="out of bounds"):
        x.gather(0, pt.tensor([9]).cuda()).sum().item()
    # the device goes on
    assert x[pt.tensor([5]).cuda()].item() == 5


def test_embeddings():
    weight, rows = pt.randn(50, 3), pt.randint(0, 50, (40, 9))

    def gradients(device, **options):
        w = weight.to(device).clone().requires_grad_()
        out = pt.nn.functional.embedding(rows.to(device), w, **options)
        (out * out).sum().backward()
        return out.detach(), w.grad

    for options in ({}, {"padding_idx": 3}, {"scale_grad_by_freq": True}):
        same(gradients("cuda", **options), gradients("cpu", **options))
    flat, offsets = rows.reshape(-1), pt.arange(0, 360, 9)
    for mode in ("sum", "mean", "max"):
        bag = pt.nn.functional.embedding_bag
        same(
            bag(flat.cuda(), weight.cuda(), offsets.cuda(), mode=mode),
            bag(flat, weight, offsets, mode=mode),
        )
    same(
        pt.nn.functional.one_hot(rows.cuda(), 50),
        pt.nn.functional.one_hot(rows, 50),
    )
