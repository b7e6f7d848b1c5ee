"""Activations: ``relu`` to ``gumbel_softmax``. Part of ``pytensor.nn.functional``.

All work elementwise on floating-point tensors of any shape, except ``glu`` and the softmax family,
which go along a dimension. Those with ``inplace`` may overwrite their input.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import pytensor
from pytensor import _ops

if TYPE_CHECKING:
    from pytensor import Tensor

__all__ = [
    "celu",
    "celu_",
    "elu",
    "elu_",
    "gelu",
    "glu",
    "gumbel_softmax",
    "hardshrink",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
    "hardtanh_",
    "leaky_relu",
    "leaky_relu_",
    "log_softmax",
    "logsigmoid",
    "mish",
    "prelu",
    "relu",
    "relu6",
    "relu_",
    "rrelu",
    "rrelu_",
    "selu",
    "selu_",
    "sigmoid",
    "silu",
    "softmax",
    "softmin",
    "softplus",
    "softshrink",
    "softsign",
    "tanh",
    "tanhshrink",
    "threshold",
    "threshold_",
]

celu_ = _ops.celu_
elu_ = _ops.elu_
gelu = _ops.gelu
hardshrink = _ops.hardshrink
hardtanh_ = _ops.hardtanh_
leaky_relu_ = _ops.leaky_relu_
logsigmoid = _ops.logsigmoid
prelu = _ops.prelu
relu_ = _ops.relu_
rrelu_ = _ops.rrelu_
selu_ = _ops.selu_
sigmoid = _ops.sigmoid
softplus = _ops.softplus
softshrink = _ops.softshrink
softsign = _ops.softsign
tanh = _ops.tanh
tanhshrink = _ops.tanhshrink
threshold_ = _ops.threshold_

# The ops under private names, for the functions below that carry the public ones.
_relu, _relu6, _relu6_ = _ops.relu, _ops.relu6, _ops.relu6_
_elu, _selu, _celu = _ops.elu, _ops.selu, _ops.celu
_silu, _silu_, _mish, _mish_ = _ops.silu, _ops.silu_, _ops.mish, _ops.mish_
_leaky_relu, _rrelu, _threshold = _ops.leaky_relu, _ops.rrelu, _ops.threshold
_hardtanh, _hardsigmoid, _hardsigmoid_ = _ops.hardtanh, _ops.hardsigmoid, _ops.hardsigmoid_
_hardswish, _hardswish_ = _ops.hardswish, _ops.hardswish_
_glu, _softmax, _log_softmax = _ops.glu, _ops.softmax, _ops.log_softmax


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """``max(x, 0)``.

    Example::

        >>> pytensor.nn.functional.relu(pytensor.tensor([-1.0, 2.0]))
        tensor([0., 2.])
    """
    return relu_(input) if inplace else _relu(input)


def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """``min(max(x, 0), 6)``.

    Example::

        >>> pytensor.nn.functional.relu6(pytensor.tensor([-1.0, 2.0, 8.0]))
        tensor([0., 2., 6.])
    """
    return _relu6_(input) if inplace else _relu6(input)


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """``x`` where positive, else ``negative_slope * x``.

    Example::

        >>> pytensor.nn.functional.leaky_relu(pytensor.tensor([-1.0, 2.0]), 0.5)
        tensor([-0.5000,  2.0000])
    """
    return (leaky_relu_ if inplace else _leaky_relu)(input, negative_slope)


def rrelu(
    input: Tensor,
    lower: float = 1.0 / 8,
    upper: float = 1.0 / 3,
    training: bool = False,
    inplace: bool = False,
) -> Tensor:
    """``leaky_relu`` with slopes drawn from [lower, upper), or their mean outside training.

    Example::

        >>> pytensor.nn.functional.rrelu(pytensor.tensor([-1.0, 2.0]), 0.25, 0.75)
        tensor([-0.5000,  2.0000])
    """
    return (rrelu_ if inplace else _rrelu)(input, lower, upper, training)


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """``x`` where positive, else ``alpha * (exp(x) - 1)``.

    Example::

        >>> pytensor.nn.functional.elu(pytensor.tensor([-1.0, 2.0]))
        tensor([-0.6321,  2.0000])
    """
    return (elu_ if inplace else _elu)(input, alpha)


def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """``elu`` scaled such that deep stacks keep mean 0 and variance 1 (Klambauer et al.,
    "Self-normalizing neural networks", 2017).

    Example::

        >>> pytensor.nn.functional.selu(pytensor.tensor([-1.0, 2.0]))
        tensor([-1.1113,  2.1014])
    """
    return selu_(input) if inplace else _selu(input)


def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """``x`` where positive, else ``alpha * (exp(x / alpha) - 1)``.

    Example::

        >>> pytensor.nn.functional.celu(pytensor.tensor([-1.0, 2.0]), 2.0)
        tensor([-0.7869,  2.0000])
    """
    return (celu_ if inplace else _celu)(input, alpha)


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """``x * sigmoid(x)``, also called swish.

    Example::

        >>> pytensor.nn.functional.silu(pytensor.tensor([-1.0, 2.0]))
        tensor([-0.2689,  1.7616])
    """
    return _silu_(input) if inplace else _silu(input)


def mish(input: Tensor, inplace: bool = False) -> Tensor:
    """``x * tanh(softplus(x))``.

    Example::

        >>> pytensor.nn.functional.mish(pytensor.tensor([-1.0, 2.0]))
        tensor([-0.3034,  1.9440])
    """
    return _mish_(input) if inplace else _mish(input)


def hardtanh(
    input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False
) -> Tensor:
    """``x`` limited to [min_val, max_val].

    Example::

        >>> pytensor.nn.functional.hardtanh(pytensor.tensor([-2.0, 0.5]))
        tensor([-1.0000,  0.5000])
    """
    if min_val > max_val:
        raise ValueError("min_val cannot be greater than max_val")
    return (hardtanh_ if inplace else _hardtanh)(input, min_val, max_val)


def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    """``x / 6 + 1 / 2`` limited to [0, 1].

    Example::

        >>> pytensor.nn.functional.hardsigmoid(pytensor.tensor([-4.0, 0.0, 4.0]))
        tensor([0.0000, 0.5000, 1.0000])
    """
    return _hardsigmoid_(input) if inplace else _hardsigmoid(input)


def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    """``x * hardsigmoid(x)``.

    Example::

        >>> pytensor.nn.functional.hardswish(pytensor.tensor([-4.0, 3.0]))
        tensor([0., 3.])
    """
    return _hardswish_(input) if inplace else _hardswish(input)


def threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """``x`` where it is above a threshold, else a value.

    Example::

        >>> pytensor.nn.functional.threshold(pytensor.tensor([1.0, 2.0]), 1.5, 20.0)
        tensor([20.,  2.])
    """
    return (threshold_ if inplace else _threshold)(input, threshold, value)


def glu(input: Tensor, dim: int = -1) -> Tensor:
    """The first half of a dimension times the sigmoid of the second half.

    Args:
        input: its size along `dim` is even.
        dim: the dimension to halve. Default: -1.

    Example::

        >>> pytensor.nn.functional.glu(pytensor.tensor([2.0, 4.0, 0.0, 0.0]))
        tensor([1., 2.])
    """
    if input.dim() == 0:
        raise RuntimeError("glu does not support scalars because halving size must be even")
    return _glu(input, dim)


def _implicit_dim(name: str, ndim: int, stacklevel: int) -> int:
    warnings.warn(
        f"Implicit dimension choice for {name} has been deprecated. Change the call to include "
        "dim=X as an argument.",
        stacklevel=stacklevel,
    )
    return 0 if ndim in (0, 1, 3) else 1


def softmax(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None
) -> Tensor:
    """``exp(x) / sum(exp(x))`` along a dimension.

    Args:
        input: any shape.
        dim: the dimension along which the result sums to 1; name it.
        dtype: to which the input is converted first. Default: its own.

    Example::

        >>> pytensor.nn.functional.softmax(pytensor.zeros(4), dim=0)
        tensor([0.2500, 0.2500, 0.2500, 0.2500])
    """
    if dim is None:
        dim = _implicit_dim("softmax", input.dim(), _stacklevel)
    return _softmax(input, dim) if dtype is None else _softmax(input, dim, dtype=dtype)


def softmin(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None
) -> Tensor:
    """``softmax(-x)``, whose arguments it takes.

    Example::

        >>> pytensor.nn.functional.softmin(pytensor.zeros(2), dim=0)
        tensor([0.5000, 0.5000])
    """
    if dim is None:
        dim = _implicit_dim("softmin", input.dim(), _stacklevel)
    return softmax(-input, dim, dtype=dtype)


def log_softmax(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None
) -> Tensor:
    """The logarithm of ``softmax``, whose arguments it takes, without loss of precision.

    Example::

        >>> pytensor.nn.functional.log_softmax(pytensor.zeros(2), dim=0)
        tensor([-0.6931, -0.6931])
    """
    if dim is None:
        dim = _implicit_dim("log_softmax", input.dim(), _stacklevel)
    return _log_softmax(input, dim) if dtype is None else _log_softmax(input, dim, dtype=dtype)


def gumbel_softmax(
    logits: Tensor, tau: float = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1
) -> Tensor:
    """Differentiable draws of categories (Jang et al., "Categorical reparameterization with
    Gumbel-softmax", 2016).

    Args:
        logits: unnormalized log probabilities, floating point.
        tau: temperature; small values come close to one-hot vectors. Default: 1.
        hard: one-hot results, with the gradient of the soft ones. Default: ``False``.
        eps: unused.
        dim: the dimension of the categories. Default: -1.

    Example::

        >>> drawn = pytensor.nn.functional.gumbel_softmax(pytensor.zeros(3), hard=True)
        >>> float(drawn.sum())
        1.0
    """
    if eps != 1e-10:
        warnings.warn("`eps` parameter is deprecated and has no effect.", stacklevel=2)
    noise = (
        -pytensor.empty(logits.shape, dtype=logits.dtype, device=logits.device).exponential_().log()
    )
    soft = ((logits + noise) / tau).softmax(dim)
    if not hard:
        return soft
    chosen = soft.max(dim, keepdim=True)[1]
    one_hot = pytensor.zeros_like(logits).scatter_(dim, chosen, 1.0)
    return one_hot - soft.detach() + soft
