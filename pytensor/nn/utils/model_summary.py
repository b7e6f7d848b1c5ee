"""``summary``: a table of a model's layers, the shapes they give, what they hold and cost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytensor
from pytensor import Tensor
from pytensor.nn.modules.module import Module

__all__ = ["LayerInfo", "ModelSummary", "summary"]


@dataclass
class LayerInfo:
    """One call of one layer.

    Attributes:
        name: the layer's name in its parent; the class for the model itself.
        kind: its class.
        depth: how many layers it is in.
        input_shape, output_shape: of its first tensors; None without any.
        num_params: parameters of the layer itself, not of layers in it.
        trainable_params: those of them that require gradients.
        mult_adds: multiplications with weights, and the products of attention.
        output_bytes: size of all tensors it gives.
        repeated: whether it was called before: its parameters are counted there.
        is_leaf: whether it called no other layer.
    """

    name: str
    kind: str
    depth: int
    input_shape: tuple[int, ...] | None = None
    output_shape: tuple[int, ...] | None = None
    num_params: int = 0
    trainable_params: int = 0
    mult_adds: int = 0
    output_bytes: int = 0
    repeated: bool = False
    is_leaf: bool = True


@dataclass
class ModelSummary:
    """What ``summary`` returns; printing it gives the table.

    Attributes:
        layers: one entry a call, in the order of the calls, parents before children.
        total_params, trainable_params: of the whole model, each parameter counted once.
        param_bytes, input_bytes: memory of parameters and buffers, and of the inputs.
    """

    layers: list[LayerInfo] = field(default_factory=list)
    total_params: int = 0
    trainable_params: int = 0
    param_bytes: int = 0
    input_bytes: int = 0
    max_depth: int = 3

    @property
    def non_trainable_params(self) -> int:
        """Parameters that require no gradients."""
        return self.total_params - self.trainable_params

    @property
    def total_mult_adds(self) -> int:
        """Multiply-adds of all calls."""
        return sum(layer.mult_adds for layer in self.layers)

    @property
    def output_bytes(self) -> int:
        """Memory of what the innermost layers give: what a backward pass may have to keep."""
        return sum(layer.output_bytes for layer in self.layers if layer.is_leaf)

    @property
    def total_bytes(self) -> int:
        """Memory of inputs, outputs, parameters and buffers."""
        return self.input_bytes + self.output_bytes + self.param_bytes

    def __str__(self) -> str:
        shown = [layer for layer in self.layers if layer.depth <= self.max_depth]
        head = ("Layer", "Output shape", "Parameters", "Mult-adds")
        rows = [head, *((label, *_cells(layer)) for label, layer in zip(_tree(shown), shown))]
        widths = [max(len(row[i]) for row in rows) for i in range(4)]
        lines = [
            f"{row[0]:<{widths[0]}}  {row[1]:<{widths[1]}}  "
            f"{row[2]:>{widths[2]}}  {row[3]:>{widths[3]}}"
            for row in rows
        ]
        rule = "=" * (sum(widths) + 6)
        totals = [
            f"Total parameters: {self.total_params:,}",
            f"Trainable parameters: {self.trainable_params:,}",
            f"Other parameters: {self.non_trainable_params:,}",
            f"Mult-adds: {self.total_mult_adds:,}",
        ]
        memory = [
            f"Inputs: {_megabytes(self.input_bytes)}",
            f"Outputs of layers: {_megabytes(self.output_bytes)}",
            f"Parameters and buffers: {_megabytes(self.param_bytes)}",
            f"Total: {_megabytes(self.total_bytes)}",
        ]
        return "\n".join([rule, lines[0], rule, *lines[1:], rule, *totals, rule, *memory, rule])

    __repr__ = __str__


def _megabytes(count: int) -> str:
    return f"{count / 1e6:.2f} MB"


def _cells(layer: LayerInfo) -> tuple[str, str, str]:
    shape = "--" if layer.output_shape is None else str(list(layer.output_shape))
    params = (
        "(repeated)" if layer.repeated else f"{layer.num_params:,}" if layer.num_params else "--"
    )
    return shape, params, f"{layer.mult_adds:,}" if layer.mult_adds else "--"


def _tree(layers: list[LayerInfo]) -> list[str]:
    """Labels with the lines of a tree in front."""
    labels = []
    open_depths: set[int] = set()  # where a line goes on to a later layer
    for layer in reversed(layers):
        open_depths = {d for d in open_depths if d <= layer.depth}
        lines = "".join("│  " if d in open_depths else "   " for d in range(1, layer.depth))
        corner = "" if layer.depth == 0 else "├─ " if layer.depth in open_depths else "└─ "
        name = layer.kind if layer.depth == 0 else f"{layer.name} ({layer.kind})"
        labels.append(lines + corner + name)
        open_depths.add(layer.depth)
    return labels[::-1]


def _tensors(value: Any) -> Iterator[Tensor]:
    """The tensors in nested tuples, lists and mappings."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _tensors(item)
    elif isinstance(value, (tuple, list)):
        for item in value:
            yield from _tensors(item)


def _bytes(tensors: Any) -> int:
    return sum(t.numel() * t.element_size() for t in tensors)


