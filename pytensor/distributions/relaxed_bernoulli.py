"""Bernoulli variables relaxed to the unit interval."""

from __future__ import annotations

from typing import Any, ClassVar

from pytensor import Tensor
from pytensor.distributions import constraints
from pytensor.distributions._probs import BinaryParameters
from pytensor.distributions.transformed_distribution import TransformedDistribution
from pytensor.distributions.transforms import SigmoidTransform
from pytensor.distributions.utils import broadcast_all, clamp_probs, uniform

__all__ = ["LogitRelaxedBernoulli", "RelaxedBernoulli"]


class LogitRelaxedBernoulli(BinaryParameters):
    """The log odds of a relaxed Bernoulli variable (Maddison et al., 2017).

    Args:
        temperature: how far from 0 and 1 samples stay.
        probs: the probability of 1.
        logits: its log odds.
        validate_args: whether arguments are checked.
    """

    arg_constraints: ClassVar[Any] = {
        "probs": constraints.unit_interval,
        "logits": constraints.real,
    }
    support = constraints.real
    has_rsample = True

    def __init__(
        self,
        temperature: Any,
        probs: Any = None,
        logits: Any = None,
        validate_args: bool | None = None,
    ) -> None:
        self.temperature = temperature
        self._set_binary(probs, logits, validate_args)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        probs = clamp_probs(self.probs.expand(shape))
        u = clamp_probs(uniform(probs, shape))
        noise = u.log() - (-u).log1p()
        return (noise + probs.log() - (-probs).log1p()) / self.temperature

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        logits, value = broadcast_all(self.logits, value)
        distance = logits - value * self.temperature
        return self.temperature.log() + distance - 2 * distance.exp().log1p()


class RelaxedBernoulli(TransformedDistribution):
    """A Bernoulli variable relaxed to the unit interval, so that samples carry gradients.

    Args:
        temperature: how far from 0 and 1 samples stay, a tensor.
        probs: the probability of 1.
        logits: its log odds.
        validate_args: whether arguments are checked.

    Example::

        >>> relaxed = pytensor.distributions.RelaxedBernoulli(
        ...     pytensor.tensor(2.0), probs=pytensor.tensor(0.3))
        >>> relaxed.probs
        tensor(0.3000)
    """

    arg_constraints: ClassVar[Any] = {
        "probs": constraints.unit_interval,
        "logits": constraints.real,
    }
    support = constraints.unit_interval
    has_rsample = True
    base_dist: LogitRelaxedBernoulli

    def __init__(
        self,
        temperature: Any,
        probs: Any = None,
        logits: Any = None,
        validate_args: bool | None = None,
    ) -> None:
        base = LogitRelaxedBernoulli(temperature, probs, logits)
        super().__init__(base, SigmoidTransform(), validate_args=validate_args)

    @property
    def temperature(self) -> Any:
        """The temperature."""
        return self.base_dist.temperature

    @property
    def logits(self) -> Tensor:
        """The log odds."""
        return self.base_dist.logits

    @property
    def probs(self) -> Tensor:
        """The probability of 1."""
        return self.base_dist.probs
