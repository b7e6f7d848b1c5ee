"""Normalization. Part of ``pytensor.nn.functional``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytensor
from pytensor import _ops

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytensor import Tensor

__all__ = [
    "batch_norm",
    "group_norm",
    "instance_norm",
    "layer_norm",
    "local_response_norm",
    "rms_norm",
]

_HALVES = (pytensor.bfloat16, pytensor.float16)
_batch_norm, _instance_norm = _ops.batch_norm, _ops.instance_norm
_layer_norm, _rms_norm, _group_norm = _ops.layer_norm, _ops.rms_norm, _ops.group_norm


def _size(t: Tensor) -> str:
    return f"torch.Size({list(t.shape)})"


def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Normalizes each channel over batch and space (Ioffe and Szegedy 2015).

    Args:
        input: ``(N, C, *)``, floating point.
        running_mean, running_var: ``(C)``. In training they are changed in place, else they are
            the statistics.
        weight, bias: ``(C)``, applied to the result.
        training: whether to use the statistics of the input. Default: ``False``.
        momentum: the part of the new statistics in the running ones. Default: 0.1.
        eps: added to the variance. Default: 1e-5.

    Raises:
        ValueError: there is a single value for each channel in training.

    Example::

        >>> x = pytensor.tensor([[1.0], [3.0]])
        >>> pytensor.nn.functional.batch_norm(x, None, None, training=True)
        tensor([[-1.0000],
                [ 1.0000]])
    """
    if training:
        shape = input.shape
        count = shape[0]
        for n in shape[2:]:
            count *= n
        if count == 1:
            raise ValueError(
                "Expected more than 1 value per channel when training, got input size "
                f"{_size(input)}"
            )
    return _batch_norm(
        input, weight, bias, running_mean, running_var, training, momentum, eps, False
    )


def instance_norm(
    input: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Normalizes each channel of each sample over space (Ulyanov et al. 2016).

    Args:
        input: ``(N, C, *)``, floating point.
        running_mean, running_var: ``(C)``; changed in place with `use_input_stats`.
        weight, bias: ``(C)``, applied to the result.
        use_input_stats: else the running statistics count. Default: ``True``.
        momentum: the part of the new statistics in the running ones. Default: 0.1.
        eps: added to the variance. Default: 1e-5.

    Raises:
        ValueError: a channel of a sample has a single element.

    Example::

        >>> pytensor.nn.functional.instance_norm(pytensor.tensor([[[1.0, 3.0]]]))
        tensor([[[-1.0000,  1.0000]]])
    """
    if use_input_stats:
        count = 1
        for n in input.shape[2:]:
            count *= n
        if count == 1:
            raise ValueError(
                f"Expected more than 1 spatial element when training, got input size {_size(input)}"
            )
    return _instance_norm(
        input, weight, bias, running_mean, running_var, use_input_stats, momentum, eps, False
    )


def layer_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """Normalizes over the last dimensions (Ba et al. 2016).

    Args:
        input: floating point; its last sizes are `normalized_shape`.
        normalized_shape: the sizes of the dimensions to normalize over.
        weight, bias: of that shape, applied to the result.
        eps: added to the variance. Default: 1e-5.

    Example::

        >>> pytensor.nn.functional.layer_norm(pytensor.tensor([[1.0, 3.0]]), (2,))
        tensor([[-1.0000,  1.0000]])
    """
    return _layer_norm(input, normalized_shape, weight, bias, eps)


def rms_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    eps: float | None = None,
) -> Tensor:
    """Divides by the root mean square over the last dimensions (Zhang and Sennrich 2019).

    Args:
        input: floating point; its last sizes are `normalized_shape`.
        normalized_shape: the sizes of the dimensions to normalize over.
        weight: of that shape, applied to the result.
        eps: added to the mean square. Default: the machine epsilon of the dtype.

    Example::

        >>> pytensor.nn.functional.rms_norm(pytensor.tensor([[3.0, 3.0]]), (2,))
        tensor([[1., 1.]])
    """
    return _rms_norm(input, normalized_shape, weight, eps)


def group_norm(
    input: Tensor,
    num_groups: int,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """Normalizes groups of channels of each sample (Wu and He 2018).

    Args:
        input: ``(N, C, *)``, floating point.
        num_groups: divides C.
        weight, bias: ``(C)``, applied to the result.
        eps: added to the variance. Default: 1e-5.

    Raises:
        ValueError: there is a single value for each group.

    Example::

        >>> x = pytensor.tensor([[1.0, 3.0, 5.0, 9.0]])
        >>> pytensor.nn.functional.group_norm(x, 2)
        tensor([[-1.0000,  1.0000, -1.0000,  1.0000]])
    """
    if input.dim() < 2:
        raise RuntimeError(
            f"Expected at least 2 dimensions for input tensor but received {input.dim()}"
        )
    shape = list(input.shape)
    sizes = [shape[0] * shape[1] // num_groups, num_groups, *shape[2:]]
    count = sizes[0]
    for n in sizes[2:]:
        count *= n
    if count == 1:
        raise ValueError(
            f"Expected more than 1 value per channel when training, got input size {sizes}"
        )
    return _group_norm(input, num_groups, weight, bias, eps)


def local_response_norm(
    input: Tensor, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> Tensor:
    """Divides by ``(k + alpha * mean(x ** 2)) ** beta`` over neighbouring channels (Krizhevsky et
    al. 2012).

    Args:
        input: ``(N, C, *)`` with at least three dimensions.
        size: how many channels are neighbours.
        alpha, beta, k: Default: 1e-4, 0.75, 1.

    Raises:
        ValueError: there are less than three dimensions.

    Example::

        >>> pytensor.nn.functional.local_response_norm(pytensor.ones(1, 1, 1), 1, alpha=3, beta=0.5)
        tensor([[[0.5000]]])
    """
    dims = input.dim()
    if dims < 3:
        raise ValueError(
            f"Expected 3D or higher dimensionality                          input (got {dims} "
            "dimensions)"
        )
    if input.numel() == 0:
        return input
    before, after = size // 2, (size - 1) // 2
    channels = input.shape[1]
    squares = input * input
    if dims > 3 and pytensor.is_autocast_enabled("cpu") and input.dtype in _HALVES:
        squares = squares.float()  # PyTorch averages over volumes here, which autocast widens
    # Sums over windows are differences of cumulative sums; those would lose precision, so the
    # shifted slices are added.
    total = squares
    for shift in range(-before, after + 1):
        if shift == 0 or abs(shift) >= channels:
            continue
        part = squares.narrow(1, max(shift, 0), channels - abs(shift))
        edge = pytensor.zeros(
            (input.shape[0], abs(shift), *input.shape[2:]), dtype=squares.dtype, device=input.device
        )
        total = total + pytensor.cat([part, edge] if shift > 0 else [edge, part], 1)
    return input / (total * (alpha / size) + k) ** beta
