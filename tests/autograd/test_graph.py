"""Properties of graphs as such: depth, size, life times, anomaly detection."""

from __future__ import annotations

import gc
import warnings

import pytest

import pytensor


def test_deep_chain() -> None:
    gc.collect()
    start = pytensor._C._live()
    x = pytensor.ones(1, requires_grad=True)
    y = x
    for _ in range(1_000_000):
        y = y + 1
    y.backward()
    assert x.grad.item() == 1.0
    del y
    z = x
    for _ in range(1_000_000):
        z = -z
    (g,) = pytensor.autograd.grad(z, x)
    assert g.item() == 1.0
    del x, z, g
    assert pytensor._C._live() == start


def test_deep_chain_of_functions() -> None:
    class Pass(pytensor.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * 1

        @staticmethod
        def backward(ctx, g):
            return g

    gc.collect()
    start = pytensor._C._live()
    x = pytensor.ones(1, requires_grad=True)
    y = x
    for _ in range(100_000):
        y = Pass.apply(y)
    y.backward(retain_graph=True)
    assert x.grad.item() == 1.0
    del x, y
    assert pytensor._C._live() == start


def test_deep_chain_through_views() -> None:
    y = pytensor.ones(2, requires_grad=True) * 1
    start_leaf = y
    for _ in range(20_000):
        y[0].mul_(1)
    start_leaf.sum().backward()
    del y, start_leaf


def test_wide_graph() -> None:
    x = pytensor.ones(1, requires_grad=True)
    total = x * 0
    for _ in range(20_000):
        total = total + x
    total.backward()
    assert x.grad.item() == 20_000.0


def test_exponential_paths() -> None:
    x = pytensor.ones(1, dtype=pytensor.float64, requires_grad=True)
    y = x
    for _ in range(200):
        y = (y + y) * 0.5
    y.backward()
    assert x.grad.item() == 1.0


def _program(kind: str) -> None:
    x = pytensor.ones(3, dtype=pytensor.float64, requires_grad=True)
    w = pytensor.ones(3, dtype=pytensor.float64, requires_grad=True)
    y = (x * w).exp()
    if kind == "backward":
        y.sum().backward()
    elif kind == "not_run":
        y.sum()
    elif kind == "higher":
        (g,) = pytensor.autograd.grad(y.sum(), x, create_graph=True)
        (h,) = pytensor.autograd.grad(g.sum(), [w], create_graph=True)
        h.sum().backward()
    elif kind == "inplace":
        y = x * w
        y[1:].mul_(w[1:])
        v = y[0]
        y.add_(1)
        (v * y.sum()).backward()
    elif kind == "hooks":
        y.register_hook(lambda g: g * w.detach())
        y.grad_fn.register_hook(lambda a, b: None)
        x.register_hook(lambda g: g)
        y.retain_grad()
        y.sum().backward()
    elif kind == "nodes":
        node = y.grad_fn
        assert node.next_functions[0][0].next_functions
        y.sum().backward()
    elif kind == "error":
        z = y * y
        y.add_(1)
        with pytest.raises(RuntimeError):
            z.sum().backward()
    elif kind == "anomaly":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with pytensor.autograd.detect_anomaly(), pytest.raises(RuntimeError):
                (y * float("nan")).sum().backward()


KINDS = ["backward", "not_run", "higher", "inplace", "hooks", "nodes", "error", "anomaly"]


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_stays_alive(kind) -> None:
    _program(kind)
    gc.collect()
    start = pytensor._C._live()
    for _ in range(3):
        _program(kind)
    gc.collect()
    assert pytensor._C._live() == start


def test_saved_tensors_are_freed_by_backward() -> None:
    x = pytensor.ones(3, requires_grad=True)
    y = x.exp().sin().exp()
    held = pytensor._C._live()["storages"]
    y.sum().backward()
    assert pytensor._C._live()["storages"] < held + 1


def _logarithm_of_zero() -> None:
    x = pytensor.zeros(1, requires_grad=True)
    (x.log() * 0).sum().backward()


def test_anomaly_names_op_and_line() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with (
            pytensor.autograd.detect_anomaly(),
            pytest.raises(
                RuntimeError,
                match=r"^Function 'LogBackward0' returned nan values in its 0th output\.$",
            ),
        ):
            _logarithm_of_zero()
    text = str(caught[-1].message)
    assert text.startswith(
        "Error detected in LogBackward0. Traceback of forward call that caused the error:\n"
    )
    assert "(x.log() * 0).sum().backward()" in text
    assert not pytensor._C.is_anomaly_enabled()


def test_anomaly_without_forward_information() -> None:
    x = pytensor.zeros(1, requires_grad=True)
    y = (x.log() * 0).sum()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with pytensor.autograd.detect_anomaly(), pytest.raises(RuntimeError):
            y.backward()
    assert "No forward pass information available." in str(caught[-1].message)


def test_anomaly_without_nan_check() -> None:
    with pytensor.autograd.set_detect_anomaly(True, check_nan=False):
        _logarithm_of_zero()


def test_anomaly_warning_as_error_keeps_the_first_error() -> None:
    with warnings.catch_warnings(), pytensor.autograd.set_detect_anomaly(True):
        warnings.simplefilter("error")
        with pytest.raises(RuntimeError, match="nan values"):
            _logarithm_of_zero()


def test_inference_tensors() -> None:
    with pytensor.inference_mode():
        x = pytensor.ones(2) * 2
        assert pytensor.is_inference_mode_enabled()
    assert x.is_inference()
    assert not pytensor.ones(2).is_inference()
    w = pytensor.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match="Inference tensors cannot be saved for backward"):
        w * x
    with pytest.raises(RuntimeError, match="Setting requires_grad=True on inference tensor"):
        x.requires_grad_()


def test_switches_take_bools_only() -> None:
    with pytest.raises(TypeError, match="must be bool"):
        pytensor._C.set_grad_enabled(1)
    assert pytensor._C.set_grad_enabled(False) is True
    assert pytensor._C.set_grad_enabled(True) is False
