"""The continuous Bernoulli distribution."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import pytensor
from pytensor import Tensor
from pytensor.distributions import constraints
from pytensor.distributions._probs import BinaryParameters
from pytensor.distributions.bernoulli import binary_log_likelihood
from pytensor.distributions.exp_family import ExponentialFamily
from pytensor.distributions.utils import broadcast_all, clamp_probs, uniform

__all__ = ["ContinuousBernoulli"]


class ContinuousBernoulli(BinaryParameters, ExponentialFamily):
    """The continuous Bernoulli distribution on [0, 1] (Loaiza-Ganem and Cunningham, 2019).

    Its formulas divide 0 by 0 at a probability of a half; inside of `lims` they are replaced by
    Taylor series.

    Args:
        probs: the parameter, in (0, 1).
        logits: its log odds.
        lims: where the series take over.
        validate_args: whether arguments are checked.

    Example::

        >>> pytensor.distributions.ContinuousBernoulli(pytensor.tensor(0.5)).mean
        tensor(0.5000)
    """

    arg_constraints: ClassVar[Any] = {
        "probs": constraints.unit_interval,
        "logits": constraints.real,
    }
    support = constraints.unit_interval
    has_rsample = True
    _mean_carrier_measure = 0

    def __init__(
        self,
        probs: Any = None,
        logits: Any = None,
        lims: tuple[float, float] = (0.499, 0.501),
        validate_args: bool | None = None,
    ) -> None:
        self._lims = lims
        self._set_binary(probs, logits, validate_args)
        if probs is not None:
            self.probs = clamp_probs(self.probs)

    def _far(self) -> Tensor:
        """Where the exact formulas hold."""
        return (self.probs <= self._lims[0]) | (self.probs > self._lims[1])

    def _safe_probs(self) -> Tensor:
        """The probabilities, replaced by a limit where the exact formulas do not hold."""
        return pytensor.where(self._far(), self.probs, self._lims[0])

    def _log_norm(self) -> Tensor:
        """The logarithm of the normalising constant."""
        p = self._safe_probs()
        lower = pytensor.where(p <= 0.5, p, 0.0)
        upper = pytensor.where(p >= 0.5, p, 1.0)
        odds = (-p).log1p() - p.log()
        exact = odds.abs().log() - pytensor.where(
            p <= 0.5, (-2.0 * lower).log1p(), (2.0 * upper - 1.0).log()
        )
        x = (self.probs - 0.5).square()
        series = math.log(2.0) + (4.0 / 3.0 + 104.0 / 45.0 * x) * x
        return pytensor.where(self._far(), exact, series)

    @property
    def mean(self) -> Tensor:
        p = self._safe_probs()
        exact = p / (2.0 * p - 1.0) + 1.0 / ((-p).log1p() - p.log())
        x = self.probs - 0.5
        series = 0.5 + (1.0 / 3.0 + 16.0 / 45.0 * x.square()) * x
        return pytensor.where(self._far(), exact, series)

    @property
    def stddev(self) -> Tensor:
        return self.variance.sqrt()

    @property
    def variance(self) -> Tensor:
        p = self._safe_probs()
        odds = (-p).log1p() - p.log()
        exact = p * (p - 1.0) / (1.0 - 2.0 * p).square() + 1.0 / odds.square()
        x = (self.probs - 0.5).square()
        series = 1.0 / 12.0 - (1.0 / 15.0 - 128.0 / 945.0 * x) * x
        return pytensor.where(self._far(), exact, series)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        with pytensor.no_grad():
            return self.icdf(uniform(self.probs, self._extended_shape(sample_shape)))

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        return self.icdf(uniform(self.probs, self._extended_shape(sample_shape)))

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        return binary_log_likelihood(*broadcast_all(self.logits, value)) + self._log_norm()

    def cdf(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        p = self._safe_probs()
        powers = p.pow(value) * (1.0 - p).pow(1.0 - value)
        exact = (powers + p - 1.0) / (2.0 * p - 1.0)
        inside = pytensor.where(self._far(), exact, value)
        return pytensor.where(value <= 0.0, 0.0, pytensor.where(value >= 1.0, 1.0, inside))

    def icdf(self, value: Tensor) -> Tensor:
        p = self._safe_probs()
        above = (-p + value * (2.0 * p - 1.0)).log1p() - (-p).log1p()
        exact = above / (p.log() - (-p).log1p())
        return pytensor.where(self._far(), exact, value)

    def entropy(self) -> Tensor:
        failure = (-self.probs).log1p()
        odds = self.probs.log() - failure
        return self.mean * -odds - self._log_norm() - failure

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return (self.logits,)

    def _log_normalizer(self, *natural_params: Tensor) -> Tensor:
        """The normaliser of exp(x theta), with its series around 0."""
        (x,) = natural_params
        far = (x <= self._lims[0] - 0.5) | (x > self._lims[1] - 0.5)
        safe = pytensor.where(far, x, self._lims[0] - 0.5)
        exact = (safe.exp() - 1.0).abs().log() - safe.abs().log()
        series = 0.5 * x + x.pow(2) / 24.0 - x.pow(4) / 2880.0
        return pytensor.where(far, exact, series)
