"""Matrix products and convolutions on a cuda device, at the edges of their tiles.

Every layout of the operands, batches, misaligned memory and sums that are cut into pieces, with
float32, float64, half types, and float32 on tensor cores (tf32). The values are compared with
products in double of what the device multiplies. The last test runs all others with the checked
library (docs/cuda.md).
"""

from __future__ import annotations

import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import pytensor as torch
from pytensor import _ops
from pytensor.nn import functional as F

ROOT = Path(__file__).parents[2]
CHECKED = Path(torch._C.__file__).parent / "lib" / "libpytensor_cuda_checked.so"
IN_CHECKED = os.environ.get("PYTENSOR_CUDA_LIBRARY") == str(CHECKED)

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no cuda device")

DTYPES = ("float32", "tf32", "float64", "float16", "bfloat16")
# Of the sums, for numbers around 1; the result's own rounding comes on top.
SUMS = {"float32": 4e-7, "tf32": 4e-7, "float64": 1e-15, "float16": 4e-7, "bfloat16": 4e-7}
ROUNDING = {"float16": 2.0**-11, "bfloat16": 2.0**-8}
SIZES = (
    (1, 1, 1), (2, 1, 200), (31, 33, 65), (64, 32, 64), (63, 17, 129), (65, 64, 63), (0, 3, 4),
    (3, 0, 4), (33, 700, 31),
)  # fmt: skip


@pytest.fixture
def precision(request):
    """The dtype's name; "tf32" is float32 with the permission to round."""
    name = request.param
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("high" if name == "tf32" else "highest")
    with torch.backends.cudnn.flags(allow_tf32=name == "tf32"):
        yield name
    torch.set_float32_matmul_precision(before)


every_dtype = pytest.mark.parametrize("precision", DTYPES, indirect=True)


def numbers(name: str, *sizes: int, offset: int = 0) -> torch.Tensor:
    """Numbers on the cpu, ``offset`` elements behind the start of their memory."""
    made = torch.Generator().manual_seed(sum(sizes) + 31 * len(sizes))
    count = math.prod(sizes) + offset
    dtype = torch.float32 if name == "tf32" else getattr(torch, name)
    return torch.randn(count, generator=made).to(dtype)[offset:].reshape(*sizes)


def on_device(x: torch.Tensor, offset: int = 0) -> torch.Tensor:
    """The same numbers on the device, and as far behind the start of their memory."""
    memory = torch.empty(x.numel() + offset, dtype=x.dtype, device="cuda")
    y = memory[offset:].reshape(*x.shape)
    y.copy_(x)
    return y


def exact(x: torch.Tensor, name: str) -> np.ndarray:
    """What the device multiplies, in double."""
    if name != "tf32":
        return x.double().numpy()
    bits = x.contiguous().numpy().view(np.uint32)
    rounded = (bits + np.uint32(0x1000)) & np.uint32(0xFFFFE000)
    return rounded.view(np.float32).astype(np.float64)


def assert_close(got: torch.Tensor, want: np.ndarray, name: str, terms: int) -> None:
    values = got.cpu().double().numpy()
    assert values.shape == want.shape
    tolerance = SUMS[name] * (4 + terms) + ROUNDING.get(name, 0) * np.abs(want)
    assert np.all(np.abs(values - want) <= tolerance), np.abs(values - want).max()


def operand(name: str, rows: int, columns: int, transposed: bool) -> torch.Tensor:
    return numbers(name, columns, rows).t() if transposed else numbers(name, rows, columns)


@every_dtype
@pytest.mark.parametrize("layouts", ["NN", "NT", "TN", "TT"])
def test_layouts(precision, layouts):
    for m, k, n in SIZES:
        a = operand(precision, m, k, layouts[0] == "T")
        b = operand(precision, k, n, layouts[1] == "T")
        assert_close(a.cuda() @ b.cuda(), exact(a, precision) @ exact(b, precision), precision, k)


@every_dtype
def test_strides(precision):
    """Operands that lie along neither direction, in reverse, or expanded."""
    a, b = numbers(precision, 70, 78), numbers(precision, 40, 102)
    x, y = a.cuda()[:, ::2], b.cuda()[:39, ::3]
    want = exact(a, precision)[:, ::2] @ exact(b, precision)[:39, ::3]
    assert_close(x @ y, want, precision, 39)
    one = numbers(precision, 1, 39)
    want = exact(one, precision).repeat(66, 0) @ exact(b, precision)[:39, ::3]
    assert_close(one.cuda().expand(66, 39) @ y, want, precision, 39)


