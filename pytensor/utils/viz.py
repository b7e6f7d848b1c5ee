"""Pictures of computational graphs: ``make_dot(loss)``.

The graph is read from ``grad_fn`` backwards; nothing has to be recorded beforehand.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from typing import Any

from pytensor import Tensor

__all__ = ["Graph", "make_dot"]

_FORMATS = ("svg", "png", "pdf")


class Graph:
    """A graph as DOT text.

    Attributes:
        source (str): the text, for graphviz's ``dot`` and all that reads its language.
    """

    def __init__(self, source: str) -> None:
        self.source = source

    def __str__(self) -> str:
        return self.source

    def render(self, path: str | os.PathLike[str]) -> str:
        """Write the graph to a file, in the format of its ending.

        Args:
            path: ``.dot`` or ``.gv`` for text; ``.svg``, ``.png`` or ``.pdf`` need graphviz's
                program ``dot``

        Returns:
            The path.

        Raises:
            ValueError: for another ending.
            RuntimeError: where ``dot`` is not installed or fails.
        """
        name = os.fspath(path)
        ending = os.path.splitext(name)[1].lstrip(".")
        if ending in ("dot", "gv"):
            with open(name, "w", encoding="utf-8") as file:
                file.write(self.source)
        elif ending in _FORMATS:
            picture = self._run_dot(ending)
            with open(name, "wb") as file:
                file.write(picture)
        else:
            raise ValueError(
                f"render(): argument 'path' must end in .dot, .gv, .{', .'.join(_FORMATS)}, "
                f"not {name!r}"
            )
        return name

    def _run_dot(self, form: str) -> bytes:
        program = shutil.which("dot")
        if program is None:
            raise RuntimeError(
                "render(): graphviz's program 'dot' is not installed; write a .dot file instead, "
                "or install it (Debian: apt install graphviz)"
            )
        done = subprocess.run(
            [program, f"-T{form}"], input=self.source.encode(), capture_output=True
        )
        if done.returncode != 0:
            raise RuntimeError(f"render(): dot failed: {done.stderr.decode(errors='replace')}")
        return done.stdout

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """The picture in a notebook; text where graphviz is missing."""
        if shutil.which("dot") is None:
            return {"text/plain": self.source}
        return {"image/svg+xml": self._run_dot("svg").decode()}


def graph_nodes(roots: Iterable[Any]) -> list[Any]:
    """All nodes of a graph that lead to these, each once, results before what they are made of.

    A loop, for graphs are deep.
    """
    found: dict[Any, None] = dict.fromkeys(roots)
    waiting = list(found)
    while waiting:
        for before, _ in waiting.pop().next_functions:
            if before is not None and before not in found:
                found[before] = None
                waiting.append(before)
    return list(found)


def parameter_names(params: Any) -> dict[int, str]:
    """Names by the tensors' ids, from a module, a mapping or pairs."""
    if params is None:
        return {}
    pairs = params.named_parameters() if hasattr(params, "named_parameters") else params
    pairs = pairs.items() if isinstance(pairs, Mapping) else pairs
    return {id(tensor): name for name, tensor in pairs}


class _Builder:
    """Collects lines of DOT; boxes and nodes are numbered as they come."""

    def __init__(self, names: dict[int, str]) -> None:
        self.names = names
        self.lines: list[str] = []
        self.count = 0

    def _add(self, label: str, style: str) -> str:
        key = f"n{self.count}"
        self.count += 1
        self.lines.append(f'  {key} [label="{_quoted(label)}", {style}]')
        return key

    def value(self, tensor: Tensor, colour: str, name: str = "") -> str:
        """A box for a tensor: its name, its shape or, of a single number, that and its gradient."""
        parts = [name or self.names.get(id(tensor), "")]
        if tensor.numel() == 1:
            parts.append(f"value {tensor.item():.4g}")
            if tensor.is_leaf and tensor.grad is not None:
                parts.append(f"grad {tensor.grad.item():.4g}")
        else:
            parts.append("(" + ", ".join(map(str, tensor.shape)) + ")")
        return self._add("\n".join(filter(None, parts)), f"shape=box, fillcolor={colour}")

    def node(self, function: Any, show_saved: bool) -> str:
        """An ellipse for a backward node, with the leaf or the saved tensors that it holds."""
        key = self._add(type(function).__name__, "fillcolor=lightgrey")
        variable = getattr(function, "variable", None)
        if variable is not None:
            self.edge(self.value(variable, "lightblue"), key)
        for attribute in dir(function) if show_saved else ():
            if not attribute.startswith("_saved_"):
                continue
            try:
                tensor = getattr(function, attribute)
            except RuntimeError:  # freed by an earlier backward
                continue
            if isinstance(tensor, Tensor):
                box = self.value(tensor, "orange", attribute.removeprefix("_saved_"))
                self.edge(box, key, " [dir=none, style=dashed]")
        return key

    def edge(self, source: str, target: str, style: str = "") -> None:
        self.lines.append(f"  {source} -> {target}{style}")


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return escaped.replace("\n", "\\n")


def make_dot(
    var: Tensor | tuple[Tensor, ...] | list[Tensor],
    params: Mapping[str, Tensor] | Any | None = None,
    show_saved: bool = False,
) -> Graph:
    """Draw the computational graph that backward() would walk.

    Tensors are boxes with their shapes, or values where they hold a single number: parameters and
    other leaves light blue, results green, tensors kept for backward orange. Backward nodes are
    grey ellipses. Arrows point the way of the forward computation.

    Args:
        var (Tensor or sequence of Tensor): results, such as the loss
        params (Module, mapping or iterable of pairs, optional): names of leaves, as from
            ``model.named_parameters()``
        show_saved (bool): draw the tensors that nodes keep for backward

    Returns:
        Graph: its ``source`` is DOT text; ``render("graph.svg")`` draws it with graphviz.

    Raises:
        TypeError: if `var` holds no tensors.
        RuntimeError: if a result has no graph.

    Example:
        >>> w = torch.ones(3, requires_grad=True)
        >>> graph = torch.utils.viz.make_dot((w * 2).sum(), {"w": w})
        >>> "SumBackward0" in graph.source
        True
    """
    results = [var] if isinstance(var, Tensor) else list(var)
    for result in results:
        if not isinstance(result, Tensor):
            raise TypeError(
                f"make_dot(): argument 'var' must be Tensor, not {type(result).__name__}"
            )
        if result.grad_fn is None:
            raise RuntimeError(
                "make_dot(): argument 'var' has no graph: it is a leaf, or was computed without "
                "recording"
            )
    builder = _Builder(parameter_names(params))
    nodes = graph_nodes(result.grad_fn for result in results)
    keys = {function: builder.node(function, show_saved) for function in nodes}
    for function in nodes:
        for before, _ in function.next_functions:
            if before is not None:
                builder.edge(keys[before], keys[function])
    for result in results:
        builder.edge(keys[result.grad_fn], builder.value(result, "palegreen"))
    head = 'digraph {\n  node [style=filled, fontname="monospace", fontsize=10]\n'
    return Graph(head + "\n".join(builder.lines) + "\n}\n")
