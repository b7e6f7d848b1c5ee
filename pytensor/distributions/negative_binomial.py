"""The negative binomial distribution."""

from __future__ import annotations

from typing import Any, ClassVar

import pytensor
from pytensor import Size, Tensor
from pytensor.distributions import constraints
from pytensor.distributions._probs import BinaryParameters
from pytensor.distributions.gamma import Gamma
from pytensor.distributions.utils import lazy_property

__all__ = ["NegativeBinomial"]


class NegativeBinomial(BinaryParameters):
    """The negative binomial distribution: successes before a number of failures.

    Args:
        total_count: the number of failures; need not be whole.
        probs: the probability of success, below 1.
        logits: its log odds.
        validate_args: whether arguments are checked.

    Raises:
        ValueError: unless one of the two is given.

    Example::

        >>> pytensor.distributions.NegativeBinomial(3.0, pytensor.tensor(0.5)).mean
        tensor(3.)
    """

    arg_constraints: ClassVar[Any] = {
        "total_count": constraints.greater_than_eq(0),
        "probs": constraints.half_open_interval(0.0, 1.0),
        "logits": constraints.real,
    }
    support = constraints.nonnegative_integer
    total_count: Tensor

    def __init__(
        self,
        total_count: Any,
        probs: Any = None,
        logits: Any = None,
        validate_args: bool | None = None,
    ) -> None:
        self._set_binary(probs, logits, validate_args, total_count=total_count)
        self.total_count = self.total_count.type_as(self._param)

    def _expand_parts(self, new: Any, batch_shape: Size) -> None:
        new.__dict__.pop("_gamma", None)

    @property
    def mean(self) -> Tensor:
        return self.total_count * self.logits.exp()

    @property
    def mode(self) -> Tensor:
        mode = ((self.total_count - 1) * self.logits.exp()).floor()
        return mode.clamp(min=0.0)

    @property
    def variance(self) -> Tensor:
        return self.mean / (-self.logits).sigmoid()

    @lazy_property
    def _gamma(self) -> Gamma:
        """The distribution of the rate of which the counts are Poisson variables."""
        return Gamma(self.total_count, (-self.logits).exp(), validate_args=False)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        with pytensor.no_grad():
            return pytensor.poisson(self._gamma.sample(sample_shape))

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        n = self.total_count
        unnormalized = n * pytensor.logsigmoid(-self.logits) + value * pytensor.logsigmoid(
            self.logits
        )
        normalizer = -(n + value).lgamma() + (1.0 + value).lgamma() + n.lgamma()
        # no failures to wait for: the count is 0
        return unnormalized - normalizer.masked_fill(n + value == 0.0, 0.0)
