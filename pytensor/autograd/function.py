"""autograd.Function: operations whose gradient is written by hand.

The calls themselves (``apply`` and the ctx object's methods) are in the extension, since they are
hot; this file holds the classes that users derive from and see.
"""

from __future__ import annotations

from pytensor import _C

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = [
    "BackwardCFunction",
    "Function",
    "FunctionCtx",
    "InplaceFunction",
    "NestedIOFunction",
    "once_differentiable",
]

_LEGACY = (
    "Legacy autograd function with non-static forward method is deprecated. Please use new-style "
    "autograd function with static forward method. "
    "(Example: https://pytorch.org/docs/stable/autograd.html#torch.autograd.Function)"
)


class FunctionCtx(_C.FunctionCtx):  # type: ignore[misc]
    """What ``forward`` and ``backward`` of a Function share: saved tensors, flags and attributes.

    It is also the ``grad_fn`` of the outputs.
    """

    @property
    def saved_variables(self) -> tuple[Any, ...]:
        """The old name of ``saved_tensors``."""
        import warnings

        warnings.warn(
            "'saved_variables' is deprecated; use 'saved_tensors'", DeprecationWarning, stacklevel=2
        )
        return self.saved_tensors

    def save_for_forward(self, *tensors: Any) -> None:
        """Accepted and without effect: it serves forward-mode differentiation."""

    def mark_shared_storage(self, *pairs: Any) -> None:
        """Accepted and without effect: shared memory is found without it."""


class BackwardCFunction(FunctionCtx):
    """The base of the ctx classes; each Function has its own, named after it."""

    _forward_cls: type[Function]

    def apply(self, *grads: Any) -> Any:
        """Calls ``backward`` as the engine does."""
        return self._forward_cls.backward(self, *grads)


class Function(_C.FunctionBase):  # type: ignore[misc]
    """Base class of operations with a gradient of their own.

    Derive from it, write static methods ``forward(ctx, *args)`` and ``backward(ctx, *grads)``, and
    call ``MyFunction.apply(*args)``. Alternatively ``forward(*args)`` takes no ctx, and
    ``setup_context(ctx, inputs, output)`` stores what backward needs.

    Example::

        >>> class Exp(pytensor.autograd.Function):
        ...     @staticmethod
        ...     def forward(ctx, x):
        ...         result = x.exp()
        ...         ctx.save_for_backward(result)
        ...         return result
        ...     @staticmethod
        ...     def backward(ctx, grad):
        ...         (result,) = ctx.saved_tensors
        ...         return grad * result
        >>> x = pytensor.zeros(2, requires_grad=True)
        >>> Exp.apply(x).sum().backward()
        >>> x.grad
        tensor([1., 1.])
    """

    _backward_cls: type[BackwardCFunction]
    _splits_setup = False
    generate_vmap_rule = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        own = cls.__dict__
        if "vjp" in own and "backward" in own:
            raise RuntimeError(
                "Implementing both 'backward' and 'vjp' for a custom Function is not allowed. You "
                "should only implement one of them."
            )
        if "vjp" in own:
            cls.backward = own["vjp"]  # type: ignore[method-assign]
        if "setup_context" in own:
            cls._splits_setup = True
        cls._backward_cls = type(f"{cls.__name__}Backward", (BackwardCFunction,), {})
        cls._backward_cls._forward_cls = cls

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        import warnings

        warnings.warn(
            f"{type(self)} should not be instantiated. Methods on autograd functions are all "
            "static, so you should invoke them on the class itself. Instantiating an autograd "
            "function will raise an error in a future version of PyTorch.",
            DeprecationWarning,
            stacklevel=2,
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError(_LEGACY)

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        """Computes the outputs; to be overridden.

        Args:
            ctx: keeps what backward needs; left out in classes with ``setup_context``.
            args: tensors and anything else that ``apply`` was given.
        """
        raise NotImplementedError(
            "You must implement the forward function for custom autograd.Function."
        )

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> Any:
        """Stores in ctx what backward needs; overriding it makes ``forward`` go without ctx."""
        raise NotImplementedError("setup_context is not implemented.")

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        """Returns a gradient (or None) for each argument of ``forward``; to be overridden.

        Args:
            ctx: what forward filled.
            grad_outputs: the gradient of each output.
        """
        raise NotImplementedError(
            "You must implement either the backward or vjp method for your custom "
            "autograd.Function to use it with backward mode AD."
        )

    @staticmethod
    def jvp(ctx: Any, *grad_inputs: Any) -> Any:
        """Forward-mode differentiation, which this library does not have."""
        raise NotImplementedError(
            "You must implement the jvp function for custom autograd.Function to use it with "
            "forward mode AD."
        )

    @staticmethod
    def vmap(info: Any, in_dims: Any, *args: Any) -> Any:
        """Batching rules, which this library does not have."""
        raise NotImplementedError("autograd.Function.vmap: vmap is not supported")


def _bind_arguments(cls: type[Function], *args: Any, **kwargs: Any) -> tuple[Any, ...]:
    """All arguments of ``forward`` but ctx by position, defaults filled in."""
    import inspect

    before = () if cls._splits_setup else (None,)
    bound = inspect.signature(cls.forward).bind(*before, *args, **kwargs)
    bound.apply_defaults()
    return bound.args[len(before) :]


class InplaceFunction(Function):
    """A Function with a flag that says whether it works in place; kept for old programs."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace


class NestedIOFunction(Function):
    """Kept for the name: nested inputs and outputs are not supported."""

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        """Not supported."""
        raise NotImplementedError("NestedIOFunction: nested inputs and outputs are not supported")


class _Twice(Function):
    """Passes its inputs on and fails in backward."""

    @staticmethod
    def forward(ctx: Any, *tensors: Any) -> Any:
        return tuple(None if t is None else t.detach() for t in tensors)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        raise RuntimeError(
            "trying to differentiate twice a function that was marked with @once_differentiable"
        )


def once_differentiable(fn: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator of a ``backward`` that must not be differentiated itself.

    Differentiating its result raises an error instead of giving a wrong second derivative.
    """
    import functools

    @functools.wraps(fn)
    def wrapper(ctx: Any, *grads: Any) -> Any:
        recording = _C.set_grad_enabled(False)
        try:
            results = fn(ctx, *grads)
        finally:
            _C.set_grad_enabled(recording)
        if not recording or not any(isinstance(g, _C.Tensor) and g.requires_grad for g in grads):
            return results
        single = not isinstance(results, tuple)
        tensors = (results,) if single else results
        marked = _Twice.apply(
            *(None if t is None else t.detach().requires_grad_() for t in tensors)
        )
        return marked[0] if single else marked

    return wrapper
