"""The Gumbel distribution."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import pytensor
from pytensor import Size, Tensor
from pytensor.distributions import constraints
from pytensor.distributions.transformed_distribution import TransformedDistribution
from pytensor.distributions.transforms import AffineTransform, ExpTransform
from pytensor.distributions.uniform import Uniform
from pytensor.distributions.utils import broadcast_all, euler_constant

__all__ = ["Gumbel"]


class Gumbel(TransformedDistribution):
    """The Gumbel distribution: the limit of maxima of many variables.

    Args:
        loc: the mode.
        scale: the scale.
        validate_args: whether arguments are checked.

    Example::

        >>> pytensor.distributions.Gumbel(0.0, 1.0).mean
        tensor(0.5772)
    """

    arg_constraints: ClassVar[Any] = {"loc": constraints.real, "scale": constraints.positive}
    support = constraints.real

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None) -> None:
        self.loc, self.scale = broadcast_all(loc, scale)
        limits = pytensor.finfo(self.loc.dtype)
        # both ends would come out infinite
        base = Uniform(
            pytensor.full_like(self.loc, limits.tiny),
            pytensor.full_like(self.loc, 1 - limits.eps),
            validate_args=validate_args,
        )
        super().__init__(base, self._steps(), validate_args=validate_args)

    def _steps(self) -> list[Any]:
        """loc - scale * log(-log(u))"""
        ones = pytensor.ones_like(self.scale)
        return [
            ExpTransform().inv,
            AffineTransform(loc=0, scale=-ones),
            ExpTransform().inv,
            AffineTransform(loc=self.loc, scale=-self.scale),
        ]

    def _expand_parts(self, new: Any, batch_shape: Size) -> None:
        new.transforms = new._steps()

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        y = (self.loc - value) / self.scale
        return (y - y.exp()) - self.scale.log()

    @property
    def mean(self) -> Tensor:
        return self.loc + self.scale * euler_constant

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def stddev(self) -> Tensor:
        return (math.pi / math.sqrt(6)) * self.scale

    @property
    def variance(self) -> Tensor:
        return self.stddev.pow(2)

    def entropy(self) -> Tensor:
        return self.scale.log() + (1 + euler_constant)
