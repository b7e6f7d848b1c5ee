"""autocast: regions, gradients, the cache of casts, decorators, and machines without units."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import pytest

import pytensor
from pytensor.amp import autocast_mode as mode
from tests.python.torch_pair import to_torch, torch

bf16 = pytensor.bfloat16


def model(T):
    T.manual_seed(0)
    return T.nn.Sequential(
        T.nn.Conv2d(3, 16, 3, padding=1, bias=False),  # a bias would have no gradient
        T.nn.BatchNorm2d(16),
        T.nn.ReLU(),
        T.nn.AvgPool2d(2),
        T.nn.Flatten(),
        T.nn.Linear(16 * 16, 10),
    )


def train(T, steps=3):
    """Losses of a small network under autocast, and its gradients after the first step."""
    net = model(T)
    optimizer = T.optim.SGD(net.parameters(), lr=0.05)
    x, labels = T.randn(8, 3, 8, 8), T.arange(8)
    losses, gradients = [], None
    for _ in range(steps):
        optimizer.zero_grad()
        with T.autocast("cpu", dtype=T.bfloat16):
            loss = T.nn.functional.cross_entropy(net(x), labels)
        loss.backward()
        gradients = gradients or [p.grad.clone() for p in net.parameters()]
        optimizer.step()
        losses.append(loss.item())
    return losses, gradients


def test_training_follows_torch():
    losses, gradients = train(pytensor)
    their_losses, their_gradients = train(torch)
    assert losses == pytest.approx(their_losses, rel=2e-2)
    for ours, theirs in zip(gradients, their_gradients, strict=True):
        assert ours.dtype == pytensor.float32
        # Numbers of eight bits, summed up in another order: a ReLU may be on here and off there.
        difference = (to_torch(ours) - theirs).norm() / (theirs.norm() + 1e-2)
        assert difference < 5e-2


def test_regions_nest_and_restore():
    a = pytensor.ones(2, 2)
    assert not pytensor.is_autocast_enabled("cpu")
    with pytensor.autocast("cpu"):
        assert (a @ a).dtype == bf16
        assert pytensor.is_autocast_enabled("cpu")
        assert not pytensor.is_autocast_enabled()
        with pytensor.autocast("cpu", enabled=False):
            assert (a @ a).dtype == pytensor.float32
            with pytensor.autocast("cpu", dtype=pytensor.float16):
                assert (a @ a).dtype == pytensor.float16
                assert pytensor.get_autocast_dtype("cpu") == pytensor.float16
            assert pytensor.get_autocast_dtype("cpu") == bf16
        assert (a @ a).dtype == bf16
    assert (a @ a).dtype == pytensor.float32
    with pytest.raises(KeyError), pytensor.autocast("cpu"):
        raise KeyError
    assert not pytensor.is_autocast_enabled("cpu")


def test_one_object_is_entered_many_times():
    region = pytensor.autocast("cpu")

    @region
    def product(a):
        with region:
            return a @ a

    assert product(pytensor.ones(2, 2)).dtype == bf16
    assert product(pytensor.ones(2, 2)).dtype == bf16
    assert not pytensor.is_autocast_enabled("cpu")


def dtype_of_product():
    return pytensor.ones(2, 2).mm(pytensor.ones(2, 2)).dtype


def test_threads_have_their_own():
    seen = []
    with pytensor.autocast("cpu"):
        thread = threading.Thread(
            target=lambda: seen.append(pytensor.ones(2, 2).mm(pytensor.ones(2, 2)).dtype)
        )
        thread.start()
        thread.join()
    assert seen == [pytensor.float32]


def test_other_dtypes_and_devices():
    with pytest.warns(UserWarning, match="Disabling autocast"):
        region = pytensor.autocast("cpu", dtype=pytensor.float64)
    with region:
        assert dtype_of_product() == pytensor.float32
    with pytest.warns(UserWarning, match="CUDA is not available"):
        region = pytensor.autocast("cuda")
    with region:
        assert dtype_of_product() == pytensor.float32
        assert not pytensor.is_autocast_enabled("cuda")
    with pytest.raises(RuntimeError, match="dtype"):
        mode.set_autocast_dtype("cpu", pytensor.float32)


def test_settings_without_a_region():
    mode.set_autocast_enabled("cpu", True)
    mode.set_autocast_dtype("cpu", pytensor.float16)
    try:
        assert dtype_of_product() == pytensor.float16
    finally:
        mode.set_autocast_enabled("cpu", False)
        mode.set_autocast_dtype("cpu", bf16)
    mode.set_autocast_cache_enabled(False)
    assert not mode.is_autocast_cache_enabled()
    mode.set_autocast_cache_enabled(True)


def test_casts_of_parameters_follow_their_values():
    weight = pytensor.nn.Parameter(pytensor.ones(2, 2))
    x = pytensor.ones(1, 2)
    with pytensor.autocast("cpu"):
        assert (x @ weight).tolist() == [[2.0, 2.0]]
        with pytensor.no_grad():
            weight.mul_(3)
        assert (x @ weight).tolist() == [[6.0, 6.0]]
        with pytensor.no_grad():
            assert not (x @ weight).requires_grad
        # A cast made without recording must not serve a call that is recorded.
        (x @ weight).sum().backward()
    assert weight.grad.tolist() == [[1.0, 1.0], [1.0, 1.0]]


def test_a_parameter_used_twice_gets_both_gradients():
    grads = {}
    for T in (pytensor, torch):
        weight = T.nn.Parameter(T.eye(3))
        with T.autocast("cpu", dtype=T.bfloat16):
            y = T.ones(2, 3) @ weight @ weight
        y.sum().backward()
        grads[T] = weight.grad.tolist()
    assert grads[pytensor] == grads[torch]


@pytest.mark.parametrize("cast", [None, "float32"])
def test_custom_functions(cast):
    def run(T):
        seen = []

        class Product(T.autograd.Function):
            @staticmethod
            @T.amp.custom_fwd(device_type="cpu", cast_inputs=cast and getattr(T, cast))
            def forward(ctx, a, b):
                ctx.save_for_backward(a, b)
                y = a.mm(b)
                seen.append((str(a.dtype), str(y.dtype), T.is_autocast_enabled("cpu")))
                return y

            @staticmethod
            @T.amp.custom_bwd(device_type="cpu")
            def backward(ctx, grad):
                a, b = ctx.saved_tensors
                seen.append((str(grad.dtype), T.is_autocast_enabled("cpu")))
                return grad.mm(b.t().to(grad.dtype)), a.t().to(grad.dtype).mm(grad)

        a = T.ones(2, 3, requires_grad=True)
        with T.autocast("cpu", dtype=T.bfloat16):
            y = Product.apply(a, T.ones(3, 2))
        y.sum().backward()
        return seen, str(y.dtype), str(a.grad.dtype)

    assert run(pytensor) == run(torch)


def test_scaler_with_autocast():
    net = model(pytensor)
    optimizer = pytensor.optim.SGD(net.parameters(), lr=0.01)
    scaler = pytensor.amp.GradScaler("cpu", init_scale=1024.0)
    with pytensor.autocast("cpu", dtype=bf16):
        loss = net(pytensor.randn(4, 3, 8, 8)).float().square().mean()
    scaler.scale(loss).backward()
    before = net[0].weight.detach().clone()
    scaler.step(optimizer)
    scaler.update()
    assert not pytensor.equal(before, net[0].weight)


def test_fused_inference():
    """Blocks that are computed in one call give the modules' dtypes and about their numbers."""
    from pytensor.vision import models

    pytensor.manual_seed(0)
    x = pytensor.randn(1, 3, 64, 64)
    for make in (models.resnet18, models.mobilenet_v2):
        net = make().eval()
        with pytensor.no_grad():
            exact = net(x)
        with pytensor.no_grad(), pytensor.autocast("cpu", dtype=bf16):
            fused = net(x)
            handles = [m.register_forward_hook(lambda *_: None) for m in net.modules()]
            apart = net(x)
        for handle in handles:
            handle.remove()
        for got in (fused, apart):
            assert got.dtype == bf16
            assert (got.float() - exact).abs().max() < 0.05 * exact.abs().max()
        # What comes out of a sequence is seen, though its parts are computed together.
        kinds = []
        for m in net.children():
            if isinstance(m, pytensor.nn.Sequential):
                m.register_forward_hook(lambda *a, kinds=kinds: kinds.append(a[2].dtype))
        with pytensor.no_grad(), pytensor.autocast("cpu", dtype=bf16):
            net(x)
        assert set(kinds) == {bf16}


