"""Parameters that are given as probabilities or as logits, for the families of trials."""

from __future__ import annotations

from typing import Any

from pytensor import Size, Tensor
from pytensor.distributions.distribution import Distribution
from pytensor.distributions.utils import lazy_property, logits_to_probs, probs_to_logits


def check_one_given(probs: Any, logits: Any) -> None:
    """Raises unless exactly one of the two is given."""
    if (probs is None) == (logits is None):
        raise ValueError("Either `probs` or `logits` must be specified, but not both.")


class BinaryParameters(Distribution):
    """``probs`` and ``logits`` of success against failure; one is made from the other."""

    _given: str

    @lazy_property
    def logits(self) -> Tensor:
        """The log odds."""
        return probs_to_logits(self.probs, is_binary=True)

    @lazy_property
    def probs(self) -> Tensor:
        """The probability of success."""
        return logits_to_probs(self.logits, is_binary=True)

    @property
    def _param(self) -> Tensor:
        """The one that was given."""
        return self.__dict__[self._given]

    @property
    def param_shape(self) -> Size:
        """The shape of the parameter."""
        return self._param.shape

    def _set_binary(
        self, probs: Any, logits: Any, validate_args: bool | None, **others: Any
    ) -> None:
        check_one_given(probs, logits)
        self._given = "logits" if probs is None else "probs"
        given = {self._given: logits if probs is None else probs}
        self._set_parameters(validate_args, **others, **given)
