"""Layers of images on a cuda device: results, gradients and training are those of the cpu."""

from __future__ import annotations

import pytest

import pytensor as torch
from pytensor import nn
from pytensor.nn import functional as F

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no cuda device")


def numbers(*sizes, dtype="float32", seed=0):
    torch.manual_seed(seed + sum(sizes))
    return torch.randn(*sizes).to(getattr(torch, dtype))


def both(function, *inputs, tolerance=1e-4):
    """The outputs and the inputs' gradients of ``function`` on both devices are close."""
    found = []
    for device in ("cpu", "cuda"):
        moved = [t.detach().to(device).requires_grad_(t.is_floating_point()) for t in inputs]
        out = function(*moved)
        weights = torch.linspace(0.5, 1.5, out.numel()).reshape(out.shape).to(device)
        (out * weights).sum().backward()
        found.append([out.detach().cpu()] + [t.grad.cpu() for t in moved if t.is_floating_point()])
    for expected, got in zip(*found):
        assert expected.shape == got.shape
        assert expected.dtype == got.dtype
        scale = max(1.0, expected.abs().max().item()) if expected.numel() else 1.0
        assert torch.isfinite(got).all().item()
        assert (got - expected).abs().max().item() <= tolerance * scale


@pytest.mark.parametrize(
    ("sizes", "settings"),
    [
        (((2, 3, 9, 10), (5, 3, 3, 3)), {"padding": 1}),
        (((2, 3, 9, 10), (70, 3, 5, 4)), {"stride": 2, "padding": (2, 1)}),  # 2 tiles of rows
        (((2, 40, 12, 12), (130, 40, 1, 1)), {}),  # 1x1, aligned
        (((1, 4, 7, 7), (6, 2, 3, 3)), {"groups": 2, "dilation": 2, "padding": 2}),
        (((2, 6, 8, 9), (6, 1, 3, 3)), {"groups": 6, "padding": 1}),  # depthwise
        (((2, 6, 8, 9), (12, 1, 3, 3)), {"groups": 6, "stride": 2}),
        (((3, 2, 5, 6, 4), (3, 2, 2, 3, 2)), {"padding": 1}),
        (((9, 4, 33, 32), (3, 4, 3, 3)), {"padding": 1}),  # the weight's sums are cut
        (((2, 4, 21), (3, 4, 5)), {"stride": 3}),
    ],
)
def test_convolutions(sizes, settings):
    convolve = {3: F.conv1d, 4: F.conv2d, 5: F.conv3d}[len(sizes[0])]
    x, w, b = numbers(*sizes[0]), numbers(*sizes[1]), numbers(sizes[1][0])
    both(lambda x, w, b: convolve(x, w, b, **settings), x, w, b)


def test_transposed_convolution():
    x, w, b = numbers(2, 4, 5, 6), numbers(4, 3, 3, 2), numbers(3)
    both(lambda x, w, b: F.conv_transpose2d(x, w, b, stride=2, padding=1), x, w, b)


def test_convolution_of_doubles():
    x, w = numbers(2, 3, 9, 10, dtype="float64"), numbers(5, 3, 3, 3, dtype="float64")
    both(lambda x, w: F.conv2d(x, w, padding=1), x, w, tolerance=1e-12)


@pytest.mark.parametrize(
    "pool",
    [
        lambda x: F.max_pool2d(x, 2),
        lambda x: F.max_pool2d(x, 3, 2, 1),
        lambda x: F.max_pool2d(x, 3, 1, 1),  # an element is the largest of several windows
        lambda x: F.avg_pool2d(x, 3, 2, 1, True, False),
        lambda x: F.adaptive_avg_pool2d(x, (3, 4)),
        lambda x: F.adaptive_max_pool2d(x, (3, 5)),
        lambda x: F.pad(x, (1, 2, 3, 0), mode="reflect"),
        lambda x: F.pad(x, (1, 2, 3, 0), value=1.5),
        lambda x: F.interpolate(x, scale_factor=2, mode="bilinear"),
        lambda x: F.interpolate(x, size=(4, 13)),
        lambda x: F.unfold(x, 3, padding=1),
        lambda x: F.pixel_shuffle(x, 2),
    ],
)
def test_pools_and_resampling(pool):
    both(pool, numbers(2, 4, 9, 10))


@pytest.mark.parametrize(
    "shape", [(4, 3, 8, 8), (3, 5, 7, 7), (6, 40), (2, 3, 5), (2, 2, 60, 70), (600, 33)]
)
def test_batch_norm(shape):
    x, w, b = numbers(*shape), numbers(shape[1]), numbers(shape[1], seed=1)
    both(lambda x, w, b: F.batch_norm(x, None, None, w, b, True), x, w, b)
    both(lambda x: F.batch_norm(x + 100, None, None, training=True), x, tolerance=1e-3)


