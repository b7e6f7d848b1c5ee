"""The LKJ distribution of correlation matrices, by their Cholesky factors."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import pytensor
from pytensor import Size, Tensor
from pytensor.distributions import constraints
from pytensor.distributions.beta import Beta
from pytensor.distributions.distribution import Distribution
from pytensor.distributions.utils import broadcast_all

__all__ = ["LKJCholesky"]


class LKJCholesky(Distribution):
    """Lower Cholesky factors of correlation matrices, with a density of ``det ** (eta - 1)``.

    Sampled by the onion method (D. Lewandowski, D. Kurowicka, H. Joe, 2009).

    Args:
        dim: the number of rows, at least 2.
        concentration: eta; 1 is uniform over correlation matrices.
        validate_args: whether arguments are checked.

    Raises:
        ValueError: for fewer rows.

    Example::

        >>> factor = pytensor.distributions.LKJCholesky(3, 0.5).sample()
        >>> pytensor.allclose((factor @ factor.T).diagonal(), pytensor.ones(3))
        True
    """

    arg_constraints: ClassVar[Any] = {"concentration": constraints.positive}
    support = constraints.corr_cholesky

    def __init__(
        self, dim: int, concentration: Any = 1.0, validate_args: bool | None = None
    ) -> None:
        if dim < 2:
            raise ValueError(
                f"Expected dim to be an integer greater than or equal to 2. Found dim={dim}."
            )
        self.dim = dim
        (self.concentration,) = broadcast_all(concentration)
        batch_shape = self.concentration.shape
        super().__init__(batch_shape, Size((dim, dim)), validate_args)
        # row k (from 1) has a squared length below the diagonal of Beta(k / 2, ...)
        marginal = self.concentration + 0.5 * (dim - 2)
        offset = pytensor.arange(
            dim - 1, dtype=self.concentration.dtype, device=self.concentration.device
        )
        offset = pytensor.cat([offset.new_zeros((1,)), offset])
        self._beta = Beta(offset + 0.5, marginal.unsqueeze(-1) - 0.5 * offset)

    def _expand_parts(self, new: Any, batch_shape: Size) -> None:
        new._beta = self._beta.expand((*batch_shape, self.dim))

    def sample(self, sample_shape: Any = ()) -> Tensor:
        with pytensor.no_grad():
            length = self._beta.sample(sample_shape).unsqueeze(-1)
            normal = pytensor.randn(
                self._extended_shape(sample_shape), dtype=length.dtype, device=length.device
            ).tril(-1)
            direction = normal / normal.norm(dim=-1, keepdim=True)
            direction[..., 0, :].fill_(0.0)
            w = length.sqrt() * direction
            tiny = pytensor.finfo(w.dtype).tiny
            diagonal = (1 - w.square().sum(-1)).clamp(min=tiny).sqrt()
            return w + diagonal.diag_embed()

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        diagonal = value.diagonal(dim1=-1, dim2=-2)[..., 1:]
        order = pytensor.arange(2, self.dim + 1, device=self.concentration.device)
        order = 2 * (self.concentration - 1).unsqueeze(-1) + self.dim - order
        unnormalized = (order * diagonal.log()).sum(-1)
        # the normaliser of page 1999 in the paper, for factors instead of matrices
        n = self.dim - 1
        alpha = self.concentration + 0.5 * n
        normalizer = pytensor.mvlgamma(alpha - 0.5, n) - alpha.lgamma() * n
        return unnormalized - (0.5 * n * math.log(math.pi) + normalizer)
