"""Initial values of parameters: ``import pytensor.nn.init as init``.

Each function fills its argument in place, outside autograd, and returns it; the same seed gives
the values that PyTorch gives. Used by the layers' ``reset_parameters``.
"""

from __future__ import annotations

import functools
import math
import warnings
from typing import Any

import pytensor
from pytensor import Tensor

_FILLERS = (
    "uniform_",
    "normal_",
    "constant_",
    "eye_",
    "dirac_",
    "xavier_uniform_",
    "xavier_normal_",
    "kaiming_uniform_",
    "kaiming_normal_",
    "orthogonal_",
    "sparse_",
)
__all__ = [
    "calculate_gain",
    "ones_",
    "trunc_normal_",
    "zeros_",
    *_FILLERS,
    *(name[:-1] for name in _FILLERS),
]

_CONVOLUTIONS = [f"conv{kind}{n}d" for kind in ("", "_transpose") for n in (1, 2, 3)]
_LINEAR = frozenset(["linear", "sigmoid", *_CONVOLUTIONS])


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """By how much a nonlinearity shrinks the spread of its input.

    Args:
        nonlinearity: such as ``"linear"``, ``"conv2d"``, ``"tanh"``, ``"relu"``,
            ``"leaky_relu"`` or ``"selu"``.
        param: the negative slope of ``"leaky_relu"``. Default: 0.01.

    Example::

        >>> pytensor.nn.init.calculate_gain("leaky_relu", 1)
        1.0
    """
    if nonlinearity in _LINEAR:
        return 1
    if nonlinearity == "tanh":
        return 5.0 / 3
    if nonlinearity == "relu":
        return math.sqrt(2.0)
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else param
        if isinstance(slope, bool) or not isinstance(slope, (int, float)):
            raise ValueError(f"negative_slope {param} not a valid number")
        return math.sqrt(2.0 / (1 + slope**2))
    if nonlinearity == "selu":
        return 3.0 / 4
    raise ValueError(f"Unsupported nonlinearity {nonlinearity}")


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Any = None) -> Tensor:
    """Fills with numbers uniform in [a, b).

    Args:
        tensor: floating point, any shape.
        a, b: the bounds. Default: 0, 1.
        generator: where random numbers come from. Default: the default generator.

    Example::

        >>> bool((pytensor.nn.init.uniform_(pytensor.empty(3), 1, 2) >= 1).all())
        True
    """
    with pytensor.no_grad():
        return tensor.uniform_(a, b, generator=generator)


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Any = None) -> Tensor:
    """Fills with normally distributed numbers.

    Args:
        tensor: floating point, any shape.
        mean, std: of the distribution. Default: 0, 1.
        generator: where random numbers come from. Default: the default generator.
    """
    with pytensor.no_grad():
        return tensor.normal_(mean, std, generator=generator)


def trunc_normal_(
    tensor: Tensor,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    generator: Any = None,
) -> Tensor:
    """Fills with normally distributed numbers that lie in [a, b].

    Draws again what lies outside; where the interval holds less than 0.3 of the distribution,
    draws uniformly and accepts by the density (rejection sampling).

    Args:
        tensor: floating point, any shape.
        mean, std: of the distribution before truncation. Default: 0, 1.
        a, b: the bounds. Default: -2, 2.
        generator: where random numbers come from. Default: the default generator.

    Example::

        >>> bool((pytensor.nn.init.trunc_normal_(pytensor.empty(9)).abs() <= 2).all())
        True
    """
    if mean < a - 2 * std or mean > b + 2 * std:
        warnings.warn(
            "mean is more than 2 std from [a, b] in nn.init.trunc_normal_. The distribution of "
            "values may be incorrect.",
            stacklevel=2,
        )

    def below(x: float) -> float:
        return (1.0 + math.erf((x - mean) / std / math.sqrt(2.0))) / 2.0

    with pytensor.no_grad():
        if below(b) - below(a) > 0.3:
            _redraw_outside(tensor, mean, std, a, b, generator)
        else:
            _accept_by_density(tensor, mean, std, a, b, generator)
    return tensor


def _redraw_outside(
    tensor: Tensor, mean: float, std: float, a: float, b: float, generator: Any
) -> None:
    low, high = tensor.new_tensor(a).item(), tensor.new_tensor(b).item()
    tensor.normal_(mean, std, generator=generator)
    outside = (tensor < low) | (tensor > high)
    while outside.any():
        again = pytensor.empty_like(tensor).normal_(mean, std, generator=generator)
        tensor.copy_(pytensor.where(outside, again, tensor))
        outside = (tensor < low) | (tensor > high)


