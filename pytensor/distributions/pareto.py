"""The Pareto distribution."""

from __future__ import annotations

from typing import Any, ClassVar

from pytensor import Size, Tensor
from pytensor.distributions import constraints
from pytensor.distributions.exponential import Exponential
from pytensor.distributions.transformed_distribution import TransformedDistribution
from pytensor.distributions.transforms import AffineTransform, ExpTransform
from pytensor.distributions.utils import broadcast_all

__all__ = ["Pareto"]


class Pareto(TransformedDistribution):
    """The Pareto distribution of type 1: a power law above a threshold.

    Args:
        scale: the threshold.
        alpha: the exponent of the tail.
        validate_args: whether arguments are checked.

    Example::

        >>> pytensor.distributions.Pareto(1.0, 2.0).mean
        tensor(2.)
    """

    arg_constraints: ClassVar[Any] = {"alpha": constraints.positive, "scale": constraints.positive}

    def __init__(self, scale: Any, alpha: Any, validate_args: bool | None = None) -> None:
        self.scale, self.alpha = broadcast_all(scale, alpha)
        base = Exponential(self.alpha, validate_args=validate_args)
        super().__init__(base, self._steps(), validate_args=validate_args)

    def _steps(self) -> list[Any]:
        return [ExpTransform(), AffineTransform(loc=0, scale=self.scale)]

    def _expand_parts(self, new: Any, batch_shape: Size) -> None:
        new.transforms = new._steps()

    @constraints.dependent_property(is_discrete=False, event_dim=0)
    def support(self) -> Any:
        return constraints.greater_than_eq(self.scale)

    @property
    def mean(self) -> Tensor:
        # infinite where alpha is 1 or below: the quotient by 0 there
        alpha = self.alpha.clamp(min=1)
        return alpha * self.scale / (alpha - 1)

    @property
    def mode(self) -> Tensor:
        return self.scale

    @property
    def variance(self) -> Tensor:
        alpha = self.alpha.clamp(min=2)
        return self.scale.pow(2) * alpha / ((alpha - 1).pow(2) * (alpha - 2))

    def entropy(self) -> Tensor:
        return (self.scale / self.alpha).log() + (1 + self.alpha.reciprocal())