@every_dtype
@pytest.mark.parametrize("offset", [1, 2, 4, 8])
def test_misaligned(precision, offset):
    a, b = numbers(precision, 40, 48), numbers(precision, 48, 72)
    want = exact(a, precision) @ exact(b, precision)
    x, y = on_device(a, offset), on_device(b, offset)
    assert_close(x @ y, want, precision, 48)
    assert_close((y.t() @ x.t()).t(), want, precision, 48)


@every_dtype
def test_batches(precision):
    a, b = numbers(precision, 3, 33, 40), numbers(precision, 3, 40, 65)
    want = exact(a, precision) @ exact(b, precision)
    x, y = a.cuda(), b.cuda()
    assert_close(x @ y, want, precision, 40)
    assert_close(torch.bmm(x, y.transpose(1, 2).contiguous().transpose(1, 2)), want, precision, 40)
    assert_close(x @ y[0], exact(a, precision) @ exact(b, precision)[0], precision, 40)
    c = x @ y
    want = 0.5 * c.cpu().double().numpy() + 2 * want
    assert_close(torch.baddbmm(c, x, y, beta=0.5, alpha=2), want, precision, 160)


@every_dtype
def test_bias_and_factors(precision):
    x, w, c = numbers(precision, 66, 36), numbers(precision, 68, 36), numbers(precision, 68)
    product, summand = exact(x, precision) @ exact(w, precision).T, c.double().numpy()
    device = x.cuda(), w.cuda(), c.cuda()
    assert_close(F.linear(*device), product + summand, precision, 40)
    full = numbers(precision, 66, 68)
    got = torch.addmm(full.cuda(), device[0], device[1].t(), beta=-2, alpha=0.5)
    assert_close(got, 0.5 * product - 2 * full.double().numpy(), precision, 80)
    assert_close(torch.addmm(device[2], device[0], device[1].t()), product + summand, precision, 40)


@every_dtype
@pytest.mark.skipif(IN_CHECKED, reason="takes minutes there")
def test_large_tiles(precision):
    """As many tiles as it takes for the large ones, with edges in every direction."""
    for sizes_b, transposed in (((128, 37, 66), False), ((128, 66, 37), True)):
        a, b = numbers(precision, 128, 67, 37), numbers(precision, *sizes_b)
        want = exact(b, precision).swapaxes(1, 2) if transposed else exact(b, precision)
        x, y = a.cuda(), b.cuda().transpose(1, 2) if transposed else b.cuda()
        assert_close(x @ y, exact(a, precision) @ want, precision, 37)
        first = x.transpose(1, 2).contiguous().transpose(1, 2)
        assert_close(first @ y, exact(a, precision) @ want, precision, 37)


@every_dtype
def test_no_order_matters(precision):
    """A sum that is cut into pieces has the same bits whoever makes them."""
    a, b = numbers(precision, 5, 1100).cuda(), numbers(precision, 1100, 6).cuda()
    first = (a @ b).cpu()
    assert all(torch.equal(first, (a @ b).cpu()) for _ in range(3))


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "int32", "int64"])
def test_integers(dtype):
    a = torch.arange(33 * 17).reshape(33, 17).to(getattr(torch, dtype))
    assert torch.equal((a.cuda() @ a.t().cuda()).cpu(), a @ a.t())


# --- convolutions --------------------------------------------------------------------------------

CONVOLUTIONS = [
    (((2, 3, 9, 10), (5, 3, 3, 3)), {"padding": 1}),
    (((2, 8, 9, 8), (70, 8, 5, 4)), {"stride": 2, "padding": (2, 1)}),
    (((2, 40, 8, 8), (66, 40, 1, 1)), {}),  # a product for each image
    (((2, 40, 9, 9), (66, 40, 1, 1)), {}),
    (((1, 16, 7, 7), (6, 8, 3, 3)), {"groups": 2, "dilation": 2, "padding": 2}),
    (((2, 6, 8, 9), (12, 1, 3, 3)), {"groups": 6, "stride": 2}),  # depthwise
    (((3, 2, 5, 6, 4), (3, 2, 2, 3, 2)), {"padding": 1}),
    (((2, 4, 21), (3, 4, 5)), {"stride": 3}),
]


def convolved(x, w, b, settings):
    """The result and the gradients of a sum of its squares."""
    leaves = [t.detach().clone().requires_grad_() for t in (x, w, b)]
    y = {3: F.conv1d, 4: F.conv2d, 5: F.conv3d}[x.dim()](*leaves, **settings)
    y.backward(y.detach())
    return y.detach(), [t.grad for t in leaves]


