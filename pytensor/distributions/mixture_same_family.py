"""Mixtures of distributions of one family."""

from __future__ import annotations

from typing import Any, ClassVar

import pytensor
from pytensor import Size, Tensor
from pytensor.distributions import constraints
from pytensor.distributions.categorical import Categorical
from pytensor.distributions.distribution import Distribution

__all__ = ["MixtureSameFamily"]


class MixtureSameFamily(Distribution):
    """A mixture: first a component is drawn, then a sample of it.

    Args:
        mixture_distribution: the weights, a ``Categorical``.
        component_distribution: the components, in the last dimension of its batch.
        validate_args: whether arguments are checked.

    Raises:
        ValueError: for other kinds of arguments, or if their shapes do not agree.

    Example::

        >>> D = pytensor.distributions
        >>> mixture = D.MixtureSameFamily(
        ...     D.Categorical(pytensor.ones(2)), D.Normal(pytensor.tensor([-1.0, 1.0]), 1.0))
        >>> mixture.mean, mixture.variance
        (tensor(0.), tensor(2.))
    """

    arg_constraints: ClassVar[Any] = {}

    def __init__(
        self,
        mixture_distribution: Categorical,
        component_distribution: Distribution,
        validate_args: bool | None = None,
    ) -> None:
        self._mixture_distribution = mixture_distribution
        self._component_distribution = component_distribution
        if not isinstance(mixture_distribution, Categorical):
            raise ValueError(
                " The Mixture distribution needs to be an  instance of "
                "torch.distributions.Categorical"
            )
        if not isinstance(component_distribution, Distribution):
            raise ValueError(
                "The Component distribution needs to be an instance of "
                "torch.distributions.Distribution"
            )
        weights = mixture_distribution.batch_shape
        components = component_distribution.batch_shape[:-1]
        for a, b in zip(reversed(weights), reversed(components)):
            if a != 1 and b != 1 and a != b:
                raise ValueError(
                    f"`mixture_distribution.batch_shape` ({weights}) is not compatible with "
                    f"`component_distribution.batch_shape`({components})"
                )
        count = mixture_distribution.logits.shape[-1]
        if count != component_distribution.batch_shape[-1]:
            raise ValueError(
                f"`mixture_distribution component` ({count}) does not equal "
                "`component_distribution.batch_shape[-1]` "
                f"({component_distribution.batch_shape[-1]})"
            )
        self._num_component = count
        event_shape = component_distribution.event_shape
        self._event_ndims = len(event_shape)
        super().__init__(components, event_shape, validate_args)

    def _expand_parts(self, new: Any, batch_shape: Size) -> None:
        new._component_distribution = self._component_distribution.expand(
            (*batch_shape, self._num_component)
        )
        new._mixture_distribution = self._mixture_distribution.expand(batch_shape)

    @constraints.dependent_property
    def support(self) -> Any:
        return constraints.MixtureSameFamilyConstraint(self._component_distribution.support)

    @property
    def mixture_distribution(self) -> Categorical:
        """The weights."""
        return self._mixture_distribution

    @property
    def component_distribution(self) -> Distribution:
        """The components."""
        return self._component_distribution

    @property
    def has_rsample(self) -> bool:
        return False

    def _weights(self) -> Tensor:
        probs = self._mixture_distribution.probs
        return probs.reshape((*probs.shape, *(1,) * self._event_ndims))

    @property
    def mean(self) -> Tensor:
        dim = -1 - self._event_ndims
        return (self._weights() * self._component_distribution.mean).sum(dim)

    @property
    def variance(self) -> Tensor:
        # the mean of the variances and the variance of the means
        dim = -1 - self._event_ndims
        component, weights = self._component_distribution, self._weights()
        within = (weights * component.variance).sum(dim)
        distance = component.mean - self.mean.unsqueeze(dim)
        return within + (weights * distance.square()).sum(dim)

    def cdf(self, value: Tensor) -> Tensor:
        each = self._component_distribution.cdf(value.unsqueeze(-1 - self._event_ndims))
        return (each * self._mixture_distribution.probs).sum(-1)

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        each = self._component_distribution.log_prob(value.unsqueeze(-1 - self._event_ndims))
        weights = self._mixture_distribution.logits.log_softmax(-1)
        return pytensor.logsumexp(each + weights, -1)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        with pytensor.no_grad():
            sample_shape = Size(sample_shape)
            choice = self._mixture_distribution.sample(sample_shape)
            choice = choice.expand(sample_shape + self._batch_shape)
            samples = self._component_distribution.sample(sample_shape)
            dim = len(sample_shape) + len(self._batch_shape)
            index = choice.reshape((*choice.shape, *(1,) * (self._event_ndims + 1)))
            index = index.expand((*choice.shape, 1, *self._event_shape))
            return samples.gather(dim, index).squeeze(dim)

    def __repr__(self) -> str:
        return (
            f"MixtureSameFamily(\n  {self._mixture_distribution},\n  "
            f"{self._component_distribution})"
        )
