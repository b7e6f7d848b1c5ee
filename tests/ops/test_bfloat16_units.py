"""Products and convolutions on the bfloat16 units beside torch's float64, and their switches."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

import pytensor
from pytensor import _ops
from tests.python.torch_pair import torch

UNITS = ("none", "dot", "tiles")
SHAPES = [(1, 1, 1), (1, 40, 300), (3, 129, 65), (33, 17, 31), (70, 5, 513), (96, 300, 200)]
# batch, in, height, width, out, kernel, stride, padding, dilation, groups
CONVOLUTIONS = [
    (2, 16, 9, 11, 24, 3, 1, 1, 1, 1),
    (2, 64, 14, 14, 33, 3, 2, 1, 1, 1),
    (3, 3, 30, 31, 20, 7, 2, 3, 1, 1),
    (2, 40, 7, 7, 70, 1, 1, 0, 1, 1),
    (2, 40, 8, 8, 70, 1, 2, 0, 1, 1),
    (1, 32, 20, 20, 32, 5, 3, 2, 1, 1),
    (2, 32, 12, 13, 64, 3, 2, 2, 2, 2),
    (1, 20, 9, 9, 20, 3, 1, 0, 3, 1),
    (1, 17, 33, 65, 19, 2, 2, 1, 1, 1),
    (9, 33, 15, 15, 65, 3, 1, 1, 1, 1),
    (1, 18, 16, 16, 20, 6, 1, 2, 1, 1),
]


def twin(t):
    return pytensor.from_numpy(t.float().numpy()).bfloat16()


def check(ours, exact, like):
    """At most half again as far from float64's result as torch's own bfloat16 one."""
    ours = torch.from_numpy(ours.detach().float().numpy()).double()
    scale = exact.abs().max().item() + 1e-30
    bound = 1.5 * (like.double() - exact).abs().max().item() + 4e-3 * scale
    assert (ours - exact).abs().max().item() <= bound


@pytest.fixture(autouse=True)
def _state():
    threads, precision = pytensor.get_num_threads(), pytensor.get_float32_matmul_precision()
    yield
    pytensor.set_num_threads(threads)
    pytensor.set_float32_matmul_precision(precision)


@pytest.mark.parametrize(("m", "n", "k"), SHAPES)
def test_products(m, n, k):
    for layout in ("NN", "NT", "TN", "TT"):
        a = torch.randn(m, k) if layout[0] == "N" else torch.randn(k, m).t()
        b = torch.randn(k, n) if layout[1] == "N" else torch.randn(n, k).t()
        a, b, c = a.bfloat16(), b.bfloat16(), torch.randn(n).bfloat16()
        x = twin(a) if layout[0] == "N" else twin(a.t()).t()
        y = twin(b) if layout[1] == "N" else twin(b.t()).t()
        exact = a.double() @ b.double()
        check(x @ y, exact, a @ b)
        want = torch.addmm(c, a, b, beta=0.5, alpha=2.0)
        check(
            pytensor.addmm(twin(c), x, y, beta=0.5, alpha=2.0),
            0.5 * c.double() + 2 * exact,
            want,
        )
        check(pytensor.nn.functional.linear(x, y.t(), twin(c)), exact + c.double(), a @ b + c)


def test_strided_and_batched_products():
    a, b = torch.randn(3, 40, 2, 50).bfloat16(), torch.randn(3, 50, 34).bfloat16()
    x, y = twin(a)[:, :, 1], twin(b)
    exact = a[:, :, 1].double() @ b.double()
    check(x @ y, exact, a[:, :, 1] @ b)
    check(
        x[:, :, ::2] @ y[:, ::2, ::3],
        a[:, :, 1, ::2].double() @ b[:, ::2, ::3].double(),
        a[:, :, 1, ::2] @ b[:, ::2, ::3],
    )
    check(x @ y[:1].expand(3, -1, -1), a[:, :, 1].double() @ b[:1].double(), a[:, :, 1] @ b[:1])


def test_long_sums_and_special_numbers():
    a, b = torch.randn(40, 5000).bfloat16(), torch.randn(5000, 50).bfloat16()
    check(twin(a) @ twin(b), a.double() @ b.double(), a @ b)
    a[3, 17], a[7, 4999] = float("nan"), float("inf")
    got = twin(a) @ twin(b)
    assert got.isnan().any(1).nonzero().flatten().tolist() == [3]
    assert got[7].isinf().all()
    assert got[[0, 1, 2, 4, 5, 6, 8]].isfinite().all()


def gradients(T, sizes, x, w, bias, grad):
    *_, stride, padding, dilation, groups = sizes
    x, w = x.detach().requires_grad_(), w.detach().requires_grad_()
    y = T.nn.functional.conv2d(x, w, bias, stride, padding, dilation, groups)
    y.backward(grad)
    return y, x.grad, w.grad


def case_of(sizes):
    """Input, weight, bias and the result's gradient."""
    batch, channels, height, width, out, kernel, _, _, _, groups = sizes
    x = torch.randn(batch, channels, height, width)
    w = torch.randn(out, channels // groups, kernel, kernel)
    grad = torch.randn(torch.nn.functional.conv2d(x, w, None, *sizes[6:]).shape)
    return x, w, torch.randn(out), grad


def check_threads(ours, sizes, inputs):
    """One thread gives the same bits."""
    pytensor.set_num_threads(1)
    again = gradients(pytensor, sizes, *inputs)
    for first, second in zip(ours, again, strict=True):
        assert pytensor.equal(first, second)


@pytest.mark.parametrize("sizes", CONVOLUTIONS, ids=lambda s: "x".join(map(str, s)))
def test_convolutions(sizes):
    x, w, bias, grad = (t.bfloat16() for t in case_of(sizes))
    exact = gradients(torch, sizes, *(t.double() for t in (x, w, bias, grad)))
    like = gradients(torch, sizes, x, w, bias, grad)
    ours = gradients(pytensor, sizes, *map(twin, (x, w, bias, grad)))
    for mine, truth, theirs in zip(ours, exact, like, strict=True):
        check(mine, truth.detach(), theirs)
    check_threads(ours, sizes, map(twin, (x, w, bias, grad)))


def test_results_do_not_depend_on_threads():
    a, b = pytensor.randn(300, 2600).bfloat16(), pytensor.randn(2600, 420).bfloat16()
    x, w = pytensor.randn(5, 48, 28, 28).bfloat16(), pytensor.randn(80, 48, 3, 3).bfloat16()
    results = []
    for threads in (1, 2, 3, 2):
        pytensor.set_num_threads(threads)
        results.append((a @ b, a[:9] @ b, a @ b[:, :7], pytensor.conv2d(x, w, padding=1)))
    for other in results[1:]:
        assert all(pytensor.equal(p, q) for p, q in zip(results[0], other, strict=True))


def errors_of_precision(precision):
    """Relative errors of a product and of a convolution's three results in float32."""
    pytensor.set_float32_matmul_precision(precision)
    a, b = torch.randn(100, 200), torch.randn(200, 90)
    x, w, g = torch.randn(2, 32, 14, 14), torch.randn(32, 32, 3, 3), torch.randn(2, 32, 14, 14)
    sizes = (2, 32, 14, 14, 32, 3, 1, 1, 1, 1)
    exact = gradients(torch, sizes, x.double(), w.double(), None, g.double())
    mine = [pytensor.from_numpy(t.numpy()) for t in (x, w, g)]
    ours = gradients(pytensor, sizes, mine[0], mine[1], None, mine[2])
    product = pytensor.from_numpy(a.numpy()) @ pytensor.from_numpy(b.numpy())
    pairs = [(product, a.double() @ b.double()), *zip(ours, exact, strict=True)]
    found = []
    for got, want in pairs:
        got = torch.from_numpy(got.detach().numpy()).double()
        found.append(((got - want).abs().max() / want.abs().max()).item())
    return found


def test_medium_precision():
    assert max(errors_of_precision("highest")) < 1e-5
    assert max(errors_of_precision("medium")) < 1e-2
    if _ops.bfloat16_unit() != "none":
        assert min(errors_of_precision("medium")) > 1e-5


# Sizes for which numbers are taken in two parts, by gemm_f32.cpp and conv/unit_choice.h; edges.
PRODUCTS_IN_PARTS = [(64, 64, 64), (70, 33, 130), (257, 96, 300), (48, 520, 2100), (1000, 17, 40)]
CONVOLUTIONS_IN_PARTS = [
    (2, 32, 14, 15, 40, 3, 1, 1, 1, 1),
    (4, 33, 17, 13, 50, 3, 2, 1, 1, 1),
    (2, 3, 40, 41, 33, 7, 2, 3, 1, 1),
    (5, 64, 11, 11, 65, 1, 1, 0, 1, 1),
    (3, 40, 20, 20, 70, 1, 2, 0, 1, 1),
    (1, 24, 24, 24, 36, 5, 1, 2, 1, 1),
    (2, 64, 15, 16, 64, 3, 1, 2, 2, 2),
    (2, 20, 30, 30, 24, 4, 2, 1, 1, 1),
]


def in_parts() -> bool:
    return _ops.bfloat16_unit() == "tiles"


def check_high(found, exact, what):
    """Within 1e-5 of the largest number: 16 or 17 bits of 24 or Winograd's F(4x4)."""
    found = torch.from_numpy(found.detach().numpy()).double()
    assert (found - exact).abs().max() <= 1e-5 * exact.abs().max(), what


def twin32(t):
    return pytensor.from_numpy(t.numpy())


def test_high_precision_of_products():
    pytensor.set_float32_matmul_precision("high")
    for m, n, k in PRODUCTS_IN_PARTS:
        a, b, c = torch.randn(m, k), torch.randn(k, n), torch.randn(n)
        exact = a.double() @ b.double()
        x, y, z = twin32(a), twin32(b), twin32(c)
        layouts = [
            x @ y,
            x @ y.t().contiguous().t(),
            x.t().contiguous().t() @ y,
            x.t().contiguous().t() @ y.t().contiguous().t(),
            pytensor.cat([x, x], 1)[:, : 2 * k : 1][:, :k] @ y,
            pytensor.stack([x, x], 2)[:, :, 0] @ pytensor.stack([y, y], 2)[:, :, 1],
        ]
        for i, got in enumerate(layouts):
            check_high(got, exact, (m, n, k, i))
        biased = exact + c.double()
        check_high(pytensor.nn.functional.linear(x, y.t().contiguous(), z), biased, (m, n, k))
        check_high(pytensor.addmm(z, x, y), biased, (m, n, k))
        check_high((x.expand(3, m, k) @ y)[2], exact, (m, n, k))
        pytensor.set_float32_matmul_precision("highest")
        same = pytensor.equal(layouts[0], x @ y)
        pytensor.set_float32_matmul_precision("high")
        assert same != in_parts()


@pytest.mark.parametrize("sizes", CONVOLUTIONS_IN_PARTS, ids=lambda s: "x".join(map(str, s)))
def test_high_precision_of_convolutions(sizes):
    x, w, bias, grad = case_of(sizes)
    exact = gradients(torch, sizes, *(t.double() for t in (x, w, bias, grad)))
    pytensor.set_float32_matmul_precision("high")
    ours = gradients(pytensor, sizes, *map(twin32, (x, w, bias, grad)))
    for name, mine, truth in zip(("y", "x", "w"), ours, exact, strict=True):
        check_high(mine, truth.detach(), name)
    check_threads(ours, sizes, map(twin32, (x, w, bias, grad)))


def test_high_precision_of_fused_convolutions():
    nn = pytensor.nn
    block = nn.Sequential(nn.Conv2d(32, 48, 3, 2, 1), nn.BatchNorm2d(48), nn.ReLU()).eval()
    block[1].running_mean.normal_()
    x = pytensor.randn(2, 32, 21, 21)
    with pytensor.no_grad():
        exact = block.double()(x.double())
        pytensor.set_float32_matmul_precision("high")
        got = block.float()(x)
    check_high(got, torch.from_numpy(exact.numpy()), "fused")


def test_infinities_in_high_precision():
    """Numbers whose parts are not finite give what they give in float32."""
    a, b = torch.rand(70, 80) - 0.5, torch.rand(80, 90) - 0.5
    a[3, 17], a[7, 79], a[9, 2], a[11, 5] = float("nan"), float("inf"), 3.4e38, 1e-39
    with_infinity = torch.cat([b[:40], b[40:].abs()])
    with_infinity[79] = 2.0
    pytensor.set_float32_matmul_precision("high")
    got = torch.from_numpy((twin32(a) @ twin32(with_infinity)).numpy())
    assert got.isnan().any(1).nonzero().flatten().tolist() == [3]
    assert got[7].isinf().all()
    assert got[[0, 1, 2, 4, 5, 6, 8, 9, 11]].isfinite().all()
    x, w = torch.rand(2, 64, 12, 12), torch.rand(64, 64, 1, 1)
    x[1, 5, 6, 7] = float("inf")
    y = torch.from_numpy(pytensor.conv2d(twin32(x), twin32(w)).numpy())
    assert y[1, :, 6, 7].isinf().all()
    y[1, :, 6, 7] = 0
    assert y.isfinite().all()


def test_high_precision_does_not_depend_on_threads():
    pytensor.set_float32_matmul_precision("high")
    a, b = pytensor.randn(300, 2600), pytensor.randn(2600, 420)
    results = []
    for threads in (1, 2, 3, 2):
        pytensor.set_num_threads(threads)
        results.append((a @ b, a[:19] @ b, a @ b[:, :37], a.t() @ a[:, :64]))
    for other in results[1:]:
        assert all(pytensor.equal(p, q) for p, q in zip(results[0], other, strict=True))


@pytest.mark.parametrize("unit", UNITS)
def test_each_unit(unit):
    """The same on the other units of this machine: the variable is read once in a process."""
    code = (
        "from pytensor import _ops\n"
        "from tests.ops.test_bfloat16_units import *\n"
        "for s in SHAPES: test_products(*s)\n"
        "for s in CONVOLUTIONS[:6]: test_convolutions(s)\n"
        "test_strided_and_batched_products(); test_long_sums_and_special_numbers()\n"
        "test_results_do_not_depend_on_threads(); test_medium_precision()\n"
        "test_high_precision_of_products(); test_infinities_in_high_precision()\n"
        "for s in CONVOLUTIONS_IN_PARTS[:4]: test_high_precision_of_convolutions(s)\n"
        "print(_ops.bfloat16_unit())"
    )
    run = subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        env=os.environ | {"PYTENSOR_BF16": unit},
        timeout=120,
        capture_output=True,
        text=True,
    )
    assert UNITS.index(run.stdout.strip()) <= UNITS.index(unit)


@pytest.mark.skipif(_ops.active_isa() != "avx512", reason="only these kernels ask")
def test_unknown_unit():
    code = "import pytensor; (pytensor.ones(9, 9).bfloat16() @ pytensor.ones(9, 9).bfloat16())"
    run = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTENSOR_BF16": "many"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "PYTENSOR_BF16 must be none, dot or tiles, not 'many'" in run.stderr
