"""Convolutions beside torch's, on shapes large enough for every way of computing them.

Small shapes, other dtypes and layouts are in the registry test, the layers in cases.py.
"""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import pytensor
import pytensor.nn.functional as F
from tests.nn.twins import assert_same_program, assert_threads_change_nothing, to_ours, torch
from tests.python.torch_pair import check_same_error

TF = torch.nn.functional

# input, weight, arguments: by the way they take (csrc/cpu/conv/choose.h)
SHAPES = {
    "product": ((2, 20, 19, 23), (40, 20, 3, 3), {"padding": 1}),
    "product stride 2": ((3, 17, 30, 21), (33, 17, 3, 3), {"stride": 2, "padding": 1}),
    "product stride 3": ((2, 40, 26, 25), (33, 40, 4, 5), {"stride": 3, "padding": (1, 2)}),
    "stem": ((2, 3, 61, 57), (24, 3, 7, 7), {"stride": 2, "padding": 3}),
    "alexnet": ((2, 3, 64, 60), (16, 3, 11, 11), {"stride": 4, "padding": 2}),
    "patches": ((2, 3, 32, 48), (40, 3, 16, 16), {"stride": 16}),
    "deep": ((2, 600, 7, 7), (30, 600, 1, 1), {}),
    "1x1 at 7x7": ((1, 600, 7, 7), (100, 600, 1, 1), {}),  # one pixel beyond whole vectors
    "1x1 at 14x14": ((1, 130, 14, 14), (90, 130, 1, 1), {}),
    "few pixels left": ((3, 40, 7, 7), (60, 40, 5, 5), {"padding": 2}),
    "1x1": ((5, 65, 7, 9), (47, 65, 1, 1), {}),
    "1x1 stride 2": ((2, 65, 8, 9), (47, 65, 1, 1), {"stride": 2}),
    "dilated": ((2, 9, 30, 31), (12, 9, 3, 3), {"dilation": (2, 3), "padding": (2, 3)}),
    "stride shares a divisor": ((2, 9, 30, 31), (12, 9, 3, 3), {"stride": 2, "dilation": 4}),
    "groups": ((2, 24, 17, 18), (36, 8, 3, 3), {"groups": 3, "padding": 1}),
    "winograd": ((2, 35, 15, 40), (33, 35, 3, 3), {"padding": 1}),
    "winograd many tiles": ((3, 40, 60, 63), (45, 40, 3, 3), {"padding": 1}),
    "winograd no padding": ((1, 64, 33, 20), (40, 64, 3, 3), {}),
    "winograd much padding": ((1, 40, 20, 18), (40, 40, 3, 3), {"padding": (2, 0)}),
    "lenet": ((9, 6, 14, 14), (16, 6, 5, 5), {}),
    "one channel": ((9, 1, 28, 28), (16, 1, 5, 5), {"padding": 2}),
    "stride 4": ((3, 33, 21, 30), (40, 33, 5, 5), {"stride": 4, "padding": 2}),
    "steps of rows and columns": ((2, 34, 19, 22), (36, 34, 3, 2), {"stride": (3, 2)}),
    "1x1 steps with gaps": ((3, 40, 11, 14), (30, 40, 1, 1), {"stride": (2, 3)}),
    "winograd parts": ((4, 32, 60, 63), (32, 32, 3, 3), {"padding": 1}),
    "depthwise small": ((3, 40, 7, 7), (40, 1, 3, 3), {"groups": 40, "padding": 1}),
    "depthwise even stride 2": (
        (2, 9, 14, 66),
        (9, 1, 3, 3),
        {"groups": 9, "stride": 2, "padding": 1},
    ),
    "depthwise": ((3, 21, 37, 40), (21, 1, 3, 3), {"groups": 21, "padding": 1}),
    "depthwise 7x7": ((2, 20, 14, 17), (20, 1, 7, 7), {"groups": 20, "padding": 3}),
    "depthwise 5x5/2": ((2, 20, 41, 38), (20, 1, 5, 5), {"groups": 20, "padding": 2, "stride": 2}),
    "depthwise 3x3/2": ((2, 20, 30, 70), (20, 1, 3, 3), {"groups": 20, "padding": 1, "stride": 2}),
    "depthwise rows": ((2, 20, 30, 40), (20, 1, 2, 3), {"groups": 20, "stride": (3, 1)}),
    "depthwise dilated": ((2, 20, 30, 40), (20, 1, 3, 3), {"groups": 20, "dilation": 3}),
    "depth multiplier": ((2, 20, 30, 40), (60, 1, 3, 3), {"groups": 20}),
    "line": ((3, 18, 200), (20, 18, 9), {"stride": 2, "padding": 4}),
    "volume": ((2, 6, 9, 12, 11), (8, 6, 3, 3, 3), {"padding": 1, "stride": (1, 2, 1)}),
    "large kernel": ((1, 12, 40, 40), (12, 1, 33, 35), {"groups": 12, "padding": 17}),
    "covers the image": ((4, 50, 6, 6), (70, 50, 6, 6), {}),
}


