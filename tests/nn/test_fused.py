"""Fused convolutions of inference: the same numbers, and only where nobody can see a difference."""

from __future__ import annotations

import copy
import gc
import itertools
import math
import pickle

import pytest

import pytensor
from pytensor import _ops, nn
from pytensor.nn.modules import _fused
from pytensor.nn.utils import fusion
from pytensor.vision import models


@pytest.fixture
def calls(monkeypatch):
    """The outcomes of the fused op's calls."""
    made = []

    def counted(*args):
        made.append("failed")
        result = _fused_op(*args)
        made[-1] = "done"
        return result

    _fused_op = _ops.internal["conv_fused"]
    monkeypatch.setattr(_fused, "_conv_fused", counted)
    return made


def unfused(module, *args):
    """What the modules give one by one: a hook on every module keeps them apart."""
    handles = [m.register_forward_hook(lambda *_: None) for m in module.modules()]
    with pytensor.no_grad():
        result = module(*args)
    for handle in handles:
        handle.remove()
    return result


def assert_close(got, want):
    scale = float(want.abs().max())
    bound = 1e-5 if want.dtype == pytensor.float32 else 1e-13
    assert got.shape == want.shape
    assert float((got - want).abs().max()) <= bound * scale


def randomized(module):
    """Statistics and parameters that make every term count."""
    with pytensor.no_grad():
        for m in module.modules():
            if isinstance(m, (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)):
                if m.running_mean is not None:
                    m.running_mean.normal_()
                    m.running_var.uniform_(0.5, 2)
                if m.weight is not None:
                    m.weight.normal_()
                if m.bias is not None:
                    m.bias.normal_()
    return module.eval()


def block(channels=8, **options):
    return randomized(
        nn.Sequential(
            nn.Conv2d(channels, 16, 3, padding=1, **options), nn.BatchNorm2d(16), nn.ReLU()
        )
    )


# Every way a convolution is computed: products, Winograd, 1x1, by planes, and their edges.
CONVOLUTIONS = [
    ((2, 3, 17, 13), {"out": 8, "kernel_size": 3, "stride": 2, "padding": 1}),
    ((1, 40, 21, 20), {"out": 48, "kernel_size": 3, "padding": 1}),
    ((3, 32, 14, 14), {"out": 32, "kernel_size": 3, "padding": 1}),
    ((1, 8, 9, 11), {"out": 16, "kernel_size": 1}),
    ((4, 16, 5, 5), {"out": 20, "kernel_size": 1}),
    ((1, 64, 1, 1), {"out": 300, "kernel_size": 1}),
    ((1, 4100, 3, 3), {"out": 5, "kernel_size": 1}),
    ((1, 600, 7, 7), {"out": 30, "kernel_size": 1, "stride": 2}),
    ((2, 32, 15, 19), {"out": 32, "kernel_size": 3, "padding": 1, "groups": 32}),
    ((2, 32, 15, 19), {"out": 32, "kernel_size": 3, "stride": 2, "padding": 1, "groups": 32}),
    ((1, 16, 13, 13), {"out": 20, "kernel_size": 5, "stride": 2, "padding": 2, "groups": 2}),
    ((1, 16, 13, 13), {"out": 20, "kernel_size": 3, "stride": 3, "dilation": 2}),
]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("shape", "options"), CONVOLUTIONS)
def test_op(shape, options, dtype):
    pytensor.manual_seed(0)
    dtype = getattr(pytensor, dtype)
    options = dict(options)
    out = options.pop("out")
    conv = nn.Conv2d(shape[1], out, **options, dtype=dtype)
    norm = randomized(nn.BatchNorm2d(out, dtype=dtype))
    x = pytensor.randn(*shape, dtype=dtype)
    with pytensor.no_grad():
        plain = nn.functional.conv2d(
            x, conv.weight, None, conv.stride, conv.padding, conv.dilation, conv.groups
        )
        residual = pytensor.randn(*plain.shape, dtype=dtype)
        statistics = (norm.running_mean, norm.running_var, norm.weight, norm.bias)
        sizes = (conv.stride, conv.padding, conv.dilation, conv.groups)
        for bias, use_norm, more, (least, most) in itertools.product(
            (None, conv.bias),
            (False, True),
            (None, residual, residual.transpose(2, 3).contiguous().transpose(2, 3)),
            ((-math.inf, math.inf), (0.0, math.inf), (0.0, 1.0)),
        ):
            want = plain if bias is None else plain + bias.reshape(-1, 1, 1)
            want = norm(want) if use_norm else want
            want = want if more is None else want + more
            want = want.clamp(least, most)
            given = statistics if use_norm else (None,) * 4
            got = _ops.internal["conv_fused"](
                x, conv.weight, bias, *given, norm.eps, more, *sizes, least, most
            )
            assert_close(got, want)


