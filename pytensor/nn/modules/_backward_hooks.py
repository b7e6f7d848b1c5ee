"""Backward hooks of modules: gradients caught where they enter and leave a module.

Used by ``_hooks.py``. Both sides of the forward call pass an identity node; the node at the
outputs sees the gradients that arrive, the one at the inputs those that go on.
"""

from __future__ import annotations

import warnings
from typing import Any

import pytensor
from pytensor import Tensor
from pytensor.autograd import Function


class BackwardHookFunction(Function):
    """The identity; its node carries the hooks."""

    @staticmethod
    def forward(ctx: Any, *args: Any) -> Any:
        ctx.mark_non_differentiable(*[arg for arg in args if not arg.requires_grad])
        return tuple(arg.view_as(arg) for arg in args)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        return grads


class BackwardHook:
    """The hooks of one call of a module.

    Args:
        module: the module called.
        user_hooks: called with ``(module, grad_input, grad_output)``.
        user_pre_hooks: called with ``(module, grad_output)``.
    """

    def __init__(self, module: Any, user_hooks: Any, user_pre_hooks: Any) -> None:
        self.module = module
        self.user_hooks = user_hooks
        self.user_pre_hooks = user_pre_hooks
        self.grad_outputs: Any = None
        self.n_inputs = self.n_outputs = 0
        self.input_places: list[int] | None = None
        self.output_places: list[int] | None = None

    def setup_input_hook(self, args: Any) -> Any:
        """Passes the tensors among the arguments through a node that runs the hooks."""
        self.n_inputs = len(args)
        args, self.input_places = self._through_node(args, self._on_inputs)
        return args

    def setup_output_hook(self, result: Any) -> Any:
        """Passes the outputs through a node that notes their gradients."""
        outputs = result if isinstance(result, tuple) else (result,)
        self.n_outputs = len(outputs)
        outputs, self.output_places = self._through_node(outputs, self._on_outputs)
        return outputs if isinstance(result, tuple) else outputs[0]

    def _through_node(self, values: Any, hook: Any) -> tuple[Any, list[int] | None]:
        places = [i for i, value in enumerate(values) if isinstance(value, Tensor)]
        if not (pytensor.is_grad_enabled() and any(values[i].requires_grad for i in places)):
            return values, None
        made = list(values)
        passed = BackwardHookFunction.apply(*[values[i] for i in places])
        for i, tensor in zip(places, passed):
            made[i] = tensor
        next(t.grad_fn for t in passed if t.grad_fn is not None).register_hook(hook)
        plain = type(values) is tuple
        return (tuple(made) if plain else type(values)(*made)), places

    @staticmethod
    def _spread(places: list[int], values: Any, size: int) -> tuple[Any, ...]:
        made: list[Any] = [None] * size
        for i, value in zip(places, values):
            made[i] = value
        return tuple(made)

    def _on_inputs(self, grad_inputs: Any, _: Any) -> Any:
        if self.grad_outputs is None:
            return None  # the gradient did not come through the outputs (double backward)
        places = self.input_places or []
        grads = self._spread(places, grad_inputs, self.n_inputs)
        for hook in self.user_hooks:
            out = hook(self.module, grads, self.grad_outputs)
            if out is None:
                continue
            if len(out) != len(grads):
                raise RuntimeError(
                    "Backward hook returned an invalid number of grad_input, "
                    f"got {len(out)}, but expected {len(grads)}"
                )
            grads = out
        self.grad_outputs = None
        return tuple(grads[i] for i in places)

    def _on_outputs(self, _: Any, grad_outputs: Any) -> Any:
        places = self.output_places or []
        grads = self._spread(places, grad_outputs, self.n_outputs)
        for hook in self.user_pre_hooks:
            out = hook(self.module, grads)
            if out is None:
                continue
            if len(out) != len(grads):
                raise RuntimeError(
                    "Backward pre hook returned an invalid number of grad_output, "
                    f"got {len(out)}, but expected {len(grads)}"
                )
            grads = out
        self.grad_outputs = grads
        if self.input_places is None:
            self._without_input_gradients()
        return tuple(grads[i] for i in places)

    def _without_input_gradients(self) -> None:
        warnings.warn(
            "Full backward hook is firing when gradients are computed with respect to module "
            "outputs since no inputs require gradients. See "
            "https://docs.pytorch.org/docs/main/generated/"
            "torch.nn.Module.html#torch.nn.Module.register_full_backward_hook for more details.",
            stacklevel=5,
        )
        for hook in self.user_hooks:
            out = hook(self.module, (None,) * self.n_inputs, self.grad_outputs)
            if out is not None and not (isinstance(out, tuple) and all(g is None for g in out)):
                raise RuntimeError(
                    "Backward hook for Modules where no input requires gradient should always "
                    "return None or None for all gradients."
                )
        self.grad_outputs = None


def check_plain_hook(inputs: Any, result: Any, grad_fn: Any) -> None:
    """Warns where a hook of ``register_backward_hook`` sees only a part of the gradients."""
    which = None
    outputs = (result,) if isinstance(result, Tensor) else result
    inputs = (inputs,) if isinstance(inputs, Tensor) else inputs
    if not _are_tensors(outputs):
        which = "on a Module that does not return a single Tensor or a tuple of Tensors"
    elif not _are_tensors(inputs):
        which = "on a Module that does not take as input a single Tensor or a tuple of Tensors"
    else:
        makers = [t.grad_fn for t in outputs if t.grad_fn is not None]
        sources = {id(t.grad_fn) for t in inputs if t.grad_fn is not None}
        if len({id(m) for m in makers}) > 1:
            which = "when outputs are generated by different autograd Nodes"
        elif not any(m is grad_fn for m in makers):
            which = "when outputs are nested in python data structure"
        elif sources != {id(node) for node, _ in grad_fn.next_functions}:
            which = "when the forward contains multiple autograd Nodes"
    if which is not None:
        warnings.warn(
            f"Using a non-full backward hook {which} is deprecated and will be removed in future "
            "versions. This hook will be missing some of the gradients. Please use "
            "register_full_backward_hook to get the documented behavior.",
            FutureWarning,
            stacklevel=4,
        )


def _are_tensors(values: Any) -> bool:
    return isinstance(values, tuple) and all(isinstance(v, Tensor) for v in values)
