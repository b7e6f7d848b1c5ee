"""Derivatives of functions of tensors: jacobian, hessian and their products with vectors.

Built on autograd.grad alone; products from the left of the Jacobian (jvp, hvp) use the backward
of the backward pass, which is linear in the gradient that flows into it.
"""

from __future__ import annotations

from pytensor import _C
from pytensor.autograd.grad_mode import enable_grad

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from pytensor import Tensor

    Tensors = tuple[Tensor, ...]

__all__ = ["hessian", "hvp", "jacobian", "jvp", "vhp", "vjp"]

_NOT_STRICT = "This is not allowed in strict mode"


def _as_tensors(value: Any, what: str, function: str) -> tuple[Tensors, bool]:
    """The value as a tuple of tensors, and whether it was one (results are given back alike)."""
    is_tuple = isinstance(value, tuple)
    values = value if is_tuple else (value,)
    for i, item in enumerate(values):
        if not isinstance(item, _C.Tensor):
            given = f"value at index {i}" if is_tuple else f"given {what}"
            raise TypeError(
                f"The {what} given to {function} must be either a Tensor or a tuple of Tensors "
                f"but the {given} has type {type(item)}."
            )
    return values, is_tuple


def _own_inputs(inputs: Tensors, create_graph: bool) -> Tensors:
    """Copies that nothing else differentiates; with create_graph they stay tied to the caller's."""
    if create_graph:
        return tuple(
            x.view_as(x) if x.requires_grad else x.detach().requires_grad_() for x in inputs
        )
    return tuple(x.detach().requires_grad_() for x in inputs)


def _finished(value: Any, create_graph: bool) -> Any:
    """The results, cut off from the graph unless the caller wants to differentiate them."""
    if create_graph:
        return value
    if isinstance(value, tuple):
        return tuple(_finished(v, create_graph) for v in value)
    return value.detach()


def _one_or_all(values: tuple[Any, ...], is_tuple: bool) -> Any:
    return values if is_tuple else values[0]


def _checked_v(v: Any, like: Tensors, like_is_tuple: bool, function: str) -> Tensors:
    vs, _ = _as_tensors(v, "v", function)
    if len(vs) != len(like):
        if like_is_tuple:
            raise RuntimeError(
                f"v is a tuple of invalid length: should be {len(like)} but got {len(vs)}."
            )
        raise RuntimeError("The given v should contain a single Tensor.")
    for i, (item, other) in enumerate(zip(vs, like)):
        if item.shape != other.shape:
            entry = f"Entry {i} in " if like_is_tuple else ""
            raise RuntimeError(
                f"{entry}v has invalid size: should be {other.size()} but got {item.size()}."
            )
    return vs


def _require_grad(outputs: Tensors, what: str) -> None:
    """Strict mode: every tensor must depend on the inputs in a differentiable way."""
    for i, output in enumerate(outputs):
        if not output.requires_grad:
            raise RuntimeError(what.format(i=i))


_OUTPUT_CONSTANT = (
    "Output {i} of the user-provided function does not require gradients. The outputs must be "
    "computed in a differentiable manner from the input when running in strict mode."
)
_JACOBIAN_CONSTANT = (
    "While computing the hessian, found that the jacobian of the user-provided function with "
    "respect to input {i} is independent of the input. This is not allowed in strict mode. You "
    "should ensure that your function is twice differentiable and that the jacobian depends on "
    "the inputs (this would be violated by a linear function for example)."
)
_GRADIENT_CONSTANT = (
    "The gradient with respect to input {i} is independent of the inputs of the user-provided "
    f"function. {_NOT_STRICT}."
)


def _grad(
    outputs: Sequence[Tensor],
    inputs: Tensors,
    grad_outputs: Sequence[Tensor | None] | None,
    create_graph: bool,
) -> tuple[Tensor | None, ...]:
    """autograd.grad() that skips outputs without a graph and says None for unreached inputs."""
    from pytensor.autograd import grad

    seeds = [None] * len(outputs) if grad_outputs is None else list(grad_outputs)
    pairs = [(o, g) for o, g in zip(outputs, seeds) if o.requires_grad]
    if not pairs:
        return (None,) * len(inputs)
    return grad(
        [o for o, _ in pairs],
        inputs,
        [g for _, g in pairs],
        create_graph=create_graph,
        retain_graph=True,
        allow_unused=True,
    )


