"""Activation checkpoints: what a part of a network saves for backward is computed again instead.

``use_reentrant=True`` runs the part without recording it and, in backward, again with recording
and a backward of its own. ``use_reentrant=False`` records the part, notes which leaves it
reaches, and drops the recording; all of it is then a single node of the graph, so that
``autograd.grad``, keyword arguments, nested results and higher derivatives work.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import pytensor
from pytensor import _C, Tensor
from pytensor.autograd import Function

__all__ = [
    "CheckpointError",
    "CheckpointFunction",
    "check_backward_validity",
    "checkpoint",
    "checkpoint_sequential",
    "detach_variable",
    "noop_context_fn",
    "set_checkpoint_debug_enabled",
    "set_checkpoint_early_stop",
]

_CHECKS = ("default", "none")


class CheckpointError(RuntimeError):
    """The second computation was not the same as the first."""


def noop_context_fn() -> tuple[Any, Any]:
    """Two contexts that do nothing: for the computation and for its repetition."""
    return contextlib.nullcontext(), contextlib.nullcontext()


@contextlib.contextmanager
def set_checkpoint_debug_enabled(enabled: bool | None) -> Iterator[None]:
    """Accepted: what differs between two computations is told in any case."""
    yield


@contextlib.contextmanager
def set_checkpoint_early_stop(enable: bool) -> Iterator[None]:
    """Accepted: the repetition always runs to its end."""
    yield


def detach_variable(inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """Tensors without history, which require grad as before; other values as they are.

    Raises:
        RuntimeError: `inputs` is no tuple.
    """
    if not isinstance(inputs, tuple):
        raise RuntimeError(
            "Only tuple of tensors is supported. Got Unsupported input type: "
            f"{type(inputs).__name__}"
        )
    return tuple(
        v.detach().requires_grad_(v.requires_grad) if isinstance(v, Tensor) else v for v in inputs
    )


def check_backward_validity(inputs: Iterable[Any]) -> None:
    """Warns when no input requires grad."""
    if not any(v.requires_grad for v in inputs if isinstance(v, Tensor)):
        warnings.warn(
            "None of the inputs have requires_grad=True. Gradients will be None", stacklevel=3
        )


class _Random:
    """The random generators as they were before the computation."""

    def __init__(self, preserve: bool) -> None:
        self.state = pytensor.get_rng_state() if preserve else None

    @contextlib.contextmanager
    def again(self) -> Iterator[None]:
        """The generators in that state; afterwards they are as they were."""
        if self.state is None:
            yield
            return
        with pytensor.random.fork_rng():
            pytensor.set_rng_state(self.state)
            yield


class CheckpointFunction(Function):
    """The reentrant form."""

    @staticmethod
    def forward(ctx: Any, run_function: Any, preserve_rng_state: bool, *args: Any) -> Any:
        check_backward_validity(args)
        ctx.run_function = run_function
        ctx.random = _Random(preserve_rng_state)
        # Tensors are saved as such, so that changes in place are noticed.
        ctx.places = [i for i, a in enumerate(args) if isinstance(a, Tensor)]
        ctx.others = [None if isinstance(a, Tensor) else a for a in args]
        ctx.save_for_backward(*(args[i] for i in ctx.places))
        with pytensor.no_grad():
            return run_function(*args)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        if not _C.is_checkpoint_valid():
            raise RuntimeError(
                "When use_reentrant=True, torch.utils.checkpoint is incompatible with .grad() or "
                "passing an `inputs` parameter to .backward(). To resolve this error, you can "
                "either set use_reentrant=False, or call .backward() without passing the `inputs` "
                "argument."
            )
        args = list(ctx.others)
        for i, t in zip(ctx.places, ctx.saved_tensors):
            args[i] = t
        detached = detach_variable(tuple(args))
        with ctx.random.again(), pytensor.enable_grad():
            outputs = ctx.run_function(*detached)
        if isinstance(outputs, Tensor):
            outputs = (outputs,)
        pairs = [
            (o, g) for o, g in zip(outputs, grads) if isinstance(o, Tensor) and o.requires_grad
        ]
        if not pairs:
            raise RuntimeError(
                "none of output has requires_grad=True, this checkpoint() is not necessary"
            )
        pytensor.autograd.backward([o for o, _ in pairs], [g for _, g in pairs])
        return (None, None, *(a.grad if isinstance(a, Tensor) else None for a in detached))


def checkpoint(
    function: Callable[..., Any],
    *args: Any,
    use_reentrant: bool | None = None,
    context_fn: Callable[[], tuple[Any, Any]] = noop_context_fn,
    determinism_check: str = "default",
    debug: bool = False,
    early_stop: bool = True,
    **kwargs: Any,
) -> Any:
    """Computes ``function(*args)`` and saves only its arguments for backward.

    Args:
        function: a part of a network. It is called again in backward and must do the same.
        *args: its arguments.
        use_reentrant: which of the two forms; should be given. The form ``False`` can do more.
            Default: ``True``, with a warning.
        context_fn: gives the contexts of the first and of the second call.
        determinism_check: ``"default"`` compares the second call's operations and the results'
            shapes with the first's; ``"none"`` does not.
        debug: accepted; what differs is told in any case.
        early_stop: accepted; the second call always runs to its end.
        **kwargs: ``preserve_rng_state`` (default ``True``: the second call draws the same random
            numbers); with ``use_reentrant=False`` further ones go to the function.

    Raises:
        ValueError: arguments that do not go with the form.
        CheckpointError: in backward, when the second call did something else.

    Example::

        >>> from pytensor.utils.checkpoint import checkpoint
        >>> x = pytensor.ones(2, requires_grad=True)
        >>> checkpoint(lambda t: (t * 3).exp().log(), x, use_reentrant=False).sum().backward()
        >>> x.grad
        tensor([3., 3.])
    """
    if use_reentrant is None:
        _warn_of_form("checkpoint", "Starting in PyTorch 2.9, calling checkpoint without")
        use_reentrant = True
    preserve = kwargs.pop("preserve_rng_state", True)
    if use_reentrant:
        if kwargs:
            raise ValueError("Unexpected keyword arguments: " + ",".join(kwargs))
        if context_fn is not noop_context_fn or debug is not False:
            raise ValueError(
                "Passing `context_fn` or `debug` is only supported when use_reentrant=False."
            )
        return CheckpointFunction.apply(function, preserve, *args)
    if determinism_check not in _CHECKS:
        raise ValueError(
            f"determinism_check should be one of {list(_CHECKS)}, but got {determinism_check}"
        )
    contexts = context_fn()
    if not pytensor.is_grad_enabled():
        with contexts[0]:
            return function(*args, **kwargs)
    part = _Part(function, args, kwargs, preserve, contexts[1], determinism_check == "default")
    return part.first(contexts[0])


def _warn_of_form(name: str, when: str) -> None:
    warnings.warn(
        f"torch.utils.checkpoint: the use_reentrant parameter of {name} should be passed "
        f"explicitly. {when} use_reentrant will raise an exception. use_reentrant=False is "
        "recommended, but if you need to preserve the current default behavior, you can pass "
        "use_reentrant=True. Refer to docs for more details on the differences between the two "
        "variants.",
        stacklevel=3,
    )


class _Part:
    """One call of the form that is not reentrant."""

    def __init__(
        self,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        preserve: bool,
        context: Any,
        check: bool,
    ) -> None:
        self.function = function
        self.inputs: list[Tensor] = []
        self.call = _without_tensors((args, kwargs), self.inputs)
        self.context = context
        self.check = check
        self.random = _Random(preserve)

    def run(self, inputs: Sequence[Tensor]) -> Any:
        args, kwargs = _with_tensors(self.call, inputs)
        return self.function(*args, **kwargs)

    def first(self, context: Any) -> Any:
        """The results, of which those with a history depend on one node."""
        own = _detached(self.inputs)
        started = _now()
        with context:
            result = self.run(own)
        outputs: list[Tensor] = []
        form = _without_tensors(result, outputs)
        given = {id(t): t for t in own}
        back = {id(d): t for d, t in zip(own, self.inputs)}
        self.recorded = [i for i, o in enumerate(outputs) if o.grad_fn is not None]
        if self.recorded:
            self.operations, leaves, self.outside = _walk(
                [outputs[i] for i in self.recorded], started
            )
            leaves = [leaf for leaf in leaves if id(leaf) not in given]
            self.metadata = [_metadata(outputs[i]) for i in self.recorded]
            values = [outputs[i].detach() for i in self.recorded]
            # From here on the recording is garbage.
            fresh = _Recompute.apply(self, len(self.inputs), values, *self.inputs, *leaves)
            for i, t in zip(self.recorded, fresh):
                outputs[i] = t
        # What the function has passed on unchanged.
        outputs = [back.get(id(o), o) for o in outputs]
        del self.inputs, own
        return _with_tensors(form, outputs)

    def again(self, inputs: Sequence[Tensor]) -> list[Tensor]:
        """The results with a history, computed once more."""
        started = _now()
        with self.random.again(), self.context:
            result = self.run(inputs)
        outputs: list[Tensor] = []
        _without_tensors(result, outputs)
        if self.check:
            self._compare(outputs, started)
        return [outputs[i] for i in self.recorded if i < len(outputs)]

    def _compare(self, outputs: list[Tensor], started: int) -> None:
        recorded = [i for i, o in enumerate(outputs) if o.grad_fn is not None]
        operations, _, _ = _walk([outputs[i] for i in recorded], started)
        if operations != self.operations:
            raise CheckpointError(
                "torch.utils.checkpoint: The recomputation recorded other operations than the "
                f"original forward.\nOperations of the forward: {', '.join(self.operations)}\n"
                f"Operations of the recomputation: {', '.join(operations)}"
            )
        lines = []
        for i, (saved, o) in enumerate(zip(self.metadata, (outputs[i] for i in recorded))):
            if saved != _metadata(o):
                lines.append(
                    f"tensor at position {i}:\nsaved metadata: {saved}\n"
                    f"recomputed metadata: {_metadata(o)}"
                )
        if lines:
            raise CheckpointError(
                "torch.utils.checkpoint: Recomputed values for the following tensors have "
                "different metadata than during the forward pass.\n" + "\n".join(lines)
            )


class _Gate:
    open = False


class _Gated(Function):
    """The tensor itself; gradients pass while the gate is open."""

    @staticmethod
    def forward(ctx: Any, gate: _Gate, t: Tensor) -> Tensor:
        ctx.gate = gate
        return t.view_as(t)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        return None, grads[0] if ctx.gate.open else None


class _Recompute(Function):
    """The node that stands for a part: its inputs are the part's and the leaves it reached."""

    @staticmethod
    def forward(ctx: Any, part: _Part, inputs: int, values: list[Tensor], *tensors: Tensor) -> Any:
        ctx.set_materialize_grads(False)
        ctx.part = part
        ctx.inputs = inputs
        ctx.save_for_backward(*tensors)
        return tuple(values)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        part: _Part = ctx.part
        saved = ctx.saved_tensors
        inputs, leaves = saved[: ctx.inputs], saved[ctx.inputs :]
        if part.outside and not _C.is_checkpoint_valid():
            raise RuntimeError(
                "checkpoint(): the function uses a tensor with a history that is not among its "
                "arguments. That goes with backward() into all leaves only; make it an argument"
            )
        # Gradients of inputs must not run on into what they were made from: the engine takes
        # them there. With create_graph later passes must, so the way is closed only now.
        recording = pytensor.is_grad_enabled()
        gate = _Gate()
        own = [_Gated.apply(gate, t) for t in inputs] if recording else _detached(inputs)
        with pytensor.enable_grad():
            outputs = part.again(own)
        wanted = [t for t in (*own, *leaves) if t.requires_grad]
        pairs = [(o, g) for o, g in zip(outputs, grads) if g is not None and o.requires_grad]
        found: Iterator[Any] = iter(())
        if pairs:
            found = iter(
                pytensor.autograd.grad(
                    [o for o, _ in pairs],
                    wanted,
                    [g for _, g in pairs],
                    # the history of tensors from outside must survive this pass
                    retain_graph=recording or part.outside,
                    create_graph=recording,
                    allow_unused=True,
                )
            )
        gate.open = True
        gradients = [next(found, None) if t.requires_grad else None for t in (*own, *leaves)]
        return (None, None, None, *gradients)


