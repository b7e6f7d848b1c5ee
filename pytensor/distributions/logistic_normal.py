"""The logistic-normal distribution."""

from __future__ import annotations

from typing import Any, ClassVar

from pytensor import Tensor
from pytensor.distributions import constraints
from pytensor.distributions.normal import Normal
from pytensor.distributions.transformed_distribution import TransformedDistribution
from pytensor.distributions.transforms import StickBreakingTransform

__all__ = ["LogisticNormal"]


class LogisticNormal(TransformedDistribution):
    """Normal variables taken to the simplex by stick breaking.

    Args:
        loc: the means of the normal variables, one less than there are shares.
        scale: their standard deviations.
        validate_args: whether arguments are checked.

    Example::

        >>> normal = pytensor.distributions.LogisticNormal(pytensor.zeros(2), pytensor.ones(2))
        >>> normal.sample().shape
        torch.Size([3])
    """

    arg_constraints: ClassVar[Any] = {"loc": constraints.real, "scale": constraints.positive}
    support = constraints.simplex
    has_rsample = True

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None) -> None:
        base = Normal(loc, scale, validate_args=validate_args)
        if not base.batch_shape:
            base = base.expand([1])
        super().__init__(base, StickBreakingTransform(), validate_args=validate_args)

    @property
    def loc(self) -> Tensor:
        """The means of the normal variables."""
        base: Any = self.base_dist
        return base.base_dist.loc

    @property
    def scale(self) -> Tensor:
        """The standard deviations of the normal variables."""
        base: Any = self.base_dist
        return base.base_dist.scale
