"""The generalized Pareto distribution."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import pytensor
from pytensor import Tensor
from pytensor.distributions import constraints
from pytensor.distributions.distribution import Distribution
from pytensor.distributions.utils import uniform

__all__ = ["GeneralizedPareto"]


class GeneralizedPareto(Distribution):
    """The generalized Pareto distribution: what exceeds a high threshold.

    Args:
        loc: the threshold, the lowest value.
        scale: the scale.
        concentration: the shape; 0 is an exponential distribution, below 0 values have a bound.
        validate_args: whether arguments are checked.

    Example::

        >>> pytensor.distributions.GeneralizedPareto(0.0, 1.0, 0.0).mean
        tensor(1.)
    """

    arg_constraints: ClassVar[Any] = {
        "loc": constraints.real,
        "scale": constraints.positive,
        "concentration": constraints.real,
    }
    has_rsample = True
    loc: Tensor
    scale: Tensor
    concentration: Tensor

    def __init__(
        self, loc: Any, scale: Any, concentration: Any, validate_args: bool | None = None
    ) -> None:
        self._set_parameters(validate_args, loc=loc, scale=scale, concentration=concentration)

    @constraints.dependent_property(is_discrete=False, event_dim=0)
    def support(self) -> Any:
        bound = self.loc - self.scale / self.concentration
        upper = pytensor.where(self.concentration < 0, bound, math.inf)
        return constraints.interval(self.loc, upper)

    def _shape(self) -> tuple[Tensor, Tensor]:
        """Where the shape counts as 0, and the shape with 1 in those places."""
        flat = pytensor.isclose(self.concentration, pytensor.zeros_like(self.concentration))
        return flat, self.concentration.masked_fill(flat, 1.0)

    @property
    def mean(self) -> Tensor:
        k = self.concentration
        finite = k < 1
        mean = self.loc + self.scale / (1 - k.masked_fill(~finite, 0.5))
        return mean.masked_fill(~finite, math.inf)

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        k = self.concentration
        finite = k < 0.5
        safe = k.masked_fill(~finite, 0.25)
        variance = self.scale.square() / ((1 - safe).square() * (1 - 2 * safe))
        return variance.masked_fill(~finite, math.inf)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        return self.icdf(uniform(self.loc, self._extended_shape(sample_shape)))

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        z = (value - self.loc) / self.scale
        flat, k = self._shape()
        exact = -(1 + 1 / k) * (k * z).log1p()
        return pytensor.where(flat, -z, exact) - self.scale.log()

    def log_survival_function(self, value: Tensor) -> Tensor:
        """The logarithm of the probability of larger values.

        Args:
            value: as for ``log_prob``.
        """
        if self._validate_args:
            self._validate_sample(value)
        z = (value - self.loc) / self.scale
        flat, k = self._shape()
        return pytensor.where(flat, -z, -(k * z).log1p() / k)

    def log_cdf(self, value: Tensor) -> Tensor:
        """The logarithm of ``cdf``.

        Args:
            value: as for ``log_prob``.
        """
        return (-self.log_survival_function(value).exp()).log1p()

    def cdf(self, value: Tensor) -> Tensor:
        return self.log_cdf(value).exp()

    def icdf(self, value: Tensor) -> Tensor:
        flat, k = self._shape()
        tail = (-value).log1p()
        exact = (-k * tail).expm1() / k
        return self.loc + self.scale * pytensor.where(flat, -tail, exact)

    def entropy(self) -> Tensor:
        return self.scale.log() + self.concentration + 1
