"""Distributions of transformed variables."""

from __future__ import annotations

from typing import Any, ClassVar

import pytensor
from pytensor import Size, Tensor
from pytensor.distributions import constraints
from pytensor.distributions.distribution import Distribution
from pytensor.distributions.independent import Independent
from pytensor.distributions.transforms import ComposeTransform, Transform
from pytensor.distributions.utils import sum_rightmost

__all__ = ["TransformedDistribution"]


class TransformedDistribution(Distribution):
    """The distribution of transforms of a variable.

    Args:
        base_distribution: the distribution of the variable.
        transforms: a transform, or a list of them, the first applied first.
        validate_args: whether arguments are checked.

    Raises:
        ValueError: for other kinds of transforms, or if the variable has too few dimensions.

    Example::

        >>> D = pytensor.distributions
        >>> base = D.Uniform(pytensor.tensor(0.0), pytensor.tensor(1.0))
        >>> logistic = D.TransformedDistribution(base, [D.SigmoidTransform().inv])
        >>> logistic.cdf(pytensor.tensor(0.0))
        tensor(0.5000)
    """

    arg_constraints: ClassVar[Any] = {}

    def __init__(
        self,
        base_distribution: Distribution,
        transforms: Any,
        validate_args: bool | None = None,
    ) -> None:
        if isinstance(transforms, Transform):
            transforms = [transforms]
        elif not isinstance(transforms, list):
            raise ValueError(f"transforms must be a Transform or list, but was {transforms}")
        elif not all(isinstance(t, Transform) for t in transforms):
            raise ValueError("transforms must be a Transform or a list of Transforms")
        self.transforms: list[Any] = transforms

        shape = base_distribution.batch_shape + base_distribution.event_shape
        base_events = len(base_distribution.event_shape)
        together = ComposeTransform(transforms)
        domain_dim = together.domain.event_dim
        if len(shape) < domain_dim:
            raise ValueError(
                f"base_distribution needs to have shape with size at least {domain_dim}, "
                f"but got {shape}."
            )
        forward = Size(together.forward_shape(shape))
        # Parameters of transforms may enlarge the batch; a transform may take batch dimensions.
        expanded = Size(together.inverse_shape(forward))
        if shape != expanded:
            base_distribution = base_distribution.expand(expanded[: len(expanded) - base_events])
        if domain_dim > base_events:
            base_distribution = Independent(base_distribution, domain_dim - base_events)
        self.base_dist = base_distribution
        change = together.codomain.event_dim - domain_dim
        event_dim = max(together.codomain.event_dim, base_events + change)
        cut = len(forward) - event_dim
        super().__init__(forward[:cut], forward[cut:], validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        batch_shape = Size(batch_shape)
        new = super().expand(batch_shape, _instance)
        together = ComposeTransform(self.transforms)
        shape = together.inverse_shape(batch_shape + self._event_shape)
        kept = len(shape) - len(self.base_dist.event_shape)
        new.base_dist = self.base_dist.expand(shape[:kept])
        return new

    @constraints.dependent_property(is_discrete=False)
    def support(self) -> Any:
        if not self.transforms:
            return self.base_dist.support
        support = self.transforms[-1].codomain
        extra = len(self._event_shape) - support.event_dim
        return constraints.independent(support, extra) if extra > 0 else support

    @property
    def has_rsample(self) -> bool:
        return self.base_dist.has_rsample

    def sample(self, sample_shape: Any = ()) -> Tensor:
        with pytensor.no_grad():
            x = self.base_dist.sample(sample_shape)
            for transform in self.transforms:
                x = transform(x)
            return x

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        x = self.base_dist.rsample(sample_shape)
        for transform in self.transforms:
            x = transform(x)
        return x

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        event_dim = len(self._event_shape)
        correction: Any = 0.0
        y = value
        for transform in reversed(self.transforms):
            x = transform.inv(y)
            event_dim += transform.domain.event_dim - transform.codomain.event_dim
            log_det = transform.log_abs_det_jacobian(x, y)
            correction = correction - sum_rightmost(log_det, event_dim - transform.domain.event_dim)
            y = x
        base = self.base_dist.log_prob(y)
        return correction + sum_rightmost(base, event_dim - len(self.base_dist.event_shape))

    def _monotonize_cdf(self, value: Tensor) -> Tensor:
        """P(x <= value) from what a falling transform gives, and back: 1 - value."""
        sign: Any = 1
        for transform in self.transforms:
            sign = sign * transform.sign
        if isinstance(sign, int) and sign == 1:
            return value
        return sign * (value - 0.5) + 0.5

    def cdf(self, value: Tensor) -> Tensor:
        for transform in reversed(self.transforms):
            value = transform.inv(value)
        if self._validate_args:
            self.base_dist._validate_sample(value)
        return self._monotonize_cdf(self.base_dist.cdf(value))

    def icdf(self, value: Tensor) -> Tensor:
        value = self.base_dist.icdf(self._monotonize_cdf(value))
        for transform in self.transforms:
            value = transform(value)
        return value
