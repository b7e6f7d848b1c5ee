"""Samples to batches: ``default_collate`` and ``default_convert``."""

from __future__ import annotations

import copy
import re
import sys
from collections.abc import Mapping, MutableMapping, MutableSequence, Sequence
from typing import Any

import pytensor
from pytensor import Tensor

__all__ = ["default_collate", "default_convert"]

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
    first = batch[0]
    if isinstance(first, Tensor):
        return pytensor.stack(list(batch), 0)
    numpy = _numpy()
    if numpy is not None and isinstance(first, (numpy.ndarray, numpy.generic)):
        if isinstance(first, numpy.generic) and not isinstance(first, (str, bytes)):
            return pytensor.as_tensor(numpy.asarray(batch))
        if isinstance(first, numpy.ndarray):
            if _NO_NUMBERS.search(first.dtype.str):
                raise TypeError(_FOUND.format(first.dtype))
            return pytensor.stack([pytensor.as_tensor(b) for b in batch], 0)
    if isinstance(first, float):
        return pytensor.tensor(batch, dtype=pytensor.float64)
    if isinstance(first, int):
        return pytensor.tensor(batch)
    if isinstance(first, (str, bytes)):
        return batch
    if isinstance(first, Mapping):
        return _like_mapping(first, {k: default_collate([b[k] for b in batch]) for k in first})
    if isinstance(first, tuple) and hasattr(first, "_fields"):
        return type(first)(*(default_collate(column) for column in zip(*batch)))
    if isinstance(first, Sequence):
        if any(len(b) != len(first) for b in batch):
            raise RuntimeError("each element in list of batch should be of equal size")
        columns = [default_collate(column) for column in zip(*batch)]
        return columns if isinstance(first, tuple) else _like_sequence(first, columns)
    raise TypeError(_FOUND.format(type(first)))
