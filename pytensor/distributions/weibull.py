"""The Weibull distribution."""

from __future__ import annotations

from typing import Any, ClassVar

import pytensor
from pytensor import Size, Tensor
from pytensor.distributions import constraints
from pytensor.distributions.exponential import Exponential
from pytensor.distributions.transformed_distribution import TransformedDistribution
from pytensor.distributions.transforms import AffineTransform, PowerTransform
from pytensor.distributions.utils import broadcast_all, euler_constant

__all__ = ["Weibull"]


class Weibull(TransformedDistribution):
    """The Weibull distribution: times to failure at a rate that is a power of time.

    Args:
        scale: the scale.
        concentration: the shape.
        validate_args: whether arguments are checked.

    Example::

        >>> pytensor.distributions.Weibull(2.0, 1.0).mean
        tensor(2.)
    """

    arg_constraints: ClassVar[Any] = {
        "scale": constraints.positive,
        "concentration": constraints.positive,
    }
    support = constraints.positive

    def __init__(self, scale: Any, concentration: Any, validate_args: bool | None = None) -> None:
        self.scale, self.concentration = broadcast_all(scale, concentration)
        base = Exponential(pytensor.ones_like(self.scale), validate_args=validate_args)
        super().__init__(base, self._steps(), validate_args=validate_args)

    def _steps(self) -> list[Any]:
        return [
            PowerTransform(exponent=self.concentration.reciprocal()),
            AffineTransform(loc=0, scale=self.scale),
        ]

    def _expand_parts(self, new: Any, batch_shape: Size) -> None:
        new.transforms = new._steps()

    @property
    def mean(self) -> Tensor:
        return self.scale * (1 + self.concentration.reciprocal()).lgamma().exp()

    @property
    def mode(self) -> Tensor:
        inverse = self.concentration.reciprocal()
        return self.scale * (1 - inverse).pow(inverse)

    @property
    def variance(self) -> Tensor:
        inverse = self.concentration.reciprocal()
        square = (1 + 2 * inverse).lgamma().exp()
        return self.scale.pow(2) * (square - (2 * (1 + inverse).lgamma()).exp())

    def entropy(self) -> Tensor:
        inverse = self.concentration.reciprocal()
        return euler_constant * (1 - inverse) + (self.scale * inverse).log() + 1