@pytest.fixture(autouse=True)
def _quiet():
    torch.manual_seed(1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
    pytensor.set_float32_matmul_precision("highest")


def operands(input_shape, weight_shape, dtype=torch.float32):
    scale = np.prod(weight_shape[1:]) ** -0.5
    x = torch.randn(input_shape, dtype=dtype)
    return (
        x,
        torch.randn(weight_shape, dtype=dtype) * scale,
        torch.randn(weight_shape[0], dtype=dtype),
    )


def results(library, function, tensors, **arguments):
    """Output and gradients by all operands."""
    leaves = [t.detach().requires_grad_() for t in tensors]
    out = function(*leaves, **arguments)
    numbers = np.random.default_rng(3).standard_normal(tuple(out.shape), dtype=np.float32)
    factor = library.from_numpy(numbers).to(out.dtype)
    return [out, *library.autograd.grad((out * factor).sum(), leaves)]


def assert_near(got, want, tolerance):
    for i, (a, b) in enumerate(zip(got, want)):
        a, b = np.asarray(a.detach().numpy(), np.float64), b.detach().double().numpy()
        assert a.shape == b.shape
        error = abs(a - b).max() / abs(b).max()
        assert error < tolerance, f"result {i}: error {error:.1e}"


def function_for(shape, kind="conv"):
    name = f"{kind}{len(shape) - 2}d"
    return getattr(F, name), getattr(TF, name)


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["float32", "float64"])
def test_convolution(name, dtype):
    """Values and gradients, compared with float64."""
    input_shape, weight_shape, arguments = SHAPES[name]
    ours, theirs = function_for(input_shape)
    tensors = operands(input_shape, weight_shape, dtype)
    got = results(pytensor, ours, to_ours(list(tensors)), **arguments)
    want = results(torch, theirs, [t.double() for t in tensors], **arguments)
    assert_near(got, want, 3e-6 if dtype == torch.float32 else 1e-13)


@pytest.mark.parametrize("name", SHAPES)
def test_threads(name):
    input_shape, weight_shape, arguments = SHAPES[name]
    tensors = to_ours(list(operands(input_shape, weight_shape)))
    ours, _ = function_for(input_shape)
    assert_threads_change_nothing(lambda: results(pytensor, ours, tensors, **arguments))


TRANSPOSED = {
    "dcgan": ((2, 40, 8, 8), (40, 24, 4, 4), {"stride": 2, "padding": 1}),
    "plain": ((2, 40, 15, 15), (40, 35, 3, 3), {"padding": 1}),
    "gaps": ((2, 20, 9, 8), (20, 33, 2, 2), {"stride": 3, "output_padding": 2}),
    "groups": ((2, 20, 9, 8), (20, 6, 3, 3), {"groups": 4, "stride": 2}),
    "depthwise": ((2, 20, 9, 8), (20, 1, 3, 3), {"groups": 20, "stride": 2, "output_padding": 1}),
    "line": ((2, 20, 50), (20, 6, 5), {"stride": 3, "dilation": 2}),
    "volume": ((1, 8, 5, 6, 4), (8, 5, 3, 2, 3), {"stride": 2}),
}


@pytest.mark.parametrize("name", TRANSPOSED)
def test_transposed(name):
    input_shape, weight_shape, arguments = TRANSPOSED[name]
    ours, theirs = function_for(input_shape, "conv_transpose")
    x, w, _ = operands(input_shape, weight_shape)
    tensors = (x, w, torch.randn(weight_shape[1] * arguments.get("groups", 1)))
    got = results(pytensor, ours, to_ours(list(tensors)), **arguments)
    want = results(torch, theirs, [t.double() for t in tensors], **arguments)
    assert_near(got, want, 3e-6)
    twins = to_ours(list(tensors))
    assert_threads_change_nothing(lambda: results(pytensor, ours, twins, **arguments))


