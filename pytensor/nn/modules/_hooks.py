"""Calling a module: ``Hooks``, the part of ``nn.Module`` that runs hooks around ``forward``.

Also the hooks that apply to all modules. Used by ``module.py``.
"""

from __future__ import annotations

import warnings
from collections import OrderedDict
from typing import Any

from pytensor import Tensor
from pytensor.nn.modules._backward_hooks import BackwardHook, check_plain_hook
from pytensor.nn.modules._layer_path import name_layer
from pytensor.utils.hooks import RemovableHandle

__all__ = [
    "register_module_backward_hook",
    "register_module_buffer_registration_hook",
    "register_module_forward_hook",
    "register_module_forward_pre_hook",
    "register_module_full_backward_hook",
    "register_module_full_backward_pre_hook",
    "register_module_module_registration_hook",
    "register_module_parameter_registration_hook",
]

_buffer_registration_hooks: OrderedDict[int, Any] = OrderedDict()
_module_registration_hooks: OrderedDict[int, Any] = OrderedDict()
_parameter_registration_hooks: OrderedDict[int, Any] = OrderedDict()
_global_backward_pre_hooks: OrderedDict[int, Any] = OrderedDict()
_global_backward_hooks: OrderedDict[int, Any] = OrderedDict()
_global_forward_pre_hooks: OrderedDict[int, Any] = OrderedDict()
_global_forward_hooks: OrderedDict[int, Any] = OrderedDict()
_global_forward_hooks_always_called: OrderedDict[int, bool] = OrderedDict()
_global_forward_hooks_with_kwargs: OrderedDict[int, bool] = OrderedDict()
_global_is_full_backward_hook: bool | None = None


def add_hook(
    hooks: OrderedDict[int, Any],
    hook: Any,
    *flagged: tuple[OrderedDict[int, bool], bool],
    prepend: bool = False,
) -> RemovableHandle:
    """Adds a hook to a dict, and its id to those of the further dicts whose flag is set."""
    handle = RemovableHandle(hooks, extra_dict=[flags for flags, _ in flagged])
    hooks[handle.id] = hook
    for flags, wanted in flagged:
        if wanted:
            flags[handle.id] = True
    if prepend:
        hooks.move_to_end(handle.id, last=False)
    return handle


def registered(hooks: OrderedDict[int, Any], module: Any, name: str, value: Any) -> Any:
    """What the registration hooks of all modules make of a new member."""
    for hook in hooks.values():
        out = hook(module, name, value)
        if out is not None:
            value = out
    return value


def register_module_buffer_registration_hook(hook: Any) -> RemovableHandle:
    """``hook(module, name, buffer)`` at each registration of a buffer may return another one."""
    return add_hook(_buffer_registration_hooks, hook)


def register_module_module_registration_hook(hook: Any) -> RemovableHandle:
    """``hook(module, name, child)`` at each registration of a child may return another one."""
    return add_hook(_module_registration_hooks, hook)


def register_module_parameter_registration_hook(hook: Any) -> RemovableHandle:
    """``hook(module, name, parameter)`` at each registration may return another parameter."""
    return add_hook(_parameter_registration_hooks, hook)


def register_module_forward_pre_hook(hook: Any) -> RemovableHandle:
    """A forward pre-hook of all modules; see ``Module.register_forward_pre_hook``."""
    return add_hook(_global_forward_pre_hooks, hook)


def register_module_forward_hook(
    hook: Any, *, with_kwargs: bool = False, always_call: bool = False
) -> RemovableHandle:
    """A forward hook of all modules; see ``Module.register_forward_hook``."""
    return add_hook(
        _global_forward_hooks,
        hook,
        (_global_forward_hooks_with_kwargs, with_kwargs),
        (_global_forward_hooks_always_called, always_call),
    )


def register_module_full_backward_pre_hook(hook: Any) -> RemovableHandle:
    """A backward pre-hook of all modules; see ``Module.register_full_backward_pre_hook``."""
    return add_hook(_global_backward_pre_hooks, hook)


def _register_global_backward(hook: Any, full: bool) -> RemovableHandle:
    global _global_is_full_backward_hook
    if _global_is_full_backward_hook is (not full):
        raise RuntimeError(
            "Cannot use both regular backward hooks and full backward hooks as a global Module "
            "hook. Please use only one of them."
        )
    _global_is_full_backward_hook = full
    return add_hook(_global_backward_hooks, hook)


