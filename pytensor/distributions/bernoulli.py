"""The Bernoulli distribution."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import pytensor
from pytensor import Tensor
from pytensor.distributions import constraints
from pytensor.distributions._probs import BinaryParameters
from pytensor.distributions.exp_family import ExponentialFamily
from pytensor.distributions.utils import broadcast_all

__all__ = ["Bernoulli"]


def binary_log_likelihood(logits: Tensor, value: Tensor) -> Tensor:
    """value * log p + (1 - value) * log(1 - p) for the log odds of p."""
    return pytensor.logsigmoid(logits) - (1 - value) * logits


class Bernoulli(BinaryParameters, ExponentialFamily):
    """The Bernoulli distribution: 1 with probability p, else 0.

    Args:
        probs: the probability of 1.
        logits: its log odds.
        validate_args: whether arguments are checked.

    Raises:
        ValueError: unless one of the two is given.

    Example::

        >>> pytensor.distributions.Bernoulli(pytensor.tensor(0.25)).variance
        tensor(0.1875)
    """

    arg_constraints: ClassVar[Any] = {
        "probs": constraints.unit_interval,
        "logits": constraints.real,
    }
    support = constraints.boolean
    has_enumerate_support = True
    _mean_carrier_measure = 0

    def __init__(
        self, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        self._set_binary(probs, logits, validate_args)

    @property
    def mean(self) -> Tensor:
        return self.probs

    @property
    def mode(self) -> Tensor:
        mode = (self.probs >= 0.5).to(self.probs)
        return mode.masked_fill(self.probs == 0.5, math.nan)

    @property
    def variance(self) -> Tensor:
        return self.probs * (1 - self.probs)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        with pytensor.no_grad():
            return pytensor.bernoulli(self.probs.expand(self._extended_shape(sample_shape)))

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        return binary_log_likelihood(*broadcast_all(self.logits, value))

    def entropy(self) -> Tensor:
        return -binary_log_likelihood(self.logits, self.probs)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        values = pytensor.arange(2, dtype=self._param.dtype, device=self._param.device)
        return self._enumerate(values, expand)

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return (pytensor.logit(self.probs),)

    def _log_normalizer(self, *natural_params: Tensor) -> Tensor:
        return natural_params[0].exp().log1p()