def _detached(tensors: Iterable[Tensor]) -> list[Tensor]:
    return [t.detach().requires_grad_(t.requires_grad) for t in tensors]


def _metadata(t: Tensor) -> dict[str, Any]:
    return {"shape": t.shape, "dtype": t.dtype, "device": t.device}


def _now() -> int:
    """A number that nodes made from now on are not below."""
    with pytensor.enable_grad():
        node: Any = (pytensor.zeros((), requires_grad=True) + 0).grad_fn
    return node._sequence_nr()


def _walk(outputs: Sequence[Tensor], started: int) -> tuple[list[str], list[Tensor], bool]:
    """Names of the nodes made since `started`, the leaves behind, and whether there are others.

    The others are nodes from before: of tensors with a history that were not among the arguments.
    """
    names: list[str] = []
    leaves: list[Tensor] = []
    outside = False
    # Children are found by the node, which the list keeps alive and so its number unique.
    nodes: list[Any] = [o.grad_fn for o in outputs]
    seen: dict[int, Any] = {}
    while nodes:
        node = nodes.pop()
        if id(node) in seen:
            continue
        seen[id(node)] = node
        if hasattr(node, "variable"):
            leaves.append(node.variable)
            continue
        if node._sequence_nr() < started:
            outside = True
        else:
            names.append(node.name())
        nodes += [child for child, _ in node.next_functions if child is not None]
    return names, leaves, outside


