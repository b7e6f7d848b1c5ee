"""Parameters as one vector and back. Part of ``pytensor.nn.utils``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytensor
from pytensor import Tensor
from pytensor._settings import typename

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["parameters_to_vector", "vector_to_parameters"]


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """All values in one vector.

    Args:
        parameters: tensors of one device.

    Example::

        >>> net = pytensor.nn.Linear(2, 3)
        >>> pytensor.nn.utils.parameters_to_vector(net.parameters()).shape
        torch.Size([9])
    """
    tensors = list(parameters)
    _check_device(tensors)
    return pytensor.cat([tensor.view(-1) for tensor in tensors])


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Makes the parts of a vector the data of the parameters, without copying.

    Args:
        vec: one dimension, as many values as the parameters have.
        parameters: tensors of one device.
    """
    if not isinstance(vec, Tensor):
        raise TypeError(f"expected torch.Tensor, but got: {typename(vec)}")
    tensors = list(parameters)
    _check_device(tensors)
    start = 0
    for tensor in tensors:
        end = start + tensor.numel()
        tensor.data = vec[start:end].view_as(tensor).data
        start = end


def _check_device(tensors: list[Tensor]) -> None:
    if len({str(tensor.device) for tensor in tensors}) > 1:
        raise TypeError(
            "Found two parameters on different devices, this is currently not supported."
        )
