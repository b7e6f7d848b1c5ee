"""Statistics of samples: quantiles, medians and means without NaN, covariances, histograms."""

from __future__ import annotations

from pytensor import _C
from pytensor.composites.casting import autocasts
from pytensor.composites.shared import (
    dtype_name,
    named_result,
    scalar_name,
    wrap_dim,
    write_out,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from pytensor import Tensor

__all__ = [
    "corrcoef",
    "cov",
    "histogram",
    "nanmean",
    "nanquantile",
    "quantile",
]

_INTERPOLATIONS = ("linear", "lower", "higher", "midpoint", "nearest")


@autocasts("float32")
def quantile(
    input: Tensor,
    q: float | Tensor,
    dim: int | None = None,
    keepdim: bool = False,
    *,
    interpolation: str = "linear",
    out: Tensor | None = None,
) -> Tensor:
    """The values below which given shares of the elements lie; NaN where there is a NaN.

    Args:
        input: the tensor.
        q: a share from 0 to 1, or a vector of them.
        dim: the dimension along which to look; all elements when None.
        keepdim: whether that dimension stays with size 1.
        interpolation: "linear", "lower", "higher", "midpoint" or "nearest": what to return where
            a quantile lies between two elements.
        out: the tensor to write the result into.

    Shape:
        For a vector of shares, its size comes first; then the rest of the input's dimensions.

    Raises:
        RuntimeError: for an empty tensor, a share outside of [0, 1] or a wrong dtype.

    Example::

        >>> pytensor.quantile(pytensor.tensor([0.0, 1.0, 2.0, 4.0]), 0.5)
        tensor(1.5000)
    """
    return write_out(_quantile("quantile", input, q, dim, keepdim, interpolation, False), out)


@autocasts("float32")
def nanquantile(
    input: Tensor,
    q: float | Tensor,
    dim: int | None = None,
    keepdim: bool = False,
    *,
    interpolation: str = "linear",
    out: Tensor | None = None,
) -> Tensor:
    """The same as quantile(), as if NaN were not there; NaN where there is nothing else.

    Args:
        input: the tensor.
        q: a share from 0 to 1, or a vector of them.
        dim: the dimension along which to look; all elements when None.
        keepdim: whether that dimension stays with size 1.
        interpolation: as in quantile().
        out: the tensor to write the result into.

    Shape:
        As quantile().

    Raises:
        RuntimeError: for an empty tensor, a share outside of [0, 1] or a wrong dtype.

    Example::

        >>> pytensor.nanquantile(pytensor.tensor([float("nan"), 1.0, 2.0]), 0.5)
        tensor(1.5000)
    """
    return write_out(_quantile("nanquantile", input, q, dim, keepdim, interpolation, True), out)


def _quantile(
    name: str,
    input: Tensor,
    q: Any,
    dim: int | None,
    keepdim: bool,
    interpolation: str,
    ignore_nan: bool,
) -> Tensor:
    if dtype_name(input) not in ("float32", "float64"):
        raise RuntimeError(f"{name}() input tensor must be either float or double dtype")
    if interpolation not in _INTERPOLATIONS:
        raise RuntimeError(
            f"{name}() interpolation must be one of linear, lower, higher, midpoint or nearest, "
            f"but got {interpolation}"
        )
    if input.numel() == 0:
        raise RuntimeError(f"{name}() input tensor must be non-empty")
    if isinstance(q, _C.Tensor):
        if q.dim() > 1:
            raise RuntimeError(f"{name}() q must be a scalar or 1D tensor")
        if q.dtype != input.dtype:
            raise RuntimeError(f"{name}() q tensor must be same dtype as the input tensor")
        if not ((q >= 0) & (q <= 1)).all().item():
            raise RuntimeError(f"{name}() q values must be in the range [0, 1]")
    elif isinstance(q, (int, float)):
        if not 0 <= q <= 1:
            raise RuntimeError(f"{name}() q must be in the range [0, 1] but got {q:g}")
        q = _C.tensor(q, dtype=input.dtype, device=input.device)
    else:
        raise TypeError(
            f"{name}(): argument 'q' (position 2) must be Tensor or float, not {type(q).__name__}"
        )
    if dim is None:
        ordered = input.reshape(-1).sort().values
        kept_shape = [1] * input.dim()
    else:
        dim = wrap_dim(dim, input.dim())
        ordered = _lifted(input).movedim(dim, -1).sort().values
        kept_shape = list(input.shape)
        if kept_shape:
            kept_shape[dim] = 1
    values = _at_ranks(ordered, _ranks(ordered, q.reshape(-1), ignore_nan), interpolation)
    # values: [..., number of q]; the result has q first, and the reduced dimension if kept
    values = values.movedim(-1, 0)
    lead = list(q.shape)
    if keepdim:
        return values.reshape(lead + kept_shape)
    return values.reshape(lead + list(values.shape[1:]))


def _lifted(t: Tensor) -> Tensor:
    return t if t.dim() else t.reshape(1)


def _ranks(ordered: Tensor, q: Tensor, ignore_nan: bool) -> Tensor:
    """Positions of the quantiles in each sorted row; sorting has put NaN last."""
    last = ordered.size(-1) - 1
    is_nan = ordered.isnan()
    if ignore_nan:
        counts = is_nan.logical_not().sum(-1, keepdim=True)
        return (q * (counts - 1).to(q.dtype)).clamp(min=0)
    return _C.where(is_nan.any(-1, keepdim=True), float(last), q * last).to(q.dtype)


def _at_ranks(ordered: Tensor, ranks: Tensor, interpolation: str) -> Tensor:
    ranks = ranks.expand((*ordered.shape[:-1], ranks.size(-1)))
    if interpolation == "lower":
        return ordered.gather(-1, ranks.floor().to(_C.int64))
    if interpolation == "higher":
        return ordered.gather(-1, ranks.ceil().to(_C.int64))
    if interpolation == "nearest":
        return ordered.gather(-1, ranks.round().to(_C.int64))
    below = ranks.floor()
    values_below = ordered.gather(-1, below.to(_C.int64))
    values_above = ordered.gather(-1, ranks.ceil().to(_C.int64))
    weights = _C.full_like(ranks, 0.5) if interpolation == "midpoint" else ranks - below
    return values_below.lerp(values_above, weights)


def nanmean(
    input: Tensor,
    dim: int | Sequence[int] | None = None,
    keepdim: bool = False,
    *,
    dtype: Any = None,
    out: Tensor | None = None,
) -> Tensor:
    """The mean of the elements that are not NaN.

    Args:
        input: the tensor.
        dim: the dimensions along which to average; all when None.
        keepdim: whether those dimensions stay with size 1.
        dtype: the dtype to convert to first.
        out: the tensor to write the result into.

    Shape:
        The input's without the dimensions.

    Raises:
        RuntimeError: for a tensor that is not floating-point.

    Example::

        >>> pytensor.nanmean(pytensor.tensor([1.0, float("nan"), 3.0]))
        tensor(2.)
    """
    if not input.is_floating_point():
        raise RuntimeError(
            "nanmean(): expected input to have floating point or complex dtype but got "
            + scalar_name(input)
        )
    dims = tuple(range(input.dim())) if dim is None else dim
    missing = input.isnan()
    total = input.masked_fill(missing, 0).sum(dims, keepdim=keepdim, dtype=dtype)
    return write_out(total / missing.logical_not().sum(dims, keepdim=keepdim), out)


def _check_weights(name: str, weights: Tensor, observations: int) -> None:
    if weights.dim() > 1:
        raise RuntimeError(
            f"cov(): expected {name} to have one or fewer dimensions but got {name} with "
            f"{weights.dim()} dimensions"
        )
    if name == "fweights" and (weights.is_floating_point() or weights.dtype == _C.bool):
        raise RuntimeError(
            "cov(): expected fweights to have integral dtype but got fweights with "
            f"{scalar_name(weights)} dtype"
        )
    if name == "aweights" and not weights.is_floating_point():
        raise RuntimeError(
            "cov(): expected aweights to have floating point dtype but got aweights with "
            f"{scalar_name(weights)} dtype"
        )
    if weights.numel() != observations:
        raise RuntimeError(
            f"cov(): expected {name} to have the same numel as there are observations in the "
            f"input but got {weights.numel()} != {observations}"
        )
    if observations and (weights < 0).any().item():
        raise RuntimeError(f"cov(): {name} cannot be negative")


def cov(
    input: Tensor,
    *,
    correction: int = 1,
    fweights: Tensor | None = None,
    aweights: Tensor | None = None,
) -> Tensor:
    """The covariance matrix of variables (rows) over observations (columns).

    Args:
        input: a matrix, or a vector for a single variable.
        correction: subtracted from the number of observations; 1 gives the unbiased estimate.
        fweights: integers, how often each observation was made.
        aweights: importance of each observation.

    Shape:
        ``(variables, variables)``; without dimensions for a single variable.

    Raises:
        RuntimeError: for more than two dimensions or weights that do not fit.

    Example::

        >>> pytensor.cov(pytensor.tensor([[0.0, 2.0], [2.0, 0.0]]))
        tensor([[ 2., -2.],
                [-2.,  2.]])
    """
    if input.dim() > 2:
        raise RuntimeError(
            "cov(): expected input to have two or fewer dimensions but got an input with "
            f"{input.dim()} dimensions"
        )
    if input.dtype == _C.bool:
        raise RuntimeError("cov(): bool dtype is not supported for input")
    values = input if input.dim() == 2 else input.reshape(1, -1)
    observations = values.size(1)
    weights = None
    if fweights is not None:
        _check_weights("fweights", fweights, observations)
        weights = fweights.reshape(-1)
    if aweights is not None:
        _check_weights("aweights", aweights, observations)
        flat = aweights.reshape(-1)
        weights = flat if weights is None else weights * flat
    total: Any = observations
    weighted = values
    if weights is not None:
        total = weights.sum()
        if observations and total.item() == 0:
            raise RuntimeError("cov(): weights sum to zero, can't be normalized")
        weighted = values * weights
    mean = weighted.sum(1, keepdim=True) / total
    degrees: Any = total - correction
    if weights is not None and aweights is not None and correction != 0:
        degrees = total - correction * (weights * aweights.reshape(-1)).sum() / total
    value = degrees.item() if isinstance(degrees, _C.Tensor) else degrees
    if value <= 0:
        import warnings

        warnings.warn(
            "cov(): degrees of freedom is <= 0. Correction should be strictly less than the "
            "number of observations.",
            stacklevel=2,
        )
        degrees = 0
    centered = values - mean
    scaled = centered if weights is None else centered * weights
    product = centered.mm(scaled.t().to(centered.dtype))
    product = product.true_divide(degrees)
    return product if product.size(0) != 1 else product.squeeze()


def corrcoef(input: Tensor) -> Tensor:
    """Pearson's correlation coefficients of variables (rows) over observations (columns).

    Args:
        input: a matrix, or a vector for a single variable.

    Shape:
        ``(variables, variables)``; without dimensions for a single variable.

    Raises:
        RuntimeError: for more than two dimensions.

    Example::

        >>> pytensor.corrcoef(pytensor.tensor([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]]))
        tensor([[ 1., -1.],
                [-1.,  1.]])
    """
    if input.dim() > 2:
        raise RuntimeError(
            "corrcoef(): expected input to have two or fewer dimensions but got an input with "
            f"{input.dim()} dimensions"
        )
    c = cov(input)
    if c.dim() == 0:
        return c / c
    deviation = c.diagonal().sqrt()
    return (c / deviation.unsqueeze(1) / deviation.unsqueeze(0)).clamp(-1, 1)


_histogram_result: Any = named_result("histogram", ("hist", "bin_edges"))


def histogram(
    input: Tensor,
    bins: int | Tensor,
    *,
    range: Sequence[float] | None = None,
    weight: Tensor | None = None,
    density: bool = False,
) -> Any:
    """Counts elements in bins; a bin contains its left edge, the last one both.

    Args:
        input: the tensor.
        bins: number of bins of equal width, or a vector of their edges.
        range: the first and the last edge; the smallest and largest element when None.
        weight: what each element counts, shaped as the input.
        density: whether to divide such that the integral over all bins is 1.

    Shape:
        (hist, bin_edges): a vector for the bins and one for their edges, which are one more.

    Raises:
        RuntimeError: when bins, range or weight do not fit.

    Example::

        >>> h = pytensor.histogram(pytensor.tensor([1.0, 2.0, 1.0]), bins=2, range=(0.0, 4.0))
        >>> h.hist, h.bin_edges
        (tensor([2., 1.]), tensor([0., 2., 4.]))
    """
    if not input.is_floating_point():
        raise NotImplementedError(f"\"histogramdd\" not implemented for '{scalar_name(input)}'")
    values = input.detach().reshape(-1)
    if weight is not None:
        _check_histogram_weight(input, weight)
    if isinstance(bins, _C.Tensor):
        edges = _checked_edges(input, bins)
    else:
        edges = _even_edges(values, bins, range)
    count = edges.numel() - 1
    inside = (values >= edges[0]) & (values <= edges[-1])
    kept = values[inside]
    place = (_C.searchsorted(edges, kept, right=True) - 1).clamp(max=count - 1)
    portions = None if weight is None else weight.detach().reshape(-1)[inside]
    hist = _C.bincount(place, portions, minlength=count).to(input.dtype)
    if density:
        hist = hist / (hist.sum() * edges.diff())
    return _histogram_result(hist, edges)


def _check_histogram_weight(input: Tensor, weight: Tensor) -> None:
    if weight.dtype != input.dtype:
        raise RuntimeError(
            "torch.histogramdd: if weight tensor is provided, input tensor and weight tensor "
            f"should have the same dtype, but got input({scalar_name(input).lower()}), and "
            f"weight({scalar_name(weight).lower()})"
        )
    if weight.shape != input.shape:
        raise RuntimeError(
            "torch.histogram: if weight tensor is provided it should have the same shape as the "
            f"input tensor, but got input with shape {list(input.shape)} and weight with shape "
            f"{list(weight.shape)}"
        )


def _checked_edges(input: Tensor, edges: Tensor) -> Tensor:
    if edges.dim() != 1:
        raise RuntimeError(
            "torch.histogramdd: bins tensor should have one dimension, but got "
            f"{edges.dim()} dimensions in the bins tensor for dimension 0"
        )
    if edges.dtype != input.dtype:
        raise RuntimeError(
            "torch.histogramdd: input tensor and bins tensors should have the same dtype, but got "
            f"input with dtype {scalar_name(input).lower()} and bins for dimension 0 with dtype "
            f"{scalar_name(edges).lower()}"
        )
    if edges.numel() < 2:
        raise RuntimeError("torch.histogram(): bins must be > 0, but got 0 for dimension 0")
    return edges.detach().clone()


def _even_edges(values: Tensor, bins: int, limits: Sequence[float] | None) -> Tensor:
    if bins <= 0:
        raise RuntimeError(f"torch.histogram(): bins must be > 0, but got {bins} for dimension 0")
    if limits is not None:
        low, high = (float(v) for v in limits)
    elif values.numel():
        low, high = values.min().item(), values.max().item()
    else:
        low, high = 0.0, 1.0
    if low - low != 0 or high - high != 0:
        raise RuntimeError(
            f"torch.histogramdd: dimension 0's range [{low:g}, {high:g}] is not finite"
        )
    if low > high:
        raise RuntimeError(
            f"torch.histogramdd: min should not exceed max, but got min {low:g} max {high:g} "
            "for dimension 0"
        )
    if low == high:
        low, high = low - 0.5, high + 0.5
    return _C.linspace(low, high, bins + 1, dtype=values.dtype, device=values.device)
