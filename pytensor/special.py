"""``pytensor.special``: special functions under SciPy's names.

Most are the registry's ops under another name and resolve when first named; the few written here
are short formulas of those.
"""

from __future__ import annotations

import math

from pytensor import _C
from pytensor.composites.shared import write_out

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from pytensor import Tensor

# name here: name of the op
_ALIASES = {
    "digamma": "digamma",
    "erf": "erf",
    "erfc": "erfc",
    "erfinv": "erfinv",
    "exp2": "exp2",
    "expit": "sigmoid",
    "expm1": "expm1",
    "gammainc": "igamma",
    "gammaincc": "igammac",
    "gammaln": "lgamma",
    "i0": "i0",
    "log1p": "log1p",
    "log_softmax": "log_softmax",
    "logit": "logit",
    "logsumexp": "logsumexp",
    "multigammaln": "mvlgamma",
    "polygamma": "polygamma",
    "psi": "digamma",
    "round": "round",
    "sinc": "sinc",
    "softmax": "softmax",
    "xlogy": "xlogy",
}

__all__ = ["entr", "ndtr", "ndtri", "xlog1py", *_ALIASES]


def __getattr__(name: str) -> Any:
    """An op by SciPy's name: one of the registry's ``special_*`` ops or an alias."""
    if not name.startswith("_"):
        for candidate in (f"special_{name}", _ALIASES.get(name)):
            op = None if candidate is None else getattr(_C, candidate, None)
            if op is not None:
                globals()[name] = op
                return op
    raise AttributeError(f"module 'pytensor.special' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted({*globals(), *_ALIASES})


def _as_float(t: Tensor) -> Tensor:
    return t if t.is_floating_point() else t.to(_C.get_default_dtype())


def entr(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The terms of an entropy: ``-x * log(x)``, 0 at 0 and -inf below.

    Args:
        input: the tensor.
        out: the tensor to write the result into.

    Shape:
        As the input.

    Raises:
        TypeError: when the input is no tensor.

    Example::

        >>> pytensor.special.entr(pytensor.tensor([0.0, 1.0]))
        tensor([0., 0.])
    """
    x = _as_float(input)
    inner = _C.where(x > 0, x, _C.ones_like(x))
    positive = -inner * inner.log()
    result = positive.masked_fill(x < 0, -math.inf)
    return write_out(result.masked_fill(x.isnan(), math.nan), out)


def ndtr(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The distribution function of the standard normal distribution.

    Args:
        input: the tensor.
        out: the tensor to write the result into.

    Shape:
        As the input.

    Raises:
        TypeError: when the input is no tensor.

    Example::

        >>> pytensor.special.ndtr(pytensor.tensor([0.0]))
        tensor([0.5000])
    """
    scaled = _as_float(input) * math.sqrt(0.5)
    # erfc keeps its digits where erf is close to -1
    tail = (scaled.abs()).erfc() * 0.5
    middle = scaled.erf() * 0.5 + 0.5
    far = scaled.abs() >= math.sqrt(0.5)
    return write_out(_C.where(far, _C.where(scaled > 0, 1 - tail, tail), middle), out)


def ndtri(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The quantile function of the standard normal distribution, the inverse of ndtr().

    Args:
        input: probabilities.
        out: the tensor to write the result into.

    Shape:
        As the input; NaN outside of [0, 1].

    Raises:
        TypeError: when the input is no tensor.

    Example::

        >>> pytensor.special.ndtri(pytensor.tensor([0.5]))
        tensor([0.])
    """
    return write_out((_as_float(input) * 2 - 1).erfinv() * math.sqrt(2.0), out)


def xlog1py(input: Any, other: Any, *, out: Tensor | None = None) -> Tensor:
    """``x * log1p(y)``, 0 where x is 0 unless y is NaN.

    Args:
        input: x, a tensor or a number.
        other: y, a tensor or a number.
        out: the tensor to write the result into.

    Shape:
        The broadcast shape.

    Raises:
        TypeError: when neither is a tensor.

    Example::

        >>> pytensor.special.xlog1py(pytensor.tensor([0.0, 1.0]), pytensor.tensor([-1.0, 0.0]))
        tensor([0., 0.])
    """
    if not isinstance(input, _C.Tensor) and not isinstance(other, _C.Tensor):
        raise TypeError("xlog1py(): at least one of the arguments must be a Tensor")
    x = input if isinstance(input, _C.Tensor) else _C.tensor(input, device=other.device)
    y = other if isinstance(other, _C.Tensor) else _C.tensor(other, device=x.device)
    y = _as_float(y)
    undefined = (x == 0) & ((y <= -1) | (y == math.inf))
    safe = y.expand(undefined.shape).masked_fill(undefined, 0)
    return write_out(x * safe.log1p(), out)
