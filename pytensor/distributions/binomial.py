"""The binomial distribution."""

from __future__ import annotations

from typing import Any, ClassVar

import pytensor
from pytensor import Tensor
from pytensor.distributions import constraints
from pytensor.distributions._probs import BinaryParameters

__all__ = ["Binomial"]


class Binomial(BinaryParameters):
    """The binomial distribution: how many of a number of trials succeed.

    Args:
        total_count: the number of trials.
        probs: the probability of success.
        logits: its log odds.
        validate_args: whether arguments are checked.

    Raises:
        ValueError: unless one of the two is given.

    Example::

        >>> pytensor.distributions.Binomial(8, pytensor.tensor(0.25)).mean
        tensor(2.)
    """

    arg_constraints: ClassVar[Any] = {
        "total_count": constraints.nonnegative_integer,
        "probs": constraints.unit_interval,
        "logits": constraints.real,
    }
    has_enumerate_support = True
    total_count: Tensor

    def __init__(
        self,
        total_count: Any = 1,
        probs: Any = None,
        logits: Any = None,
        validate_args: bool | None = None,
    ) -> None:
        self._set_binary(probs, logits, validate_args, total_count=total_count)
        self.total_count = self.total_count.type_as(self._param)

    @constraints.dependent_property(is_discrete=True, event_dim=0)
    def support(self) -> Any:
        return constraints.integer_interval(0, self.total_count)

    @property
    def mean(self) -> Tensor:
        return self.total_count * self.probs

    @property
    def mode(self) -> Tensor:
        mode = ((self.total_count + 1) * self.probs).floor()
        return mode.clamp(max=self.total_count)

    @property
    def variance(self) -> Tensor:
        return self.total_count * self.probs * (1 - self.probs)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        with pytensor.no_grad():
            return pytensor.binomial(self.total_count.expand(shape), self.probs.expand(shape))

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        n, logits = self.total_count, self.logits
        ways = (n + 1).lgamma() - (value + 1).lgamma() - (n - value + 1).lgamma()
        # log(1 - p) = -softplus(logits), split so that large logits keep their digits; the half
        # sum is max(logits, 0) with a slope of a half at 0
        size = logits.abs()
        failures = n * ((logits + size) / 2 + (-size).exp().log1p())
        return value * logits + ways - failures

    def entropy(self) -> Tensor:
        count = int(self.total_count.max())
        if not self.total_count.min() == count:
            raise NotImplementedError("Inhomogeneous total count not supported by `entropy`.")
        log_prob = self.log_prob(self.enumerate_support(False))
        return -(log_prob.exp() * log_prob).sum(0)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        count = int(self.total_count.max())
        if not self.total_count.min() == count:
            raise NotImplementedError(
                "Inhomogeneous total count not supported by `enumerate_support`."
            )
        values = pytensor.arange(1 + count, dtype=self._param.dtype, device=self._param.device)
        return self._enumerate(values, expand)