def _attention_mult_adds(layer: Any, inputs: list[Tensor]) -> int:
    """Four projections, the scores and their product with the values."""
    query = inputs[0]
    key, value = (inputs[1], inputs[2]) if len(inputs) > 2 else (query, query)
    width = layer.embed_dim
    rows = query.numel() // width
    projections = 2 * rows * width * width  # of the query and of the result
    projections += key.numel() * width + value.numel() * width
    if query.dim() == 3:
        along = 1 if layer.batch_first else 0
        batch, sources = query.shape[1 - along], key.shape[along]
    else:
        batch, sources = 1, key.shape[0]
    return projections + 2 * batch * (rows // max(batch, 1)) * sources * width


def _mult_adds(layer: Any, inputs: list[Tensor], outputs: list[Tensor]) -> int:
    """Each weight is used once for each position: a row of a batch, a pixel, a time step."""
    weights = sum(p.numel() for p in layer._parameters.values() if p is not None and p.dim() > 1)
    if not weights or not inputs or not outputs:
        return 0
    if hasattr(layer, "in_proj_weight") and hasattr(layer, "num_heads"):
        return _attention_mult_adds(layer, inputs)
    if hasattr(layer, "kernel_size") and hasattr(layer, "out_channels"):
        source = inputs[0] if getattr(layer, "transposed", False) else outputs[0]
        channels = layer.in_channels if getattr(layer, "transposed", False) else layer.out_channels
        return weights * (source.numel() // channels)
    if hasattr(layer, "out_features"):
        return weights * (outputs[0].numel() // max(layer.out_features, 1))
    if hasattr(layer, "hidden_size") and hasattr(layer, "input_size"):
        return weights * (inputs[0].numel() // max(layer.input_size, 1))
    return 0


class _Recorder:
    """Hooks on every layer: a row is made when a call begins and filled when it ends."""

    def __init__(self, model: Module, result: ModelSummary) -> None:
        self.result = result
        self.rows: list[LayerInfo] = []  # of the calls that have not ended
        self.seen: set[int] = set()
        self.counted: set[int] = set()
        self.names = {id(m): name.rpartition(".")[2] for name, m in model.named_modules()}
        self.handles: list[Any] = []
        for layer in model.modules():
            self.handles.append(layer.register_forward_pre_hook(self.begin))
            self.handles.append(layer.register_forward_hook(self.end, with_kwargs=True))

    def begin(self, layer: Module, args: Any) -> None:
        if self.rows:
            self.rows[-1].is_leaf = False
        row = LayerInfo(
            self.names.get(id(layer), ""),
            type(layer).__name__,
            len(self.rows),
            repeated=id(layer) in self.seen,
        )
        self.seen.add(id(layer))
        self.rows.append(row)
        self.result.layers.append(row)

    def end(self, layer: Module, args: Any, kwargs: Any, output: Any) -> None:
        row = self.rows.pop()
        inputs, outputs = list(_tensors([args, kwargs])), list(_tensors(output))
        row.input_shape = tuple(inputs[0].shape) if inputs else None
        row.output_shape = tuple(outputs[0].shape) if outputs else None
        row.output_bytes = _bytes(outputs)
        row.mult_adds = _mult_adds(layer, inputs, outputs)
        for parameter in layer.parameters(recurse=False):
            if id(parameter) not in self.counted:
                self.counted.add(id(parameter))
                row.num_params += parameter.numel()
                row.trainable_params += parameter.numel() if parameter.requires_grad else 0

    def remove(self) -> None:
        for handle in self.handles:
            handle.remove()


def _make_inputs(input_size: Any, dtypes: Any, device: Any) -> list[Tensor]:
    sizes = [input_size] if all(isinstance(n, int) for n in input_size) else list(input_size)
    kinds = dtypes if isinstance(dtypes, (list, tuple)) else [dtypes] * len(sizes)
    if len(kinds) != len(sizes):
        raise ValueError(
            f"summary(): argument 'dtypes' has {len(kinds)} entries for {len(sizes)} inputs"
        )
    return [
        pytensor.zeros(tuple(size), dtype=kind, device=device) for size, kind in zip(sizes, kinds)
    ]


def summary(
    model: Module,
    input_size: Sequence[Any] | None = None,
    input_data: Any = None,
    *,
    dtypes: Any = None,
    depth: int = 3,
    device: Any = None,
    **kwargs: Any,
) -> ModelSummary:
    """Runs a model once, in evaluation mode and without gradients, and tells what its layers do.

    Multiply-adds are those of layers with weight matrices (linear, convolutions, recurrent,
    attention); what a ``forward`` computes with functions is not seen.

    Args:
        model: the model; its mode and its generators are as before afterwards.
        input_size: the shape of the input with the batch, or a list of shapes; zeros are fed in.
        input_data: a tensor, or a tuple of arguments, instead.
        dtypes: of the inputs, one for all or a list. Default: the default dtype.
        depth: how many levels of layers are printed.
        device: of the inputs.
        **kwargs: further arguments of the model.

    Raises:
        ValueError: unless one of `input_size` and `input_data` is given.

    Example::

        >>> model = pytensor.nn.Sequential(pytensor.nn.Linear(3, 2), pytensor.nn.ReLU())
        >>> result = pytensor.nn.utils.summary(model, (5, 3))
        >>> result.total_params, result.total_mult_adds
        (8, 30)
    """
    if (input_size is None) == (input_data is None):
        raise ValueError("summary(): give either 'input_size' or 'input_data'")
    if input_size is not None:
        inputs: Any = _make_inputs(input_size, dtypes, device)
    else:
        inputs = input_data if isinstance(input_data, (tuple, list)) else [input_data]
    result = ModelSummary(max_depth=depth)
    modes = [(layer, layer.training) for layer in model.modules()]
    recorder = _Recorder(model, result)
    try:
        model.eval()
        with pytensor.no_grad():
            model(*inputs, **kwargs)
    finally:
        recorder.remove()
        for layer, training in modes:
            layer.training = training
    parameters = list(model.parameters())
    result.total_params = sum(p.numel() for p in parameters)
    result.trainable_params = sum(p.numel() for p in parameters if p.requires_grad)
    result.param_bytes = _bytes(parameters) + _bytes(model.buffers())
    result.input_bytes = _bytes(_tensors([inputs, kwargs]))
    return result
