"""CUDA graphs: work of a stream that is captured once and then started as a whole.

A capture runs the code without computing anything: the work goes into a graph instead of the
device. ``replay()`` does it, with the same memory: what the code read is read again, and its
results are written where they were. So a program writes new inputs into the tensors that the
capture has seen (``copy_``), and reads results from the tensors that the capture has made.

While capturing nothing may ask the device for a value (``item()``, ``cpu()``, ``print``), wait for
it, or copy from or to memory of the CPU that is not pinned. Random numbers differ from replay to
replay: each takes from the generators what the captured code would have taken.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from typing import Any

import pytensor
from pytensor import _C
from pytensor.cuda.streams import Stream, stream

__all__ = [
    "CUDAGraph",
    "graph",
    "graph_pool_handle",
    "is_current_stream_capturing",
    "make_graphed_callables",
]

Pool = tuple[int, int]


def is_current_stream_capturing() -> bool:
    """Whether what is computed now goes into a graph."""
    return _C.cuda_stream_is_capturing()


def graph_pool_handle() -> Pool:
    """A new pool of memory, for graphs that share one.

    Graphs may share a pool when they are always replayed in the order of their captures and never
    at the same time.
    """
    return (0, _C.cuda_new_graph_pool())


class CUDAGraph:
    """A graph of a device's work. :class:`graph` captures one more comfortably.

    Args:
        keep_graph: accepted; a graph is made ready for replays at the end of its capture.

    Raises:
        RuntimeError: the library has no CUDA part.

    Example:
        >>> if pytensor.cuda.is_available():
        ...     x = pytensor.zeros(3, device="cuda")
        ...     g = pytensor.cuda.CUDAGraph()
        ...     with pytensor.cuda.graph(g):
        ...         y = x + 1
        ...     _ = x.copy_(pytensor.tensor([1.0, 2.0, 3.0]))
        ...     g.replay()  # y is [2., 3., 4.]
    """

    def __init__(self, keep_graph: bool = False) -> None:
        if not _C.cuda_built():
            raise RuntimeError("torch.cuda.CUDAGraph requires CUDA support")
        self._graph = _C.DeviceGraph()

    def register_generator_state(self, generator: pytensor.Generator) -> None:
        """Lets a generator draw in the capture. The default one of the device may anyway.

        Args:
            generator: one of the device, before the capture begins.
        """
        self._graph.register_generator(generator)

    def capture_begin(self, pool: Pool | None = None, capture_error_mode: str = "global") -> None:
        """Work of the current stream goes into the graph from now on.

        Args:
            pool: from :func:`graph_pool_handle` or another graph's :meth:`pool`: the memory to
                use. By default the graph has its own.
            capture_error_mode: whose forbidden calls break the capture: those of every thread
                ("global"), of this one ("thread_local"), or of none ("relaxed").

        Raises:
            RuntimeError: the current stream is the default one, or the graph is captured already.
        """
        self._graph.begin(0 if pool is None else pool[1], capture_error_mode)

    def capture_end(self) -> None:
        """Ends the capture; the current stream must be the one where it began.

        Raises:
            RuntimeError: something forbidden has broken the capture. There is no graph then.
        """
        self._graph.end()

    def instantiate(self) -> None:
        """Does nothing: capture_end() makes the graph ready."""

    def replay(self) -> None:
        """Queues the captured work on the current stream.

        Raises:
            RuntimeError: nothing has been captured.
        """
        self._graph.replay()

    def reset(self) -> None:
        """Forgets the graph and gives its memory back, once the device has finished."""
        self._graph.reset()

    def pool(self) -> Pool:
        """The memory that the graph uses, for another graph to share it."""
        return (0, self._graph.pool)


class graph:
    """Context whose work goes into a graph.

    Waits for the device, frees what is unused, and captures on a stream of its own. If the code
    raises, the capture ends and the graph stays empty.

    Args:
        cuda_graph: the :class:`CUDAGraph`.
        pool: see :meth:`CUDAGraph.capture_begin`.
        stream: where to capture; by default one that all captures share.
        capture_error_mode: see :meth:`CUDAGraph.capture_begin`.
        enable_annotations: accepted.
        check_input_liveness: accepted.
    """

    default_capture_stream: Stream | None = None

    def __init__(
        self,
        cuda_graph: CUDAGraph,
        pool: Pool | None = None,
        stream: Stream | None = None,
        capture_error_mode: str = "global",
        enable_annotations: bool = False,
        check_input_liveness: bool = False,
    ) -> None:
        self.cuda_graph = cuda_graph
        self.pool = pool
        self.capture_error_mode = capture_error_mode
        if stream is None:
            default = graph.default_capture_stream
            if default is None or default.device_index != _C.cuda_current_device():
                default = graph.default_capture_stream = Stream()
            stream = default
        self.capture_stream = stream

    def __enter__(self) -> None:
        pytensor.cuda.synchronize()
        gc.collect()
        pytensor.cuda.empty_cache()
        self._context = stream(self.capture_stream)
        self._context.__enter__()
        try:
            self.cuda_graph.capture_begin(self.pool, self.capture_error_mode)
        except BaseException:
            self._context.__exit__(None, None, None)
            raise

    def __exit__(self, kind: object, *exc: object) -> None:
        try:
            self.cuda_graph.capture_end()
        except RuntimeError:
            if kind is None:
                raise
        finally:
            self._context.__exit__(kind, *exc)
        if kind is not None:
            self.cuda_graph.reset()


class _Graphed:
    """The forward and backward graphs of one callable."""

    def __init__(
        self, call: Callable[..., Any], args: Sequence[Any], params: Sequence[Any]
    ) -> None:
        self.call = call
        self.args = tuple(args)
        self.params = tuple(params)
        self.inputs = self.args + self.params
        self.forward_graph, self.backward_graph = CUDAGraph(), CUDAGraph()

    def wanted(self) -> list[Any]:
        return [t for t in self.inputs if t.requires_grad]

    def warm_up(self, count: int, allow_unused: bool) -> None:
        for _ in range(count):
            outputs = _flat(self.call(*self.args))
            self.gradients(outputs, [pytensor.ones_like(o) for o in outputs], allow_unused)

    def gradients(self, outputs: list[Any], slopes: list[Any], allow_unused: bool) -> list[Any]:
        pairs = [(o, s) for o, s in zip(outputs, slopes) if o.requires_grad]
        if not pairs or not self.wanted():
            return []
        return list(
            pytensor.autograd.grad(
                [o for o, _ in pairs],
                self.wanted(),
                [s for _, s in pairs],
                allow_unused=allow_unused,
            )
        )

    def capture_forward(self, pool: Pool) -> None:
        with graph(self.forward_graph, pool=pool):
            self.structure = self.call(*self.args)
        self.outputs = _flat(self.structure)

    def capture_backward(self, pool: Pool, allow_unused: bool) -> None:
        self.slopes = [pytensor.empty_like(o) for o in self.outputs]
        with graph(self.backward_graph, pool=pool):
            found = iter(self.gradients(self.outputs, self.slopes, allow_unused))
            self.found = [next(found, None) if t.requires_grad else None for t in self.inputs]

    def function(self) -> Callable[..., Any]:
        made = self

        class Graphed(pytensor.autograd.Function):
            @staticmethod
            def forward(ctx: Any, *inputs: Any) -> Any:
                for mine, given in zip(made.args, inputs):
                    if mine.data_ptr() != given.data_ptr():
                        mine.data.copy_(given)
                made.forward_graph.replay()
                return tuple(o.detach() for o in made.outputs)

            @staticmethod
            def backward(ctx: Any, *slopes: Any) -> Any:
                for mine, given in zip(made.slopes, slopes):
                    if given is not None and mine.data_ptr() != given.data_ptr():
                        mine.copy_(given)
                made.backward_graph.replay()
                return tuple(None if g is None else g.detach() for g in made.found)

        def call(*args: Any) -> Any:
            outputs = Graphed.apply(*args, *made.params)
            if isinstance(made.structure, pytensor.Tensor):
                return outputs[0]
            return type(made.structure)(outputs)

        return call


def _flat(outputs: Any) -> list[Any]:
    if isinstance(outputs, pytensor.Tensor):
        return [outputs]
    if isinstance(outputs, (tuple, list)) and all(isinstance(o, pytensor.Tensor) for o in outputs):
        return list(outputs)
    raise TypeError("make_graphed_callables: outputs must be a tensor, or a tuple or list of them")


def make_graphed_callables(
    callables: Any,
    sample_args: Any,
    num_warmup_iters: int = 3,
    allow_unused_input: bool = False,
    pool: Pool | None = None,
) -> Any:
    """Functions or modules whose forward and backward passes are replays of graphs.

    Args:
        callables: a function, a module, or a tuple of them, which are then called in that order.
            A module keeps its place: its ``forward`` is replaced, and used in the mode (training
            or evaluation) in which it was captured.
        sample_args: the tensors of a call, or a tuple of such tuples. Later calls give tensors of
            the same shapes, and the same ``requires_grad``.
        num_warmup_iters: calls before the capture.
        allow_unused_input: whether inputs may have no part in the outputs.
        pool: see :meth:`CUDAGraph.capture_begin`.

    Returns:
        What takes the place of the callables. Outputs are overwritten by the next call.
    """
    single = not isinstance(callables, tuple)
    calls = (callables,) if single else callables
    samples = (sample_args,) if single else sample_args
    made = []
    for call, args in zip(calls, samples):
        params: tuple[Any, ...] = ()
        if isinstance(call, pytensor.nn.Module):
            if call._forward_hooks or call._forward_pre_hooks or call._backward_hooks:
                raise RuntimeError("make_graphed_callables: modules must have no hooks")
            params = tuple(call.parameters())
        if not all(isinstance(a, pytensor.Tensor) for a in args):
            raise TypeError("make_graphed_callables: sample_args must be tuples of tensors")
        made.append(_Graphed(call, args, params))
    pool = graph_pool_handle() if pool is None else pool
    side = Stream()
    side.wait_stream(pytensor.cuda.current_stream())
    with stream(side):
        for one in made:
            one.warm_up(num_warmup_iters, allow_unused_input)
    pytensor.cuda.current_stream().wait_stream(side)
    for one in made:
        one.capture_forward(pool)
    for one in reversed(made):
        one.capture_backward(pool, allow_unused_input)
    results: list[Any] = []
    for one in made:
        call = one.function()
        if isinstance(one.call, pytensor.nn.Module):
            _replace_forward(one.call, call)
            results.append(one.call)
        else:
            results.append(call)
    return results[0] if single else tuple(results)


def _replace_forward(module: Any, call: Callable[..., Any]) -> None:
    training, original = module.training, module.forward

    def forward(*args: Any) -> Any:
        return call(*args) if module.training == training else original(*args)

    module.forward = forward
