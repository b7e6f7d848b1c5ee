"""The dropout family, with PyTorch's random streams. Part of ``pytensor.nn.functional``.

Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting", 2014; the
alpha forms are of Klambauer et al., "Self-normalizing neural networks", 2017.
"""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING

import pytensor
from pytensor import _ops

if TYPE_CHECKING:
    from pytensor import Tensor

__all__ = [
    "alpha_dropout",
    "dropout",
    "dropout1d",
    "dropout2d",
    "dropout3d",
    "feature_alpha_dropout",
]

_dropout = _ops.dropout

# -lambda * alpha of selu: what its negative branch tends to, negated.
_ALPHA = 1.7580993408473766


def _check(p: float) -> None:
    if p < 0.0 or p > 1.0:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")


def _apply(input: Tensor, p: float, training: bool, inplace: bool, feature: bool) -> Tensor:
    """Multiplies with noise of 0 and 1 / (1 - p), one value for each element or channel."""
    if p == 0 or not training or input.numel() == 0:
        return input
    if p == 1:
        noise = pytensor.zeros((), dtype=input.dtype, device=input.device)
    else:
        noise = _noise(input, p, feature).div_(1 - p)
    return input.mul_(noise) if inplace else input * noise


def _noise(input: Tensor, p: float, feature: bool) -> Tensor:
    if not feature:
        return pytensor.empty_like(input).bernoulli_(1 - p)
    if input.dim() < 2:
        raise RuntimeError("Feature dropout requires at least 2 dimensions in the input")
    shape = (*input.shape[:2], *(1,) * (input.dim() - 2))
    return pytensor.empty(shape, dtype=input.dtype, device=input.device).bernoulli_(1 - p)


def _apply_alpha(input: Tensor, p: float, training: bool, inplace: bool, feature: bool) -> Tensor:
    """Sets values to what selu tends to, then restores mean and variance by ``a * x + b``."""
    _check(p)
    if p == 0 or not training or input.numel() == 0:
        return input
    if p == 1:
        zero = pytensor.zeros((), dtype=input.dtype, device=input.device)
        return input.mul_(zero) if inplace else input * zero
    noise = _noise(input, p, feature)
    a = 1.0 / math.sqrt((_ALPHA * _ALPHA * p + 1) * (1 - p))
    b = (noise - 1).mul_(_ALPHA * a).add_(_ALPHA * a * p)
    noise.mul_(a)
    return input.mul_(noise).add_(b) if inplace else (input * noise).add_(b)


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Sets elements to zero with probability p and scales the others by ``1 / (1 - p)``.

    Args:
        input: floating point, any shape.
        p: the probability. Default: 0.5.
        training: ``False`` returns the input. Default: ``True``.
        inplace: may overwrite the input. Default: ``False``.

    Example::

        >>> pytensor.nn.functional.dropout(pytensor.ones(2), training=False)
        tensor([1., 1.])
    """
    if p < 0.0 or p > 1.0:
        _check(p)
    if inplace:
        return _apply(input, p, training, True, False)
    return _dropout(input, p, training)


def dropout1d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """``dropout`` of whole channels, whose arguments it takes.

    Shape:
        ``(N, C, L)`` or ``(C, L)``.

    Example::

        >>> x = pytensor.nn.functional.dropout1d(pytensor.ones(1, 3, 2))
        >>> bool((x[..., 0] == x[..., 1]).all())
        True
    """
    _check(p)
    if input.dim() not in (2, 3):
        raise RuntimeError(
            f"dropout1d: Expected 2D or 3D input, but received a {input.dim()}D input. "
            "Note that dropout1d exists to provide channel-wise dropout on inputs with 1 "
            "spatial dimension, a channel dimension, and an optional batch dimension "
            "(i.e. 2D or 3D inputs)."
        )
    return _channels(input, p, training, inplace, input.dim() == 2)


def dropout2d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """``dropout`` of whole channels, whose arguments it takes.

    Shape:
        ``(N, C, H, W)``; without batch dimension each ``(H, W)`` plane of ``(N, C, H)`` counts
        as PyTorch counts it, with a warning.

    Example::

        >>> x = pytensor.nn.functional.dropout2d(pytensor.ones(1, 3, 2, 2))
        >>> bool((x[..., 0] == x[..., 1]).all())
        True
    """
    _check(p)
    if input.dim() not in (3, 4):
        warnings.warn(
            f"dropout2d: Received a {input.dim()}-D input to dropout2d, which is deprecated and "
            "will result in an error in a future release. To retain the behavior and silence "
            "this warning, please use dropout instead. Note that dropout2d exists to provide "
            "channel-wise dropout on inputs with 2 spatial dimensions, a channel dimension, and "
            "an optional batch dimension (i.e. 3D or 4D inputs).",
            stacklevel=2,
        )
    if input.dim() == 3:
        warnings.warn(
            "dropout2d: Received a 3D input to dropout2d and assuming that channel-wise 1D "
            "dropout behavior is desired - input is interpreted as shape (N, C, L), where C is "
            "the channel dim. This behavior will change in a future release to interpret the "
            "input as one without a batch dimension, i.e. shape (C, H, W). To maintain the 1D "
            "channel-wise dropout behavior, please switch to using dropout1d instead.",
            stacklevel=2,
        )
    return _channels(input, p, training, inplace, False)


def dropout3d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """``dropout`` of whole channels, whose arguments it takes.

    Shape:
        ``(N, C, D, H, W)`` or ``(C, D, H, W)``.

    Example::

        >>> x = pytensor.nn.functional.dropout3d(pytensor.ones(1, 3, 2, 2, 2))
        >>> bool((x[..., 0] == x[..., 1]).all())
        True
    """
    _check(p)
    if input.dim() not in (4, 5):
        warnings.warn(
            f"dropout3d: Received a {input.dim()}-D input to dropout3d, which is deprecated and "
            "will result in an error in a future release. To retain the behavior and silence "
            "this warning, please use dropout instead. Note that dropout3d exists to provide "
            "channel-wise dropout on inputs with 3 spatial dimensions, a channel dimension, and "
            "an optional batch dimension (i.e. 4D or 5D inputs).",
            stacklevel=2,
        )
    return _channels(input, p, training, inplace, input.dim() != 5)


def _channels(input: Tensor, p: float, training: bool, inplace: bool, single: bool) -> Tensor:
    if single:
        input = input.unsqueeze_(0) if inplace else input.unsqueeze(0)
    result = _apply(input, p, training, inplace, True)
    if single:
        result = result.squeeze_(0) if inplace else result.squeeze(0)
    return result


def alpha_dropout(
    input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False
) -> Tensor:
    """Dropout that keeps mean and variance of what comes out of ``selu``.

    Args:
        input: floating point, any shape.
        p: the probability. Default: 0.5.
        training: ``False`` returns the input. Default: ``False``.
        inplace: may overwrite the input. Default: ``False``.

    Example::

        >>> pytensor.nn.functional.alpha_dropout(pytensor.ones(2))
        tensor([1., 1.])
    """
    return _apply_alpha(input, p, training, inplace, False)


def feature_alpha_dropout(
    input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False
) -> Tensor:
    """``alpha_dropout`` of whole channels, whose arguments it takes.

    Shape:
        ``(N, C, *)``.

    Example::

        >>> pytensor.nn.functional.feature_alpha_dropout(pytensor.ones(1, 2))
        tensor([[1., 1.]])
    """
    return _apply_alpha(input, p, training, inplace, True)
