"""The Wishart distribution."""

from __future__ import annotations

import math
import warnings
from typing import Any

import pytensor
from pytensor import Size, Tensor
from pytensor.distributions import constraints
from pytensor.distributions.chi2 import Chi2
from pytensor.distributions.exp_family import ExponentialFamily
from pytensor.distributions.multivariate_normal import (
    ScaleTrilMatrices,
    factor,
    given_matrix,
)

__all__ = ["Wishart"]


def _mvdigamma(x: Tensor, p: int) -> Tensor:
    """The derivative of the logarithm of the p-variate gamma function."""
    halves = pytensor.arange(p, dtype=x.dtype, device=x.device) / 2
    return (x.unsqueeze(-1) - halves).digamma().sum(-1)


class Wishart(ScaleTrilMatrices, ExponentialFamily):
    """The Wishart distribution: sums of squares and products of normal vectors.

    Args:
        df: the degrees of freedom, above the number of rows less 1.
        covariance_matrix: the covariance of the vectors; or
        precision_matrix: its inverse; or
        scale_tril: its lower triangular factor.
        validate_args: whether arguments are checked.

    Raises:
        ValueError: for missing dimensions, or too few degrees of freedom.

    Example::

        >>> pytensor.distributions.Wishart(pytensor.tensor(3.0), pytensor.eye(2)).mean
        tensor([[3., 0.],
                [0., 3.]])
    """

    support = constraints.positive_definite
    has_rsample = True
    _mean_carrier_measure = 0
    df: Tensor

    @property
    def arg_constraints(self) -> Any:
        return {
            "covariance_matrix": constraints.positive_definite,
            "precision_matrix": constraints.positive_definite,
            "scale_tril": constraints.lower_cholesky,
            "df": constraints.greater_than(self._event_shape[-1] - 1),
        }

    def __init__(
        self,
        df: Any,
        covariance_matrix: Tensor | None = None,
        precision_matrix: Tensor | None = None,
        scale_tril: Tensor | None = None,
        validate_args: bool | None = None,
    ) -> None:
        given = given_matrix(covariance_matrix, precision_matrix, scale_tril)
        if given is None:
            raise AssertionError(
                "Exactly one of covariance_matrix or precision_matrix or scale_tril may be "
                "specified."
            )
        name, matrix = given
        if matrix.dim() < 2:
            raise ValueError(
                "scale_tril must be at least two-dimensional, with optional leading batch "
                "dimensions"
            )
        if not isinstance(df, Tensor):
            df = pytensor.tensor(df, dtype=matrix.dtype, device=matrix.device)
        batch_shape = pytensor.broadcast_shapes(matrix.shape[:-2], df.shape)
        event_shape = matrix.shape[-2:]
        self.df = df.expand(batch_shape)
        setattr(self, name, matrix.expand((*batch_shape, *event_shape)))
        if self.df.le(event_shape[-1] - 1).any():
            raise ValueError(
                f"Value of df={df} expected to be greater than ndim - 1 = {event_shape[-1] - 1}."
            )
        super().__init__(batch_shape, event_shape, validate_args)
        if self.df.lt(event_shape[-1]).any():
            warnings.warn(
                "Low df values detected. Singular samples are highly likely to occur for "
                "ndim - 1 < df < ndim.",
                stacklevel=2,
            )
        self._unbroadcasted_scale_tril = factor(name, matrix)
        self._chi2 = self._make_chi2()

    def _make_chi2(self) -> Chi2:
        rows = pytensor.arange(self._event_shape[-1], dtype=self.df.dtype, device=self.df.device)
        return Chi2(self.df.unsqueeze(-1) - rows)

    def _expand_parts(self, new: Any, batch_shape: Size) -> None:
        new._chi2 = new._make_chi2()

    @property
    def mean(self) -> Tensor:
        return self.df.view((*self._batch_shape, 1, 1)) * self.covariance_matrix

    @property
    def mode(self) -> Tensor:
        excess = self.df - self.covariance_matrix.shape[-1] - 1
        excess = excess.masked_fill(excess <= 0, math.nan)
        return excess.view((*self._batch_shape, 1, 1)) * self.covariance_matrix

    @property
    def variance(self) -> Tensor:
        v = self.covariance_matrix
        diagonal = v.diagonal(dim1=-2, dim2=-1)
        products = diagonal.unsqueeze(-1) * diagonal.unsqueeze(-2)
        return self.df.view((*self._batch_shape, 1, 1)) * (v.pow(2) + products)

    def _draw(self, sample_shape: Size) -> Tensor:
        """Bartlett's decomposition: chi variables on the diagonal, normal ones below it."""
        p = self._event_shape[-1]
        noise = self._chi2.rsample(sample_shape).sqrt().diag_embed()
        row, column = pytensor.tril_indices(p, p, -1, device=noise.device).unbind(0)
        normal = pytensor.randn(
            (*sample_shape, *self._batch_shape, p * (p - 1) // 2),
            dtype=noise.dtype,
            device=noise.device,
        )
        flat = noise.flatten(-2).index_add(-1, row * p + column, normal)
        chol = self._unbroadcasted_scale_tril @ flat.unflatten(-1, (p, p))
        return chol @ chol.mT

    def rsample(self, sample_shape: Any = (), max_try_correction: Any = None) -> Tensor:
        """Draws samples through which gradients reach the parameters.

        Args:
            sample_shape: how many, as a shape.
            max_try_correction: how often singular samples are drawn anew. Default: 3 for 4 rows
                and more, else 10.
        """
        if max_try_correction is None:
            max_try_correction = 3 if self._event_shape[-1] > 3 else 10
        sample_shape = Size(sample_shape)
        # PyTorch takes its first, regular samples for singular ones and draws anew, as many in one
        # row: the same numbers need the same steps.
        self._draw(sample_shape)
        sample = self._draw(Size((sample_shape.numel(),)))
        for _ in range(max_try_correction - 1):
            singular = ~self.support.check(sample)
            while singular.dim() > 1:
                singular = singular.any(-1)
            if not singular.any():
                break
            warnings.warn("Singular sample detected.", stacklevel=2)
            again = self._draw(Size((int(singular.sum()),)))
            sample = sample.index_put((singular,), again)
        return sample.reshape(self._extended_shape(sample_shape))

    def _log_det(self) -> Tensor:
        """The sum of the logarithms of the factor's diagonal: half of the covariance's log det."""
        return self._unbroadcasted_scale_tril.diagonal(dim1=-2, dim2=-1).log().sum(-1)

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        nu, p = self.df, self._event_shape[-1]
        solved = pytensor.cholesky_solve(value, self._unbroadcasted_scale_tril)
        trace = solved.diagonal(dim1=-2, dim2=-1).sum(-1)
        return (
            -nu * (p * math.log(2) / 2 + self._log_det())
            - pytensor.mvlgamma(nu / 2, p=p)
            + (nu - p - 1) / 2 * pytensor.linalg.slogdet(value).logabsdet
            - trace / 2
        )

    def entropy(self) -> Tensor:
        nu, p = self.df, self._event_shape[-1]
        return (
            (p + 1) * (p * math.log(2) / 2 + self._log_det())
            + pytensor.mvlgamma(nu / 2, p=p)
            - (nu - p - 1) / 2 * _mvdigamma(nu / 2, p=p)
            + nu * p / 2
        )

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return -self.precision_matrix / 2, (self.df - self._event_shape[-1] - 1) / 2

    def _log_normalizer(self, *natural_params: Tensor) -> Tensor:
        x, y = natural_params
        p = self._event_shape[-1]
        shape = y + (p + 1) / 2
        log_det = pytensor.linalg.slogdet(-2 * x).logabsdet
        return shape * (-log_det + math.log(2) * p) + pytensor.mvlgamma(shape, p=p)
