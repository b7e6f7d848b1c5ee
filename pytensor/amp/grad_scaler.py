"""Loss scaling: keeps gradients of half-precision training from vanishing."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import Any

import pytensor

_READY, _UNSCALED, _STEPPED = "ready", "unscaled", "stepped"


class GradScaler:
    """Multiplies losses by a factor before ``backward`` and divides gradients by it before a step.

    A step whose gradients are not finite is left out and the factor reduced; after a number of
    good steps it grows.

    Args:
        device: "cuda" or "cpu". Without a CUDA device, "cuda" disables the scaler.
        init_scale: the first factor. Default: 65536.
        growth_factor: what it grows by. Default: 2.
        backoff_factor: what it is reduced by. Default: 0.5.
        growth_interval: how many good steps in a row let it grow. Default: 2000.
        enabled: ``False`` makes all methods pass through. Default: ``True``.

    Raises:
        AssertionError: a factor is on the wrong side of 1.

    Example::

        >>> weight = pytensor.nn.Parameter(pytensor.ones(2))
        >>> optimizer = pytensor.optim.SGD([weight], lr=0.1)
        >>> scaler = pytensor.amp.GradScaler("cpu")
        >>> scaler.scale((weight * 2).sum()).backward()
        >>> scaler.step(optimizer)
        >>> scaler.update()
        >>> weight
        Parameter containing:
        tensor([0.8000, 0.8000], requires_grad=True)
    """

    def __init__(
        self,
        device: str = "cuda",
        init_scale: float = 65536.0,
        growth_factor: float = 2.0,
        backoff_factor: float = 0.5,
        growth_interval: int = 2000,
        enabled: bool = True,
    ) -> None:
        self._device = device
        self._enabled = enabled
        if enabled and device == "cuda" and not pytensor.cuda.is_available():
            warnings.warn(
                "torch.cuda.amp.GradScaler is enabled, but CUDA is not available.  Disabling.",
                stacklevel=2,
            )
            self._enabled = False
        if self._enabled:
            assert growth_factor > 1.0, "The growth factor must be > 1.0."
            assert backoff_factor < 1.0, "The backoff factor must be < 1.0."
        self._scale = float(init_scale)
        self._growth_factor = growth_factor
        self._backoff_factor = backoff_factor
        self._growth_interval = growth_interval
        self._growth_tracker = 0
        self._used = False
        # For each optimizer since the last update: its stage, and whether its gradients are finite.
        self._stages: dict[int, str] = {}
        self._finite: dict[int, bool] = {}

    def scale(self, outputs: Any) -> Any:
        """The tensor, or each of an iterable's tensors, times the factor.

        Raises:
            ValueError: for anything else.
        """
        if not self._enabled:
            return outputs
        self._used = True
        if isinstance(outputs, pytensor.Tensor):
            return outputs * self._scale
        if not isinstance(outputs, Iterable) or isinstance(outputs, (str, dict)):
            raise ValueError("outputs must be a Tensor or an iterable of Tensors")
        scaled = (self.scale(v) for v in outputs)
        return type(outputs)(scaled) if isinstance(outputs, (list, tuple)) else scaled

    def _check_used(self, name: str) -> None:
        assert self._used, (
            f"Attempted {name} but _scale is None.  This may indicate your script did not use "
            "scaler.scale(loss or outputs) earlier in the iteration."
        )

    def unscale_(self, optimizer: Any) -> None:
        """Divides the gradients of an optimizer's parameters by the factor, to clip them say.

        Raises:
            RuntimeError: it was done already, or the step was.
            ValueError: gradients are float16, whose range the division would leave.
        """
        if not self._enabled:
            return
        self._check_used("unscale_")
        stage = self._stages.get(id(optimizer), _READY)
        if stage == _UNSCALED:
            raise RuntimeError(
                "unscale_() has already been called on this optimizer since the last update()."
            )
        if stage == _STEPPED:
            raise RuntimeError("unscale_() is being called after step().")
        self._unscale(optimizer)
        self._stages[id(optimizer)] = _UNSCALED

    def _unscale(self, optimizer: Any) -> None:
        gradients = [
            p.grad
            for group in optimizer.param_groups
            for p in group["params"]
            if p.grad is not None
        ]
        if any(g.dtype == pytensor.float16 for g in gradients):
            raise ValueError("Attempting to unscale FP16 gradients.")
        finite = True
        with pytensor.no_grad():
            for gradient in gradients:
                finite = finite and bool(gradient.isfinite().all())
                gradient.mul_(1.0 / self._scale)
        self._finite[id(optimizer)] = finite

    def step(self, optimizer: Any, *args: Any, **kwargs: Any) -> Any:
        """``optimizer.step(*args, **kwargs)``, unless its gradients are not finite.

        Raises:
            RuntimeError: a closure is given, or the step was made already.
        """
        if not self._enabled:
            return optimizer.step(*args, **kwargs)
        if "closure" in kwargs:
            raise RuntimeError("Closure use is not currently supported if GradScaler is enabled.")
        self._check_used("step")
        stage = self._stages.get(id(optimizer), _READY)
        if stage == _STEPPED:
            raise RuntimeError("step() has already been called since the last update().")
        if stage == _READY:
            self._unscale(optimizer)
        result = optimizer.step(*args, **kwargs) if self._finite[id(optimizer)] else None
        self._stages[id(optimizer)] = _STEPPED
        return result

    def update(self, new_scale: Any = None) -> None:
        """Adapts the factor to the steps since the last update, or sets it.

        Raises:
            AssertionError: no step was made.
        """
        if not self._enabled:
            return
        self._check_used("update")
        if new_scale is not None:
            self._scale = float(new_scale)
        else:
            assert self._finite, "No inf checks were recorded prior to update."
            self._adapt(all(self._finite.values()))
        self._stages.clear()
        self._finite.clear()

    def _adapt(self, finite: bool) -> None:
        if not finite:
            self._scale *= self._backoff_factor
            self._growth_tracker = 0
            return
        self._growth_tracker += 1
        if self._growth_tracker == self._growth_interval:
            grown = self._scale * self._growth_factor
            self._scale = self._scale if grown == float("inf") else grown
            self._growth_tracker = 0

    def is_enabled(self) -> bool:
        """Whether the scaler does anything."""
        return self._enabled

    def get_scale(self) -> float:
        """The factor; 1 when disabled."""
        return self._scale if self._enabled else 1.0

    def get_growth_factor(self) -> float:
        """What the factor grows by."""
        return self._growth_factor

    def set_growth_factor(self, new_factor: float) -> None:
        """Sets what the factor grows by."""
        self._growth_factor = new_factor

    def get_backoff_factor(self) -> float:
        """What the factor is reduced by."""
        return self._backoff_factor

    def set_backoff_factor(self, new_factor: float) -> None:
        """Sets what the factor is reduced by."""
        self._backoff_factor = new_factor

    def get_growth_interval(self) -> int:
        """How many good steps in a row let the factor grow."""
        return self._growth_interval

    def set_growth_interval(self, new_interval: int) -> None:
        """Sets how many good steps in a row let the factor grow."""
        self._growth_interval = new_interval

    def state_dict(self) -> dict[str, Any]:
        """The factor and its settings; empty when disabled."""
        if not self._enabled:
            return {}
        return {
            "scale": self.get_scale(),
            "growth_factor": self._growth_factor,
            "backoff_factor": self._backoff_factor,
            "growth_interval": self._growth_interval,
            "_growth_tracker": self._growth_tracker,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes over what ``state_dict`` returned.

        Raises:
            RuntimeError: the dict is empty, as that of a disabled scaler.
        """
        if not self._enabled:
            return
        if not state_dict:
            raise RuntimeError(
                "The source state dict is empty, possibly because it was saved from a disabled "
                "instance of GradScaler."
            )
        self._scale = float(state_dict["scale"])
        self._growth_factor = state_dict["growth_factor"]
        self._backoff_factor = state_dict["backoff_factor"]
        self._growth_interval = state_dict["growth_interval"]
        self._growth_tracker = state_dict["_growth_tracker"]
