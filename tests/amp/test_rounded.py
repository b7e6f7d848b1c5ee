"""Kernels that read bfloat16 and round as they store, beside casts around those of float32.

Autocast takes them where the processor has no units for bfloat16. They must give the same bits,
on any number of threads.
"""

from __future__ import annotations

import math

import pytest

import pytensor
from pytensor import _ops

F = pytensor.nn.functional
bf16, f16, f32 = pytensor.bfloat16, pytensor.float16, pytensor.float32
linear_rounded = _ops.internal["linear_rounded"]
mm_rounded = _ops.internal["mm_rounded"]
conv_fused = _ops.internal["conv_fused"]


@pytest.fixture(params=[1, 2])
def threads(request):
    before = pytensor.get_num_threads()
    pytensor.set_num_threads(request.param)
    yield request.param
    pytensor.set_num_threads(before)


def same(got, want):
    return got.dtype is want.dtype and pytensor.equal(got, want)


# rows, sums of, columns: by dot products, in one block of depth and in several, long sums, none.
SHAPES = [(3, 4, 5), (40, 50, 60), (33, 513, 100), (600, 1200, 70), (64, 784, 512), (64, 512, 10)]
SHAPES += [(1100, 300, 1030), (100, 5000, 50), (0, 5, 40), (5, 0, 40)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", [f32, bf16])
@pytest.mark.parametrize("with_bias", [False, True])
def test_linear(shape, dtype, with_bias, threads):
    m, k, n = shape
    pytensor.manual_seed(0)
    x = pytensor.randn(m, k).to(dtype).requires_grad_()
    w = pytensor.randn(n, k).div_(math.sqrt(k or 1)).requires_grad_()
    b = pytensor.randn(n).requires_grad_() if with_bias else None
    leaves = [t for t in (x, w, b) if t is not None]
    grad = pytensor.randn(m, n).to(bf16)
    got = linear_rounded(x, w, b, bf16)
    want = F.linear(x.float(), w, b).to(bf16)
    assert same(got, want)
    for ours, theirs in zip(
        pytensor.autograd.grad(got, leaves, grad),
        pytensor.autograd.grad(want, leaves, grad),
        strict=True,
    ):
        assert same(ours, theirs)


@pytest.mark.parametrize("left", [f32, bf16])
@pytest.mark.parametrize("right", [f32, bf16])
@pytest.mark.parametrize("result", [f32, bf16])
def test_mm_of_any_strides(left, right, result, threads):
    pytensor.manual_seed(0)
    for m, k, n in ((50, 70, 90), (200, 600, 130)):
        for a in (pytensor.randn(m, k), pytensor.randn(k, m).t(), pytensor.randn(m, 3 * k)[:, ::3]):
            for b in (
                pytensor.randn(k, n),
                pytensor.randn(n, k).t(),
                pytensor.randn(2 * k, n)[1::2],
            ):
                a, b = a.to(left), b.to(right)
                assert same(mm_rounded(a, b, result), a.float().mm(b.float()).to(result))


def test_gradients_of_gradients():
    pytensor.manual_seed(0)
    w = pytensor.randn(60, 50).requires_grad_()
    x = pytensor.randn(2, 20, 50).to(bf16).requires_grad_()

    def second(function):
        y = function(x, w)
        gx, gw = pytensor.autograd.grad(y.float().square().sum(), (x, w), create_graph=True)
        return pytensor.autograd.grad(gx.float().sum() + gw.square().sum(), (x, w))

    got = second(lambda x, w: linear_rounded(x, w, None, bf16))
    want = second(lambda x, w: F.linear(x.float(), w).to(bf16))
    for ours, theirs in zip(got, want, strict=True):
        assert ours.dtype is theirs.dtype
        difference = (ours.float() - theirs.float()).norm()
        assert difference <= 1e-2 * theirs.float().norm()  # sums of rounded gradients: 8 bits


def test_weight_that_wants_no_gradient():
    w, x = pytensor.randn(40, 50), pytensor.randn(60, 50).to(bf16).requires_grad_()
    linear_rounded(x, w, None, bf16).float().sum().backward()
    assert x.grad.dtype is bf16


def test_products_refuse_other_dtypes():
    x = pytensor.ones(4, 4)
    with pytest.raises(RuntimeError, match="expected float32 or bfloat16"):
        linear_rounded(x.double(), x, None, bf16)
    with pytest.raises(RuntimeError, match="expected float32 or bfloat16"):
        mm_rounded(x, x.half(), bf16)
    with pytest.raises(RuntimeError, match="cannot be multiplied"):
        mm_rounded(x, pytensor.ones(5, 4), bf16)


def test_sums_as_float32():
    pytensor.manual_seed(0)
    x = pytensor.randn(300, 70).to(bf16)
    for low in (x, x.half(), x.t()):
        for dim in (0, 1, None):
            assert same(low.sum(dim, dtype=f32), low.float().sum(dim))


@pytest.mark.parametrize(
    "function",
    [
        lambda a, b: a + b,
        lambda a, b: a * b,
        lambda a, b: a + b[:1],
        lambda a, b: a.t() * b[:, :1].t(),
        lambda a, b: a + 0.1,
        lambda a, b: a * b[0, 0],
        lambda a, b: a.relu(),
        lambda a, b: F.relu(a[:, ::2]),
    ],
)
def test_elementwise(function):
    """In registers or by conversions: a rounding at the end, none of numbers."""
    pytensor.manual_seed(0)
    a, b = pytensor.randn(65, 33).to(bf16), pytensor.randn(65, 33).to(bf16)
    a[0, 0], a[1, 1], a[2, 2], a[3, 3] = math.nan, math.inf, -math.inf, -0.0
    got, want = function(a, b), function(a.float(), b.float()).to(bf16)
    assert same(got.isnan(), want.isnan())
    assert same(got.nan_to_num(7.0), want.nan_to_num(7.0))


def test_gradient_of_relu():
    x = pytensor.tensor([-1.0, -0.0, 0.0, 2.0, math.inf, -math.inf] * 9).to(bf16).requires_grad_()
    x.relu().backward(pytensor.full_like(x, 3.0))
    assert x.grad.tolist() == [0.0, 0.0, 0.0, 3.0, 3.0, 0.0] * 9


# batch, channels in and out, height, width, kernel, stride, padding, groups
CONVOLUTIONS = [
    (1, 64, 64, 56, 56, 3, 1, 1, 1),
    (2, 128, 128, 14, 13, 3, 1, 1, 1),
    (1, 256, 256, 7, 7, 3, 1, 1, 1),
    (3, 40, 37, 13, 17, 3, 1, 0, 1),
    (1, 32, 64, 28, 28, 3, 2, 1, 1),
    (1, 32, 64, 28, 28, 1, 2, 0, 1),
    (2, 16, 16, 9, 9, 3, 1, 1, 16),
]


@pytest.mark.parametrize("sizes", CONVOLUTIONS)
def test_convolutions(sizes, threads):
    batch, channels, out, height, width, kernel, stride, padding, groups = sizes
    pytensor.manual_seed(0)
    full = pytensor.randn(batch, channels, height, width)
    w = pytensor.randn(out, channels // groups, kernel, kernel)
    statistics = (pytensor.randn(out), pytensor.rand(out) + 0.5, None, None, 1e-5)
    places = ([stride] * 2, [padding] * 2, [1, 1], groups)
    plain = F.conv2d(full, w, None, *places)
    for x in (full, full.to(bf16)):
        for residual in (None, pytensor.randn_like(plain), pytensor.randn_like(plain).to(bf16)):
            for dtype in (f32, bf16, f16):
                limits = (0.0, math.inf if residual is None else 6.0)
                summand = residual if residual is None else residual.float()
                got = conv_fused(x, w, None, *statistics, residual, *places, *limits, dtype)
                want = conv_fused(x.float(), w, None, *statistics, summand, *places, *limits)
                assert same(got, want.to(dtype))
