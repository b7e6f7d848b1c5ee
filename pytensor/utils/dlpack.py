"""Tensors to and from other libraries without a copy, by the DLPack protocol.

A thin face over Tensor.__dlpack__ and the extension's reader of DLPack capsules.
"""

from __future__ import annotations

from pytensor import _C

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from pytensor import Tensor

__all__ = ["from_dlpack", "to_dlpack"]


def from_dlpack(ext_tensor: Any) -> Tensor:
    """A tensor that shares the memory of another library's array.

    Args:
        ext_tensor: an object with ``__dlpack__`` (numpy array, torch tensor, ...), or a capsule
            that such a method returned.

    Raises:
        BufferError: for memory that cannot be shared.

    Example::

        >>> import numpy
        >>> a = numpy.zeros(2, dtype="float32")
        >>> t = pytensor.utils.dlpack.from_dlpack(a)
        >>> t.fill_(3.0)
        tensor([3., 3.])
        >>> a.tolist()
        [3.0, 3.0]
    """
    return _C.from_dlpack(ext_tensor)


def to_dlpack(tensor: Tensor) -> Any:
    """A DLPack capsule of the tensor, for libraries that take a capsule; usable once.

    Args:
        tensor: the tensor to share; its history of gradients is left behind.

    Example::

        >>> capsule = pytensor.utils.dlpack.to_dlpack(pytensor.ones(2))
        >>> pytensor.utils.dlpack.from_dlpack(capsule)
        tensor([1., 1.])
    """
    return tensor.detach().__dlpack__()
