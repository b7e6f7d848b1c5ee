"""Compares gradients from backward() with finite differences: gradcheck and gradgradcheck.

Used by the tests of every op and by authors of autograd.Function classes. The slow mode compares
whole Jacobians; the fast mode compares one random projection of each. Inputs should be float64.
"""

from __future__ import annotations

from pytensor import _C

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from pytensor import Tensor

__all__ = ["GradcheckError", "gradcheck", "gradgradcheck"]


class GradcheckError(RuntimeError):
    """Raised by gradcheck() and gradgradcheck() when gradients do not agree."""


def _as_tuple(value: Any) -> tuple[Any, ...]:
    if isinstance(value, tuple):
        return value
    return tuple(value) if isinstance(value, list) else (value,)


def _tracked(values: Sequence[Any]) -> list[Tensor]:
    return [v for v in values if isinstance(v, _C.Tensor) and v.requires_grad]


def _check_inputs(inputs: Sequence[Any]) -> None:
    found = False
    for index, value in enumerate(inputs):
        if not (isinstance(value, _C.Tensor) and value.requires_grad):
            continue
        found = True
        if value.dtype != _C.float64:
            import warnings

            warnings.warn(
                f"Input #{index} requires gradient and is not a double precision floating point "
                "or complex. This check will likely fail if all the inputs are not of double "
                "precision floating point or complex. ",
                stacklevel=4,
            )
        if any(st == 0 and sz > 1 for st, sz in zip(value.stride(), value.shape)):
            raise RuntimeError(
                f"The {index}th input has a dimension with stride 0. gradcheck only supports "
                "inputs that are non-overlapping to be able to compute the numerical gradients "
                "correctly. You should call .contiguous on the input before passing it to "
                "gradcheck."
            )
    if not found:
        raise ValueError(
            "gradcheck expects at least one input tensor to require gradient, "
            "but none of them have requires_grad=True."
        )