@every_dtype
@pytest.mark.parametrize(("sizes", "settings"), CONVOLUTIONS)
def test_convolutions(precision, sizes, settings):
    inputs = [numbers(precision, *s) for s in (*sizes, sizes[1][:1])]
    depthwise = sizes[1][1] == 1
    used = "float32" if precision == "tf32" and depthwise else precision
    doubles = [torch.tensor(exact(t, used)) for t in inputs[:2]] + [inputs[2].double()]
    want, gradients = convolved(*doubles, settings)
    got, own = convolved(*(t.cuda() for t in inputs), settings)
    assert got.dtype == inputs[0].dtype
    terms = math.prod(sizes[1][1:])
    assert_close(got, want.numpy(), precision, terms)
    # The gradient that goes back is the rounded result.
    step = {"tf32": 2.0**-10, "float16": 2.0**-10, "bfloat16": 2.0**-7}.get(precision, 1e-6)
    for mine, theirs in zip(own, gradients, strict=True):
        scale = theirs.abs().max().item()
        assert (mine.cpu().double() - theirs).abs().max().item() <= 2 * step * scale


@every_dtype
@pytest.mark.skipif(IN_CHECKED, reason="takes minutes there")
def test_large_tiles_of_convolutions(precision):
    x, w = numbers(precision, 17, 6, 22, 22), numbers(precision, 131, 6, 3, 3)
    want = F.conv2d(*(torch.tensor(exact(t, precision)) for t in (x, w)), padding=1)
    assert_close(F.conv2d(x.cuda(), w.cuda(), padding=1), want.numpy(), precision, 54)


@pytest.mark.parametrize(
    ("sizes", "groups"),
    [
        (((2, 3, 9, 10), (5, 3, 3, 3)), 1),
        (((2, 16, 8, 8), (12, 16, 1, 1)), 1),  # a product for each image
        (((2, 6, 8, 9), (6, 1, 3, 3)), 6),  # depthwise
        (((1, 70, 7, 7), (4, 70, 3, 3)), 1),  # the sums are cut
    ],
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_follows_a_convolution(dtype, sizes, groups):
    x, w = (numbers(dtype, *s) for s in sizes)
    channels = sizes[1][0]
    scale, shift = numbers(dtype, channels), numbers(dtype, channels + 1)[1:]
    plain = F.conv2d(x.double(), w.double(), groups=groups)
    residual = numbers(dtype, *plain.shape)
    finish = _ops.internal["conv_finished"]
    settings = [1, 1], [0, 0], [1, 1], list(plain.shape[2:]), groups, -1.0, 2.0
    got = finish(*(t.cuda() for t in (x, w, scale, shift, residual)), *settings)
    factor, summand = (t.double().reshape(1, -1, 1, 1) for t in (scale, shift))
    want = (plain * factor + summand + residual.double()).clamp(-1.0, 2.0)
    assert_close(got, want.numpy(), dtype, 3 * math.prod(sizes[1][1:]))


def test_transposed_convolution_of_halves():
    x, w, b = (numbers("bfloat16", *s) for s in ((2, 4, 5, 6), (4, 3, 3, 2), (3,)))
    want = F.conv_transpose2d(x.double(), w.double(), b.double(), stride=2, padding=1)
    got = F.conv_transpose2d(x.cuda(), w.cuda(), b.cuda(), stride=2, padding=1)
    assert_close(got, want.numpy(), "bfloat16", 24)


# --- settings ------------------------------------------------------------------------------------


def test_settings():
    matmul = torch.backends.cuda.matmul
    assert matmul.allow_tf32 is False
    a = numbers("float32", 8, 64).cuda()
    exactly = (a @ a.t()).cpu()
    try:
        matmul.allow_tf32 = True
        assert torch.get_float32_matmul_precision() == "high"
        rounded = (a @ a.t()).cpu()
    finally:
        matmul.allow_tf32 = False
    assert torch.get_float32_matmul_precision() == "highest"
    assert not torch.equal(exactly, rounded)
    assert (exactly - rounded).abs().max().item() < 0.1
    x, w = numbers("float32", 1, 8, 6, 6).cuda(), numbers("float32", 3, 8, 3, 3).cuda()
    with torch.backends.cudnn.flags(allow_tf32=True):
        assert torch.backends.cudnn.allow_tf32 is True
        rounded = F.conv2d(x, w).cpu()
    assert torch.backends.cudnn.allow_tf32 is False  # by conftest.py
    assert not torch.equal(F.conv2d(x, w).cpu(), rounded)


@pytest.mark.skipif(
    IN_CHECKED or not CHECKED.exists(), reason="no build with PYTENSOR_CUDA=CHECKED"
)
def test_all_with_the_checked_library():
    setting = {
        "PYTENSOR_CUDA_LIBRARY": str(CHECKED),
        "PYTENSOR_EMU_ORDER": "random",
        "PYTENSOR_EMU_LAZY": "1",
        "PYTENSOR_EMU_PROTECT": "0",
    }
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", __file__]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=ROOT, env=os.environ | setting
    )
    assert done.returncode == 0, done.stdout[-3000:]
    print(done.stdout.splitlines()[-1])
