"""What the distributions share: broadcasting of parameters, properties that are kept, and the two
ways to write probabilities."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Number
from typing import Any

import pytensor
from pytensor import Tensor

__all__ = [
    "broadcast_all",
    "clamp_probs",
    "euler_constant",
    "lazy_property",
    "logits_to_probs",
    "probs_to_logits",
    "tril_matrix_to_vec",
    "vec_to_tril_matrix",
]

euler_constant = 0.57721566490153286060  # the limit of 1 + 1/2 + ... + 1/n - log n


def broadcast_all(*values: Any) -> tuple[Tensor, ...]:
    """Tensors and numbers as tensors of one shape.

    Args:
        *values: numbers take the dtype and device of the first tensor, or the default ones.

    Raises:
        ValueError: if one is neither a tensor nor a number.

    Example::

        >>> pytensor.distributions.utils.broadcast_all(pytensor.zeros(2), 1)
        (tensor([0., 0.]), tensor([1., 1.]))
    """
    if not all(isinstance(v, (Tensor, Number)) for v in values):
        raise ValueError(
            "Input arguments must all be instances of Number, torch.Tensor or objects "
            "implementing __torch_function__."
        )
    first = next((v for v in values if isinstance(v, Tensor)), None)
    dtype = pytensor.get_default_dtype() if first is None else first.dtype
    device = None if first is None else first.device
    tensors = [
        v if isinstance(v, Tensor) else pytensor.tensor(v, dtype=dtype, device=device)
        for v in values
    ]
    if all(t.shape == tensors[0].shape for t in tensors):
        return tuple(tensors)
    return tuple(pytensor.broadcast_tensors(*tensors))


def standard_normal(like: Tensor, shape: Any) -> Tensor:
    """Standard normal numbers of the dtype and device of a tensor."""
    return like.detach().new_empty(tuple(shape)).normal_()


def uniform(like: Tensor, shape: Any) -> Tensor:
    """Uniform numbers from [0, 1) of the dtype and device of a tensor."""
    return pytensor.rand(tuple(shape), dtype=like.dtype, device=like.device)


def sum_rightmost(value: Tensor, dims: int) -> Tensor:
    """The sum over the last `dims` dimensions."""
    if dims == 0:
        return value
    return value.reshape((*value.shape[: value.dim() - dims], -1)).sum(-1)


def clamp_probs(probs: Tensor) -> Tensor:
    """Probabilities kept away from 0 and 1 by the dtype's epsilon.

    Args:
        probs: the probabilities.

    Example::

        >>> pytensor.distributions.utils.clamp_probs(pytensor.tensor([0.0]))
        tensor([1.1921e-07])
    """
    eps = pytensor.finfo(probs.dtype).eps
    return probs.clamp(min=eps, max=1 - eps)


def probs_to_logits(probs: Tensor, is_binary: bool = False) -> Tensor:
    """Log odds of probabilities, or their logarithms where there are several categories.

    Args:
        probs: the probabilities.
        is_binary: whether each is that of success against failure.

    Example::

        >>> pytensor.distributions.utils.probs_to_logits(pytensor.tensor(0.5), is_binary=True)
        tensor(0.)
    """
    clamped = clamp_probs(probs)
    return clamped.log() - (-clamped).log1p() if is_binary else clamped.log()


def logits_to_probs(logits: Tensor, is_binary: bool = False) -> Tensor:
    """The probabilities of logits: their sigmoid, or softmax over the last dimension.

    Args:
        logits: the log odds, or unnormalised logarithms of probabilities.
        is_binary: whether each is that of success against failure.

    Example::

        >>> pytensor.distributions.utils.logits_to_probs(pytensor.zeros(2))
        tensor([0.5000, 0.5000])
    """
    return logits.sigmoid() if is_binary else logits.softmax(-1)


def vec_to_tril_matrix(vec: Tensor, diag: int = 0) -> Tensor:
    """Vectors as lower triangular matrices, filled row by row.

    Args:
        vec: the vectors, in the last dimension.
        diag: the highest diagonal that is filled; 0 or below.

    Raises:
        ValueError: if no triangle has so many elements.

    Example::

        >>> pytensor.distributions.utils.vec_to_tril_matrix(pytensor.tensor([1.0, 2.0, 3.0]))
        tensor([[1., 0.],
                [2., 3.]])
    """
    count = vec.shape[-1]
    # n solves n * (n + 1) / 2 = count for the side of the triangle, n = side + diag.
    side = (
        -(1 + 2 * diag) + ((1 + 2 * diag) ** 2 + 8 * count + 4 * abs(diag) * (diag + 1)) ** 0.5
    ) / 2
    n = round(side)
    if abs(side - n) > pytensor.finfo(vec.dtype).eps:
        raise ValueError(
            f"The size of last dimension is {count} which cannot be expressed as "
            "the lower triangular part of a square D x D matrix."
        )
    row, column = pytensor.tril_indices(n, n, diag, device=vec.device).unbind(0)
    matrix = vec.new_zeros((*vec.shape[:-1], n, n))
    return matrix.flatten(-2).index_copy(-1, row * n + column, vec).unflatten(-1, (n, n))


def tril_matrix_to_vec(mat: Tensor, diag: int = 0) -> Tensor:
    """The elements on and below a diagonal of square matrices, row by row.

    Args:
        mat: the matrices, in the last two dimensions.
        diag: the highest diagonal that is taken.

    Raises:
        ValueError: if the diagonal lies outside of the matrix.

    Example::

        >>> pytensor.distributions.utils.tril_matrix_to_vec(pytensor.eye(2))
        tensor([1., 0., 1.])
    """
    n = mat.shape[-1]
    if not -n <= diag < n:
        raise ValueError(f"diag ({diag}) provided is outside [{-n}, {n - 1}].")
    row, column = pytensor.tril_indices(n, n, diag, device=mat.device).unbind(0)
    return mat.flatten(-2).index_select(-1, row * n + column)


class lazy_property:
    """A property computed when first read and then kept in the instance.

    It records gradients even where they are switched off, since others may read it later.

    Args:
        wrapped: the getter.

    Example::

        >>> class Circle:
        ...     @pytensor.distributions.utils.lazy_property
        ...     def area(self):
        ...         print("computed")
        ...         return 3.14
        >>> circle = Circle()
        >>> circle.area, circle.area
        computed
        (3.14, 3.14)
    """

    def __init__(self, wrapped: Callable[[Any], Any]) -> None:
        self.wrapped = wrapped
        self.__doc__ = wrapped.__doc__

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            return self
        with pytensor.enable_grad():
            value = self.wrapped(instance)
        setattr(instance, self.wrapped.__name__, value)
        return value