def register_module_backward_hook(hook: Any) -> RemovableHandle:
    """A backward hook of all modules; see ``Module.register_backward_hook``."""
    return _register_global_backward(hook, False)


def register_module_full_backward_hook(hook: Any) -> RemovableHandle:
    """A full backward hook of all modules; see ``Module.register_full_backward_hook``."""
    return _register_global_backward(hook, True)


class Hooks:
    """Hooks of a module, and the call that runs them."""

    _forward_hooks: OrderedDict[int, Any]
    _forward_hooks_with_kwargs: OrderedDict[int, bool]
    _forward_hooks_always_called: OrderedDict[int, bool]
    _forward_pre_hooks: OrderedDict[int, Any]
    _forward_pre_hooks_with_kwargs: OrderedDict[int, bool]
    _backward_hooks: OrderedDict[int, Any]
    _backward_pre_hooks: OrderedDict[int, Any]
    _is_full_backward_hook: bool | None
    forward: Any

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        try:
            if (
                self._forward_hooks
                or self._forward_pre_hooks
                or self._backward_hooks
                or self._backward_pre_hooks
                or _global_forward_hooks
                or _global_forward_pre_hooks
                or _global_backward_hooks
                or _global_backward_pre_hooks
            ):
                return self._call_with_hooks(args, kwargs)
            return self.forward(*args, **kwargs)
        except Exception as error:
            name_layer(self, error)
            raise

    _call_impl = __call__

    def _call_with_hooks(self, args: Any, kwargs: Any) -> Any:
        state: list[Any] = [args, kwargs, None]
        called: set[int] = set()
        try:
            return self._run_hooks(state, called)
        except Exception:
            self._run_always_called(state, called)
            raise

    def _run_hooks(self, state: list[Any], called: set[int]) -> Any:
        """Pre-hooks, forward, hooks; keeps in `state` what always-called hooks need."""
        args, kwargs, _ = state
        for key, hook in (*_global_forward_pre_hooks.items(), *self._forward_pre_hooks.items()):
            if key in self._forward_pre_hooks_with_kwargs:
                out = hook(self, args, kwargs)
                if out is not None:
                    if not (isinstance(out, tuple) and len(out) == 2):
                        raise RuntimeError(
                            "forward pre-hook must return None or a tuple of (new_args, "
                            f"new_kwargs), but got {out}."
                        )
                    args, kwargs = out
            else:
                out = hook(self, args)
                if out is not None:
                    args = out if isinstance(out, tuple) else (out,)
            state[:2] = args, kwargs
        full, plain = self._get_backward_hooks()
        pre = [*_global_backward_pre_hooks.values(), *self._backward_pre_hooks.values()]
        backward_hook = None
        if full or pre:
            backward_hook = BackwardHook(self, full, pre)
            state[0] = args = backward_hook.setup_input_hook(args)
        result = state[2] = self.forward(*args, **kwargs)
        for key, hook in (*_global_forward_hooks.items(), *self._forward_hooks.items()):
            if key in self._forward_hooks_always_called or (
                key in _global_forward_hooks_always_called
            ):
                called.add(key)
            if key in self._forward_hooks_with_kwargs or key in _global_forward_hooks_with_kwargs:
                out = hook(self, args, kwargs, result)
            else:
                out = hook(self, args, result)
            if out is not None:
                result = state[2] = out
        if backward_hook is not None:
            if not isinstance(result, (Tensor, tuple)):
                warnings.warn(
                    "For backward hooks to be called, module output should be a Tensor or a tuple "
                    f"of Tensors but received {type(result)}",
                    stacklevel=4,
                )
            result = backward_hook.setup_output_hook(result)
        if plain:
            self._hook_last_node(plain, args, result)
        return result

    def _run_always_called(self, state: list[Any], called: set[int]) -> None:
        """After an error: the always-called forward hooks that have not run yet."""
        args, kwargs, result = state
        for hooks, always, with_kwargs, whose in (
            (
                _global_forward_hooks,
                _global_forward_hooks_always_called,
                _global_forward_hooks_with_kwargs,
                "global module",
            ),
            (
                self._forward_hooks,
                self._forward_hooks_always_called,
                self._forward_hooks_with_kwargs,
                "module",
            ),
        ):
            for key, hook in hooks.items():
                if key not in always or key in called:
                    continue
                extra = (kwargs,) if key in with_kwargs else ()
                try:
                    out = hook(self, args, *extra, result)
                    result = result if out is None else out
                except Exception as error:
                    warnings.warn(
                        f"{whose} forward hook with ``always_call=True`` raised an exception that "
                        f"was silenced as another error was raised in forward: {error}",
                        stacklevel=4,
                    )

    def _hook_last_node(self, hooks: list[Any], args: Any, result: Any) -> None:
        output = result
        while not isinstance(output, Tensor):
            if isinstance(output, dict):
                output = next(v for v in output.values() if isinstance(v, Tensor))
            else:
                output = output[0]
        node = output.grad_fn
        if node is None:
            return
        for hook in hooks:
            node.register_hook(lambda gi, go, hook=hook: hook(self, gi, go))
        check_plain_hook(args, result, node)

    def _get_backward_hooks(self) -> tuple[list[Any], list[Any]]:
        full: list[Any] = []
        plain: list[Any] = []
        for is_full, hooks in (
            (_global_is_full_backward_hook, _global_backward_hooks),
            (self._is_full_backward_hook, self._backward_hooks),
        ):
            (full if is_full else plain).extend(hooks.values())
        return full, plain

    def register_forward_pre_hook(
        self, hook: Any, *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Calls ``hook(module, args)`` before each ``forward``.

        Args:
            hook: may return changed positional arguments (a tuple, or one value).
            prepend: before the module's other pre-hooks, not after. Default: ``False``.
            with_kwargs: calls ``hook(module, args, kwargs)``, which may return
                ``(args, kwargs)``. Default: ``False``.

        Returns:
            A handle whose ``remove()`` takes the hook away.
        """
        return add_hook(
            self._forward_pre_hooks,
            hook,
            (self._forward_pre_hooks_with_kwargs, with_kwargs),
            prepend=prepend,
        )

    def register_forward_hook(
        self,
        hook: Any,
        *,
        prepend: bool = False,
        with_kwargs: bool = False,
        always_call: bool = False,
    ) -> RemovableHandle:
        """Calls ``hook(module, args, output)`` after each ``forward``.

        Args:
            hook: may return another output.
            prepend: before the module's other hooks, not after. Default: ``False``.
            with_kwargs: calls ``hook(module, args, kwargs, output)``. Default: ``False``.
            always_call: also when ``forward`` raises; the output is then None. Default: ``False``.

        Returns:
            A handle whose ``remove()`` takes the hook away.

        Example::

            >>> layer = pytensor.nn.Identity()
            >>> handle = layer.register_forward_hook(lambda module, args, output: output + 1)
            >>> layer(pytensor.zeros(2))
            tensor([1., 1.])
        """
        return add_hook(
            self._forward_hooks,
            hook,
            (self._forward_hooks_with_kwargs, with_kwargs),
            (self._forward_hooks_always_called, always_call),
            prepend=prepend,
        )

    def register_full_backward_pre_hook(self, hook: Any, prepend: bool = False) -> RemovableHandle:
        """Calls ``hook(module, grad_output)`` before the gradients of the inputs are computed.

        Args:
            hook: may return other gradients of the outputs, as a tuple.
            prepend: before the module's other hooks, not after. Default: ``False``.
        """
        return add_hook(self._backward_pre_hooks, hook, prepend=prepend)

    def register_full_backward_hook(self, hook: Any, prepend: bool = False) -> RemovableHandle:
        """Calls ``hook(module, grad_input, grad_output)`` once both gradients are there.

        Args:
            hook: may return other gradients of the inputs, as a tuple.
            prepend: before the module's other hooks, not after. Default: ``False``.
        """
        self._check_backward_kind(True)
        return add_hook(self._backward_hooks, hook, prepend=prepend)

    def register_backward_hook(self, hook: Any) -> RemovableHandle:
        """Hooks the node of the output alone; use ``register_full_backward_hook`` instead."""
        self._check_backward_kind(False)
        return add_hook(self._backward_hooks, hook)

    def _check_backward_kind(self, full: bool) -> None:
        if self._is_full_backward_hook is (not full):
            raise RuntimeError(
                "Cannot use both regular backward hooks and full backward hooks on a single "
                "Module. Please use only one of them."
            )
        self._is_full_backward_hook = full
