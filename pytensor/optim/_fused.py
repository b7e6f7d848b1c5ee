"""The step that the optimizers with a fused kernel share, and checks of their arguments.

A step collects the lists of parameters, gradients and states and makes one call of the compiled
core for each group. Nothing is kept between steps, so that users may change groups, gradients and
state as they like.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import pytensor
from pytensor import Tensor
from pytensor.optim.optimizer import Optimizer

State = dict[str, Any]

_CAPTURABLE_DEVICES = ["cuda", "xpu", "hpu", "privateuseone", "xla"]


def check_lr(lr: Any) -> None:
    if isinstance(lr, Tensor) and lr.numel() != 1:
        raise ValueError("Tensor lr must be 1-element")
    check(lr >= 0.0, "learning rate", lr)


def check(valid: Any, what: str, value: Any) -> None:
    if not valid:
        raise ValueError(f"Invalid {what}: {value}")


def check_betas(betas: Any) -> None:
    for i in (0, 1):
        check(0.0 <= betas[i] < 1.0, f"beta parameter at index {i}", betas[i])


def number(x: Any) -> Any:
    """An option as a Python number; options may be tensors of one element."""
    return x.item() if isinstance(x, Tensor) else x


def scalar_dtype(fused: Any = False) -> Any:
    """The dtype of counters in the state."""
    if not fused and pytensor.get_default_dtype() == pytensor.float64:
        return pytensor.float64
    return pytensor.float32


class FusedOptimizer(Optimizer):
    """An optimizer whose step is one call for each group.

    Subclasses give `_new_state`, `_update`, and `_recorded_step`, which is the same for one
    parameter, written with ops that autograd records, for differentiable=True.
    """

    # Options that state dicts of old versions lack, and their values.
    _later_options: ClassVar[dict[str, Any]] = {}
    # Names in the state that old versions kept as Python numbers.
    _numbers: tuple[str, ...] = ("step",)
    # The step's kernel can count on the device, too.
    _counts_on_device = False

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            for name, value in self._later_options.items():
                group.setdefault(name, value)
            for p in group["params"]:
                for name in self._numbers:
                    value = self.state[p].get(name) if p in self.state else None
                    if value is not None and not isinstance(value, Tensor):
                        dtype = scalar_dtype(group.get("fused"))
                        self.state[p][name] = pytensor.tensor(float(value), dtype=dtype)

    def _check_fused(self, fused: bool | None, foreach: bool | None, differentiable: bool) -> None:
        if not fused:
            return
        if differentiable:
            raise RuntimeError("`fused` does not support `differentiable`")
        if foreach:
            raise RuntimeError("`fused` and `foreach` cannot be `True` together.")
        self._step_supports_amp_scaling = True

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Updates the parameters from their gradients.

        Args:
            closure: computes the loss and the gradients anew and returns the loss.
        """
        loss = None
        if closure is not None:
            with pytensor.enable_grad():
                loss = closure()
        for group in self.param_groups:
            params = [p for p in group["params"] if p.grad is not None]
            if not params:
                continue
            capturable = group.get("capturable")
            if capturable and not all(p.is_cuda for p in params):
                raise AssertionError(
                    "If capturable=True, params and state_steps must be on supported devices: "
                    f"{_CAPTURABLE_DEVICES}."
                )
            grads = [p.grad for p in params]
            if group.get("differentiable"):
                with pytensor.set_grad_enabled(self.defaults["differentiable"]):
                    for p, grad, state in zip(params, grads, self._states(group, params)):
                        self._recorded_step(group, p, -grad if group["maximize"] else grad, state)
            elif capturable and not self._counts_on_device:
                self._captured_step(group, params, grads)
            else:
                self._update(group, params, grads)
        return loss

    def _captured_step(self, group: dict[str, Any], params: list[Tensor], grads: list[Any]) -> None:
        """A step whose numbers stay on the device, and whose state stays where it is in memory."""
        with pytensor.no_grad():
            for p, grad, state in zip(params, grads, self._states(group, params)):
                before = dict(state)
                self._recorded_step(group, p, -grad if group["maximize"] else grad, state)
                for name, value in before.items():
                    if isinstance(value, Tensor) and state[name] is not value:
                        value.copy_(state[name])
                        state[name] = value

    def _states(self, group: dict[str, Any], params: list[Tensor]) -> list[State]:
        states = [self.state[p] for p in params]
        if not all(states):
            for p, state in zip(params, states):
                if not state:
                    state.update(self._new_state(group, p))
                    self._move_numbers(group, p, state)
        return states

    def _move_numbers(self, group: dict[str, Any], p: Tensor, state: State) -> None:
        """Numbers that a captured step changes lie on the parameter's device."""
        fused = self._counts_on_device and group.get("fused")
        if p.is_cuda and (group.get("capturable") or fused):
            for name, value in state.items():
                if isinstance(value, Tensor) and value.is_cpu:
                    state[name] = value.to(p.device)

    def _new_state(self, group: dict[str, Any], p: Tensor) -> State:
        """The state of a parameter before its first step."""
        return {}

    def _update(self, group: dict[str, Any], params: list[Tensor], grads: list[Any]) -> None:
        raise NotImplementedError

    def _recorded_step(self, group: dict[str, Any], p: Any, grad: Any, state: State) -> None:
        raise NotImplementedError


def new_step(group: dict[str, Any]) -> Tensor:
    return pytensor.zeros((), dtype=scalar_dtype(group.get("fused")))


def advance(state: State) -> Any:
    """One more step; for recorded steps."""
    state["step"] = state["step"] + 1
    return state["step"]


def decayed(group: dict[str, Any], p: Any, grad: Any) -> Any:
    """The gradient with L2 decay; for recorded steps."""
    return grad + group["weight_decay"] * p if number(group["weight_decay"]) != 0 else grad


def averaged(state: State, name: str, value: Any, beta: Any) -> Any:
    """A moving average with one more value; for recorded steps."""
    state[name] = state[name] * beta + value * (1 - beta)
    return state[name]


def stack_of(states: list[State], name: str) -> list[Tensor]:
    return [s[name] for s in states]
