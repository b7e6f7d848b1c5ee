"""``linear_cross_entropy``: a linear map and the cross entropy of its results in one call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pytensor import Tensor
from pytensor.nn.functional.class_loss import cross_entropy
from pytensor.nn.functional.linear import linear

__all__ = ["linear_cross_entropy"]


@dataclass(frozen=True)
class LinearCrossEntropyOptions:
    """How PyTorch cuts the computation into chunks of samples.

    Accepted for programs that set it: here the logits of all samples are computed at once, which
    gives the same loss and gradients with any choice of chunks.
    """

    allow_retain_graph: bool = False
    batch_chunk_size: int | None = None
    chunking_method: str | None = "auto"
    acc_policy: str = "auto"
    acc_dtype: Any = None


def linear_cross_entropy(
    input: Tensor,
    linear_weight: Tensor,
    target: Tensor,
    *,
    linear_bias: Tensor | None = None,
    weight: Tensor | None = None,
    reduction: str = "mean",
    ignore_index: int | None = None,
    label_smoothing: float = 0.0,
    options: LinearCrossEntropyOptions | None = None,
) -> Tensor:
    """``cross_entropy(linear(input, linear_weight, linear_bias), target, ...)``.

    Args:
        input: samples.
        linear_weight: of the linear map, with further dimensions of the loss after the classes.
        target: classes, or their probabilities, as in ``cross_entropy``.
        linear_bias: added to the logits. Default: none.
        weight, reduction, label_smoothing: as in ``cross_entropy``.
        ignore_index: a class that does not count. Default: none.
        options: accepted; see ``LinearCrossEntropyOptions``.

    Shape:
        `input` ``(N, in)`` or ``(in,)``, `linear_weight` ``(C, *, in)``, `linear_bias`
        ``(C, *)``, `target` ``(N, *)`` or, of probabilities, ``(N, C, *)``.

    Example::

        >>> F = pytensor.nn.functional
        >>> F.linear_cross_entropy(
        ...     pytensor.ones(2, 3), pytensor.zeros(4, 3), pytensor.tensor([0, 3])
        ... )
        tensor(1.3863)
    """
    classes = linear_weight.shape[:-1]
    bias = None if linear_bias is None else linear_bias.reshape(-1)
    logits = linear(input, linear_weight.reshape(-1, linear_weight.shape[-1]), bias)
    return cross_entropy(
        logits.reshape(*input.shape[:-1], *classes),
        target,
        weight=weight,
        ignore_index=-100 if ignore_index is None else ignore_index,
        reduction=reduction,
        label_smoothing=label_smoothing,
    )