class _Place:
    """Where a tensor was in a structure."""

    def __init__(self, number: int) -> None:
        self.number = number


def _map(value: Any, change: Callable[[Any], Any]) -> Any:
    """A structure of dicts, lists and tuples with its other values changed."""
    if isinstance(value, dict):
        return type(value)((k, _map(v, change)) for k, v in value.items())
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(_map(v, change) for v in value))
    if type(value) in (list, tuple):
        return type(value)(_map(v, change) for v in value)
    return change(value)


def _without_tensors(value: Any, tensors: list[Tensor]) -> Any:
    """The structure with places in the stead of tensors, which are appended to a list."""

    def change(v: Any) -> Any:
        if not isinstance(v, Tensor):
            return v
        tensors.append(v)
        return _Place(len(tensors) - 1)

    return _map(value, change)


def _with_tensors(value: Any, tensors: Sequence[Tensor]) -> Any:
    return _map(value, lambda v: tensors[v.number] if isinstance(v, _Place) else v)


def checkpoint_sequential(
    functions: Any, segments: int, input: Any, use_reentrant: bool | None = None, **kwargs: Any
) -> Any:
    """Runs a list of layers in segments, each but the last with ``checkpoint``.

    Args:
        functions: a ``Sequential`` or a list of functions.
        segments: number of segments.
        input: of the first function.
        use_reentrant: as of ``checkpoint``.
        **kwargs: ``preserve_rng_state``.

    Raises:
        ValueError: there is another keyword argument.

    Example::

        >>> from pytensor.utils.checkpoint import checkpoint_sequential
        >>> layers = [pytensor.exp, pytensor.log, pytensor.neg]
        >>> x = pytensor.ones(1, requires_grad=True)
        >>> checkpoint_sequential(layers, 2, x, use_reentrant=False)
        tensor([-1.], grad_fn=<NegBackward0>)
    """
    if use_reentrant is None:
        _warn_of_form("checkpoint_sequential", "In version 2.9, calling it without")
        use_reentrant = True
    preserve = kwargs.pop("preserve_rng_state", True)
    if kwargs:
        raise ValueError("Unexpected keyword arguments: " + ",".join(kwargs))
    layers = (
        list(functions.children())
        if isinstance(functions, pytensor.nn.Sequential)
        else list(functions)
    )

    def segment(start: int, end: int) -> Callable[[Any], Any]:
        def forward(x: Any) -> Any:
            for layer in layers[start:end]:
                x = layer(x)
            return x

        return forward

    size = len(layers) // segments
    if segments > 1 and size == 0:
        raise ValueError(
            f"checkpoint_sequential(): {len(layers)} functions do not make {segments} segments"
        )
    last = size * (segments - 1)
    for start in range(0, last, size or 1):
        input = checkpoint(
            segment(start, start + size),
            input,
            use_reentrant=use_reentrant,
            preserve_rng_state=preserve,
        )
    return segment(last, len(layers))(input)
