"""L-BFGS: quasi-Newton steps from the last gradients and steps."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytensor
from pytensor import Tensor
from pytensor.optim._fused import check_lr, number
from pytensor.optim._line_search import strong_wolfe
from pytensor.optim.optimizer import Optimizer, ParamsT, _to_scalar

__all__ = ["LBFGS"]


class LBFGS(Optimizer):
    """L-BFGS (Nocedal, 1980), after Mark Schmidt's minFunc.

    Takes several iterations in one step, for which it calls the closure; all parameters are one
    group.

    Args:
        params: tensors or ``(name, tensor)`` pairs.
        lr: the step tried first. Default: 1.
        max_iter: iterations in one step. Default: 20.
        max_eval: calls of the closure in one step. Default: ``max_iter * 5 // 4``.
        tolerance_grad: stops when no gradient is larger. Default: 1e-7.
        tolerance_change: stops when losses or parameters change less. Default: 1e-9.
        history_size: pairs of gradients and steps that are kept. Default: 100.
        line_search_fn: ``None`` or ``"strong_wolfe"``. Default: None.

    Example:
        >>> w = pytensor.tensor([1.0, 2.0], requires_grad=True)
        >>> optimizer = pytensor.optim.LBFGS([w], line_search_fn="strong_wolfe")
        >>> def closure():
        ...     optimizer.zero_grad()
        ...     loss = (w * w).sum()
        ...     loss.backward()
        ...     return loss
        >>> optimizer.step(closure).item()
        5.0
        >>> bool(w.abs().max() < 1e-3)
        True
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        check_lr(lr)
        defaults = {
            "lr": lr,
            "max_iter": max_iter,
            "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
            "tolerance_grad": tolerance_grad,
            "tolerance_change": tolerance_change,
            "history_size": history_size,
            "line_search_fn": line_search_fn,
        }
        super().__init__(params, defaults)
        if len(self.param_groups) != 1:
            raise ValueError("LBFGS doesn't support per-parameter options (parameter groups)")
        self._params = self.param_groups[0]["params"]

    def _flat_grad(self) -> Any:
        """The gradients of all parameters as one new vector."""
        flat = [
            p.new_zeros(p.numel()) if p.grad is None else p.grad.reshape(-1) for p in self._params
        ]
        return pytensor.cat(flat, 0)

    def _move(self, step: Any, direction: Any) -> None:
        offset = 0
        for p in self._params:
            piece = direction[offset : offset + p.numel()].view_as(p)
            p.add_(piece, alpha=number(step))
            offset += p.numel()

    def _evaluate(self, closure: Callable[[], Any], x: list[Any], d: Any, t: Any) -> Any:
        """Loss and gradient at ``x + t * d``; the parameters are x again afterwards."""
        self._move(t, d)
        loss = float(closure())
        grad = self._flat_grad()
        for p, value in zip(self._params, x):
            p.copy_(value)
        return loss, grad

    def _direction(self, state: dict[str, Any], flat_grad: Any, history_size: int) -> Any:
        """The quasi-Newton direction by the two-loop recursion; keeps the last pair."""
        if state["n_iter"] == 1:
            state.update(old_dirs=[], old_stps=[], ro=[], H_diag=1)
            return flat_grad.neg()
        dirs, steps, ro = state["old_dirs"], state["old_stps"], state["ro"]
        y = flat_grad.sub(state["prev_flat_grad"])
        s = state["d"].mul(state["t"])
        ys = y.dot(s)
        if ys > 1e-10:
            if len(dirs) == history_size:
                for history in (dirs, steps, ro):
                    history.pop(0)
            dirs.append(y)
            steps.append(s)
            ro.append(1.0 / ys)
            state["H_diag"] = ys / y.dot(y)
        al = state.setdefault("al", [None] * history_size)
        q = flat_grad.neg()
        for i in reversed(range(len(dirs))):
            al[i] = steps[i].dot(q) * ro[i]
            q.add_(dirs[i], alpha=-number(al[i]))
        r = q.mul(state["H_diag"])
        for i in range(len(dirs)):
            r.add_(steps[i], alpha=number(al[i] - dirs[i].dot(r) * ro[i]))
        return r

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Up to `max_iter` iterations.

        Args:
            closure: computes the loss and the gradients anew and returns the loss.
        """
        if closure is None:
            raise TypeError("LBFGS.step() missing 1 required positional argument: 'closure'")

        def evaluate() -> Any:
            with pytensor.enable_grad():
                return closure()

        with pytensor.no_grad():
            return self._minimize(self.param_groups[0], evaluate)

    def _minimize(self, group: dict[str, Any], closure: Callable[[], Any]) -> Any:
        lr, tolerance = _to_scalar(group["lr"]), group["tolerance_change"]
        search = group["line_search_fn"]
        state = self.state[self._params[0]]
        state.setdefault("func_evals", 0)
        state.setdefault("n_iter", 0)

        first_loss = closure()
        loss = float(first_loss)
        evaluations, iterations = 1, 0
        state["func_evals"] += 1
        flat_grad = self._flat_grad()
        optimal = flat_grad.abs().max() <= group["tolerance_grad"]
        if optimal:
            return first_loss

        while iterations < group["max_iter"]:
            iterations += 1
            state["n_iter"] += 1
            d = state["d"] = self._direction(state, flat_grad, group["history_size"])
            state["prev_flat_grad"], state["prev_loss"] = flat_grad, loss
            first = state["n_iter"] == 1
            t = state["t"] = min(1.0, 1.0 / flat_grad.abs().sum()) * lr if first else lr
            slope = flat_grad.dot(d)
            if slope > -tolerance:
                break

            new_evaluations = 0
            if search is None:
                self._move(t, d)
                if iterations != group["max_iter"]:
                    loss = float(closure())
                    flat_grad = self._flat_grad()
                    new_evaluations = 1
            elif search == "strong_wolfe":
                x = [p.clone() for p in self._params]
                loss, flat_grad, t, new_evaluations = strong_wolfe(
                    partial(self._evaluate, closure, x, d),
                    t,
                    d,
                    loss,
                    flat_grad,
                    slope,
                    group["max_eval"] - evaluations,
                )
                state["t"] = t
                self._move(t, d)
            else:
                raise RuntimeError("only 'strong_wolfe' is supported")
            optimal = flat_grad.abs().max() <= group["tolerance_grad"]
            evaluations += new_evaluations
            state["func_evals"] += new_evaluations

            if (
                iterations == group["max_iter"]
                or evaluations >= group["max_eval"]
                or optimal
                or d.mul(t).abs().max() <= tolerance
                or abs(loss - state["prev_loss"]) < tolerance
            ):
                break
        return first_loss
