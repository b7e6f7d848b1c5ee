"""``ChannelShuffle``."""

from __future__ import annotations

from pytensor import Tensor
from pytensor.nn import functional as F
from pytensor.nn.modules.module import Module

__all__ = ["ChannelShuffle"]


class ChannelShuffle(Module):
    """Mixes the channels of groups: those of g groups of n become n groups of g.

    Args:
        groups: the number of groups; the channels are divisible by it.

    Shape:
        ``(N, C, *)``, and the same for the result.

    Example::

        >>> pytensor.nn.ChannelShuffle(2)(pytensor.arange(4.0).reshape(1, 4, 1)).flatten()
        tensor([0., 2., 1., 3.])
    """

    def __init__(self, groups: int) -> None:
        super().__init__()
        self.groups = groups

    def forward(self, input: Tensor) -> Tensor:
        return F.channel_shuffle(input, self.groups)

    def extra_repr(self) -> str:
        return f"groups={self.groups}"
