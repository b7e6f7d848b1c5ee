"""Switches for recording gradients: context managers that are also decorators.

Used as ``with no_grad():``, ``@no_grad()`` and ``@no_grad``, on functions and generators. The
flags themselves live in the extension and are per thread; this file only sets and restores them,
with as little Python as possible, since ``with no_grad():`` stands in every update step.
"""

from __future__ import annotations

from pytensor import _C

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["enable_grad", "inference_mode", "no_grad", "set_grad_enabled"]

_is_grad_enabled = _C.grad_enabled
_set_grad = _C.set_grad_enabled
_set_inference = _C.set_inference_mode


class _GradModeContext:
    """What the context managers share: their use as a decorator."""

    __slots__ = ("_previous",)

    _previous: Any

    def _fresh(self) -> _GradModeContext:
        """A context of the same kind; a decorator needs one for each call (recursion, threads)."""
        return type(self)()

    def __enter__(self) -> None:
        raise NotImplementedError

    def __exit__(self, *exc: object) -> None:
        _set_grad(self._previous)

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        return _decorate(self._fresh, function)


def _decorate(context: Callable[[], Any], function: Callable[..., Any]) -> Callable[..., Any]:
    import functools
    import inspect

    if inspect.isclass(function):
        import warnings

        warnings.warn(
            f"Decorating classes is deprecated and will be disabled in future versions. You should "
            f"only decorate functions or methods. To decorate {function.__name__}'s constructor, "
            "decorate its __init__ method.",
            FutureWarning,
            stacklevel=3,
        )
        constructor = _decorate(context, function.__init__)
        function.__init__ = constructor  # type: ignore[method-assign]
        return function

    if inspect.isgeneratorfunction(function):

        @functools.wraps(function)
        def generator(*args: Any, **kwargs: Any) -> Any:
            return (yield from _Resumed(context, function(*args, **kwargs)))

        return generator

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        with context():
            return function(*args, **kwargs)

    return wrapper


class _Resumed:
    """A generator whose every step runs inside the context, while its consumer runs outside."""

    def __init__(self, context: Callable[[], Any], generator: Any) -> None:
        self._context = context
        self._generator = generator

    def __iter__(self) -> _Resumed:
        return self

    def __next__(self) -> Any:
        with self._context():
            return next(self._generator)

    def send(self, value: Any) -> Any:
        with self._context():
            return self._generator.send(value)

    def throw(self, *error: Any) -> Any:
        with self._context():
            return self._generator.throw(*error)

    def close(self) -> None:
        with self._context():
            self._generator.close()


class no_grad(_GradModeContext):
    """Turns the recording of gradients off; results inside have ``requires_grad=False``.

    Args:
        orig_func: the function to decorate when used as ``@no_grad`` without parentheses.

    Example::

        >>> x = pytensor.tensor([1.0], requires_grad=True)
        >>> with pytensor.no_grad():
        ...     y = x * 2
        >>> y.requires_grad
        False
    """

    __slots__ = ()

    def __new__(cls, orig_func: Callable[..., Any] | None = None) -> Any:
        self = object.__new__(cls)
        return self if orig_func is None else self(orig_func)

    def __enter__(self) -> None:
        self._previous = _set_grad(False)


class enable_grad(_GradModeContext):
    """Turns the recording of gradients on, inside of no_grad() above all.

    Args:
        orig_func: the function to decorate when used as ``@enable_grad`` without parentheses.

    Example::

        >>> x = pytensor.tensor([1.0], requires_grad=True)
        >>> with pytensor.no_grad(), pytensor.enable_grad():
        ...     y = x * 2
        >>> y.requires_grad
        True
    """

    __slots__ = ()

    def __new__(cls, orig_func: Callable[..., Any] | None = None) -> Any:
        self = object.__new__(cls)
        return self if orig_func is None else self(orig_func)

    def __enter__(self) -> None:
        self._previous = _set_grad(True)


class set_grad_enabled(_GradModeContext):
    """Turns the recording of gradients on or off, at once; as a context, until it is left.

    Args:
        mode: whether gradients are recorded.

    Example::

        >>> x = pytensor.tensor([1.0], requires_grad=True)
        >>> with pytensor.set_grad_enabled(False):
        ...     y = x * 2
        >>> y.requires_grad
        False
    """

    __slots__ = ("mode",)

    def __init__(self, mode: bool) -> None:
        self._previous = _set_grad(mode)
        self.mode = mode

    def _fresh(self) -> set_grad_enabled:
        return set_grad_enabled(self.mode)

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        _set_grad(self._previous)  # a decorator must not change the mode where it is written
        return super().__call__(function)

    def __enter__(self) -> None:
        _set_grad(self.mode)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(mode={self.mode})"


class inference_mode(_GradModeContext):
    """Like no_grad, and without version counters: results can never be used in a backward pass.

    Args:
        mode: True to enter inference mode, False to leave it inside of an outer one; or the
            function to decorate when used as ``@inference_mode`` without parentheses.

    Example::

        >>> x = pytensor.tensor([1.0], requires_grad=True)
        >>> with pytensor.inference_mode():
        ...     y = x * 2
        >>> y.requires_grad
        False
    """

    __slots__ = ("_previous_inference", "mode")

    mode: bool
    _previous_inference: bool

    def __new__(cls, mode: bool | Callable[..., Any] = True) -> Any:
        self = object.__new__(cls)
        if isinstance(mode, bool):
            self.mode = mode
            return self
        self.mode = True
        return self(mode)

    def _fresh(self) -> inference_mode:
        return inference_mode(self.mode)

    def __enter__(self) -> None:
        self._previous_inference = _set_inference(self.mode)
        self._previous = _set_grad(not self.mode)

    def __exit__(self, *exc: object) -> None:
        _set_inference(self._previous_inference)
        _set_grad(self._previous)
