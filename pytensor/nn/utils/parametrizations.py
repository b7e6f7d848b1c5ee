"""Ready-made parametrizations: ``weight_norm``, ``spectral_norm``, ``orthogonal``.

Part of ``pytensor.nn.utils``; see ``parametrize.py``.
"""

from __future__ import annotations

from typing import Any

import pytensor
from pytensor import Tensor
from pytensor.nn import functional as F
from pytensor.nn.modules.module import Module
from pytensor.nn.utils import parametrize
from pytensor.nn.utils.spectral_norm import as_matrix, default_dim
from pytensor.nn.utils.weight_norm import compose_weight, norm_except_dim

__all__ = ["orthogonal", "spectral_norm", "weight_norm"]


class _WeightNorm(Module):
    def __init__(self, dim: int | None = 0) -> None:
        super().__init__()
        self.dim = -1 if dim is None else dim

    def forward(self, weight_g: Tensor, weight_v: Tensor) -> Tensor:
        return compose_weight(weight_v, weight_g, self.dim)

    def right_inverse(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        return norm_except_dim(weight, 2, self.dim), weight


def weight_norm(module: Any, name: str = "weight", dim: int | None = 0) -> Any:
    """Splits a weight into its length (``original0``) and direction (``original1``).

    Salimans and Kingma, "Weight normalization", 2016.

    Args:
        module: the module, which is returned.
        name: of the weight. Default: ``"weight"``.
        dim: the dimension that keeps lengths of its own; None: one length for all. Default: 0.

    Example::

        >>> net = pytensor.nn.utils.parametrizations.weight_norm(pytensor.nn.Linear(2, 3))
        >>> net.parametrizations.weight.original0.shape
        torch.Size([3, 1])
    """
    parametrize.register_parametrization(module, name, _WeightNorm(dim), unsafe=True)

    def load_old_names(state_dict: Any, prefix: str, *_: Any) -> None:
        old = [f"{prefix}{name}_g", f"{prefix}{name}_v"]
        if all(key in state_dict for key in old):
            for i, key in enumerate(old):
                new = f"{prefix}parametrizations.{name}.original{i}"
                state_dict[new] = state_dict.pop(key)

    module._register_load_state_dict_pre_hook(load_old_names)
    return module


class _SpectralNorm(Module):
    _u: Tensor
    _v: Tensor

    def __init__(
        self, weight: Tensor, n_power_iterations: int = 1, dim: int = 0, eps: float = 1e-12
    ) -> None:
        super().__init__()
        ndim = weight.dim()
        if not -ndim <= dim < ndim:
            raise IndexError(
                f"Dimension out of range (expected to be in range of [-{ndim}, {ndim - 1}] but "
                f"got {dim})"
            )
        if n_power_iterations <= 0:
            raise ValueError(
                "Expected n_power_iterations to be positive, but "
                f"got n_power_iterations={n_power_iterations}"
            )
        self.dim = dim % ndim
        self.eps = eps
        self.n_power_iterations = n_power_iterations
        if ndim > 1:
            matrix = as_matrix(weight, self.dim).detach()
            height, width = matrix.shape
            u = matrix.new_empty(height).normal_(0, 1)
            v = matrix.new_empty(width).normal_(0, 1)
            self.register_buffer("_u", F.normalize(u, dim=0, eps=eps))
            self.register_buffer("_v", F.normalize(v, dim=0, eps=eps))
            self._power_method(matrix, 15)

    def _power_method(self, matrix: Tensor, steps: int) -> None:
        with pytensor.no_grad():
            for _ in range(steps):
                F.normalize(matrix.mv(self._v), dim=0, eps=self.eps, out=self._u)
                F.normalize(matrix.t().mv(self._u), dim=0, eps=self.eps, out=self._v)

    def forward(self, weight: Tensor) -> Tensor:
        if weight.dim() == 1:
            return F.normalize(weight, dim=0, eps=self.eps)
        matrix = as_matrix(weight, self.dim)
        if self.training:
            self._power_method(matrix, self.n_power_iterations)
        # Copies, so that backward sees these values after further forwards.
        u, v = self._u.clone(), self._v.clone()
        return weight / pytensor.dot(u, matrix.mv(v))

    def right_inverse(self, value: Tensor) -> Tensor:
        return value


def spectral_norm(
    module: Any,
    name: str = "weight",
    n_power_iterations: int = 1,
    eps: float = 1e-12,
    dim: int | None = None,
) -> Any:
    """Divides a weight by its largest singular value.

    Miyato et al., "Spectral normalization for generative adversarial networks", 2018.

    Args:
        module: the module, which is returned.
        name: of the weight. Default: ``"weight"``.
        n_power_iterations: steps per use in training. Default: 1.
        eps: the least length to divide by. Default: 1e-12.
        dim: the dimension of the outputs. Default: 1 for transposed convolutions, else 0.

    Example::

        >>> net = pytensor.nn.utils.parametrizations.spectral_norm(pytensor.nn.Linear(4, 4))
        >>> bool(abs(pytensor.linalg.matrix_norm(net.weight, 2) - 1) < 0.5)
        True
    """
    weight = getattr(module, name, None)
    if not isinstance(weight, Tensor):
        raise ValueError(f"Module '{module}' has no parameter or buffer with name '{name}'")
    dim = default_dim(module) if dim is None else dim
    norm = _SpectralNorm(weight, n_power_iterations, dim, eps)
    return parametrize.register_parametrization(module, name, norm)


def _householder_product(vectors: Tensor, tau: Tensor) -> Tensor:
    """The first columns of the product of reflections ``1 - tau v v^T``; v is a column below the
    diagonal, with 1 on it."""
    n, k = vectors.shape[-2:]
    below = vectors.tril(-1)
    unit = pytensor.eye(n, k, dtype=vectors.dtype, device=vectors.device)
    v = below + unit
    product = unit.expand(vectors.shape)
    for i in reversed(range(k)):
        column = v[..., i : i + 1]
        scale = tau[..., i : i + 1].unsqueeze(-1)
        product = product - scale * column @ (column.mT @ product)
    return product


def _to_householder(q: Tensor) -> Tensor:
    """Vectors and signs such that ``_Orthogonal`` gives back an orthogonal matrix."""
    r = q.clone()
    n, k = r.shape[-2:]
    vectors = pytensor.zeros_like(r)
    for i in range(k):
        x = r[..., i:, i]
        length = x.norm(dim=-1)
        head = x[..., 0]
        beta = pytensor.where(head >= 0, -length, length)
        tail = x[..., 1:] / (head - beta).unsqueeze(-1)
        flat = x[..., 1:].abs().sum(-1) == 0
        if i + 1 < n:
            tail = pytensor.where(flat.unsqueeze(-1), pytensor.zeros_like(tail), tail)
            vectors[..., i + 1 :, i] = tail
        # Where nothing is left to reflect, `forward` still reflects by -1.
        sign = pytensor.where(flat, -head.sign(), beta.sign())
        column = pytensor.cat([pytensor.ones_like(x[..., :1]), tail], -1).unsqueeze(-1)
        tau = pytensor.where(flat, pytensor.zeros_like(beta), (beta - head) / beta)
        rest = r[..., i:, i:]
        rest -= tau[..., None, None] * column @ (column.mT @ rest)
        vectors[..., i, i] = sign
    return vectors


class _Orthogonal(Module):
    base: Tensor | None

    def __init__(self, weight: Tensor, orthogonal_map: str, use_trivialization: bool) -> None:
        super().__init__()
        self.shape = weight.shape
        self.orthogonal_map = orthogonal_map
        self.trivialized = use_trivialization
        if use_trivialization:
            self.register_buffer("base", None)

    def forward(self, X: Tensor) -> Tensor:
        n, k = X.shape[-2:]
        transposed = n < k
        if transposed:
            X, n, k = X.mT, k, n
        if self.orthogonal_map == "householder":
            below = X.tril(-1)
            tau = 2.0 / (1.0 + (below * below).sum(-2))
            signs = X.diagonal(dim1=-2, dim2=-1).detach().sign()
            Q = _householder_product(below, tau) * signs.unsqueeze(-2)
        else:
            X = X.tril()
            if n != k:
                padding = X.new_zeros(n, n - k).expand(*X.shape[:-2], -1, -1)
                X = pytensor.cat([X, padding], -1)
            A = X - X.mT
            if self.orthogonal_map == "matrix_exp":
                Q = pytensor.matrix_exp(A)
            else:
                one = pytensor.eye(n, dtype=A.dtype, device=A.device)
                Q = pytensor.linalg.solve(one - 0.5 * A, one + 0.5 * A)
            Q = Q[..., :k]
        if self.trivialized and self.base is not None:
            Q = self.base @ Q
        return Q.mT if transposed else Q

    def right_inverse(self, Q: Tensor) -> Tensor:
        if Q.shape != self.shape:
            raise ValueError(
                f"Expected a matrix or batch of matrices of shape {self.shape}. Got a tensor of "
                f"shape {Q.shape}."
            )
        with pytensor.no_grad():
            given = Q
            transposed = Q.shape[-2] < Q.shape[-1]
            if transposed:
                Q = Q.mT
            n, k = Q.shape[-2:]
            if not self.trivialized:
                if self.orthogonal_map != "householder":
                    raise NotImplementedError(
                        "It is not possible to assign to the matrix exponential or the Cayley "
                        "parametrizations when use_trivialization=False."
                    )
                vectors = _to_householder(Q)
                return vectors.mT if transposed else vectors
            if n != k:
                noise = pytensor.randn(*Q.shape[:-2], n, n - k, dtype=Q.dtype, device=Q.device)
                Q = pytensor.cat([Q, noise], -1)
            self.base = Q.clone() if n == k and _is_orthogonal(Q) else _make_orthogonal(Q)
            start = pytensor.zeros_like(given)
            start.diagonal(dim1=-2, dim2=-1).fill_(-1.0)
            return start


def _is_orthogonal(Q: Tensor) -> bool:
    n, k = Q.shape[-2:]
    one = pytensor.eye(k, dtype=Q.dtype, device=Q.device)
    eps = 10.0 * n * pytensor.finfo(Q.dtype).eps
    return pytensor.allclose(Q.mT @ Q, one.expand(*Q.shape[:-2], k, k), atol=eps)


def _make_orthogonal(A: Tensor) -> Tensor:
    Q, R = pytensor.linalg.qr(A)
    return Q * R.diagonal(dim1=-2, dim2=-1).sgn().unsqueeze(-2)


def orthogonal(
    module: Any,
    name: str = "weight",
    orthogonal_map: str | None = None,
    *,
    use_trivialization: bool = True,
) -> Any:
    """Keeps a matrix orthogonal: ``Q^T Q = 1``, or ``Q Q^T = 1`` where it is wide.

    Lezcano-Casado, "Trivializations for gradient-based optimization on manifolds", 2019.

    Args:
        module: the module, which is returned.
        name: of the matrix, or batch of matrices. Default: ``"weight"``.
        orthogonal_map: ``"matrix_exp"``, ``"cayley"`` or ``"householder"``. Default: the first
            for square matrices, else the last.
        use_trivialization: starts from a base matrix, which keeps steps well conditioned.
            Default: ``True``.

    Example::

        >>> net = pytensor.nn.utils.parametrizations.orthogonal(pytensor.nn.Linear(4, 2))
        >>> q = net.weight
        >>> bool(pytensor.allclose(q @ q.t(), pytensor.eye(2), atol=1e-5))
        True
    """
    weight = getattr(module, name, None)
    if not isinstance(weight, Tensor):
        raise ValueError(f"Module '{module}' has no parameter or buffer with name '{name}'")
    if weight.dim() < 2:
        raise ValueError(
            f"Expected a matrix or batch of matrices. Got a tensor of {weight.dim()} dimensions."
        )
    if orthogonal_map is None:
        square = weight.shape[-2] == weight.shape[-1]
        orthogonal_map = "matrix_exp" if square else "householder"
    if orthogonal_map not in ("matrix_exp", "cayley", "householder"):
        raise ValueError(
            'orthogonal_map has to be one of "matrix_exp", "cayley", "householder". '
            f"Got: {orthogonal_map}"
        )
    parametrization = _Orthogonal(weight, orthogonal_map, use_trivialization)
    return parametrize.register_parametrization(module, name, parametrization, unsafe=True)