def test_batch_norm_of_channels_last():
    x = numbers(3, 40, 6, 7).to(memory_format=torch.channels_last)
    both(lambda x: F.batch_norm(x.contiguous(memory_format=torch.channels_last), None, None,
                                training=True), x)  # fmt: skip


def test_running_statistics():
    layers = [nn.BatchNorm2d(3).to(device) for device in ("cpu", "cuda")]
    for step in range(3):
        x = numbers(4, 3, 5, 5, seed=step) * (step + 1)
        for layer in layers:
            layer(x.to(layer.weight.device))
    for name in ("running_mean", "running_var"):
        a, b = (getattr(layer, name).cpu() for layer in layers)
        assert (a - b).abs().max().item() < 1e-6
    x = numbers(4, 3, 5, 5)
    out = [layer.eval()(x.to(layer.weight.device)).cpu() for layer in layers]
    assert (out[0] - out[1]).abs().max().item() < 1e-5


@pytest.mark.parametrize("shape", [(5, 7), (3, 600), (2, 5000), (70, 16)])
def test_row_norms(shape):
    x, w, b = numbers(*shape), numbers(shape[1]), numbers(shape[1], seed=1)
    both(lambda x, w, b: F.layer_norm(x, (shape[1],), w, b), x, w, b)
    both(lambda x, w: F.rms_norm(x, (shape[1],), w), x, w)


def test_group_norm():
    x, w, b = numbers(3, 6, 5, 4), numbers(6), numbers(6, seed=1)
    both(lambda x, w, b: F.group_norm(x, 2, w, b), x, w, b)
    both(lambda x: F.instance_norm(x), x)


@pytest.mark.parametrize("shape", [(5, 7), (3, 600), (2, 1500), (2, 4, 5, 3)])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_class_losses(shape, reduction):
    x = numbers(*shape)
    torch.manual_seed(3)
    classes = torch.randint(0, shape[1], (shape[0], *shape[2:]))
    both(lambda x, c: F.cross_entropy(x, c, reduction=reduction, label_smoothing=0.1), x, classes)
    both(lambda x, c: F.nll_loss(F.log_softmax(x, 1), c, reduction=reduction), x, classes)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_element_losses(reduction):
    x, y = numbers(40, 70), numbers(40, 70, seed=1)
    both(lambda x, y: F.mse_loss(x, y, reduction=reduction), x, y)
    both(lambda x, y: F.smooth_l1_loss(x, y, reduction=reduction), x, y)
    both(lambda x: F.binary_cross_entropy_with_logits(x, (y > 0).float().to(x.device),
                                                      reduction=reduction), x)  # fmt: skip


def lenet():
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
    )  # fmt: skip


class Residual(nn.Module):
    def __init__(self, channels, stride):
        super().__init__()
        wide = channels * stride
        self.first = nn.Conv2d(channels, wide, 3, stride, 1, bias=False)
        self.norm1, self.norm2 = nn.BatchNorm2d(wide), nn.BatchNorm2d(wide)
        self.second = nn.Conv2d(wide, wide, 3, 1, 1, bias=False)
        self.short = nn.Conv2d(channels, wide, 1, stride, bias=False)

    def forward(self, x):
        y = torch.relu(self.norm1(self.first(x)))
        return torch.relu(self.norm2(self.second(y)) + self.short(x))


def resnet():
    return nn.Sequential(
        nn.Conv2d(1, 8, 7, 2, 3, bias=False), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(3, 2, 1),
        Residual(8, 1), Residual(8, 2), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 10),
    )  # fmt: skip


def losses(make, device, steps):
    """Plain gradient descent with momentum, by elementwise operations."""
    torch.manual_seed(7)
    model = make()
    images, classes = torch.randn(8, 1, 28, 28), torch.randint(0, 10, (8,))
    model, images, classes = model.to(device), images.to(device), classes.to(device)
    speeds = [torch.zeros_like(p) for p in model.parameters()]
    found = []
    for _ in range(steps):
        loss = F.cross_entropy(model(images), classes)
        loss.backward()
        with torch.no_grad():
            for p, v in zip(model.parameters(), speeds):
                v.mul_(0.9).add_(p.grad)
                p.sub_(v * 0.02)
                p.grad = None
        found.append(loss.item())
    return found


@pytest.mark.parametrize("make", [lenet, resnet])
def test_training_gives_the_losses_of_the_cpu(make):
    expected, got = losses(make, "cpu", 6), losses(make, "cuda", 6)
    assert expected[-1] < expected[0]
    assert got == pytest.approx(expected, rel=2e-3)


def test_training_is_reproducible():
    assert losses(resnet, "cuda", 2) == losses(resnet, "cuda", 2)
