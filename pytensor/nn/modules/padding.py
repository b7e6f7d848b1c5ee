"""Padding layers: ``ZeroPad``, ``ConstantPad``, ``ReflectionPad``, ``ReplicationPad`` and
``CircularPad`` in 1 to 3 dimensions.

All take the input with one dimension for channels and perhaps one for the batch before those they
pad. ``functional.pad`` describes the numbers; one int stands for all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from pytensor import Tensor
from pytensor.nn import functional as F
from pytensor.nn.modules.module import Module

__all__ = [
    "CircularPad1d",
    "CircularPad2d",
    "CircularPad3d",
    "ConstantPad1d",
    "ConstantPad2d",
    "ConstantPad3d",
    "ReflectionPad1d",
    "ReflectionPad2d",
    "ReflectionPad3d",
    "ReplicationPad1d",
    "ReplicationPad2d",
    "ReplicationPad3d",
    "ZeroPad1d",
    "ZeroPad2d",
    "ZeroPad3d",
]


class _Pad(Module):
    _spatial: ClassVar[int]
    _mode: ClassVar[str]

    padding: Sequence[int]

    def __init__(self, padding: int | Sequence[int]) -> None:
        super().__init__()
        self.padding = (padding,) * (2 * self._spatial) if isinstance(padding, int) else padding

    def forward(self, input: Tensor) -> Tensor:
        return F.pad(input, self.padding, self._mode)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class _ConstantPad(_Pad):
    _mode = "constant"

    def __init__(self, padding: int | Sequence[int], value: float) -> None:
        super().__init__(padding)
        self.value = value

    def forward(self, input: Tensor) -> Tensor:
        return F.pad(input, self.padding, "constant", self.value)

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class _CircularPad(_Pad):
    _mode = "circular"

    def forward(self, input: Tensor) -> Tensor:
        n = self._spatial
        if input.dim() not in (n + 1, n + 2):
            raise ValueError(f"expected {n + 1}D or {n + 2}D input (got {input.dim()}D input)")
        return super().forward(input)


class ConstantPad1d(_ConstantPad):
    """Adds elements of one value around the last dimension.

    Args:
        padding: an int or two ints.
        value: of the new elements.

    Example::

        >>> pytensor.nn.ConstantPad1d(1, 0.5)(pytensor.ones(1, 3)).shape
        torch.Size([1, 5])
    """

    _spatial = 1


class ZeroPad1d(ConstantPad1d):
    """Adds zeros around the last dimension.

    Args:
        padding: an int or two ints.

    Example::

        >>> pytensor.nn.ZeroPad1d(1)(pytensor.ones(1, 3)).shape
        torch.Size([1, 5])
    """

    def __init__(self, padding: int | Sequence[int]) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ReflectionPad1d(_Pad):
    """Mirrors the last dimension at the border elements.

    Args:
        padding: an int or two ints, each less than the size of its dimension.

    Example::

        >>> pytensor.nn.ReflectionPad1d(1)(pytensor.ones(1, 3)).shape
        torch.Size([1, 5])
    """

    _spatial = 1
    _mode = "reflect"


class ReplicationPad1d(_Pad):
    """Repeats the border elements of the last dimension.

    Args:
        padding: an int or two ints.

    Example::

        >>> pytensor.nn.ReplicationPad1d(1)(pytensor.ones(1, 3)).shape
        torch.Size([1, 5])
    """

    _spatial = 1
    _mode = "replicate"


class CircularPad1d(_CircularPad):
    """Goes on at the other end of the last dimension.

    Args:
        padding: an int or two ints, none above the size of its dimension.

    Example::

        >>> pytensor.nn.CircularPad1d(1)(pytensor.ones(1, 3)).shape
        torch.Size([1, 5])
    """

    _spatial = 1


class ConstantPad2d(_ConstantPad):
    """Adds elements of one value around the last two dimensions.

    Args:
        padding: an int or four ints.
        value: of the new elements.

    Example::

        >>> pytensor.nn.ConstantPad2d(1, 0.5)(pytensor.ones(1, 3, 3)).shape
        torch.Size([1, 5, 5])
    """

    _spatial = 2


class ZeroPad2d(ConstantPad2d):
    """Adds zeros around the last two dimensions.

    Args:
        padding: an int or four ints.

    Example::

        >>> pytensor.nn.ZeroPad2d(1)(pytensor.ones(1, 3, 3)).shape
        torch.Size([1, 5, 5])
    """

    def __init__(self, padding: int | Sequence[int]) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ReflectionPad2d(_Pad):
    """Mirrors the last two dimensions at the border elements.

    Args:
        padding: an int or four ints, each less than the size of its dimension.

    Example::

        >>> pytensor.nn.ReflectionPad2d(1)(pytensor.ones(1, 3, 3)).shape
        torch.Size([1, 5, 5])
    """

    _spatial = 2
    _mode = "reflect"


class ReplicationPad2d(_Pad):
    """Repeats the border elements of the last two dimensions.

    Args:
        padding: an int or four ints.

    Example::

        >>> pytensor.nn.ReplicationPad2d(1)(pytensor.ones(1, 3, 3)).shape
        torch.Size([1, 5, 5])
    """

    _spatial = 2
    _mode = "replicate"


class CircularPad2d(_CircularPad):
    """Goes on at the other end of the last two dimensions.

    Args:
        padding: an int or four ints, none above the size of its dimension.

    Example::

        >>> pytensor.nn.CircularPad2d(1)(pytensor.ones(1, 3, 3)).shape
        torch.Size([1, 5, 5])
    """

    _spatial = 2


class ConstantPad3d(_ConstantPad):
    """Adds elements of one value around the last three dimensions.

    Args:
        padding: an int or six ints.
        value: of the new elements.

    Example::

        >>> pytensor.nn.ConstantPad3d(1, 0.5)(pytensor.ones(1, 3, 3, 3)).shape
        torch.Size([1, 5, 5, 5])
    """

    _spatial = 3


class ZeroPad3d(ConstantPad3d):
    """Adds zeros around the last three dimensions.

    Args:
        padding: an int or six ints.

    Example::

        >>> pytensor.nn.ZeroPad3d(1)(pytensor.ones(1, 3, 3, 3)).shape
        torch.Size([1, 5, 5, 5])
    """

    def __init__(self, padding: int | Sequence[int]) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ReflectionPad3d(_Pad):
    """Mirrors the last three dimensions at the border elements.

    Args:
        padding: an int or six ints, each less than the size of its dimension.

    Example::

        >>> pytensor.nn.ReflectionPad3d(1)(pytensor.ones(1, 3, 3, 3)).shape
        torch.Size([1, 5, 5, 5])
    """

    _spatial = 3
    _mode = "reflect"


class ReplicationPad3d(_Pad):
    """Repeats the border elements of the last three dimensions.

    Args:
        padding: an int or six ints.

    Example::

        >>> pytensor.nn.ReplicationPad3d(1)(pytensor.ones(1, 3, 3, 3)).shape
        torch.Size([1, 5, 5, 5])
    """

    _spatial = 3
    _mode = "replicate"


class CircularPad3d(_CircularPad):
    """Goes on at the other end of the last three dimensions.

    Args:
        padding: an int or six ints, none above the size of its dimension.

    Example::

        >>> pytensor.nn.CircularPad3d(1)(pytensor.ones(1, 3, 3, 3)).shape
        torch.Size([1, 5, 5, 5])
    """

    _spatial = 3
