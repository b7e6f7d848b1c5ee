"""``torch.compiler``: what programs tell and ask the compiler, of which there is none yet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pytensor._absent import no, nothing
from pytensor._compile import compile

__all__ = [
    "allow_in_graph",
    "assume_constant_result",
    "compile",
    "cudagraph_mark_step_begin",
    "disable",
    "is_compiling",
    "is_dynamo_compiling",
    "is_exporting",
    "reset",
]

is_compiling = no
is_dynamo_compiling = no
is_exporting = no
reset = nothing
cudagraph_mark_step_begin = nothing


def disable(fn: Any = None, recursive: bool = True, *, reason: str | None = None) -> Any:
    """The function as it is, or a decorator that returns functions as they are."""
    return (lambda function: function) if fn is None else fn


def allow_in_graph(fn: Callable[..., Any]) -> Callable[..., Any]:
    """The function as it is."""
    return fn


def assume_constant_result(fn: Callable[..., Any]) -> Callable[..., Any]:
    """The function as it is."""
    return fn