def test_fused_pools():
    """Rounding after pools gives the bits of rounding before them."""
    from pytensor import nn

    pytensor.manual_seed(0)
    net = nn.Sequential(
        *(nn.Conv2d(1, 6, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 3), nn.ReLU()),
        *(nn.MaxPool2d(2), nn.Flatten(), nn.Linear(16 * 11 * 11, 10)),
    )
    x = pytensor.randn(3, 1, 52, 52)
    for dtype in (bf16, pytensor.float16):
        with pytensor.no_grad(), pytensor.autocast("cpu", dtype=dtype):
            fused, first = net(x), net[:3](x)
            handles = [m.register_forward_hook(lambda *_: None) for m in net]
            apart, first_apart = net(x), net[:3](x)
        for handle in handles:
            handle.remove()
        assert fused.dtype == apart.dtype == first.dtype == dtype
        assert pytensor.equal(first, first_apart)
        assert (fused - apart).abs().max() < 0.02 * apart.abs().max()


@pytest.mark.parametrize("unit", ["none", "dot", "tiles"])
def test_units(unit):
    """Every kernel and every ISA gives autocast's dtypes and about the same numbers."""
    code = (
        "from tests.amp.test_autocast import *\n"
        "test_training_follows_torch(); test_casts_of_parameters_follow_their_values()\n"
        "test_regions_nest_and_restore(); test_a_parameter_used_twice_gets_both_gradients()\n"
        "test_fused_inference(); test_fused_pools()\n"
    )
    environment = os.environ | {"PYTENSOR_BF16": unit}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment, timeout=120)
