"""The geometric distribution."""

from __future__ import annotations

from typing import Any, ClassVar

import pytensor
from pytensor import Tensor
from pytensor.distributions import constraints
from pytensor.distributions._probs import BinaryParameters
from pytensor.distributions.bernoulli import binary_log_likelihood
from pytensor.distributions.utils import broadcast_all

__all__ = ["Geometric"]


class Geometric(BinaryParameters):
    """The geometric distribution: failures before the first success.

    Args:
        probs: the probability of success, not 0.
        logits: its log odds.
        validate_args: whether arguments are checked.

    Raises:
        ValueError: unless one of the two is given, or for a probability of 0.

    Example::

        >>> pytensor.distributions.Geometric(pytensor.tensor(0.25)).mean
        tensor(3.)
    """

    arg_constraints: ClassVar[Any] = {
        "probs": constraints.unit_interval,
        "logits": constraints.real,
    }
    support = constraints.nonnegative_integer

    def __init__(
        self, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        self._set_binary(probs, logits, validate_args)
        if self._validate_args and probs is not None:
            given = self.probs
            wrong = given <= 0
            if wrong.any():
                raise ValueError(
                    f"Expected parameter probs ({type(given).__name__} of shape "
                    f"{tuple(given.shape)}) of distribution {self!r} to be positive but found "
                    f"invalid values:\n{given[wrong]}"
                )

    @property
    def mean(self) -> Tensor:
        return 1.0 / self.probs - 1.0

    @property
    def mode(self) -> Tensor:
        return pytensor.zeros_like(self.probs)

    @property
    def variance(self) -> Tensor:
        return (1.0 / self.probs - 1.0) / self.probs

    def sample(self, sample_shape: Any = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        tiny = pytensor.finfo(self.probs.dtype).tiny
        with pytensor.no_grad():
            u = self.probs.new_empty(shape).uniform_(tiny, 1)
            return (u.log() / (-self.probs).log1p()).floor()

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        value, probs = broadcast_all(value, self.probs)
        # 0 * log(0) for the first try when success is certain
        certain = (probs == 1) & (value == 0)
        failure = (-probs.masked_fill(certain, 0)).log1p()
        return value * failure + self.probs.log()

    def entropy(self) -> Tensor:
        return -binary_log_likelihood(self.logits, self.probs) / self.probs
