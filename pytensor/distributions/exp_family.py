"""``ExponentialFamily``: densities of the form h(x) exp(t(x) . theta - A(theta))."""

from __future__ import annotations

from typing import Any

import pytensor
from pytensor import Tensor
from pytensor.distributions.distribution import Distribution

__all__ = ["ExponentialFamily"]


class ExponentialFamily(Distribution):
    """Distributions of an exponential family, given by their natural parameters.

    Subclasses give ``_natural_params`` (a tuple of tensors) and ``_log_normalizer(*params)``;
    divergences between two of one family follow from its derivatives. With
    ``_mean_carrier_measure``, the mean of log h(x), so does the entropy.
    """

    @property
    def _mean_carrier_measure(self) -> Any:
        raise NotImplementedError

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        raise NotImplementedError

    def _log_normalizer(self, *natural_params: Tensor) -> Tensor:
        raise NotImplementedError

    def entropy(self) -> Tensor:
        """The entropy: A(theta) - theta . dA/dtheta less the mean of log h(x)."""
        params = [p.detach().requires_grad_() for p in self._natural_params]
        normalizer = self._log_normalizer(*params)
        slopes = pytensor.autograd.grad(normalizer.sum(), params, create_graph=True)
        result = -self._mean_carrier_measure + normalizer
        for param, slope in zip(params, slopes):
            events = len(self._event_shape)
            term = param * slope
            result = result - (term.flatten(-events).sum(-1) if events else term)
        return result
