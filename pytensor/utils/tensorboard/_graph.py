"""Computational graphs as GraphDef messages."""

from __future__ import annotations

from typing import Any

import pytensor
from pytensor import Tensor
from pytensor.utils.tensorboard import _wire
from pytensor.utils.viz import graph_nodes, parameter_names


def _shape_attribute(tensor: Tensor) -> bytes:
    """The entry ``_output_shapes`` of a node's attributes."""
    sizes = b"".join(_wire.chunk(2, _wire.integer(1, size)) for size in tensor.shape)
    shapes = _wire.chunk(1, _wire.chunk(7, sizes))
    return _wire.chunk(5, _wire.chunk(1, "_output_shapes") + _wire.chunk(2, shapes))


def _node(name: str, op: str, inputs: list[str], attributes: bytes = b"") -> bytes:
    body = _wire.chunk(1, name) + _wire.chunk(2, op)
    body += b"".join(_wire.chunk(3, source) for source in inputs)
    return _wire.chunk(1, body + attributes)


def graph_def(model: Any, inputs: Any) -> bytes:
    """The graph that a model records for inputs: what its parameters go through to its results.

    Operations are known by the backward nodes they leave; what takes no part in gradients is not
    drawn. Inputs are, as they are made to require gradients.
    """
    given = list(inputs) if isinstance(inputs, (tuple, list)) else [inputs]
    given = [
        t.detach().requires_grad_() if isinstance(t, Tensor) and t.is_floating_point() else t
        for t in given
    ]
    with pytensor.enable_grad():
        results = model(*given)
    while not isinstance(results, Tensor):
        results = next(iter(results.values() if isinstance(results, dict) else results))
    if results.grad_fn is None:
        raise RuntimeError("add_graph(): the model's result does not depend on its parameters")
    names = {key: name.replace(".", "/") for key, name in parameter_names(model).items()}
    names |= {id(t): f"input/{i}" for i, t in enumerate(given) if isinstance(t, Tensor)}

    nodes = graph_nodes([results.grad_fn])
    keys: dict[Any, str] = {}
    used: dict[str, int] = {}
    for function in reversed(nodes):
        variable = getattr(function, "variable", None)
        if variable is None:
            name = type(function).__name__.removesuffix("0").removesuffix("Backward")
        else:
            name = names.get(id(variable), "leaf")
        count = used[name] = used.get(name, -1) + 1
        keys[function] = f"{name}_{count}" if count or variable is None else name
    out = b""
    for function in nodes:
        variable = getattr(function, "variable", None)
        if variable is not None:
            kind = "IO Node" if keys[function].startswith("input/") else "Parameter"
            out += _node(keys[function], kind, [], _shape_attribute(variable))
            continue
        sources = [keys[before] for before, _ in function.next_functions if before is not None]
        op = type(function).__name__.removesuffix("0").removesuffix("Backward")
        out += _node(keys[function], op, sources)
    out += _node("output", "IO Node", [keys[results.grad_fn]], _shape_attribute(results))
    return out + _wire.chunk(4, _wire.integer(1, 22))  # the version of the format