def test_double_backward():
    """Gradients of a function of the gradients, on shapes of Winograd's and the products' way."""
    for channels, kernel, stride in ((34, 3, 1), (12, 3, 2), (9, 5, 1)):
        x, w, b = operands((2, channels, 14, 15), (34, channels, kernel, kernel), torch.float64)

        def second(library, tensors, stride=stride):
            leaves = [t.detach().requires_grad_() for t in tensors]
            out = library.conv2d(*leaves, stride, 1)
            first = library.autograd.grad(out.sin().sum(), leaves, create_graph=True)
            return library.autograd.grad(sum((g * g).sum() for g in first), leaves)

        assert_near(second(pytensor, to_ours([x, w, b])), second(torch, [x, w, b]), 1e-11)


def test_float32_precision():
    """Below the highest precision 3x3 convolutions may differ, by little."""
    tensors = operands((1, 64, 28, 28), (64, 64, 3, 3))
    want = results(torch, TF.conv2d, [t.double() for t in tensors], padding=1)
    exact = results(pytensor, F.conv2d, to_ours(list(tensors)), padding=1)
    pytensor.set_float32_matmul_precision("high")
    got = results(pytensor, F.conv2d, to_ours(list(tensors)), padding=1)
    assert_near(got, want, 3e-5)
    assert (got[0] != exact[0]).any()


