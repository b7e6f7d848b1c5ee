"""Calls a module with other tensors in place of its own. Part of ``pytensor.nn.utils``."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytensor import Tensor

__all__ = ["functional_call"]


def functional_call(
    module: Any,
    parameters_and_buffers: dict[str, Tensor],
    args: Any = None,
    kwargs: dict[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """The result of ``module(*args, **kwargs)`` with other parameters and buffers.

    Args:
        module: the module, unchanged afterwards.
        parameters_and_buffers: the tensors by name; those that are not named stay.
        args: one argument, or a tuple of them. Default: none.
        kwargs: keyword arguments. Default: none.
        tie_weights: whether a tensor that has several names is replaced under all. Default:
            ``True``.
        strict: whether all names must be given, and no others. Default: ``False``.

    Example::

        >>> layer = pytensor.nn.Linear(1, 1)
        >>> zeros = {"weight": pytensor.zeros(1, 1), "bias": pytensor.zeros(1)}
        >>> pytensor.nn.utils.stateless.functional_call(layer, zeros, pytensor.ones(1, 1))
        tensor([[0.]])
    """
    arguments = () if args is None else args if isinstance(args, tuple) else (args,)
    with _replaced(module, parameters_and_buffers, tie_weights, strict):
        return module(*arguments, **(kwargs or {}))


def _named(module: Any) -> dict[str, Any]:
    return {
        **dict(module.named_parameters(remove_duplicate=False)),
        **dict(module.named_buffers(remove_duplicate=False)),
    }


@contextmanager
def _replaced(module: Any, given: dict[str, Any], tied: bool, strict: bool) -> Iterator[None]:
    own = _named(module)
    unexpected = [name for name in given if name not in own]
    missing = [name for name in own if name not in given]
    if strict and (unexpected or missing):
        raise RuntimeError(
            f"Missing key(s): {', '.join(missing)}. Unexpected key(s): {', '.join(unexpected)}."
        )
    if unexpected:
        raise KeyError(f"functional_call: {module._get_name()} has no tensor '{unexpected[0]}'")
    wanted = dict(given)
    if tied:
        by_identity = {id(own[name]): tensor for name, tensor in given.items()}
        for name, tensor in own.items():
            if id(tensor) in by_identity:
                wanted.setdefault(name, by_identity[id(tensor)])
    places = []
    for name, tensor in wanted.items():
        path, _, last = name.rpartition(".")
        owner = module.get_submodule(path)
        table = owner._parameters if last in owner._parameters else owner._buffers
        places.append((table, last, table[last], tensor))
    try:
        for table, last, _, tensor in places:
            table[last] = tensor
        yield
    finally:
        for table, last, before, _ in places:
            table[last] = before
