"""no_grad and its relatives: nesting, decorators, generators, exceptions, and their cost."""

from __future__ import annotations

import threading
import time

import pytest

import pytensor
from pytensor import _C
from pytensor.autograd.grad_mode import enable_grad, inference_mode, no_grad, set_grad_enabled

CONTEXTS = {
    "no_grad": (no_grad, False),
    "enable_grad": (enable_grad, True),
    "inference_mode": (inference_mode, False),
    "set_grad_enabled_off": (lambda: set_grad_enabled(False), False),
    "set_grad_enabled_on": (lambda: set_grad_enabled(True), True),
}


def enabled() -> bool:
    return _C.grad_enabled()


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("name", CONTEXTS)
def test_sets_and_restores(name, before):
    make, inside = CONTEXTS[name]
    with set_grad_enabled(before):
        with make():
            assert enabled() is inside
        assert enabled() is before
        with pytest.raises(KeyError), make():
            raise KeyError
        assert enabled() is before
    assert enabled()


@pytest.mark.parametrize("name", CONTEXTS)
def test_decorates_functions(name):
    make, inside = CONTEXTS[name]

    @make()
    def probe(a, b=2):
        """Says the mode."""
        return enabled(), a, b

    assert enabled()
    assert probe(1, b=3) == (inside, 1, 3)
    assert (probe.__name__, probe.__doc__) == ("probe", "Says the mode.")
    assert enabled()


@pytest.mark.parametrize("decorator", [no_grad, inference_mode])
def test_decorates_without_parentheses(decorator):
    @decorator
    def probe():
        return enabled()

    assert probe() is False
    assert enabled()


def test_recursion():
    @no_grad()
    def down(n):
        return enabled() if n == 0 else down(n - 1)

    assert down(5) is False
    assert enabled()


def test_methods():
    class Model:
        @no_grad()
        def step(self):
            return enabled()

    assert Model().step() is False


def test_generators_switch_at_every_step():
    @no_grad()
    def numbers():
        received = []
        try:
            while True:
                assert not enabled()
                received.append((yield len(received)))
                if received[-1] == "stop":
                    return received
        except KeyError:
            yield enabled()

    g = numbers()
    assert next(g) == 0
    assert enabled()
    assert g.send("a") == 1
    assert enabled()
    with pytest.raises(StopIteration) as stop:
        g.send("stop")
    assert stop.value.value == ["a", "stop"]
    h = numbers()
    next(h)
    assert h.throw(KeyError()) is False
    assert enabled()


def test_generator_close_runs_inside():
    seen = []

    @no_grad()
    def numbers():
        try:
            yield 1
        finally:
            seen.append(enabled())

    g = numbers()
    next(g)
    g.close()
    assert seen == [False]
    assert enabled()


def test_set_grad_enabled_acts_at_once():
    set_grad_enabled(False)
    assert not enabled()
    set_grad_enabled(True)
    assert enabled()


def test_inference_mode_can_be_left_inside():
    with inference_mode():
        with inference_mode(False):
            assert enabled()
        assert not enabled()
    with no_grad(), inference_mode(mode=False):
        assert enabled()


def test_mode_is_per_thread():
    seen = []
    with no_grad():
        thread = threading.Thread(target=lambda: seen.append(enabled()))
        thread.start()
        thread.join()
    assert seen == [True]


def test_results_carry_no_gradient():
    x = pytensor.ones(2, requires_grad=True)
    with no_grad():
        assert not (x * 2).requires_grad
        with enable_grad():
            assert (x * 2).requires_grad


def test_is_cheap():
    best = float("inf")
    for _ in range(20):
        start = time.perf_counter()
        for _ in range(1000):
            with no_grad():
                pass
        best = min(best, time.perf_counter() - start)
    assert best / 1000 < 2e-6


def test_anomaly_state_is_restored():
    from pytensor.autograd.anomaly import detect_anomaly, set_detect_anomaly

    before = _C.set_anomaly(False, True)
    with pytest.warns(UserWarning, match="Anomaly Detection has been enabled"):
        context = detect_anomaly(check_nan=False)
    with context:
        assert _C.set_anomaly(True, False) == (True, False)
    with set_detect_anomaly(True):
        assert _C.set_anomaly(True, True) == (True, True)
    assert _C.set_anomaly(*before) == (False, True)