def _filled(
    grads: Sequence[Tensor | None],
    like: Tensors,
    strict: bool,
    missing: str,
    constant: str | None = None,
) -> Tensors:
    """Zeros for the gradients that are None; in strict mode an error for them.

    ``constant`` is the error for gradients that are there but cannot be differentiated again.
    """
    filled = []
    for i, (g, x) in enumerate(zip(grads, like)):
        if g is None:
            if strict:
                raise RuntimeError(missing.format(i=i))
            g = _C.zeros_like(x)
        elif strict and constant is not None and not g.requires_grad:
            raise RuntimeError(constant.format(i=i))
        filled.append(g)
    return tuple(filled)


_MISSING_INPUT = (
    f"The output of the user-provided function is independent of input {{i}}. {_NOT_STRICT}."
)
_MISSING_SEED = (
    "The gradient with respect to the input is independent of entry {i} in the grad_outputs when "
    "using the double backward trick to compute forward mode gradients. "
    f"{_NOT_STRICT}."
)
_MISSING_JACOBIAN = (
    f"The jacobian of the user-provided function is independent of input {{i}}. {_NOT_STRICT}."
)
_CONSTANT_JACOBIAN = (
    "The jacobian of the user-provided function is independent of input {i}. "
    f"{_NOT_STRICT} when create_graph=True."
)
_MISSING_HESSIAN = (
    "The hessian of the user-provided function is independent of entry {i} in the grad_jacobian. "
    f"{_NOT_STRICT} as it prevents from using the double backward trick to replace forward mode AD."
)
_CONSTANT_HESSIAN = (
    "The hessian of the user-provided function is independent of input {i}. "
    f"{_NOT_STRICT} when create_graph=True."
)


def _single_scalar(outputs: Tensors, is_tuple: bool, function: str) -> None:
    if is_tuple:
        raise RuntimeError(f"The function given to {function} should return a single Tensor")
    if outputs[0].numel() != 1:
        raise RuntimeError(
            f"The Tensor returned by the function given to {function} should contain a single "
            "element"
        )


