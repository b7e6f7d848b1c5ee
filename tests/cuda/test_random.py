"""Generators of devices and what is drawn from them."""

from __future__ import annotations

import pytest

import pytensor as pt

pytestmark = pytest.mark.skipif(not pt.cuda.is_available(), reason="no cuda device")
CUDA = {"device": "cuda"}


def test_philox_is_the_published_generator():
    """Key and counter of zeros; the words are those of the authors' known answers."""
    g = pt.Generator("cuda").manual_seed(0)
    drawn = pt.empty(2, dtype=pt.int64, device="cuda").random_(0, 2**62 - 1, generator=g)
    words = [0x6627E8D5E169C58D, 0xBC57AC4C9B00DBD8]
    assert drawn.tolist() == [w % (2**62 - 1) for w in words]


def test_seeds_and_states():
    pt.manual_seed(7)
    first = pt.randn(10, **CUDA)
    state = pt.cuda.get_rng_state()
    second = pt.randn(10, **CUDA)
    assert not pt.equal(first, second)
    pt.cuda.set_rng_state(state)
    assert pt.equal(pt.randn(10, **CUDA), second)
    pt.cuda.manual_seed(7)
    assert pt.equal(pt.randn(10, **CUDA), first)
    assert pt.cuda.initial_seed() == 7
    assert state.shape == (16,)
    own = pt.Generator("cuda").manual_seed(7)
    assert own.device.type == "cuda"
    assert pt.equal(pt.randn(10, generator=own, **CUDA), first)


def test_states_lie_on_the_cpu():
    for set_state in (pt.set_rng_state, pt.cuda.set_rng_state, pt.Generator().set_state):
        with pytest.raises(TypeError, match="ByteTensor of the cpu"):
            set_state(pt.get_rng_state().cuda())


def test_a_generator_draws_on_its_own_device():
    with pytest.raises(RuntimeError, match="Expected a 'cuda' device type for generator"):
        pt.rand(3, generator=pt.Generator(), **CUDA)
    with pytest.raises(RuntimeError, match="Expected a 'cpu' device type for generator"):
        pt.rand(3, generator=pt.Generator("cuda"))


@pytest.mark.parametrize("dtype", [pt.float32, pt.float64, pt.float16, pt.bfloat16])
def test_moments(dtype):
    pt.manual_seed(1)
    n = 20001  # no multiple of what a counter gives

    def new():
        return pt.empty(n, dtype=dtype, device="cuda")

    for t, mean, std in (
        (new().uniform_(-1, 3), 1, 4 / 12**0.5),
        (new().normal_(2, 0.5), 2, 0.5),
        (new().exponential_(2), 0.5, 0.5),
        (new().bernoulli_(0.3), 0.3, 0.21**0.5),
        (new().geometric_(0.5), 2, 2**0.5),
        (new().random_(0, 10), 4.5, 8.25**0.5),
    ):
        values = t.double()
        assert abs(values.mean().item() - mean) < 0.03 * max(std, 1)
        assert abs(values.std().item() - std) < 0.03 * max(std, 1)
    uniform = new().uniform_(0, 1)
    assert bool(((uniform >= 0) & (uniform < 1)).all())


def test_permutations_and_choices():
    pt.manual_seed(2)
    order = pt.randperm(3000, **CUDA)
    assert pt.equal(order.sort().values, pt.arange(3000, **CUDA))
    assert not pt.equal(order, pt.randperm(3000, **CUDA))
    weights = pt.tensor([[0.0, 1.0, 3.0], [1.0, 0.0, 0.0]], **CUDA)
    drawn = weights.multinomial(4000, replacement=True)
    assert abs((drawn[0] == 2).float().mean().item() - 0.75) < 0.03
    assert bool((drawn[1] == 0).all())
    once = pt.ones(20, **CUDA).multinomial(20)
    assert pt.equal(once.sort().values, pt.arange(20, **CUDA))


BAD_NUMBERS = {
    "multinomial negative": (
        lambda: pt.tensor([1.0, -1.0], **CUDA).multinomial(1),
        "contains eith",
    ),
    "multinomial nan": (lambda: pt.tensor([1.0, pt.nan], **CUDA).multinomial(1), "contains either"),
    "multinomial inf": (lambda: pt.tensor([1.0, pt.inf], **CUDA).multinomial(2), "contains either"),
    "multinomial zeros": (
        lambda: pt.zeros(2, 3, **CUDA).multinomial(1),
        "sum of probabilities <= 0",
    ),
    "poisson negative": (
        lambda: pt.poisson(pt.tensor([1.0, -0.5], **CUDA)),
        "invalid Poisson rate",
    ),
    "poisson nan": (lambda: pt.poisson(pt.tensor([1.0, pt.nan], **CUDA)), "invalid Poisson rate"),
    "poisson half": (lambda: pt.poisson(-pt.ones(3, **CUDA).half()), "invalid Poisson rate"),
}


@pytest.mark.parametrize("name", BAD_NUMBERS)
def test_numbers_that_no_distribution_has_are_reported_when_the_device_is_waited_for(name):
    draw, text = BAD_NUMBERS[name]
    with pytest.raises(RuntimeError, match=text):
        draw().sum().item()
    assert pt.poisson(pt.zeros(3, **CUDA)).tolist() == [0, 0, 0]
    assert pt.poisson(pt.zeros(0, **CUDA)).tolist() == []


def test_dropout():
    pt.manual_seed(3)
    x = pt.ones(4000, requires_grad=True, **CUDA)
    y = pt.nn.functional.dropout(x, 0.25)
    kept = y != 0
    assert abs(kept.float().mean().item() - 0.75) < 0.03
    assert pt.allclose(y[kept], pt.full_like(y[kept], 4 / 3))
    y.sum().backward()
    assert pt.equal(x.grad != 0, kept)
