"""Automatic differentiation: backward, grad, Function, grad modes and gradient checks.

The graph and the engine are in the extension; this package holds what users call. The derivatives
of functions (autograd.functional) are imported when first used. The names gradcheck and grad_mode
follow PyTorch: gradcheck is the function, not the module it is in.
"""

from __future__ import annotations

from pytensor import _C
from pytensor.autograd.anomaly import detect_anomaly, set_detect_anomaly
from pytensor.autograd.function import Function
from pytensor.autograd.grad_mode import enable_grad, inference_mode, no_grad, set_grad_enabled
from pytensor.autograd.gradcheck import gradcheck, gradgradcheck

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, TypeAlias

    from pytensor import Tensor

    Tensors: TypeAlias = Tensor | Sequence[Tensor]

__all__ = [
    "Function",
    "Variable",
    "backward",
    "detect_anomaly",
    "enable_grad",
    "functional",
    "grad",
    "grad_mode",
    "gradcheck",
    "gradgradcheck",
    "inference_mode",
    "no_grad",
    "set_detect_anomaly",
    "set_grad_enabled",
]


def _as_tuple(value: Any) -> tuple[Any, ...]:
    if value is None:
        return ()
    return (value,) if isinstance(value, _C.Tensor) else tuple(value)


def backward(
    tensors: Tensors,
    grad_tensors: Tensors | Sequence[Tensor | None] | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    grad_variables: Tensors | None = None,
    inputs: Tensors | None = None,
) -> None:
    """Computes the gradients of tensors and adds them to the ``.grad`` of the graph's leaves.

    Args:
        tensors: what to differentiate.
        grad_tensors: the gradient of something with respect to each of them; may be None for
            tensors of one element, where it is 1.
        retain_graph: keep what the graph saved for another backward pass; by default, create_graph.
        create_graph: record this pass too, for higher derivatives.
        grad_variables: the old name of grad_tensors.
        inputs: accumulate into these tensors only.

    Raises:
        RuntimeError: if a tensor does not require grad, or the graph was freed before.

    Example::

        >>> x = pytensor.ones(2, requires_grad=True)
        >>> pytensor.autograd.backward([x.sum(), (2 * x).sum()])
        >>> x.grad
        tensor([3., 3.])
    """
    if grad_variables is not None:
        import warnings

        warnings.warn(
            "`grad_variables` is deprecated. Use `grad_tensors` instead.",
            FutureWarning,
            stacklevel=2,
        )
        if grad_tensors is not None:
            raise RuntimeError(
                "`grad_tensors` and `grad_variables` (deprecated) arguments both passed to "
                "`backward()`. Please only use `grad_tensors`."
            )
        grad_tensors = grad_variables
    into = _as_tuple(inputs)
    if inputs is not None and not into:
        raise RuntimeError("`inputs` argument to `backward()` cannot be empty.")
    roots = _as_tuple(tensors)
    _C.run_backward(
        roots,
        _gradients(grad_tensors, len(roots)),
        create_graph if retain_graph is None else retain_graph,
        create_graph,
        into,
        True,
        True,
    )


def _gradients(grads: Any, count: int) -> tuple[Any, ...]:
    """The given gradients, one for each of `count` tensors."""
    given = _as_tuple(grads)
    if given and len(given) != count:
        raise RuntimeError(f"got {count} tensors and {len(given)} gradients")
    return given


def grad(
    outputs: Tensors,
    inputs: Tensors,
    grad_outputs: Tensors | Sequence[Tensor | None] | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple[Tensor, ...]:
    """Returns the gradients of outputs with respect to inputs; no ``.grad`` is touched.

    Args:
        outputs: what to differentiate.
        inputs: with respect to what; leaves or results.
        grad_outputs: the gradient of something with respect to each output; may be None for
            outputs of one element, where it is 1.
        retain_graph: keep what the graph saved for another backward pass; by default, create_graph.
        create_graph: record this pass too, for higher derivatives.
        only_inputs: deprecated and ignored.
        allow_unused: give None for inputs that the outputs do not depend on, instead of an error.
        is_grads_batched: grad_outputs have a first dimension more, over which results are stacked.
        materialize_grads: give zeros instead of None; implies allow_unused.

    Raises:
        RuntimeError: if an input was not used and allow_unused is not set.

    Example::

        >>> x = pytensor.tensor(3.0, requires_grad=True)
        >>> (first,) = pytensor.autograd.grad(x**3, x, create_graph=True)
        >>> pytensor.autograd.grad(first, x)
        (tensor(18.),)
    """
    if materialize_grads and allow_unused is False:
        raise ValueError(
            "Expected allow_unused to be True or not passed when materialize_grads=True, "
            "but got: allow_unused=False."
        )
    if not only_inputs:
        import warnings

        warnings.warn(
            "only_inputs argument is deprecated and is ignored now (defaults to True). To "
            "accumulate gradient for other parts of the graph, please use "
            "torch.autograd.backward.",
            FutureWarning,
            stacklevel=2,
        )
    roots, wanted = _as_tuple(outputs), _as_tuple(inputs)
    if not wanted:
        raise RuntimeError("`inputs` argument to `grad()` cannot be empty.")
    keep = create_graph if retain_graph is None else retain_graph
    unused = materialize_grads if allow_unused is None else allow_unused
    given = _gradients(grad_outputs, len(roots))
    if is_grads_batched:
        results = _batched(roots, wanted, given, keep, create_graph, unused)
    else:
        results = _C.run_backward(roots, given, keep, create_graph, wanted, unused, False)
    if materialize_grads:
        return tuple(
            x.detach().new_zeros(x.shape).requires_grad_(create_graph) if g is None else g
            for g, x in zip(results, wanted)
        )
    return results


def _batched(
    roots: tuple[Any, ...],
    wanted: tuple[Any, ...],
    given: tuple[Any, ...],
    keep: bool,
    create_graph: bool,
    unused: bool,
) -> tuple[Any, ...]:
    """One pass for each slice of the gradients, results stacked."""
    from pytensor import stack

    count = next(len(g) for g in given if g is not None)
    rows = []
    for i in range(count):
        slices = tuple(None if g is None else g[i] for g in given)
        last = i == count - 1
        rows.append(
            _C.run_backward(roots, slices, keep or not last, create_graph, wanted, unused, False)
        )
    return tuple(None if column[0] is None else stack(column) for column in zip(*rows))


class _VariableMeta(type):
    def __instancecheck__(cls, other: object) -> bool:
        return isinstance(other, _C.Tensor)


class Variable(metaclass=_VariableMeta):
    """The old wrapper of tensors: calling it gives the tensor itself, outside its old graph.

    Args:
        data: a tensor.
        requires_grad: whether operations on the result are recorded.

    Example::

        >>> pytensor.autograd.Variable(pytensor.ones(2), requires_grad=True)
        tensor([1., 1.], requires_grad=True)
    """

    def __new__(cls, data: Tensor, requires_grad: bool = False, volatile: bool = False) -> Any:
        return data.detach().requires_grad_(requires_grad)


def __getattr__(name: str) -> Any:
    if name in ("functional", "profiler"):
        import importlib

        return importlib.import_module(f"pytensor.autograd.{name}")
    raise AttributeError(f"module 'pytensor.autograd' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