class _Check:
    """One run of gradcheck: the function, its inputs and the tolerances."""

    def __init__(
        self,
        func: Callable[..., Any],
        inputs: tuple[Any, ...],
        eps: float,
        atol: float,
        rtol: float,
        nondet_tol: float,
        check_grad_dtypes: bool,
    ) -> None:
        from pytensor.autograd import grad

        self.grad = grad
        self.func = func
        self.inputs = inputs
        self.tracked = _tracked(inputs)
        self.eps, self.atol, self.rtol = eps, atol, rtol
        self.nondet_tol = nondet_tol
        self.check_grad_dtypes = check_grad_dtypes

    def evaluate(self) -> list[Tensor]:
        """The function's tensor outputs, as values that later changes of inputs cannot reach."""
        outputs = _as_tuple(self.func(*self.inputs))
        return [o.detach().clone() for o in outputs if isinstance(o, _C.Tensor)]

    def backward(self, output: Tensor, grad_output: Tensor) -> list[Tensor]:
        """Gradients of one output in all tracked inputs, zeros where the graph has no path."""
        grads = self.grad(
            [output], self.tracked, [grad_output], retain_graph=True, allow_unused=True
        )
        for value, g in zip(self.tracked, grads):
            if g is None:
                continue
            if g.shape != value.shape:
                raise GradcheckError("Analytical gradient has incorrect size")
            if self.check_grad_dtypes and g.dtype != value.dtype:
                raise GradcheckError("Gradient has dtype mismatch")
        return [_C.zeros_like(v) if g is None else g for v, g in zip(self.tracked, grads)]

    def difference(self, shift: Callable[[float], None]) -> list[Tensor]:
        """Central difference of all outputs along a shift of the inputs by -1, 0 or 1 steps."""
        shift(1.0)
        above = self.evaluate()
        shift(-1.0)
        below = self.evaluate()
        shift(0.0)
        return [(a.double() - b.double()) / (2 * self.eps) for a, b in zip(above, below)]

    def numerical_jacobians(self, value: Tensor) -> list[Tensor]:
        """For each output, the matrix [input elements, output elements] of differences."""
        import itertools

        data = value.data
        rows: list[list[Tensor]] = []
        for index in itertools.product(*(range(n) for n in value.shape)):
            original = data[index].item()

            def shift(steps: float, index: Any = index, original: float = original) -> None:
                data[index] = original + steps * self.eps

            rows.append([d.reshape(-1) for d in self.difference(shift)])
        if not rows:
            return [
                _C.zeros(0, o.numel(), dtype=_C.float64, device=o.device) for o in self.evaluate()
            ]
        return [_C.stack(list(column)) for column in zip(*rows)]

    def analytical_jacobians(self, output: Tensor) -> list[Tensor]:
        """For each tracked input, the matrix [input elements, output elements] by backward."""
        columns: list[list[Tensor]] = []
        seed = _C.zeros(output.numel(), dtype=output.dtype, device=output.device)
        for i in range(output.numel()):
            one_hot = seed.clone()
            one_hot[i] = 1
            columns.append([g.detach() for g in self.backward(output, one_hot.view(output.shape))])
        if not columns:
            return [_C.zeros(v.numel(), 0, dtype=_C.float64, device=v.device) for v in self.tracked]
        return [
            _C.stack([c.reshape(-1).double() for c in column], dim=1) for column in zip(*columns)
        ]

    def compare(self, got: Tensor, want: Tensor, output_index: int, input_index: int) -> None:
        if got.numel() and not _C.allclose(got, want, rtol=self.rtol, atol=self.atol):
            raise GradcheckError(
                f"Jacobian mismatch for output {output_index:d} with respect to input "
                f"{input_index:d},\nnumerical:{want}\nanalytical:{got}\n"
            )

    def check_same_twice(self, first: Tensor, second: Tensor) -> None:
        if first.numel() and (first - second).abs().max().item() > self.nondet_tol:
            raise GradcheckError(
                "Backward is not reentrant, i.e., running backward with same input and "
                "grad_output multiple times gives different values, although analytical gradient "
                "matches numerical gradient."
                f"The tolerance for nondeterminism was {self.nondet_tol}."
            )

    def run_slow(self, outputs: list[Tensor]) -> None:
        # rows: tracked inputs; columns: all tensor outputs, differentiable or not
        numerical = [self.numerical_jacobians(value) for value in self.tracked]
        for j, output in enumerate(outputs):
            if not output.requires_grad:
                continue
            analytical = self.analytical_jacobians(output)
            for i, jacobian in enumerate(analytical):
                self.compare(jacobian, numerical[i][j], j, i)
            for first, second in zip(analytical, self.analytical_jacobians(output)):
                self.check_same_twice(first, second)
        if not _tracked(outputs):
            for jacobian in (jacobian for row in numerical for jacobian in row):
                if jacobian.ne(0).any().item():
                    raise GradcheckError("Numerical gradient for function expected to be zero")

    def run_fast(self, outputs: list[Tensor]) -> None:
        """Compares u'Jv for unit vectors u and v drawn from a generator of its own."""
        generator = _C.Generator().manual_seed(0)

        def unit(like: Tensor) -> Tensor:
            v = _C.randn(tuple(like.shape), dtype=_C.float64, generator=generator)
            return (v / v.mul(v).sum().sqrt()).to(like.device) if v.numel() else v

        directions = [unit(v) for v in self.tracked]
        seeds = [unit(o) for o in outputs]
        for i, (value, u) in enumerate(zip(self.tracked, directions)):
            data, original = value.data, value.detach().clone()

            def shift(steps: float, data: Any = data, original: Any = original, u: Any = u) -> None:
                data.copy_(original + steps * self.eps * u)

            for j, difference in enumerate(self.difference(shift)):
                want = (difference * seeds[j]).sum()
                if not _tracked(outputs):
                    if abs(want.item()) > self.nondet_tol:
                        raise GradcheckError("Numerical gradient for function expected to be zero")
                elif outputs[j].requires_grad:
                    seed = seeds[j].to(outputs[j].dtype)
                    grad = self.backward(outputs[j], seed)[i].double()
                    self.compare((grad * u).sum(), want, j, i)
                    self.check_same_twice(grad, self.backward(outputs[j], seed)[i].double())

    def check_linear_in_grad_output(self, outputs: list[Tensor]) -> None:
        for output in _tracked(outputs):
            for g in self.backward(output, _C.zeros_like(output)):
                if g.ne(0).any().item():
                    raise GradcheckError("backward not multiplied by grad_output")


