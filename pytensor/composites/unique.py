"""Unique elements: ``unique`` and ``unique_consecutive`` return the tensors that are asked for."""

from __future__ import annotations

from pytensor import _C

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from pytensor import Tensor

__all__ = ["unique", "unique_consecutive"]


def _chosen(found: Any, return_inverse: bool, return_counts: bool) -> Any:
    values, inverse, counts = found
    if return_inverse:
        return (values, inverse, counts) if return_counts else (values, inverse)
    return (values, counts) if return_counts else values


def unique(
    input: Tensor,
    sorted: bool = True,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
) -> Any:
    """The different elements of a tensor, or its different slices along a dimension, in order.

    Args:
        input: the tensor.
        sorted: the result is in order either way.
        return_inverse: also where each element went in the result.
        return_counts: also how often each occurs.
        dim: compare slices along this dimension; None compares elements.

    Returns:
        The unique elements, or a tuple with the inverse and the counts where asked for.

    Example::

        >>> pytensor.unique(pytensor.tensor([3, 1, 3]), return_counts=True)
        (tensor([1, 3]), tensor([1, 2]))
    """
    if dim is None:
        found = _C.internal["_unique2"](input, sorted, return_inverse, return_counts)
    else:
        found = _C.internal["_unique_dim"](input, dim, sorted, return_inverse, return_counts)
    return _chosen(found, return_inverse, return_counts)


def unique_consecutive(
    input: Tensor,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
) -> Any:
    """A tensor without elements (or slices along ``dim``) equal to the one before them.

    Args:
        input: the tensor.
        return_inverse: also where each element went in the result.
        return_counts: also the length of each run.
        dim: compare slices along this dimension; None compares elements.

    Example::

        >>> pytensor.unique_consecutive(pytensor.tensor([1, 1, 2, 1]))
        tensor([1, 2, 1])
    """
    found = _C.internal["_unique_consecutive"](input, return_inverse, return_counts, dim)
    return _chosen(found, return_inverse, return_counts)
