"""The multivariate normal distribution."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import pytensor
from pytensor import Tensor
from pytensor.distributions import constraints
from pytensor.distributions.distribution import Distribution
from pytensor.distributions.utils import lazy_property, standard_normal

__all__ = ["MultivariateNormal"]

NAMES = ("covariance_matrix", "precision_matrix", "scale_tril")


def mahalanobis(scale_tril: Tensor, x: Tensor) -> Tensor:
    """The squared length of scale_tril^-1 x, for batches of both that broadcast.

    Vectors that share a matrix are solved together: as columns of one right side.
    """
    lead = x.dim() - scale_tril.dim() + 1
    if lead > 0 and math.prod(scale_tril.shape[:-2]) == 1:
        columns = x.reshape(-1, x.shape[-1]).T
        solved = pytensor.linalg.solve_triangular(
            scale_tril.reshape(scale_tril.shape[-2:]), columns, upper=False
        )
        return solved.square().sum(0).reshape(x.shape[:-1])
    solved = pytensor.linalg.solve_triangular(scale_tril, x.unsqueeze(-1), upper=False)
    return solved.squeeze(-1).square().sum(-1)


def precision_to_scale_tril(precision: Tensor) -> Tensor:
    """The Cholesky factor of the inverse: from that of the matrix with rows and columns turned."""
    turned = pytensor.linalg.cholesky(precision.flip((-2, -1))).flip((-2, -1)).mT
    unit = pytensor.eye(precision.shape[-1], dtype=precision.dtype, device=precision.device)
    return pytensor.linalg.solve_triangular(turned, unit, upper=False)


def given_matrix(
    covariance_matrix: Any, precision_matrix: Any, scale_tril: Any
) -> tuple[str, Tensor] | None:
    """Name and value of the one matrix that is given; None unless it is exactly one."""
    values = (covariance_matrix, precision_matrix, scale_tril)
    given = [(name, value) for name, value in zip(NAMES, values) if value is not None]
    return given[0] if len(given) == 1 else None


def factor(name: str, matrix: Tensor) -> Tensor:
    """The Cholesky factor of the covariance, from any of the three matrices."""
    if name == "scale_tril":
        return matrix
    if name == "covariance_matrix":
        return pytensor.linalg.cholesky(matrix)
    return precision_to_scale_tril(matrix)


class ScaleTrilMatrices(Distribution):
    """Properties of the three matrices, for families with a batch of factors."""

    _unbroadcasted_scale_tril: Tensor

    def _full(self, matrix: Tensor) -> Tensor:
        return matrix.expand((*self._batch_shape, *matrix.shape[-2:]))

    @lazy_property
    def scale_tril(self) -> Tensor:
        """The lower triangular factor of the covariance."""
        return self._full(self._unbroadcasted_scale_tril)

    @lazy_property
    def covariance_matrix(self) -> Tensor:
        """The covariance."""
        tril = self._unbroadcasted_scale_tril
        return self._full(tril @ tril.mT)

    @lazy_property
    def precision_matrix(self) -> Tensor:
        """The inverse of the covariance."""
        return self._full(pytensor.cholesky_inverse(self._unbroadcasted_scale_tril))


class MultivariateNormal(ScaleTrilMatrices):
    """The normal distribution of vectors.

    Args:
        loc: the mean.
        covariance_matrix: the covariance, positive definite; or
        precision_matrix: its inverse; or
        scale_tril: its lower triangular factor, which saves a factorisation.
        validate_args: whether arguments are checked.

    Raises:
        ValueError: unless exactly one matrix is given, or for missing dimensions.

    Example::

        >>> pytensor.distributions.MultivariateNormal(pytensor.zeros(2), pytensor.eye(2)).variance
        tensor([1., 1.])
    """

    arg_constraints: ClassVar[Any] = {
        "loc": constraints.real_vector,
        "covariance_matrix": constraints.positive_definite,
        "precision_matrix": constraints.positive_definite,
        "scale_tril": constraints.lower_cholesky,
    }
    support = constraints.real_vector
    has_rsample = True

    def __init__(
        self,
        loc: Tensor,
        covariance_matrix: Tensor | None = None,
        precision_matrix: Tensor | None = None,
        scale_tril: Tensor | None = None,
        validate_args: bool | None = None,
    ) -> None:
        if loc.dim() < 1:
            raise ValueError("loc must be at least one-dimensional.")
        given = given_matrix(covariance_matrix, precision_matrix, scale_tril)
        if given is None:
            raise ValueError(
                "Exactly one of covariance_matrix or precision_matrix or scale_tril may be "
                "specified."
            )
        name, matrix = given
        if matrix.dim() < 2:
            what = "scale_tril matrix" if name == "scale_tril" else name
            raise ValueError(
                f"{what} must be at least two-dimensional, with optional leading batch dimensions"
            )
        batch_shape = pytensor.broadcast_shapes(matrix.shape[:-2], loc.shape[:-1])
        setattr(self, name, matrix.expand((*batch_shape, -1, -1)))
        self.loc = loc.expand((*batch_shape, -1))
        super().__init__(batch_shape, self.loc.shape[-1:], validate_args)
        self._unbroadcasted_scale_tril = factor(name, matrix)

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        variance = self._unbroadcasted_scale_tril.square().sum(-1)
        return variance.expand(self._batch_shape + self._event_shape)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        noise = standard_normal(self.loc, self._extended_shape(sample_shape))
        return self.loc + (self._unbroadcasted_scale_tril @ noise.unsqueeze(-1)).squeeze(-1)

    def _half_log_det(self) -> Tensor:
        return self._unbroadcasted_scale_tril.diagonal(dim1=-2, dim2=-1).log().sum(-1)

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        distance = mahalanobis(self._unbroadcasted_scale_tril, value - self.loc)
        constant = self._event_shape[0] * math.log(2 * math.pi)
        return -0.5 * (constant + distance) - self._half_log_det()

    def entropy(self) -> Tensor:
        constant = 0.5 * self._event_shape[0] * (1.0 + math.log(2 * math.pi))
        return (constant + self._half_log_det()).expand(self._batch_shape)