def gradcheck(
    func: Callable[..., Any],
    inputs: Any,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_batched_forward_grad: bool = False,
    check_forward_ad: bool = False,
    check_backward_ad: bool = True,
    fast_mode: bool = False,
    masked: bool | None = None,
) -> bool:
    """Checks a function's gradients against central differences.

    Args:
        func: takes the inputs, returns a tensor or a tuple of tensors.
        inputs: a tensor or a tuple; tensors with requires_grad are checked, use float64.
        eps: step of the differences.
        atol: absolute tolerance.
        rtol: relative tolerance.
        raise_exception: False returns False instead of raising GradcheckError.
        nondet_tol: how far two backward passes may differ.
        check_undefined_grad: each output is always checked alone, with the others' gradients
            undefined; accepted for programs that pass it.
        check_grad_dtypes: whether a gradient must have its input's dtype.
        check_batched_grad: not supported.
        check_batched_forward_grad: not supported.
        check_forward_ad: not supported.
        check_backward_ad: whether backward() is checked.
        fast_mode: compare one random projection of each Jacobian instead of all of it.
        masked: accepted for programs that pass it; it concerns sparse tensors only.

    Returns:
        True when all gradients agree.

    Raises:
        GradcheckError: when gradients disagree.
        ValueError: when no input requires grad.
        NotImplementedError: for the checks that are not supported.

    Example::

        >>> x = pytensor.tensor([1.0, 2.0], dtype=pytensor.float64, requires_grad=True)
        >>> pytensor.autograd.gradcheck(pytensor.exp, (x,))
        True
    """
    if check_forward_ad or check_batched_grad or check_batched_forward_grad:
        raise NotImplementedError("gradcheck: forward mode and batched gradients are not supported")
    if not check_backward_ad:
        raise AssertionError(
            "Expected at least one of check_forward_ad or check_backward_ad to be True"
        )
    tupled = _as_tuple(inputs)
    try:
        _check_inputs(tupled)
        check = _Check(func, tupled, eps, atol, rtol, nondet_tol, check_grad_dtypes)
        outputs = [o for o in _as_tuple(func(*tupled)) if isinstance(o, _C.Tensor)]
        if fast_mode:
            check.run_fast(outputs)
        else:
            check.run_slow(outputs)
        check.check_linear_in_grad_output(outputs)
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def gradgradcheck(
    func: Callable[..., Any],
    inputs: Any,
    grad_outputs: Any = None,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    gen_non_contig_grad_outputs: bool = False,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_fwd_over_rev: bool = False,
    check_rev_over_rev: bool = True,
    fast_mode: bool = False,
    masked: bool = False,
) -> bool:
    """Checks a function's second derivatives: gradcheck() of its backward pass.

    Args:
        func: takes the inputs, returns a tensor or a tuple of tensors.
        inputs: a tensor or a tuple; tensors with requires_grad are checked, use float64.
        grad_outputs: the gradients that flow into the backward pass; random when None.
        eps: step of the differences.
        atol: absolute tolerance.
        rtol: relative tolerance.
        gen_non_contig_grad_outputs: whether the random grad_outputs are not contiguous.
        raise_exception: False returns False instead of raising GradcheckError.
        nondet_tol: how far two backward passes may differ.
        check_undefined_grad: as in gradcheck().
        check_grad_dtypes: whether a gradient must have its input's dtype.
        check_batched_grad: not supported.
        check_fwd_over_rev: not supported.
        check_rev_over_rev: whether backward of backward is checked.
        fast_mode: compare one random projection of each Jacobian instead of all of it.
        masked: accepted for programs that pass it; it concerns sparse tensors only.

    Returns:
        True when all second derivatives agree.

    Raises:
        GradcheckError: when they disagree.

    Example::

        >>> x = pytensor.tensor([1.0, 2.0], dtype=pytensor.float64, requires_grad=True)
        >>> pytensor.autograd.gradgradcheck(pytensor.exp, (x,))
        True
    """
    if check_fwd_over_rev:
        raise NotImplementedError("gradgradcheck: forward mode is not supported")
    if not check_rev_over_rev:
        raise AssertionError(
            "Expected at least one of check_fwd_over_rev or check_rev_over_rev to be True"
        )
    from pytensor.autograd import grad

    tupled = _as_tuple(inputs)
    if grad_outputs is None:
        grad_outputs = tuple(
            _random_grad_output(o, gen_non_contig_grad_outputs)
            for o in _tracked(_as_tuple(func(*tupled)))
        )
    seeds = _as_tuple(grad_outputs)

    def backward_of_func(*args: Any) -> tuple[Tensor, ...]:
        args, given = args[: len(tupled)], args[len(tupled) :]
        outputs = _tracked(_as_tuple(func(*args)))
        grads = grad(outputs, _tracked(args), given, create_graph=True, allow_unused=True)
        return tuple(g for g in grads if g is not None)

    return gradcheck(
        backward_of_func,
        tupled + seeds,
        eps=eps,
        atol=atol,
        rtol=rtol,
        raise_exception=raise_exception,
        nondet_tol=nondet_tol,
        check_undefined_grad=check_undefined_grad,
        check_grad_dtypes=check_grad_dtypes,
        check_batched_grad=check_batched_grad,
        fast_mode=fast_mode,
        masked=masked,
    )


def _random_grad_output(output: Tensor, non_contiguous: bool) -> Tensor:
    """Random values in [-1, 1) of the output's shape, as a leaf that requires grad."""
    shape = (*output.shape, 2) if non_contiguous else tuple(output.shape)
    values = _C.rand(shape, dtype=output.dtype, device=output.device) * 2 - 1
    return (values[..., 0] if non_contiguous else values).detach().requires_grad_()