def vjp(
    func: Callable[..., Any],
    inputs: Any,
    v: Any = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """The function's value and the product of a vector with its Jacobian.

    Args:
        func: takes the inputs, returns a tensor or a tuple of tensors.
        inputs: a tensor or a tuple of tensors.
        v: the vector, shaped as the outputs; may be None for a single output of one element.
        create_graph: whether the results can be differentiated.
        strict: whether an input that does not matter is an error instead of a zero.

    Returns:
        (outputs, product), the product shaped as the inputs.

    Raises:
        RuntimeError: when v is missing or of another shape than the outputs.

    Example::

        >>> x = pytensor.tensor([1.0, 2.0])
        >>> pytensor.autograd.functional.vjp(lambda x: x * x, x, pytensor.ones(2))
        (tensor([1., 4.]), tensor([2., 4.]))
    """
    with enable_grad():
        given, is_tuple = _as_tensors(inputs, "inputs", "vjp")
        own = _own_inputs(given, create_graph)
        outputs, out_tuple = _as_tensors(func(*own), "outputs of the user-provided function", "vjp")
        if strict:
            _require_grad(outputs, _OUTPUT_CONSTANT)
        if v is not None:
            v = _checked_v(v, outputs, out_tuple, "vjp")
            v = tuple(item if create_graph else item.detach() for item in v)
        elif len(outputs) != 1 or outputs[0].numel() != 1:
            raise RuntimeError(
                "The vector v can only be None if the user-provided function returns a single "
                "Tensor with a single element."
            )
        grads = _grad(outputs, own, v, create_graph)
        constant = _CONSTANT_JACOBIAN if create_graph else None
        product = _filled(grads, own, strict, _MISSING_INPUT, constant)
    outputs, product = _finished((outputs, product), create_graph)
    return _one_or_all(outputs, out_tuple), _one_or_all(product, is_tuple)


def jvp(
    func: Callable[..., Any],
    inputs: Any,
    v: Any = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """The function's value and the product of its Jacobian with a vector.

    Args:
        func: takes the inputs, returns a tensor or a tuple of tensors.
        inputs: a tensor or a tuple of tensors.
        v: the vector, shaped as the inputs; may be None for a single input of one element.
        create_graph: whether the results can be differentiated.
        strict: whether an output that depends on no input is an error instead of a zero.

    Returns:
        (outputs, product), the product shaped as the outputs.

    Raises:
        RuntimeError: when v is missing or of another shape than the inputs.

    Example::

        >>> x = pytensor.tensor([1.0, 2.0])
        >>> pytensor.autograd.functional.jvp(lambda x: (x * x).sum(), x, pytensor.ones(2))
        (tensor(5.), tensor(6.))
    """
    with enable_grad():
        given, is_tuple = _as_tensors(inputs, "inputs", "jvp")
        own = _own_inputs(given, create_graph)
        if v is not None:
            v = _checked_v(v, own, is_tuple, "jvp")
            v = tuple(item if create_graph else item.detach() for item in v)
        elif len(own) != 1 or own[0].numel() != 1:
            raise RuntimeError(
                "The vector v can only be None if the input to the user-provided function is a "
                "single Tensor with a single element."
            )
        outputs, out_tuple = _as_tensors(func(*own), "outputs of the user-provided function", "jvp")
        if strict:
            _require_grad(outputs, _OUTPUT_CONSTANT)
        # The backward pass is linear in its seeds: their gradient under v is the product sought.
        seeds = tuple(_C.zeros_like(o).requires_grad_() for o in outputs)
        grads = _filled(_grad(outputs, own, seeds, True), own, strict, _MISSING_INPUT)
        if strict:
            _require_grad(grads, _GRADIENT_CONSTANT)
        if v is None:
            v = tuple(_C.ones_like(x) for x in own)
        pushed = _grad(grads, seeds, v, create_graph)
        constant = _CONSTANT_JACOBIAN if create_graph else None
        product = _filled(pushed, outputs, strict, _MISSING_SEED, constant)
    outputs, product = _finished((outputs, product), create_graph)
    return _one_or_all(outputs, out_tuple), _one_or_all(product, out_tuple)


def jacobian(
    func: Callable[..., Any],
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:
    """The Jacobian of a function.

    Args:
        func: takes the inputs, returns a tensor or a tuple of tensors.
        inputs: a tensor or a tuple of tensors.
        create_graph: whether the Jacobian can be differentiated.
        strict: whether an output that does not depend on an input is an error instead of zeros.
        vectorize: accepted; the rows are computed one after another in any case.
        strategy: "reverse-mode" or "forward-mode"; the values are the same.

    Returns:
        A tensor of shape ``output.shape + input.shape``; a tuple of them over the inputs when
        the inputs are a tuple, and a tuple of that over the outputs when they are a tuple.

    Raises:
        RuntimeError: in strict mode, for an output that does not depend on an input.

    Example::

        >>> x = pytensor.tensor([1.0, 2.0])
        >>> pytensor.autograd.functional.jacobian(lambda x: x * x, x)
        tensor([[2., 0.],
                [0., 4.]])
    """
    if strategy not in ("reverse-mode", "forward-mode"):
        raise AssertionError(
            'Expected strategy to be either "forward-mode" or "reverse-mode". Hint: If your '
            'function has more outputs than inputs, "forward-mode" tends to be more performant. '
            'Otherwise, prefer to use "reverse-mode".'
        )
    if strict and vectorize:
        raise RuntimeError(
            "jacobian: `strict=True` and `vectorized=True` are not supported together. Please "
            "either set `strict=False` or `vectorize=False`."
        )
    with enable_grad():
        given, is_tuple = _as_tensors(inputs, "inputs", "jacobian")
        own = _own_inputs(given, create_graph)
        outputs, out_tuple = _as_tensors(
            func(*own), "outputs of the user-provided function", "jacobian"
        )
        if strict:
            _require_grad(outputs, _OUTPUT_CONSTANT)
        rows = tuple(
            _output_jacobian(o, i, own, create_graph, strict) for i, o in enumerate(outputs)
        )
    rows = _finished(rows, create_graph)
    return _one_or_all(tuple(_one_or_all(row, is_tuple) for row in rows), out_tuple)


def _output_jacobian(
    output: Tensor, index: int, inputs: Tensors, create_graph: bool, strict: bool
) -> Tensors:
    missing = (
        f"Output {index} of the user-provided function is independent of input {{i}}. "
        f"{_NOT_STRICT}."
    )
    constant = _CONSTANT_JACOBIAN if create_graph else None
    rows = []
    for k in range(output.numel()):
        # Indexing instead of a one-hot seed keeps the row a function of the inputs alone.
        grads = _grad([output.reshape(-1)[k]], inputs, None, create_graph)
        rows.append(_filled(grads, inputs, strict, missing, constant))
    if not rows:
        return tuple(x.new_zeros((*output.shape, *x.shape)) for x in inputs)
    return tuple(
        _C.stack(list(column)).reshape(tuple(output.shape) + tuple(x.shape))
        for column, x in zip(zip(*rows), inputs)
    )


def hessian(
    func: Callable[..., Any],
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:
    """The Hessian of a function with a single value.

    Args:
        func: takes the inputs, returns a tensor of one element.
        inputs: a tensor or a tuple of tensors.
        create_graph: whether the Hessian can be differentiated.
        strict: whether an input that does not matter is an error instead of zeros.
        vectorize: accepted; the rows are computed one after another in any case.
        outer_jacobian_strategy: "reverse-mode" or "forward-mode"; the values are the same.

    Returns:
        A tensor of shape ``input.shape + input.shape``; a tuple of tuples of tensors when the
        inputs are a tuple.

    Raises:
        RuntimeError: when the function returns anything but one element.

    Example::

        >>> x = pytensor.tensor([1.0, 2.0])
        >>> pytensor.autograd.functional.hessian(lambda x: (x * x * x).sum(), x)
        tensor([[ 6.,  0.],
                [ 0., 12.]])
    """
    given, is_tuple = _as_tensors(inputs, "inputs", "hessian")

    def gradient(*args: Tensor) -> Tensors:
        outputs, out_tuple = _as_tensors(
            func(*args), "outputs of the user-provided function", "hessian"
        )
        _single_scalar(outputs, out_tuple, "hessian")
        if strict:
            _require_grad(outputs, _OUTPUT_CONSTANT)
        grads = _grad([outputs[0].reshape(())], args, None, True)
        grads = _filled(grads, args, False, _MISSING_INPUT)
        if strict:
            _require_grad(grads, _JACOBIAN_CONSTANT)
        return grads

    rows = jacobian(gradient, given, create_graph, strict, vectorize, outer_jacobian_strategy)
    return _one_or_all(tuple(_one_or_all(row, is_tuple) for row in rows), is_tuple)


def vhp(
    func: Callable[..., Any],
    inputs: Any,
    v: Any = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """The function's value and the product of a vector with its Hessian.

    Args:
        func: takes the inputs, returns a tensor of one element.
        inputs: a tensor or a tuple of tensors.
        v: the vector, shaped as the inputs; may be None for a single input of one element.
        create_graph: whether the results can be differentiated.
        strict: whether an input that does not matter is an error instead of zeros.

    Returns:
        (output, product), the product shaped as the inputs.

    Raises:
        RuntimeError: when v is missing or of a wrong shape, or the function returns anything but
            one element.

    Example::

        >>> x = pytensor.tensor([1.0, 2.0])
        >>> pytensor.autograd.functional.vhp(lambda x: (x * x * x).sum(), x, pytensor.ones(2))
        (tensor(9.), tensor([ 6., 12.]))
    """
    return _hessian_product("vhp", func, inputs, v, create_graph, strict)


def hvp(
    func: Callable[..., Any],
    inputs: Any,
    v: Any = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """The function's value and the product of its Hessian with a vector.

    The Hessian of a twice continuously differentiable function is symmetric; this function makes
    no use of that and costs one backward pass more than vhp().

    Arguments, results and errors are those of vhp().

    Example::

        >>> x = pytensor.tensor([1.0, 2.0])
        >>> pytensor.autograd.functional.hvp(lambda x: (x * x * x).sum(), x, pytensor.ones(2))
        (tensor(9.), tensor([ 6., 12.]))
    """
    return _hessian_product("hvp", func, inputs, v, create_graph, strict)


def _hessian_product(
    name: str, func: Callable[..., Any], inputs: Any, v: Any, create_graph: bool, strict: bool
) -> tuple[Any, Any]:
    with enable_grad():
        given, is_tuple = _as_tensors(inputs, "inputs", name)
        own = _own_inputs(given, create_graph)
        if v is not None:
            v = _checked_v(v, own, is_tuple, name)
            v = tuple(item if create_graph else item.detach() for item in v)
        elif len(own) != 1 or own[0].numel() != 1:
            raise RuntimeError(
                "The vector v can only be None if the input to the user-provided function is a "
                "single Tensor with a single element."
            )
        else:
            v = (_C.ones_like(own[0]),)
        outputs, out_tuple = _as_tensors(func(*own), "outputs of the user-provided function", name)
        _single_scalar(outputs, out_tuple, name)
        if strict:
            _require_grad(outputs, _OUTPUT_CONSTANT)
        jac = _filled(_grad([outputs[0].reshape(())], own, None, True), own, strict, _MISSING_INPUT)
        if strict:
            _require_grad(jac, _JACOBIAN_CONSTANT)
        if name == "vhp":
            missing = _MISSING_JACOBIAN
            second = _grad(jac, own, v, create_graph)
        else:
            missing = _MISSING_HESSIAN
            seeds = tuple(_C.zeros_like(x).requires_grad_() for x in own)
            double = _filled(_grad(jac, own, seeds, True), own, strict, _MISSING_JACOBIAN)
            if strict:
                _require_grad(double, _GRADIENT_CONSTANT)
            second = _grad(double, seeds, v, create_graph)
        constant = _CONSTANT_HESSIAN if create_graph else None
        product = _filled(second, own, strict, missing, constant)
    output, product = _finished((outputs[0], product), create_graph)
    return output, _one_or_all(product, is_tuple)