def _accept_by_density(
    tensor: Tensor, mean: float, std: float, a: float, b: float, generator: Any
) -> None:
    log_peak = -0.5 * ((max(a, min(mean, b)) - mean) / std) ** 2

    def rejected(values: Tensor) -> Tensor:
        log_density = values.clone().sub_(mean).div_(std).pow_(2).mul_(-0.5).sub_(log_peak)
        height = pytensor.empty_like(values).uniform_(generator=generator)
        return height.log_().gt(log_density)

    tensor.uniform_(a, b, generator=generator)
    pending = rejected(tensor)
    while pending.any():
        again = pytensor.empty_like(tensor).uniform_(a, b, generator=generator)
        tensor.copy_(pytensor.where(pending, again, tensor))
        pending = pytensor.where(pending, rejected(again), pending)


def constant_(tensor: Tensor, val: float) -> Tensor:
    """Fills with one value.

    Args:
        tensor: any shape and dtype.
        val: the value.
    """
    with pytensor.no_grad():
        return tensor.fill_(val)


def ones_(tensor: Tensor) -> Tensor:
    """Fills with ones."""
    return constant_(tensor, 1.0)


def zeros_(tensor: Tensor) -> Tensor:
    """Fills with zeros."""
    with pytensor.no_grad():
        return tensor.zero_()


def eye_(tensor: Tensor) -> Tensor:
    """Fills a matrix with ones on the diagonal and zeros elsewhere.

    Example::

        >>> pytensor.nn.init.eye_(pytensor.empty(2, 2))
        tensor([[1., 0.],
                [0., 1.]])
    """
    if tensor.dim() != 2:
        raise ValueError("Only tensors with 2 dimensions are supported")
    with pytensor.no_grad():
        tensor.zero_().fill_diagonal_(1)
    return tensor


def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """Fills the weight of a convolution such that it hands its channels on unchanged.

    Args:
        tensor: ``(out_channels, in_channels / groups, *kernel)`` with 1 to 3 kernel dimensions.
        groups: the groups of the convolution. Default: 1.
    """
    if tensor.dim() not in (3, 4, 5):
        raise ValueError("Only tensors with 3, 4, or 5 dimensions are supported")
    out_channels, in_channels, *kernel = tensor.shape
    if out_channels % groups != 0:
        raise ValueError("dim 0 must be divisible by groups")
    per_group = out_channels // groups
    centre = [size // 2 for size in kernel]
    with pytensor.no_grad():
        tensor.zero_()
        for group in range(groups):
            for channel in range(min(per_group, in_channels)):
                place = (group * per_group + channel, channel, *centre)
                tensor[place] = 1
    return tensor


def _calculate_fan_in_and_fan_out(tensor: Tensor) -> tuple[int, int]:
    """How many inputs an output depends on, and how many outputs an input reaches."""
    if tensor.dim() < 2:
        raise ValueError(
            "Fan in and fan out can not be computed for tensor with fewer than 2 dimensions"
        )
    out_features, in_features, *kernel = tensor.shape
    field = math.prod(kernel)
    return in_features * field, out_features * field


def _calculate_correct_fan(tensor: Tensor, mode: str) -> int:
    modes = ["fan_in", "fan_out"]
    mode = mode.lower()
    if mode not in modes:
        raise ValueError(f"Mode {mode} not supported, please use one of {modes}")
    return _calculate_fan_in_and_fan_out(tensor)[modes.index(mode)]


def _xavier_std(tensor: Tensor, gain: float) -> float:
    return gain * math.sqrt(2.0 / float(sum(_calculate_fan_in_and_fan_out(tensor))))


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Any = None) -> Tensor:
    """Uniform values whose spread keeps that of activations and gradients (Glorot and Bengio,
    "Understanding the difficulty of training deep feedforward neural networks", 2010).

    Args:
        tensor: floating point, at least two dimensions, ``(out, in, *kernel)``.
        gain: a factor, see ``calculate_gain``. Default: 1.
        generator: where random numbers come from. Default: the default generator.

    Example::

        >>> bool(pytensor.nn.init.xavier_uniform_(pytensor.empty(3, 3)).abs().max() <= 1)
        True
    """
    bound = math.sqrt(3.0) * _xavier_std(tensor, gain)
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Any = None) -> Tensor:
    """Normal values of the same spread as ``xavier_uniform_``, whose arguments it takes."""
    return normal_(tensor, 0.0, _xavier_std(tensor, gain), generator)