def test_op_keeps_nan_and_infinity():
    x = pytensor.tensor([math.nan, math.inf, -math.inf, 1.0]).reshape(1, 1, 1, 4)
    one = pytensor.ones(1, 1, 1, 1)
    none = (None,) * 5
    sizes = ([1, 1], [0, 0], [1, 1], 1)
    got = _ops.internal["conv_fused"](x, one, *none, 0.0, None, *sizes, 0.0, 6.0)
    assert [str(v) for v in got.flatten().tolist()] == ["nan", "6.0", "0.0", "1.0"]


def test_op_refuses_what_does_not_fit():
    x, w = pytensor.ones(1, 2, 4, 4), pytensor.ones(3, 2, 3, 3)
    none = (None,) * 5
    sizes = ([1, 1], [0, 0], [1, 1], 1)
    op = _ops.internal["conv_finished"]
    with pytest.raises(RuntimeError, match="residual"):
        op(x, w, None, None, pytensor.ones(1, 3, 2, 3), [1, 1], [0, 0], [1, 1], [2, 2], 1, 0.0, 1.0)
    with pytest.raises(RuntimeError, match="vector of 3"):
        op(x, w, pytensor.ones(2), None, None, [1, 1], [0, 0], [1, 1], [2, 2], 1, 0.0, 1.0)
    with pytest.raises(RuntimeError):
        _ops.internal["conv_fused"](x, pytensor.ones(3, 2), *none, 0.0, None, *sizes, 0.0, 1.0)


SEQUENCES = {
    "conv relu": ((2, 8, 9, 9), lambda: [nn.Conv2d(8, 16, 3), nn.ReLU(inplace=True)], 1),
    "conv norm": ((2, 8, 9, 9), lambda: [nn.Conv2d(8, 16, 3), nn.BatchNorm2d(16)], 1),
    "conv norm relu6": (
        (2, 8, 9, 9),
        lambda: [nn.Conv2d(8, 16, 3, bias=False), nn.BatchNorm2d(16), nn.ReLU6(inplace=True)],
        1,
    ),
    "norm without weight": (
        (2, 8, 9, 9),
        lambda: [nn.Conv2d(8, 16, 3), nn.BatchNorm2d(16, affine=False), nn.ReLU()],
        1,
    ),
    "1d": ((2, 8, 30), lambda: [nn.Conv1d(8, 16, 3), nn.BatchNorm1d(16), nn.ReLU()], 1),
    "3d": ((1, 4, 5, 6, 7), lambda: [nn.Conv3d(4, 8, 3), nn.BatchNorm3d(8), nn.ReLU()], 1),
    "two and others": (
        (2, 8, 9, 9),
        lambda: [
            nn.ReLU(),
            nn.Conv2d(8, 16, 3),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(16, 8, 1),
            nn.BatchNorm2d(8),
            nn.Flatten(),
            nn.Linear(72, 5),
        ],
        2,
    ),
    # Not fused: what stands between, other activations, single convolutions, other padding.
    "activation first": (
        (2, 8, 9, 9),
        lambda: [nn.Conv2d(8, 16, 3), nn.SiLU(), nn.BatchNorm2d(16)],
        0,
    ),
    "alone": ((2, 8, 9, 9), lambda: [nn.Conv2d(8, 16, 3), nn.Sigmoid()], 0),
    "reflect": (
        (2, 8, 9, 9),
        lambda: [nn.Conv2d(8, 16, 3, padding=1, padding_mode="reflect"), nn.ReLU()],
        0,
    ),
    "same": ((2, 8, 9, 9), lambda: [nn.Conv2d(8, 16, 3, padding="same"), nn.ReLU()], 0),
    "transposed": ((2, 8, 9, 9), lambda: [nn.ConvTranspose2d(8, 16, 3), nn.ReLU()], 0),
    "unbatched": ((8, 9, 9), lambda: [nn.Conv2d(8, 16, 3), nn.ReLU()], 0),
    "no statistics": (
        (2, 8, 9, 9),
        lambda: [nn.Conv2d(8, 16, 3), nn.BatchNorm2d(16, track_running_stats=False)],
        0,
    ),
}


