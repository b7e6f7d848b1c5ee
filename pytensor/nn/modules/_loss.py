"""What loss layers share: the reduction and, for some, a weight. Used by the files of losses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytensor.nn.functional._reduction import from_legacy
from pytensor.nn.modules.module import Module

if TYPE_CHECKING:
    from pytensor import Tensor


class Loss(Module):
    """A layer with a reduction, given by name or by the deprecated pair of arguments."""

    reduction: str

    def __init__(
        self,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__()
        if size_average is not None or reduce is not None:
            reduction = from_legacy(size_average, reduce, stacklevel=4)
        self.reduction = reduction


class WeightedLoss(Loss):
    """A loss whose weight is a buffer, saved with the layer if it is given."""

    weight: Tensor | None

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.register_buffer("weight", weight)
