"""The multivariate normal distribution with a covariance of low rank and a diagonal."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import pytensor
from pytensor import Size, Tensor
from pytensor.distributions import constraints
from pytensor.distributions.distribution import Distribution
from pytensor.distributions.multivariate_normal import mahalanobis
from pytensor.distributions.utils import lazy_property, standard_normal

__all__ = ["LowRankMultivariateNormal"]


def capacitance_tril(factor: Tensor, diagonal: Tensor) -> Tensor:
    """The Cholesky factor of I + W' D^-1 W, the small matrix of the Woodbury identity."""
    scaled = factor.mT / diagonal.unsqueeze(-2)
    unit = pytensor.eye(factor.shape[-1], dtype=factor.dtype, device=factor.device)
    return pytensor.linalg.cholesky(scaled @ factor + unit)


def low_rank_logdet(diagonal: Tensor, capacitance: Tensor) -> Tensor:
    """log |W W' + D| by the matrix determinant lemma."""
    small = capacitance.diagonal(dim1=-2, dim2=-1).log().sum(-1)
    return 2 * small + diagonal.log().sum(-1)


def low_rank_mahalanobis(
    factor: Tensor, diagonal: Tensor, x: Tensor, capacitance: Tensor
) -> Tensor:
    """x' (W W' + D)^-1 x by the Woodbury identity."""
    projected = ((factor.mT / diagonal.unsqueeze(-2)) @ x.unsqueeze(-1)).squeeze(-1)
    return (x.square() / diagonal).sum(-1) - mahalanobis(capacitance, projected)


class LowRankMultivariateNormal(Distribution):
    """The normal distribution of vectors with covariance W W' + D.

    The work is that of matrices of W's rank, not of the vectors' length.

    Args:
        loc: the mean, of length n.
        cov_factor: W, of shape (n, rank).
        cov_diag: the diagonal D, of length n.
        validate_args: whether arguments are checked.

    Raises:
        ValueError: if shapes do not agree.

    Example::

        >>> low_rank = pytensor.distributions.LowRankMultivariateNormal(
        ...     pytensor.zeros(2), pytensor.tensor([[1.0], [0.0]]), pytensor.ones(2))
        >>> low_rank.variance
        tensor([2., 1.])
    """

    arg_constraints: ClassVar[Any] = {
        "loc": constraints.real_vector,
        "cov_factor": constraints.independent(constraints.real, 2),
        "cov_diag": constraints.independent(constraints.positive, 1),
    }
    support = constraints.real_vector
    has_rsample = True

    def __init__(
        self,
        loc: Tensor,
        cov_factor: Tensor,
        cov_diag: Tensor,
        validate_args: bool | None = None,
    ) -> None:
        if loc.dim() < 1:
            raise ValueError("loc must be at least one-dimensional.")
        event_shape = loc.shape[-1:]
        if cov_factor.dim() < 2:
            raise ValueError(
                "cov_factor must be at least two-dimensional, with optional leading batch "
                "dimensions"
            )
        if cov_factor.shape[-2:-1] != event_shape:
            raise ValueError(
                f"cov_factor must be a batch of matrices with shape {event_shape[0]} x m"
            )
        if cov_diag.shape[-1:] != event_shape:
            raise ValueError(f"cov_diag must be a batch of vectors with shape {event_shape}")
        self._unbroadcasted_cov_factor = cov_factor
        self._unbroadcasted_cov_diag = cov_diag
        try:
            batch_shape = pytensor.broadcast_shapes(
                loc.shape[:-1], cov_factor.shape[:-2], cov_diag.shape[:-1]
            )
        except RuntimeError as error:
            raise ValueError(
                f"Incompatible batch shapes: loc {loc.shape}, cov_factor {cov_factor.shape}, "
                f"cov_diag {cov_diag.shape}"
            ) from error
        self.loc = loc.expand((*batch_shape, -1))
        self.cov_diag = cov_diag.expand((*batch_shape, -1))
        self.cov_factor = cov_factor.expand((*batch_shape, *cov_factor.shape[-2:]))
        self._capacitance_tril = capacitance_tril(cov_factor, cov_diag)
        super().__init__(batch_shape, event_shape, validate_args)

    def _expand_parts(self, new: Any, batch_shape: Size) -> None:
        for name in ("scale_tril", "covariance_matrix", "precision_matrix"):
            new.__dict__.pop(name, None)

    def _full(self, matrix: Tensor) -> Tensor:
        return matrix.expand((*self._batch_shape, *self._event_shape, *self._event_shape))

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc

    @lazy_property
    def variance(self) -> Tensor:
        """The variance of each element."""
        low_rank = self._unbroadcasted_cov_factor.square().sum(-1)
        total = low_rank + self._unbroadcasted_cov_diag
        return total.expand(self._batch_shape + self._event_shape)

    @lazy_property
    def scale_tril(self) -> Tensor:
        """The lower triangular factor of the covariance: D^1/2 chol(I + D^-1/2 W W' D^-1/2)."""
        root = self._unbroadcasted_cov_diag.sqrt().unsqueeze(-1)
        scaled = self._unbroadcasted_cov_factor / root
        unit = pytensor.eye(scaled.shape[-2], dtype=scaled.dtype, device=scaled.device)
        return self._full(root * pytensor.linalg.cholesky(scaled @ scaled.mT + unit))

    @lazy_property
    def covariance_matrix(self) -> Tensor:
        """The covariance."""
        factor = self._unbroadcasted_cov_factor
        return self._full(factor @ factor.mT + self._unbroadcasted_cov_diag.diag_embed())

    @lazy_property
    def precision_matrix(self) -> Tensor:
        """The inverse of the covariance, by the Woodbury identity."""
        diagonal = self._unbroadcasted_cov_diag
        scaled = self._unbroadcasted_cov_factor.mT / diagonal.unsqueeze(-2)
        a = pytensor.linalg.solve_triangular(self._capacitance_tril, scaled, upper=False)
        return self._full(diagonal.reciprocal().diag_embed() - a.mT @ a)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        rank = self.cov_factor.shape[-1]
        shared = standard_normal(self.loc, (*shape[:-1], rank)).unsqueeze(-1)
        own = standard_normal(self.loc, shape)
        low_rank = (self._unbroadcasted_cov_factor @ shared).squeeze(-1)
        return self.loc + low_rank + self._unbroadcasted_cov_diag.sqrt() * own

    def _log_det(self) -> Tensor:
        return low_rank_logdet(self._unbroadcasted_cov_diag, self._capacitance_tril)

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        distance = low_rank_mahalanobis(
            self._unbroadcasted_cov_factor,
            self._unbroadcasted_cov_diag,
            value - self.loc,
            self._capacitance_tril,
        )
        constant = self._event_shape[0] * math.log(2 * math.pi)
        return -0.5 * (constant + self._log_det() + distance)

    def entropy(self) -> Tensor:
        constant = self._event_shape[0] * (1.0 + math.log(2 * math.pi))
        return (0.5 * (constant + self._log_det())).expand(self._batch_shape)