@pytest.mark.parametrize("name", SEQUENCES)
def test_sequences(name, calls):
    pytensor.manual_seed(1)
    shape, make, fused = SEQUENCES[name]
    net = randomized(nn.Sequential(*make()))
    x = pytensor.randn(*shape)
    kept = x.clone()
    want = unfused(net, x.clone())
    with pytensor.no_grad():
        got = net(x)
    assert calls == ["done"] * fused
    assert_close(got, want)
    assert name == "two and others" or bool((x == kept).all())


@pytest.mark.parametrize("name", ["resnet18", "resnet50", "resnext50_32x4d", "mobilenet_v2"])
def test_models(name, calls):
    pytensor.manual_seed(2)
    net = models.get_model(name, num_classes=7)
    pytensor.manual_seed(3)
    x = pytensor.randn(2, 3, 64, 64)
    with pytensor.no_grad():
        net(x)  # statistics that keep the size of what passes
        net(x)
    net.eval()
    want = unfused(net, x)
    del calls[:]
    with pytensor.no_grad():
        got = net(x)
    convolutions = sum(isinstance(m, nn.Conv2d) for m in net.modules())
    assert calls == ["done"] * convolutions
    scale = float(want.abs().max())
    assert float((got - want).abs().max()) <= 5e-5 * scale
    again = net(x)  # in grad mode: the plain modules
    assert len(calls) == convolutions
    assert again.requires_grad
    assert float((again.detach() - want).abs().max()) == 0


def test_grad_mode_and_training_are_left_alone(calls):
    net, x = block(), pytensor.randn(2, 8, 6, 6)
    net(x).sum().backward()
    assert net[0].weight.grad is not None
    with pytensor.no_grad():
        net.train()
        before = net[1].running_mean.clone()
        net(x)
        assert bool((net[1].running_mean != before).any())
    assert calls == []
    net.eval()
    with pytensor.inference_mode():
        assert net(x).is_inference()
    assert calls == ["done"]


class _Doubled(nn.Conv2d):
    def forward(self, input):
        return 2 * super().forward(input)


def _forward_hook(net):
    net[1].register_forward_hook(lambda module, args, out: out + 1)


def _pre_hook(net):
    net[0].register_forward_pre_hook(lambda module, args: (args[0] + 1,))


def _own_forward(net):
    net[2].forward = lambda x: x - 1


def _parametrized(net):
    class Twice(nn.Module):
        def forward(self, x):
            return 2 * x

    nn.utils.parametrize.register_parametrization(net[0], "weight", Twice())


def _subclass(net):
    twin = _Doubled(8, 16, 3, padding=1)
    twin.load_state_dict(net[0].state_dict())
    net[0] = twin


def _weight_norm(net):
    with pytest.warns(FutureWarning):
        nn.utils.weight_norm(net[0])
    with pytensor.no_grad():
        net[0].weight_g.mul_(2)


def _norm_in_training(net):
    net[1].train()


@pytest.mark.parametrize(
    "change",
    [
        _forward_hook,
        _pre_hook,
        _own_forward,
        _parametrized,
        _subclass,
        _weight_norm,
        _norm_in_training,
    ],
)
def test_changed_modules_are_called(change, calls):
    net, x = block(), pytensor.randn(2, 8, 6, 6)
    plain = unfused(net, x)
    change(net)
    with pytensor.no_grad():
        momentum, net[1].momentum = net[1].momentum, 0.0  # running twice changes nothing
        got = net(x)
        want = unfused(net, x)
    assert momentum == 0.1
    assert "done" not in calls
    assert_close(got, want)
    assert float((got - plain).abs().max()) > 1e-3


def test_global_hooks_are_called(calls):
    net, x, seen = block(), pytensor.randn(2, 8, 6, 6), []
    handle = nn.modules.module.register_module_forward_hook(
        lambda module, args, out: seen.append(type(module).__name__)
    )
    with pytensor.no_grad():
        net(x)
    handle.remove()
    assert seen == ["Conv2d", "BatchNorm2d", "ReLU", "Sequential"]
    assert calls == []


def test_class_with_another_forward(calls, monkeypatch):
    net, x = block(), pytensor.randn(2, 8, 6, 6)
    monkeypatch.setattr(nn.ReLU, "forward", lambda self, x: x)
    with pytensor.no_grad():
        assert float(net(x).min()) < 0
    assert calls == []


