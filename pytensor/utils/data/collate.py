"""Samples to batches: ``default_collate`` and ``default_convert``."""

from __future__ import annotations

import copy
import re
import sys
from collections.abc import Callable, Mapping, MutableMapping, MutableSequence, Sequence
from typing import Any

import pytensor
from pytensor import Tensor

__all__ = ["collate", "default_collate", "default_collate_fn_map", "default_convert"]

_NO_NUMBERS = re.compile(r"[SaUO]")  # numpy's string and object types
_FOUND = (
    "default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found {}"
)


def _numpy() -> Any:
    """numpy, if something has imported it: otherwise no sample can be one of its arrays."""
    return sys.modules.get("numpy")


def default_convert(data: Any) -> Any:
    """Arrays of numpy become tensors, wherever they are in dicts, tuples and lists.

    Args:
        data: a sample.

    Example::

        >>> pytensor.utils.data.default_convert(("a", [1]))
        ['a', [1]]
    """
    if isinstance(data, Tensor):
        return data
    numpy = _numpy()
    if numpy is not None and isinstance(data, (numpy.ndarray, numpy.generic)):
        if isinstance(data, numpy.ndarray) and _NO_NUMBERS.search(data.dtype.str):
            return data
        return pytensor.as_tensor(data)
    if isinstance(data, Mapping):
        return _like_mapping(data, {k: default_convert(v) for k, v in data.items()})
    if isinstance(data, tuple):
        if hasattr(data, "_fields"):
            return type(data)(*(default_convert(v) for v in data))
        return [default_convert(v) for v in data]
    if isinstance(data, Sequence) and not isinstance(data, (str, bytes)):
        return _like_sequence(data, [default_convert(v) for v in data])
    return data


def _like_mapping(example: Any, items: dict[Any, Any]) -> Any:
    try:
        if isinstance(example, MutableMapping):
            clone = copy.copy(example)
            clone.update(items)
            return clone
        return type(example)(items)
    except TypeError:  # a mapping that cannot be made from a dict
        return items


def _like_sequence(example: Any, items: list[Any]) -> Any:
    try:
        if isinstance(example, MutableSequence) and not isinstance(example, list):
            clone = copy.copy(example)
            for i, item in enumerate(items):
                clone[i] = item
            return clone
        return type(example)(items)
    except TypeError:  # a sequence that cannot be made from a list
        return items


def _collate_tensors(batch: Any, *, collate_fn_map: Any = None) -> Any:
    return pytensor.stack(list(batch), 0)


def _collate_floats(batch: Any, *, collate_fn_map: Any = None) -> Any:
    return pytensor.tensor(batch, dtype=pytensor.float64)


def _collate_ints(batch: Any, *, collate_fn_map: Any = None) -> Any:
    return pytensor.tensor(batch)


def _collate_texts(batch: Any, *, collate_fn_map: Any = None) -> Any:
    return batch


def _collate_arrays(batch: Any, *, collate_fn_map: Any = None) -> Any:
    if _NO_NUMBERS.search(batch[0].dtype.str):
        raise TypeError(_FOUND.format(batch[0].dtype))
    return pytensor.stack([pytensor.as_tensor(b) for b in batch], 0)


def _collate_array_scalars(batch: Any, *, collate_fn_map: Any = None) -> Any:
    numpy: Any = _numpy()
    return pytensor.as_tensor(numpy.asarray(batch))


# How samples of a class become a batch; programs may add classes. Those of numpy come with it.
default_collate_fn_map: dict[Any, Callable[..., Any]] = {
    Tensor: _collate_tensors,
    float: _collate_floats,
    int: _collate_ints,
    str: _collate_texts,
    bytes: _collate_texts,
}


def _add_numpy(numpy: Any) -> None:
    before = dict(default_collate_fn_map)
    default_collate_fn_map.clear()
    default_collate_fn_map[Tensor] = before.pop(Tensor)
    # before float and str, which some of numpy's scalars are too
    default_collate_fn_map[numpy.ndarray] = _collate_arrays
    default_collate_fn_map[numpy.bool_, numpy.number, numpy.object_] = _collate_array_scalars
    default_collate_fn_map.update(before)


def collate(batch: Any, *, collate_fn_map: Mapping[Any, Callable[..., Any]] | None = None) -> Any:
    """Samples become one batch, by functions for their classes.

    Dicts, tuples and lists of samples keep their form, with batches in the place of values.

    Args:
        batch: a list of samples of the same form.
        collate_fn_map: for classes, or tuples of classes, a function that is called with the list
            and, as `collate_fn_map`, with this mapping.

    Raises:
        TypeError: there is no function for a class.
        RuntimeError: lists of samples differ in length.

    Example::

        >>> from pytensor.utils.data._utils.collate import collate
        >>> collate([{"a": 1}, {"a": 2}], collate_fn_map={int: lambda b, collate_fn_map: sum(b)})
        {'a': 3}
    """
    first = batch[0]
    if collate_fn_map is not None:
        chosen = collate_fn_map.get(type(first))
        if chosen is None:
            for classes, function in collate_fn_map.items():
                if isinstance(first, classes):
                    chosen = function
                    break
        if chosen is not None:
            return chosen(batch, collate_fn_map=collate_fn_map)

    def inner(column: Any) -> Any:
        return collate(column, collate_fn_map=collate_fn_map)

    if isinstance(first, Mapping):
        return _like_mapping(first, {k: inner([b[k] for b in batch]) for k in first})
    if isinstance(first, tuple) and hasattr(first, "_fields"):
        return type(first)(*(inner(column) for column in zip(*batch)))
    if isinstance(first, Sequence) and not isinstance(first, (str, bytes)):
        if any(len(b) != len(first) for b in batch):
            raise RuntimeError("each element in list of batch should be of equal size")
        columns = [inner(column) for column in zip(*batch)]
        return columns if isinstance(first, tuple) else _like_sequence(first, columns)
    raise TypeError(_FOUND.format(type(first)))


def default_collate(batch: Any) -> Any:
    """Samples become one batch: tensors, arrays and numbers get a dimension more in front.

    Dicts, tuples and lists keep their form, with batches in the place of values; strings become
    lists of strings.

    Args:
        batch: a list of samples of the same form.

    Raises:
        TypeError: samples hold something else.
        RuntimeError: lists of samples differ in length, or tensors in shape.

    Example::

        >>> pytensor.utils.data.default_collate([(0, "a"), (1, "b")])
        [tensor([0, 1]), ('a', 'b')]
    """
    numpy = _numpy()
    if numpy is not None and numpy.ndarray not in default_collate_fn_map:
        _add_numpy(numpy)
    return collate(batch, collate_fn_map=default_collate_fn_map)
