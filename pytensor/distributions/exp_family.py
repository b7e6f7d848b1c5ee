"""``ExponentialFamily``: densities of the form h(x) exp(t(x) . theta - A(theta))."""

from __future__ import annotations

import pytensor
from pytensor import Tensor
from pytensor.distributions.distribution import Distribution

__all__ = ["ExponentialFamily"]


class ExponentialFamily(Distribution):
    """Distributions of an exponential family, given by their natural parameters.

    Subclasses give ``_natural_params`` (a tuple of tensors), ``_log_normalizer(*params)`` and, if
    it is not 0, ``_mean_carrier_measure``, the mean of log h(x). Entropy and divergences between
    two of one family follow from their derivatives.
    """

    _mean_carrier_measure: float = 0

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
