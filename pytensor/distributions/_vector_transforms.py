"""Transforms onto the simplex, triangular and correlation matrices; named in ``transforms``."""

from __future__ import annotations

import math
from typing import Any

import pytensor
from pytensor import Tensor
from pytensor.distributions import constraints
from pytensor.distributions._transform import Transform
from pytensor.distributions.utils import tril_matrix_to_vec, vec_to_tril_matrix


class _OfOneClass(Transform):
    """Transforms without parameters: equal when of one class."""

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self)

    __hash__ = object.__hash__


def _check_dim(shape: Any, least: int) -> None:
    if len(shape) < least:
        raise ValueError("Too few dimensions on input")


def _after_one(value: Tensor) -> Tensor:
    """The columns moved to the right by one; the first becomes 1."""
    return pytensor.cat([pytensor.ones_like(value[..., :1]), value[..., :-1]], -1)


class SoftmaxTransform(_OfOneClass):
    """Vectors onto the simplex by softmax; one dimension more than needed, so not invertible."""

    domain = constraints.real_vector
    codomain = constraints.simplex

    def _call(self, x: Tensor) -> Tensor:
        return x.softmax(-1)

    def _inverse(self, y: Tensor) -> Tensor:
        return y.log()

    def forward_shape(self, shape: Any) -> Any:
        _check_dim(shape, 1)
        return shape

    inverse_shape = forward_shape


class StickBreakingTransform(_OfOneClass):
    """Vectors of n - 1 numbers onto the simplex of n: each says what share of the rest to break
    off."""

    domain = constraints.real_vector
    codomain = constraints.simplex
    bijective = True

    def _offset(self, n: int, like: Tensor) -> Tensor:
        """Makes a zero vector the centre of the simplex: logarithms of n, n - 1, ..., 1."""
        return pytensor.arange(n, 0, -1, dtype=like.dtype, device=like.device).log()

    def _call(self, x: Tensor) -> Tensor:
        limits = pytensor.finfo(x.dtype)
        z = (x - self._offset(x.shape[-1], x)).sigmoid()
        z = z.clamp(min=limits.tiny, max=1.0 - limits.eps)
        # what is left before each break: 1, then the product of the remainders
        rest = (1 - z).cumprod(-1)
        one = pytensor.ones_like(z[..., :1])
        return pytensor.cat([z, one], -1) * pytensor.cat([one, rest], -1)

    def _inverse(self, y: Tensor) -> Tensor:
        shares = y[..., :-1]
        rest = 1 - shares.cumsum(-1)
        rest = rest.clamp(min=pytensor.finfo(y.dtype).tiny)
        return shares.log() - rest.log() + self._offset(shares.shape[-1], y)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        x = x - self._offset(x.shape[-1], x)
        return (-x + pytensor.logsigmoid(x) + y[..., :-1].log()).sum(-1)

    def forward_shape(self, shape: Any) -> Any:
        _check_dim(shape, 1)
        return (*shape[:-1], shape[-1] + 1)

    def inverse_shape(self, shape: Any) -> Any:
        _check_dim(shape, 1)
        return (*shape[:-1], shape[-1] - 1)


class LowerCholeskyTransform(_OfOneClass):
    """Square matrices onto lower triangular ones with a positive diagonal, by exp."""

    domain = constraints.independent(constraints.real, 2)
    codomain = constraints.lower_cholesky

    def _call(self, x: Tensor) -> Tensor:
        return x.tril(-1) + x.diagonal(dim1=-2, dim2=-1).exp().diag_embed()

    def _inverse(self, y: Tensor) -> Tensor:
        return y.tril(-1) + y.diagonal(dim1=-2, dim2=-1).log().diag_embed()


class PositiveDefiniteTransform(_OfOneClass):
    """Square matrices onto positive definite ones: the product of their Cholesky factor."""

    domain = constraints.independent(constraints.real, 2)
    codomain = constraints.positive_definite

    def _call(self, x: Tensor) -> Tensor:
        factor = LowerCholeskyTransform()(x)
        return factor @ factor.mT

    def _inverse(self, y: Tensor) -> Tensor:
        return LowerCholeskyTransform().inv(pytensor.linalg.cholesky(y))


class CorrCholeskyTransform(Transform):
    """Vectors of n (n - 1) / 2 numbers onto Cholesky factors of n x n correlation matrices.

    tanh turns the numbers into partial correlations, and these fill each row by stick breaking of
    its squared length, which is 1.
    """

    domain = constraints.real_vector
    codomain = constraints.corr_cholesky
    bijective = True

    def _call(self, x: Tensor) -> Tensor:
        eps = pytensor.finfo(x.dtype).eps
        partial = x.tanh().clamp(min=-1 + eps, max=1 - eps)
        r = vec_to_tril_matrix(partial, diag=-1)
        # the root of what each row has left after each break
        left = (1 - r.square()).sqrt().cumprod(-1)
        unit = pytensor.eye(r.shape[-1], dtype=r.dtype, device=r.device)
        return (r + unit) * _after_one(left)

    def _inverse(self, y: Tensor) -> Tensor:
        rest = 1 - (y * y).cumsum(-1)
        rest = _after_one(rest)
        t = tril_matrix_to_vec(y, diag=-1) / tril_matrix_to_vec(rest, diag=-1).sqrt()
        # atanh(t), from both sides of 0 alike
        return (t.log1p() - t.neg().log1p()) / 2

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor, intermediates: Any = None) -> Tensor:
        rest = 1 - (y * y).cumsum(-1)
        # the last column of a row is what is left: it has no number of its own
        rows = tril_matrix_to_vec(rest, diag=-2)
        breaking = 0.5 * rows.log().sum(-1)
        slopes = -2 * (x + pytensor.softplus(-2 * x) - math.log(2.0)).sum(-1)
        return breaking + slopes

    def forward_shape(self, shape: Any) -> Any:
        _check_dim(shape, 1)
        n = shape[-1]
        side = round((0.25 + 2 * n) ** 0.5 + 0.5)
        if side * (side - 1) // 2 != n:
            raise ValueError("Input is not a flattened lower-diagonal number")
        return (*shape[:-1], side, side)

    def inverse_shape(self, shape: Any) -> Any:
        _check_dim(shape, 2)
        if shape[-2] != shape[-1]:
            raise ValueError("Input is not square")
        side = shape[-1]
        return (*shape[:-2], side * (side - 1) // 2)
