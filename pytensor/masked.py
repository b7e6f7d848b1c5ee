"""``pytensor.masked``: reductions and normalisations over the elements that a mask allows.

A mask is True where an element counts. What counts nowhere gives the value of an empty reduction:
0 for sums, 1 for products, NaN for means. Without a mask, all elements count. There are functions
on tensors only, no ``MaskedTensor``.
"""

from __future__ import annotations

import math
from typing import Any

import pytensor
from pytensor import Tensor

__all__ = [
    "amax",
    "amin",
    "argmax",
    "argmin",
    "cumprod",
    "cumsum",
    "log_softmax",
    "logaddexp",
    "logsumexp",
    "mean",
    "norm",
    "normalize",
    "prod",
    "softmax",
    "softmin",
    "std",
    "sum",
    "var",
]


def _prepare(name: str, input: Tensor, mask: Any, dtype: Any) -> tuple[Tensor, Any]:
    """The input in the wanted dtype, and the mask in its shape."""
    if not isinstance(input, Tensor):
        raise TypeError(
            f"masked.{name}(): argument 'input' must be Tensor, not {type(input).__name__}"
        )
    value = input if dtype is None else input.to(dtype)
    if mask is None:
        return value, None
    if not isinstance(mask, Tensor):
        raise TypeError(
            f"masked.{name}(): argument 'mask' must be Tensor, not {type(mask).__name__}"
        )
    return value, mask.to(pytensor.bool).expand(value.shape)


def _filled(value: Tensor, mask: Any, number: float) -> Tensor:
    """The value with a number where nothing counts."""
    return value if mask is None else value.masked_fill(~mask, number)


def _dims(value: Tensor, dim: Any) -> tuple[int, ...]:
    if dim is None:
        return tuple(range(value.dim()))
    return (dim,) if isinstance(dim, int) else tuple(dim)


def _least(dtype: Any) -> float:
    if dtype.is_floating_point:
        return -math.inf
    return 0 if dtype == pytensor.bool else pytensor.iinfo(dtype).min


def _most(dtype: Any) -> float:
    if dtype.is_floating_point:
        return math.inf
    return 1 if dtype == pytensor.bool else pytensor.iinfo(dtype).max


def sum(
    input: Tensor, dim: Any = None, *, keepdim: bool = False, dtype: Any = None, mask: Any = None
) -> Tensor:
    """The sum of what counts.

    Args:
        input: the tensor.
        dim: the dimension or dimensions. Default: all.
        keepdim: whether these stay, with size 1.
        dtype: of the result; the input is converted to it.
        mask: True where an element counts, of a shape that expands to the input's.

    Raises:
        TypeError: if input or mask is no tensor.

    Example::

        >>> x, mask = pytensor.tensor([1.0, 2.0]), pytensor.tensor([True, False])
        >>> pytensor.masked.sum(x, mask=mask)
        tensor(1.)
    """
    value, mask = _prepare("sum", input, mask, dtype)
    return _filled(value, mask, 0).sum(_dims(value, dim), keepdim=keepdim)


def prod(
    input: Tensor, dim: Any = None, *, keepdim: bool = False, dtype: Any = None, mask: Any = None
) -> Tensor:
    """The product of what counts; arguments as for ``sum``."""
    value, mask = _prepare("prod", input, mask, dtype)
    result = _filled(value, mask, 1)
    for d in sorted((d % max(value.dim(), 1) for d in _dims(value, dim)), reverse=True):
        result = result.prod(d, keepdim=keepdim)
    return result


def amax(
    input: Tensor, dim: Any = None, *, keepdim: bool = False, dtype: Any = None, mask: Any = None
) -> Tensor:
    """The largest of what counts; arguments as for ``sum``."""
    value, mask = _prepare("amax", input, mask, dtype)
    return _filled(value, mask, _least(value.dtype)).amax(_dims(value, dim), keepdim=keepdim)


def amin(
    input: Tensor, dim: Any = None, *, keepdim: bool = False, dtype: Any = None, mask: Any = None
) -> Tensor:
    """The smallest of what counts; arguments as for ``sum``."""
    value, mask = _prepare("amin", input, mask, dtype)
    return _filled(value, mask, _most(value.dtype)).amin(_dims(value, dim), keepdim=keepdim)


