"""Tensors brought to one shape: broadcasting together and grids of coordinates. All are views."""

from __future__ import annotations

from pytensor import _C

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from pytensor import Tensor

__all__ = ["broadcast_tensors", "is_same_size", "meshgrid"]


def broadcast_tensors(*tensors: Tensor) -> tuple[Tensor, ...]:
    """The tensors expanded to the shape that they broadcast to, as views.

    Example::

        >>> a, b = pytensor.broadcast_tensors(pytensor.arange(3), pytensor.zeros(2, 1))
        >>> tuple(a.shape)
        (2, 3)
    """
    return tuple(_C.internal["_broadcast_tensors"](list(tensors)))


def is_same_size(input: Tensor, other: Tensor) -> bool:
    """Whether two tensors have the same shape."""
    return input.shape == other.shape


def meshgrid(*tensors: Any, indexing: str | None = None) -> tuple[Tensor, ...]:
    """Grids of coordinates: each vector expanded over the dimensions of all of them.

    Args:
        tensors: vectors (or numbers as tensors) of one dtype, or one list of them.
        indexing: ``"ij"`` (the default): dimension k belongs to vector k; ``"xy"``: the first two
            change places.

    Shape:
        Every result is ``(n1, n2, ...)``, with the first two exchanged for ``"xy"``.

    Raises:
        RuntimeError: without vectors, for other dimensions, dtypes or another ``indexing``.

    Example::

        >>> x, y = pytensor.meshgrid(pytensor.arange(2), pytensor.arange(3), indexing="ij")
        >>> x
        tensor([[0, 0, 0],
                [1, 1, 1]])
    """
    if len(tensors) == 1 and isinstance(tensors[0], (list, tuple)):
        tensors = tuple(tensors[0])
    if not tensors:
        raise RuntimeError("meshgrid expects a non-empty TensorList")
    for t in tensors:
        if not isinstance(t, _C.Tensor):
            raise TypeError(
                f"meshgrid(): argument 'tensors' must be tuple of Tensors, not {type(t).__name__}"
            )
        if t.dim() > 1:
            raise RuntimeError(
                "torch.meshgrid: Expected 0D or 1D tensor in the tensor list but got a tensor "
                f"of shape {list(t.shape)}"
            )
        if t.dtype != tensors[0].dtype:
            raise RuntimeError("meshgrid expects all tensors to have the same dtype")
    if indexing not in (None, "ij", "xy"):
        raise RuntimeError(
            'torch.meshgrid: indexing must be one of "xy" or "ij", but received: ' + indexing
        )
    swap = indexing == "xy" and len(tensors) > 1
    if swap:
        tensors = (tensors[1], tensors[0], *tensors[2:])
    n = len(tensors)
    shape = [t.numel() for t in tensors]
    grids = [
        t.reshape([1] * d + [-1] + [1] * (n - 1 - d)).expand(shape) for d, t in enumerate(tensors)
    ]
    if swap:
        grids[0], grids[1] = grids[1], grids[0]
    return tuple(grids)
