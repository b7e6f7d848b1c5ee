"""Student's t-distribution."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import pytensor
from pytensor import Size, Tensor
from pytensor.distributions import constraints
from pytensor.distributions.chi2 import Chi2
from pytensor.distributions.distribution import Distribution
from pytensor.distributions.utils import standard_normal

__all__ = ["StudentT"]


class StudentT(Distribution):
    """Student's t-distribution.

    Args:
        df: the degrees of freedom.
        loc: the location.
        scale: the scale.
        validate_args: whether arguments are checked.

    Example::

        >>> pytensor.distributions.StudentT(4.0).variance
        tensor(2.)
    """

    arg_constraints: ClassVar[Any] = {
        "df": constraints.positive,
        "loc": constraints.real,
        "scale": constraints.positive,
    }
    support = constraints.real
    has_rsample = True
    df: Tensor
    loc: Tensor
    scale: Tensor

    def __init__(
        self, df: Any, loc: Any = 0.0, scale: Any = 1.0, validate_args: bool | None = None
    ) -> None:
        self._set_parameters(validate_args, df=df, loc=loc, scale=scale)
        self._chi2 = Chi2(self.df)

    def _expand_parts(self, new: Any, batch_shape: Size) -> None:
        new._chi2 = self._chi2.expand(batch_shape)

    @property
    def mean(self) -> Tensor:
        return self.loc.masked_fill(self.df <= 1, math.nan)

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        df = self.df
        finite = self.scale.pow(2) * df / (df - 2)
        spread = pytensor.where(df > 2, finite, math.inf)
        return spread.masked_fill(df <= 1, math.nan)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        noise = standard_normal(self.df, self._extended_shape(sample_shape))
        width = self._chi2.rsample(sample_shape) / self.df
        return self.loc + self.scale * noise * width.rsqrt()

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        y = (value - self.loc) / self.scale
        half = 0.5 * self.df
        constant = (
            self.scale.log()
            + 0.5 * self.df.log()
            + 0.5 * math.log(math.pi)
            + half.lgamma()
            - (half + 0.5).lgamma()
        )
        return -(half + 0.5) * (y.square() / self.df).log1p() - constant

    def entropy(self) -> Tensor:
        half = 0.5 * self.df
        log_beta = half.lgamma() + math.lgamma(0.5) - (half + 0.5).lgamma()
        return (
            self.scale.log()
            + (half + 0.5) * ((half + 0.5).digamma() - half.digamma())
            + 0.5 * self.df.log()
            + log_beta
        )
