"""Pictures of computational graphs: ``make_dot(loss)``.

The graph is read from ``grad_fn`` backwards; nothing has to be recorded beforehand.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
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


class _Builder:
    """Walks the graph once and collects lines of DOT."""

    def __init__(self, names: dict[int, str], show_saved: bool) -> None:
        self.names = names
        self.show_saved = show_saved
        self.lines: list[str] = []
        self.kept: list[Any] = []  # objects whose id() is in use

    def value(self, tensor: Tensor, key: str, colour: str, name: str = "") -> str:
        """A box for a tensor; its name and shape."""
        shape = "(" + ", ".join(map(str, tensor.shape)) + ")"
        label = f"{name}\\n{shape}" if name else shape
        self.lines.append(f'  "{key}" [label="{_quoted(label)}", shape=box, fillcolor={colour}]')
        return key

    def node(self, function: Any) -> str:
        key = f"node{id(function)}"
        self.kept.append(function)
        label = type(function).__name__
        self.lines.append(f'  "{key}" [label="{_quoted(label)}", fillcolor=lightgrey]')
        variable = getattr(function, "variable", None)
        if variable is not None:
            name = self.names.get(id(variable), "")
            self.kept.append(variable)
            self.edge(self.value(variable, f"leaf{id(variable)}", "lightblue", name), key)
        if self.show_saved:
            for attribute in dir(function):
                if not attribute.startswith("_saved_"):
                    continue
                tensor = getattr(function, attribute)
                if isinstance(tensor, Tensor):
                    box = f"{key}{attribute}"
                    self.value(tensor, box, "orange", attribute.removeprefix("_saved_"))
                    self.lines.append(f'  "{box}" -> "{key}" [dir=none, style=dashed]')
        return key

    def edge(self, source: str, target: str) -> None:
        self.lines.append(f'  "{source}" -> "{target}"')

    def walk(self, root: Any) -> str:
        """All that leads to `root`; the key of its node. A loop, for graphs are deep."""
        keys: dict[Any, str] = {root: self.node(root)}
        waiting = [root]
        while waiting:
            function = waiting.pop()
            for before, _ in function.next_functions:
                if before is None:
                    continue
                if before not in keys:
                    keys[before] = self.node(before)
                    waiting.append(before)
                self.edge(keys[before], keys[function])
        return keys[root]


def _quoted(text: str) -> str:
    return text.replace('"', '\\"')


def make_dot(
    var: Tensor | tuple[Tensor, ...] | list[Tensor],
    params: Mapping[str, Tensor] | Any | None = None,
    show_saved: bool = False,
) -> Graph:
    """Draw the computational graph that backward() would walk.

    Values are boxes with their shapes: parameters and other leaves light blue, results green,
    tensors kept for backward orange. Backward nodes are grey ellipses. Arrows point the way of the
    forward computation.

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
    names: dict[int, str] = {}
    if params is not None:
        pairs = params.named_parameters() if hasattr(params, "named_parameters") else params
        pairs = pairs.items() if isinstance(pairs, Mapping) else pairs
        names = {id(tensor): name for name, tensor in pairs}
    builder = _Builder(names, show_saved)
    keys: dict[int, str] = {}
    for result in results:
        if not isinstance(result, Tensor):
            raise TypeError(
                f"make_dot(): argument 'var' must be Tensor, not {type(result).__name__}"
            )
        if result.grad_fn is None:
            raise RuntimeError(
                "make_dot(): argument 'var' has no graph: it is a leaf or was computed without grad"
            )
        root = result.grad_fn
        if id(root) not in keys:
            keys[id(root)] = builder.walk(root)
        box = builder.value(result, f"result{id(result)}", "palegreen", names.get(id(result), ""))
        builder.edge(keys[id(root)], box)
    head = 'digraph {\n  node [style=filled, fontname="monospace", fontsize=10]\n'
    return Graph(head + "\n".join(builder.lines) + "\n}\n")
