"""Differences, derivatives and integrals of sampled functions, and Vandermonde matrices."""

from __future__ import annotations

from pytensor import _C
from pytensor.composites.shared import wrap_dim, wrap_dims, write_out

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from pytensor import Tensor

__all__ = ["cumulative_trapezoid", "diff", "gradient", "trapezoid", "trapz", "vander"]


def diff(
    input: Tensor,
    n: int = 1,
    dim: int = -1,
    prepend: Tensor | None = None,
    append: Tensor | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Differences of neighbours along a dimension, ``n`` times over.

    Args:
        input: the tensor; booleans give ``xor`` of neighbours.
        n: how often to take differences.
        dim: the dimension.
        prepend: values put before the input's along the dimension.
        append: values put after them.
        out: the tensor to write the result into.

    Shape:
        ``n`` fewer along the dimension.

    Raises:
        RuntimeError: for a negative ``n`` or a tensor without dimensions.

    Example::

        >>> pytensor.diff(pytensor.tensor([1, 3, 2]))
        tensor([ 2, -1])
    """
    if input.dim() == 0:
        raise RuntimeError("diff expects input to be at least one-dimensional")
    dim = wrap_dim(dim, input.dim())
    if n < 0:
        raise RuntimeError(f"order must be non-negative but got {n}")
    parts = [prepend, input, append]
    for extra in (prepend, append):
        if extra is not None:
            _check_extra(input, extra, dim)
    result = input
    if prepend is not None or append is not None:
        result = _C.cat([part for part in parts if part is not None], dim)
    if n == 0:
        return write_out(result.clone(), out)
    for _ in range(min(n, result.size(dim))):
        count = result.size(dim) - 1
        after, before = result.narrow(dim, 1, count), result.narrow(dim, 0, count)
        result = after.logical_xor(before) if result.dtype == _C.bool else after - before
    return write_out(result, out)


def _check_extra(input: Tensor, extra: Tensor, dim: int) -> None:
    if extra.dim() != input.dim():
        raise RuntimeError("diff expects prepend or append to be the same dimension as input")
    for d in range(input.dim()):
        if d != dim and extra.size(d) != input.size(d):
            raise RuntimeError(
                "diff expects the shape of tensor to prepend or append to match that of input "
                f"except along the differencing dimension; input.size({d}) = {input.size(d)}, "
                f"but got tensor.size({d}) = {extra.size(d)}"
            )


def gradient(
    input: Tensor,
    *,
    spacing: Any = 1,
    dim: int | Sequence[int] | None = None,
    edge_order: int = 1,
) -> tuple[Tensor, ...]:
    """Derivatives of a sampled function: central differences inside, one-sided ones at the edges.

    Args:
        input: the samples.
        spacing: the distance of samples, a number or one for each dimension; or for each
            dimension a vector of the samples' coordinates.
        dim: the dimensions along which to derive; all when None.
        edge_order: 1 or 2, the order of the differences at the edges.

    Shape:
        One tensor of the input's shape for each dimension.

    Raises:
        RuntimeError: when the spacing does not fit or there are too few samples.

    Example::

        >>> pytensor.gradient(pytensor.tensor([1.0, 4.0, 9.0, 16.0]))
        (tensor([3., 4., 6., 7.]),)
    """
    if edge_order not in (1, 2):
        raise RuntimeError("torch.gradient only supports edge_order=1 and edge_order=2.")
    dims = wrap_dims(dim, input.dim())
    if isinstance(spacing, (list, tuple)):
        if len(spacing) != len(dims):
            given = "since dim argument was not given, but" if dim is None else "but"
            expected = "self.dim()" if dim is None else "dim"
            raise RuntimeError(
                "torch.gradient expected spacing to be unspecified, a scalar, or a list of length "
                f"equal to '{expected} = {len(dims)}', {given} got a list of length {len(spacing)}"
            )
        spacings = list(spacing)
    else:
        spacings = [spacing] * len(dims)
    for step in spacings:
        if isinstance(step, _C.Tensor) and step.dim() > 1:
            raise RuntimeError(
                "torch.gradient expected each element of spacing to have one dimension, but got "
                f"an element with {step.dim()} dimensions!"
            )
    if any(input.size(d) < edge_order + 1 for d in dims):
        raise RuntimeError(
            "torch.gradient expected each dimension size to be at least edge_order+1"
        )
    return tuple(_derivative(input, d, step, edge_order) for d, step in zip(dims, spacings))


def _derivative(f: Tensor, dim: int, step: Any, edge_order: int) -> Tensor:
    size = f.size(dim)
    if isinstance(step, _C.Tensor) and step.dim() == 0:
        step = step.item()
    if not isinstance(step, _C.Tensor):
        inner = (f.narrow(dim, 2, size - 2) - f.narrow(dim, 0, size - 2)) / (2 * step)
        gaps: list[Any] = [step, step, step, step]
    else:
        if step.numel() != size:
            raise RuntimeError(
                f"torch.gradient expected {size} coordinates for dimension {dim}, "
                f"but got {step.numel()}"
            )
        h = step[1:] - step[:-1]
        shape = [1] * f.dim()
        shape[dim] = size - 2
        h1, h2 = h[:-1].reshape(shape), h[1:].reshape(shape)
        inner = (
            f.narrow(dim, 0, size - 2) * (-h2 / (h1 * (h1 + h2)))
            + f.narrow(dim, 1, size - 2) * ((h2 - h1) / (h1 * h2))
            + f.narrow(dim, 2, size - 2) * (h1 / (h2 * (h1 + h2)))
        )
        gaps = [h[0], h[min(1, size - 2)], h[-1], h[max(size - 3, 0)]]
    first = _edge(f, dim, (0, 1, 2), gaps[0], gaps[1], edge_order)
    last = _edge(f, dim, (size - 1, size - 2, size - 3), -gaps[2], -gaps[3], edge_order)
    return _C.cat([first, inner.to(first.dtype), last], dim)


def _edge(
    f: Tensor, dim: int, places: tuple[int, int, int], h1: Any, h2: Any, edge_order: int
) -> Tensor:
    """The derivative at the first of the places, from it and its one or two neighbours."""
    f0, f1 = f.narrow(dim, places[0], 1), f.narrow(dim, places[1], 1)
    if edge_order == 1:
        return (f1 - f0) / h1
    f2 = f.narrow(dim, places[2], 1)
    return (
        f0 * (-(2 * h1 + h2) / (h1 * (h1 + h2)))
        + f1 * ((h1 + h2) / (h1 * h2))
        + f2 * (-h1 / (h2 * (h1 + h2)))
    )


def _integration_steps(name: str, y: Tensor, x: Tensor | None, dim: int) -> Tensor | None:
    """Distances of the sample points, shaped to broadcast with y; None for a constant distance."""
    if y.dtype == _C.bool:
        suffix = "`y`" if x is None else "`x` or `y`"
        raise RuntimeError(f"{name}: received a bool input for {suffix}, but bool is not supported")
    if x is None:
        return None
    if x.dtype == _C.bool:
        raise RuntimeError(
            f"{name}: received a bool input for `x` or `y`, but bool is not supported"
        )
    if x.dim() == 1:
        if x.size(0) != y.size(dim):
            raise RuntimeError(f"{name}: There must be one `x` value for each sample point")
        x = x.reshape([-1] + [1] * (y.dim() - dim - 1))
        x = x.reshape([1] * (y.dim() - x.dim()) + list(x.shape))
    elif x.dim() < y.dim():
        x = x.reshape([1] * (y.dim() - x.dim()) + list(x.shape))
    along = dim - y.dim() + x.dim()
    count = x.size(along) - 1
    return x.narrow(along, 1, count) - x.narrow(along, 0, count)


def trapezoid(
    y: Tensor, x: Tensor | None = None, *, dx: float | None = None, dim: int = -1
) -> Tensor:
    """The integral of a sampled function by the trapezoidal rule.

    Args:
        y: the samples.
        x: the sample points; evenly spaced when None.
        dx: the distance of evenly spaced points, 1 when None.
        dim: the dimension along which to integrate.

    Shape:
        The shape of ``y`` without the dimension.

    Raises:
        RuntimeError: when the sample points do not fit, or for booleans.

    Example::

        >>> pytensor.trapezoid(pytensor.tensor([1.0, 5.0, 10.0]))
        tensor(10.5000)
    """
    _check_has_dims(y, dim)
    dim = wrap_dim(dim, y.dim())
    steps = _integration_steps("trapezoid", y, x, dim)
    size = y.size(dim)
    if size == 0:
        return y.sum(dim)
    if steps is not None:
        pairs = y.narrow(dim, 0, size - 1) + y.narrow(dim, 1, size - 1)
        return (steps * pairs).sum(dim) / 2
    edges = y.select(dim, 0) + y.select(dim, size - 1)
    return (y.sum(dim) - edges * 0.5) * (1 if dx is None else dx)


def _check_has_dims(y: Tensor, dim: int) -> None:
    if y.dim() == 0:
        raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")


def trapz(y: Tensor, x: Tensor | None = None, *, dx: float | None = None, dim: int = -1) -> Tensor:
    """The same as trapezoid().

    Args:
        y: the samples.
        x: the sample points; evenly spaced when None.
        dx: the distance of evenly spaced points, 1 when None.
        dim: the dimension along which to integrate.

    Shape:
        The shape of ``y`` without the dimension.

    Raises:
        RuntimeError: when the sample points do not fit, or for booleans.

    Example::

        >>> pytensor.trapz(pytensor.tensor([1.0, 2.0]), dx=2)
        tensor(3.)
    """
    return trapezoid(y, x, dx=dx, dim=dim)


def cumulative_trapezoid(
    y: Tensor, x: Tensor | None = None, *, dx: float | None = None, dim: int = -1
) -> Tensor:
    """Integrals from the first sample to each of the others by the trapezoidal rule.

    Args:
        y: the samples.
        x: the sample points; evenly spaced when None.
        dx: the distance of evenly spaced points, 1 when None.
        dim: the dimension along which to integrate.

    Shape:
        The shape of ``y`` with one fewer along the dimension.

    Raises:
        RuntimeError: when the sample points do not fit, or for booleans.

    Example::

        >>> pytensor.cumulative_trapezoid(pytensor.tensor([1.0, 5.0, 10.0]))
        tensor([ 3.0000, 10.5000])
    """
    _check_has_dims(y, dim)
    dim = wrap_dim(dim, y.dim())
    steps = _integration_steps("cumulative_trapezoid", y, x, dim)
    count = max(y.size(dim) - 1, 0)
    pairs = y.narrow(dim, 0, count) + y.narrow(dim, min(1, y.size(dim)), count)
    if steps is not None:
        return (steps * pairs).cumsum(dim) / 2
    return pairs.cumsum(dim) * ((1 if dx is None else dx) / 2)


def vander(x: Tensor, N: int | None = None, increasing: bool = False) -> Tensor:
    """The Vandermonde matrix of a vector: its powers in columns.

    Args:
        x: the vector.
        N: number of columns, the vector's length when None.
        increasing: whether powers rise from left to right.

    Shape:
        ``(len(x), N)``.

    Raises:
        RuntimeError: when ``x`` is no vector or ``N`` is negative.

    Example::

        >>> pytensor.vander(pytensor.tensor([1, 2, 3]))
        tensor([[1, 1, 1],
                [4, 2, 1],
                [9, 3, 1]])
    """
    if x.dim() != 1:
        raise RuntimeError("x must be a one-dimensional tensor.")
    columns = x.numel() if N is None else N
    if columns < 0:
        raise RuntimeError("N must be non-negative.")
    powers = rising_powers(x, columns)
    return powers if increasing else powers.flip((1,))


def rising_powers(x: Tensor, count: int) -> Tensor:
    """x**0, x**1, ... along a new last dimension; integers widen to int64."""
    if not x.is_floating_point():
        x = x.to(_C.int64)
    shape = (*x.shape, 1)
    ones = x.new_ones(shape)
    if count <= 1:
        return ones.narrow(-1, 0, count)
    repeated = x.unsqueeze(-1).expand((*x.shape, count - 1))
    return _C.cat([ones, repeated.cumprod(-1)], -1)