def _kaiming_std(tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float | None:
    """The standard deviation; None, with a warning, for a tensor without elements."""
    if 0 in tensor.shape:
        warnings.warn("Initializing zero-element tensors is a no-op", stacklevel=3)
        return None
    fan = _calculate_correct_fan(tensor, mode)
    return calculate_gain(nonlinearity, a) / math.sqrt(fan)


def kaiming_uniform_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Any = None,
) -> Tensor:
    """Uniform values whose spread suits rectifiers (He et al., "Delving deep into rectifiers",
    2015).

    Args:
        tensor: floating point, at least two dimensions, ``(out, in, *kernel)``.
        a: the negative slope of the rectifier that follows. Default: 0.
        mode: ``"fan_in"`` keeps the spread of activations, ``"fan_out"`` that of gradients.
            Default: ``"fan_in"``.
        nonlinearity: see ``calculate_gain``. Default: ``"leaky_relu"``.
        generator: where random numbers come from. Default: the default generator.

    Example::

        >>> bool(pytensor.nn.init.kaiming_uniform_(pytensor.empty(3, 6)).abs().max() <= 1)
        True
    """
    std = _kaiming_std(tensor, a, mode, nonlinearity)
    if std is None:
        return tensor
    bound = math.sqrt(3.0) * std
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Any = None,
) -> Tensor:
    """Normal values of the same spread as ``kaiming_uniform_``, whose arguments it takes."""
    std = _kaiming_std(tensor, a, mode, nonlinearity)
    return tensor if std is None else normal_(tensor, 0, std, generator)


def orthogonal_(tensor: Tensor, gain: float = 1, generator: Any = None) -> Tensor:
    """A random matrix with orthonormal rows or columns (Saxe et al., "Exact solutions to the
    nonlinear dynamics of learning in deep linear neural networks", 2013).

    Args:
        tensor: floating point, at least two dimensions; those after the first count as one.
        gain: a factor. Default: 1.
        generator: where random numbers come from. Default: the default generator.

    Example::

        >>> q = pytensor.nn.init.orthogonal_(pytensor.empty(2, 3))
        >>> bool(pytensor.allclose(q @ q.t(), pytensor.eye(2), atol=1e-6))
        True
    """
    if tensor.dim() < 2:
        raise ValueError("Only tensors with 2 or more dimensions are supported")
    if tensor.numel() == 0:
        return tensor
    rows = tensor.shape[0]
    columns = tensor.numel() // rows
    with pytensor.no_grad():
        drawn = tensor.new_empty((rows, columns)).normal_(0, 1, generator=generator)
        q, r = pytensor.linalg.qr(drawn.t() if rows < columns else drawn)
        # The signs of the diagonal make the distribution uniform (Mezzadri, 2007).
        q = q * pytensor.diag(r).sign()
        tensor.view(rows, columns).copy_(q.t() if rows < columns else q).mul_(gain)
    return tensor


def sparse_(tensor: Tensor, sparsity: float, std: float = 0.01, generator: Any = None) -> Tensor:
    """Normal values of which a part of each column is set to zero (Martens, "Deep learning via
    Hessian-free optimization", 2010).

    Args:
        tensor: a floating-point matrix.
        sparsity: the part that becomes zero, 0 to 1.
        std: of the normal distribution. Default: 0.01.
        generator: where the normal values come from. Default: the default generator.
    """
    if tensor.dim() != 2:
        raise ValueError("Only tensors with 2 dimensions are supported")
    rows, columns = tensor.shape
    zeros = math.ceil(sparsity * rows)
    with pytensor.no_grad():
        tensor.normal_(0, std, generator=generator)
        for column in range(columns):
            tensor[pytensor.randperm(rows, device=tensor.device)[:zeros], column] = 0
    return tensor


def _deprecated(name: str) -> Any:
    fill = globals()[name]

    @functools.wraps(fill)
    def wrapper(*args: Any, **kwargs: Any) -> Tensor:
        warnings.warn(
            f"`nn.init.{name[:-1]}` is now deprecated in favor of `nn.init.{name}`.",
            FutureWarning,
            stacklevel=2,
        )
        made: Tensor = fill(*args, **kwargs)
        return made

    wrapper.__name__ = name[:-1]
    wrapper.__doc__ = f"The old name of ``{name}``."
    return wrapper


for _name in _FILLERS:
    globals()[_name[:-1]] = _deprecated(_name)
del _name