@pytest.mark.parametrize("special", [np.inf, np.nan])
def test_special_values_stay_where_they_are(special):
    """An infinity reaches the results whose kernel covers it and no other."""
    for channels, groups in ((3, 1), (6, 6), (1, 1)):
        x = torch.randn(1, channels, 9, 19)
        x[0, 0, 4, 18] = special
        w = torch.randn(6, channels // groups, 3, 3)
        for stride in (1, 2):
            got = results(pytensor, F.conv2d, to_ours([x, w]), stride=stride, groups=groups)
            want = results(torch, TF.conv2d, [x, w], stride=stride, groups=groups)
            for a, b in zip(got, want):
                assert np.array_equal(np.isfinite(a.detach().numpy()), b.isfinite().numpy())


def test_only_wanted_gradients():
    x, w, b = to_ours(list(operands((1, 3, 8, 8), (4, 3, 3, 3))))
    w.requires_grad_()
    F.conv2d(x, w, b).sum().backward()
    assert x.grad is None
    assert b.grad is None
    assert w.grad is not None


def test_views_and_expanded_operands():
    x, w, b = operands((2, 6, 12, 13), (5, 6, 3, 3))
    ox, ow, ob = to_ours([x, w, b])
    cases = [
        (lambda t: t.transpose(2, 3), lambda t: t),
        (lambda t: t[:, :, ::2], lambda t: t.flip(2)),
        (lambda t: t[:1].expand(3, -1, -1, -1), lambda t: t[:, :, :, :1].expand(-1, -1, -1, 2)),
    ]
    for of_x, of_w in cases:
        assert_near([F.conv2d(of_x(ox), of_w(ow), ob)], [TF.conv2d(of_x(x), of_w(w), b)], 2e-6)


R = torch.randn
WRONG = [
    (R(1, 3, 5, 5), R(4, 2, 3, 3)),
    (R(1, 3, 5, 5), R(4, 3, 7, 7)),
    (R(5, 5), R(4, 3, 3, 3)),
    (R(1, 1, 3, 5, 5), R(4, 3, 3, 3)),
    (R(1, 3, 5, 5), R(4, 3, 3)),
    (R(1, 3, 5, 5), R(4)),
    (R(1, 3, 5, 5), R(4, 3, 3, 3), R(3)),
    (R(1, 3, 5, 5), R(4, 3, 3, 3), R(4, 1)),
    (R(1, 3, 5, 5), R(4, 3, 3, 3), None, 0),
    (R(1, 3, 5, 5), R(4, 3, 3, 3), None, (1, 1, 1)),
    (R(1, 3, 5, 5), R(4, 3, 3, 3), None, 1, -1),
    (R(1, 3, 5, 5), R(4, 3, 3, 3), None, 1, 0, 0),
    (R(1, 3, 5, 5), R(4, 3, 3, 3), None, 1, 0, 1, 0),
    (R(1, 3, 5, 5), R(4, 3, 3, 3), None, 1, 0, 1, 2),
    (R(1, 4, 5, 5), R(3, 2, 3, 3), None, 1, 0, 1, 2),
    (R(1, 3, 5, 5), R(4, 3, 3, 3), None, 2, "same"),
    (R(1, 3, 5, 5), R(4, 3, 3, 3), None, 1, "other"),
    (R(1, 3, 0, 5), R(4, 3, 3, 3)),
    (R(1, 3, 5, 5), R(0, 3, 3, 3)),
    (R(1, 3, 5, 5), R(4, 3, 3, 3).double()),
    (R(1, 3, 5, 5), R(4, 3, 3, 3), R(4).double()),
    (R(1, 3, 5, 5), R(4, 3, 3, 3), None, 1, 2**62),
    (R(1, 3, 5, 5), R(4, 3, 3, 3), None, 1, 0, 1, 1.5),
]


@pytest.mark.parametrize("arguments", WRONG, ids=range(len(WRONG)))
def test_wrong_arguments(arguments):
    assert check_same_error(F.conv2d, TF.conv2d, *arguments)


def test_known_messages():
    assert_same_program("nn.Conv2d(2, 4, 3)(torch.ones(1, 3, 5, 5))", fails=True)
    assert_same_program("nn.Conv2d(3, 4, 7)(torch.ones(1, 3, 5, 5))", fails=True)
    assert_same_program("nn.Conv2d(3, 4, 3, groups=2)", fails=True)
    assert_same_program("nn.Conv2d(4, 4, 3, padding='same', stride=2)", fails=True)
    assert_same_program("nn.ConvTranspose2d(3, 4, 3, padding_mode='reflect')", fails=True)
    assert_same_program("nn.LazyConv2d(3, 2)(torch.ones(5))", fails=True)
    for size in ("(13, 12)", "(13,)"):
        program = f"nn.ConvTranspose2d(3, 4, 3, 2)(torch.ones(1, 3, 5, 5), output_size={size})"
        assert_same_program(program, fails=True)


def test_impossible_sizes():
    """Numbers near the ends of 64 bits raise; steps that are never taken may be as large."""
    x, w = pytensor.ones(1, 3, 5), pytensor.ones(4, 3, 3)
    for arguments in (
        {"padding": 2**61},
        {"dilation": 2**62},
        {"dilation": 2**61, "padding": 2**62},
    ):
        with pytest.raises(RuntimeError):
            F.conv1d(x, w, **arguments)
    with pytest.raises(RuntimeError):
        F.conv_transpose1d(x, pytensor.ones(3, 3, 3), stride=2**62)
    assert F.conv1d(x, w, stride=2**62).shape == (1, 4, 1)
    with pytest.raises(RuntimeError):
        F.unfold(pytensor.ones(1, 1, 4, 4), 2, padding=2**62)
    with pytest.raises(RuntimeError):
        F.fold(pytensor.ones(1, 4, 4), (2**62, 2**62), 2)


def test_internal_products_check_their_sizes():
    """The ops behind the gradients are reachable too: nothing wrong gets to a kernel."""
    ones, internal = pytensor.ones, pytensor._ops.internal
    grad, weight, image = ones(2, 4, 5), ones(4, 3, 3), ones(2, 3, 7)
    one, none = [1], [0]
    wrong = [
        ("conv_forward", (image, weight, None, one, none, one, [-1], 1)),
        ("conv_forward", (image, weight, None, [0], none, one, [5], 1)),
        ("conv_forward", (image, weight, None, one, [-2], one, [5], 1)),
        ("conv_forward", (image, weight, ones(3), one, none, one, [5], 1)),
        ("conv_forward", (image, weight, None, one, none, one, [5], 0)),
        ("conv_forward", (image, weight, None, one, none, one, [2**61], 1)),
        ("conv_forward", (image, weight, None, one, none, [2**61], [5], 1)),
        ("conv_input_gradient", (grad, weight, None, one, none, one, [7, 7], 1)),
        ("conv_input_gradient", (grad, ones(5, 3, 3), None, one, none, one, [7], 1)),
        ("conv_input_gradient", (grad, weight, None, one, none, one, [7], 2**62)),
        ("conv_weight_gradient", (grad, image, one, none, one, [3], 2)),
        ("conv_weight_gradient", (grad, ones(3, 3, 7), one, none, one, [3], 1)),
        ("conv_weight_gradient", (grad, image, one, none, one, [-3], 1)),
    ]
    for name, arguments in wrong:
        with pytest.raises(RuntimeError):
            internal[name](*arguments)