def argmax(
    input: Tensor, dim: Any = None, *, keepdim: bool = False, dtype: Any = None, mask: Any = None
) -> Tensor:
    """Where the largest of what counts is; arguments as for ``sum``, of one dimension or all."""
    value, mask = _prepare("argmax", input, mask, dtype)
    return _filled(value, mask, _least(value.dtype)).argmax(dim, keepdim=keepdim)


def argmin(
    input: Tensor, dim: Any = None, *, keepdim: bool = False, dtype: Any = None, mask: Any = None
) -> Tensor:
    """Where the smallest of what counts is; arguments as for ``sum``, of one dimension or all."""
    value, mask = _prepare("argmin", input, mask, dtype)
    return _filled(value, mask, _most(value.dtype)).argmin(dim, keepdim=keepdim)


def _counted(value: Tensor, mask: Any, dims: tuple[int, ...], keepdim: bool) -> Any:
    """How many elements count."""
    if mask is None:
        return math.prod(value.shape[d] for d in dims)
    return mask.sum(dims, keepdim=keepdim)


def mean(
    input: Tensor, dim: Any = None, *, keepdim: bool = False, dtype: Any = None, mask: Any = None
) -> Tensor:
    """The mean of what counts; arguments as for ``sum``.

    Raises:
        ValueError: for a dtype that is not floating-point.

    Example::

        >>> x, mask = pytensor.tensor([1.0, 2.0, 6.0]), pytensor.tensor([True, False, True])
        >>> pytensor.masked.mean(x, mask=mask)
        tensor(3.5000)
    """
    value, mask = _prepare("mean", input, mask, dtype)
    if not value.is_floating_point():
        raise ValueError(f"masked.mean(): expected a floating-point dtype, got {value.dtype}")
    dims = _dims(value, dim)
    if mask is None:
        return value.mean(dims, keepdim=keepdim)
    return _filled(value, mask, 0).sum(dims, keepdim=keepdim) / _counted(value, mask, dims, keepdim)


def var(
    input: Tensor,
    dim: Any = None,
    unbiased: bool | None = None,
    *,
    correction: float | None = None,
    keepdim: bool = False,
    dtype: Any = None,
    mask: Any = None,
) -> Tensor:
    """The variance of what counts.

    Args:
        input, dim, keepdim, dtype, mask: as for ``sum``.
        unbiased: whether the correction is 1. Default: it is.
        correction: what is taken from the number of elements in the divisor.

    Raises:
        ValueError: if both `unbiased` and `correction` are given.

    Example::

        >>> x, mask = pytensor.tensor([1.0, 2.0, 5.0]), pytensor.tensor([True, False, True])
        >>> pytensor.masked.var(x, mask=mask)
        tensor(8.)
    """
    if unbiased is not None and correction is not None:
        raise ValueError("Only one of unbiased and correction may be given")
    taken = correction if correction is not None else 0.0 if unbiased is False else 1.0
    value, mask = _prepare("var", input, mask, dtype)
    if not value.is_floating_point():
        value = value.to(pytensor.get_default_dtype())
    dims = _dims(value, dim)
    count = _counted(value, mask, dims, True)
    center = _filled(value, mask, 0).sum(dims, keepdim=True) / count
    squares = _filled((value - center).square(), mask, 0).sum(dims, keepdim=keepdim)
    divisor = pytensor.as_tensor(_counted(value, mask, dims, keepdim), dtype=value.dtype) - taken
    return squares / divisor.clamp(min=0)


def std(
    input: Tensor,
    dim: Any = None,
    unbiased: bool | None = None,
    *,
    correction: float | None = None,
    keepdim: bool = False,
    dtype: Any = None,
    mask: Any = None,
) -> Tensor:
    """The standard deviation of what counts; arguments as for ``var``."""
    return var(
        input, dim, unbiased, correction=correction, keepdim=keepdim, dtype=dtype, mask=mask
    ).sqrt()