def test_hooks_in_blocks(calls):
    net = models.resnet18(num_classes=3).eval()
    x, seen = pytensor.randn(1, 3, 32, 32), []
    net.layer2[0].bn2.register_forward_hook(lambda m, args, out: seen.append(out.clone()))
    net.layer2[0].downsample.register_forward_hook(lambda m, args, out: seen.append(out.clone()))
    with pytensor.no_grad():
        net(x)
    assert [t.shape for t in seen] == [(1, 128, 4, 4)] * 2
    assert calls == ["done"] * 19  # all convolutions but the one before the hooked norm


CHANGES = {
    "in place": lambda net: net[0].weight.mul_(2),
    "data": lambda net: net[0].weight.data.copy_(pytensor.ones(16, 8, 3, 3)),
    "new data": lambda net: setattr(net[0].weight, "data", pytensor.ones(16, 8, 3, 3)),
    "new parameter": lambda net: setattr(
        net[0], "weight", nn.Parameter(pytensor.ones(16, 8, 3, 3))
    ),
    "numpy": lambda net: net[0].weight.detach().numpy().fill(0.5),
    "view": lambda net: net[0].weight.detach()[3].fill_(7),
    "statistics": lambda net: net[1].running_var.mul_(3),
    "norm's weight": lambda net: net[1].weight.data.neg_(),
    "eps": lambda net: setattr(net[1], "eps", 0.5),
    "state dict": lambda net: net.load_state_dict(block().state_dict()),
    "optimizer": lambda net: pytensor.optim.SGD(net.parameters(), lr=1.0).step(),
    "module": lambda net: net.__setitem__(1, nn.BatchNorm2d(16).eval()),
}


@pytest.mark.parametrize("how", CHANGES)
def test_changes_are_seen(how, calls):
    net, x = block(), pytensor.randn(2, 8, 6, 6)
    if how == "optimizer":
        net(x).sum().backward()
    with pytensor.no_grad():
        before = net(x)
        CHANGES[how](net)
        got = net(x)
    assert calls == ["done"] * 2
    assert float((got - before).abs().max()) > 1e-3
    assert_close(got, unfused(net, x))


def test_errors_are_the_modules_own(calls):
    net = block()
    with pytensor.no_grad(), pytest.raises(RuntimeError, match="expected input") as caught:
        net(pytensor.randn(2, 9, 6, 6))
    assert calls == ["failed"]
    notes = getattr(caught.value, "__notes__", [str(caught.value)])
    assert any("Conv2d" in note for note in notes)


def test_other_dtypes_and_inputs(calls):
    net, x = block().to(pytensor.bfloat16), pytensor.randn(2, 8, 6, 6).to(pytensor.bfloat16)
    with pytensor.no_grad():
        assert net(x).dtype == pytensor.bfloat16
        with pytest.raises(RuntimeError):
            block()(x)
        assert block()(pytensor.empty(0, 8, 6, 6)).shape == (0, 16, 6, 6)
    assert calls == ["done"]  # an empty batch


def test_nothing_is_kept(calls):
    net, x = block(), pytensor.randn(2, 8, 6, 6)
    members = [set(m.__dict__) for m in net.modules()]
    keys = list(net.state_dict())
    with pytensor.no_grad():
        net(x)
    assert [set(m.__dict__) for m in net.modules()] == members
    assert list(net.state_dict()) == keys
    with pytensor.no_grad():
        want = net(x)
        assert bool((copy.deepcopy(net)(x) == want).all())
        assert bool((pickle.loads(pickle.dumps(net))(x) == want).all())
        gc.collect()
        before = pytensor._C._live()
        net(x)
        assert pytensor._C._live() == before


def test_fused_weights_run_fused(calls):
    net, x = block(bias=False), pytensor.randn(2, 8, 6, 6)
    short = nn.Sequential(fusion.fuse_conv_bn_eval(net[0], net[1]), nn.ReLU()).eval()
    with pytensor.no_grad():
        got = short(x)
    assert calls == ["done"]
    assert_close(got, unfused(net, x))


def test_threads_agree():
    pytensor.manual_seed(4)
    net, x = models.resnet18(num_classes=3).eval(), pytensor.randn(1, 3, 64, 64)
    threads = pytensor.get_num_threads()
    results = []
    for count in (1, 2, 3):
        pytensor.set_num_threads(count)
        with pytensor.no_grad():
            results.append(net(x))
    pytensor.set_num_threads(threads)
    assert all(bool((r == results[0]).all()) for r in results)