def norm(
    input: Tensor,
    ord: float = 2.0,
    dim: Any = None,
    *,
    keepdim: bool = False,
    dtype: Any = None,
    mask: Any = None,
) -> Tensor:
    """The vector norm of what counts.

    Args:
        input, dim, keepdim, dtype, mask: as for ``sum``.
        ord: the order.
    """
    value, mask = _prepare("norm", input, mask, dtype)
    ignored = math.inf if ord == -math.inf else 0  # 0 would be the smallest
    filled = _filled(value, mask, ignored)
    return pytensor.linalg.vector_norm(filled, ord, dim=_dims(value, dim), keepdim=keepdim)


def logsumexp(
    input: Tensor, dim: Any = None, *, keepdim: bool = False, dtype: Any = None, mask: Any = None
) -> Tensor:
    """The logarithm of the sum of exp of what counts; arguments as for ``sum``."""
    value, mask = _prepare("logsumexp", input, mask, dtype)
    return _filled(value, mask, -math.inf).logsumexp(_dims(value, dim), keepdim=keepdim)


def logaddexp(
    input: Tensor,
    other: Tensor,
    *,
    dtype: Any = None,
    input_mask: Any = None,
    other_mask: Any = None,
) -> Tensor:
    """The logarithm of the sum of exp of two tensors, of those elements that count.

    Args:
        input, other: the tensors.
        dtype: of the result.
        input_mask, other_mask: True where an element counts.
    """
    a, a_mask = _prepare("logaddexp", input, input_mask, dtype)
    b, b_mask = _prepare("logaddexp", other, other_mask, dtype)
    return pytensor.logaddexp(_filled(a, a_mask, -math.inf), _filled(b, b_mask, -math.inf))


def cumsum(input: Tensor, dim: int, *, dtype: Any = None, mask: Any = None) -> Tensor:
    """Running sums of what counts; arguments as for ``sum``, of one dimension."""
    value, mask = _prepare("cumsum", input, mask, dtype)
    return _filled(value, mask, 0).cumsum(dim)


def cumprod(input: Tensor, dim: int, *, dtype: Any = None, mask: Any = None) -> Tensor:
    """Running products of what counts; arguments as for ``sum``, of one dimension."""
    value, mask = _prepare("cumprod", input, mask, dtype)
    return _filled(value, mask, 1).cumprod(dim)


def softmax(input: Tensor, dim: int, *, dtype: Any = None, mask: Any = None) -> Tensor:
    """Softmax over what counts; arguments as for ``sum``, of one dimension.

    Example::

        >>> x, mask = pytensor.zeros(3), pytensor.tensor([True, False, True])
        >>> pytensor.masked.softmax(x, 0, mask=mask)
        tensor([0.5000, 0.0000, 0.5000])
    """
    value, mask = _prepare("softmax", input, mask, dtype)
    return _filled(value, mask, -math.inf).softmax(dim)


def log_softmax(input: Tensor, dim: int, *, dtype: Any = None, mask: Any = None) -> Tensor:
    """The logarithm of ``softmax``; arguments as for ``sum``, of one dimension."""
    value, mask = _prepare("log_softmax", input, mask, dtype)
    return _filled(value, mask, -math.inf).log_softmax(dim)


def softmin(input: Tensor, dim: int, *, dtype: Any = None, mask: Any = None) -> Tensor:
    """``softmax`` of the negated input; arguments as for ``sum``, of one dimension."""
    value, mask = _prepare("softmin", input, mask, dtype)
    return (-_filled(value, mask, math.inf)).softmax(dim)


def normalize(
    input: Tensor,
    ord: float,
    dim: int,
    *,
    eps: float = 1e-12,
    dtype: Any = None,
    mask: Any = None,
) -> Tensor:
    """What counts, divided by its norm; 0 elsewhere.

    Args:
        input, dim, dtype, mask: as for ``sum``.
        ord: the order of the norm.
        eps: the least divisor.
    """
    value, mask = _prepare("normalize", input, mask, dtype)
    size = norm(value, ord, dim, keepdim=True, mask=mask)
    return _filled(value, mask, 0) / size.clamp(min=eps)
