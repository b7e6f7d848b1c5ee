"""``AdaptiveLogSoftmaxWithLoss``: softmax over very many classes of unequal frequency."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Sequence
from typing import Any

import pytensor
from pytensor import Tensor
from pytensor.nn import functional as F
from pytensor.nn.modules.container import ModuleList, Sequential
from pytensor.nn.modules.linear import Linear
from pytensor.nn.modules.module import Module

__all__ = ["AdaptiveLogSoftmaxWithLoss"]

_ASMoutput = namedtuple("_ASMoutput", ["output", "loss"])


class AdaptiveLogSoftmaxWithLoss(Module):
    """Softmax in two steps (Grave et al. 2017, https://arxiv.org/abs/1609.04309).

    The frequent classes make up the head, the others clusters that the head has one output each
    for. A cluster's own layers are smaller the rarer its classes, and run only for the samples
    that need them.

    Args:
        in_features: size of each sample.
        n_classes: number of classes, ordered from frequent to rare.
        cutoffs: where clusters begin, ascending.
        div_value: how much smaller each next cluster's projection is. Default: 4.
        head_bias: whether the head has a bias. Default: ``False``.
        device, dtype: of the parameters. Default: the default device and dtype.

    Shape:
        Input ``(N, in_features)`` or ``(in_features,)``, target ``(N,)`` or ``()`` of int64. The
        result is a named tuple: ``output`` like the target, the log-probability of each target,
        and ``loss``, the negative mean.

    Raises:
        ValueError: the cutoffs do not ascend between 1 and ``n_classes - 1``.
        RuntimeError: shapes of input and target do not fit, or a target is out of range.

    Example::

        >>> layer = pytensor.nn.AdaptiveLogSoftmaxWithLoss(8, 20, [5, 10])
        >>> layer(pytensor.randn(3, 8), pytensor.tensor([0, 7, 19])).output.shape
        torch.Size([3])
    """

    in_features: int
    n_classes: int
    cutoffs: list[int]
    div_value: float
    head_bias: bool
    head: Linear
    tail: ModuleList

    def __init__(
        self,
        in_features: int,
        n_classes: int,
        cutoffs: Sequence[int],
        div_value: float = 4.0,
        head_bias: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        cutoffs = list(cutoffs)
        if len(cutoffs) == 0:
            raise ValueError("cutoffs should be a sequence of length larger than 0")
        if (
            cutoffs != sorted(set(cutoffs))
            or min(cutoffs) <= 0
            or max(cutoffs) > n_classes - 1
            or any(int(c) != c for c in cutoffs)
        ):
            raise ValueError(
                "cutoffs should be a sequence of unique, positive integers sorted in an "
                "increasing order, where each value is between 1 and n_classes-1"
            )
        self.in_features = in_features
        self.n_classes = n_classes
        self.cutoffs = [*cutoffs, n_classes]
        self.div_value = div_value
        self.head_bias = head_bias
        self.shortlist_size = self.cutoffs[0]
        self.n_clusters = len(self.cutoffs) - 1
        self.head_size = self.shortlist_size + self.n_clusters
        self.head = Linear(in_features, self.head_size, head_bias, device, dtype)
        self.tail = ModuleList()
        for i, (low, high) in enumerate(zip(self.cutoffs, self.cutoffs[1:])):
            hidden = int(in_features // div_value ** (i + 1))
            self.tail.append(
                Sequential(
                    Linear(in_features, hidden, False, device, dtype),
                    Linear(hidden, high - low, False, device, dtype),
                )
            )

    def reset_parameters(self) -> None:
        """Draws new initial values."""
        self.head.reset_parameters()
        for projection, scores in self.tail:
            projection.reset_parameters()
            scores.reset_parameters()

    def forward(self, input_: Tensor, target_: Tensor) -> _ASMoutput:
        batched = target_.dim() > 0
        if target_.dim() > 1:
            raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
        if batched and input_.size(0) != target_.size(0):
            raise RuntimeError("Input and target should have the same size in the batch dimension.")
        wanted = 2 if batched else 1
        if input_.dim() != wanted:
            shape = "2D input for 1D target" if batched else "1D input for 0D target"
            raise RuntimeError(f"{shape} expected, but found inputs with size {input_.size()}")
        x = input_ if batched else input_.unsqueeze(0)
        target = target_ if batched else target_.unsqueeze(0)
        if target.numel() and not (
            int(target.min().item()) >= 0 and int(target.max().item()) < self.n_classes
        ):
            raise RuntimeError(
                f"Target values should be in [0, {self.n_classes - 1}], but values in range "
                f"[{target.min().item()}, {target.max().item()}] were found. "
            )
        output = x.new_zeros(target.size(0))
        gather = target.clone()  # the head's column of each sample
        for i, (low, high) in enumerate(zip(self.cutoffs, self.cutoffs[1:])):
            rows = ((target >= low) & (target < high)).nonzero().squeeze(1)
            if rows.numel() == 0:
                continue
            scores = self.tail[i](x.index_select(0, rows))
            within = (target[rows] - low).unsqueeze(1)
            log_prob = F.log_softmax(scores, dim=1).gather(1, within).squeeze(1)
            output = output.index_copy(0, rows, log_prob)
            gather = gather.index_fill(0, rows, self.shortlist_size + i)
        head = F.log_softmax(self.head(x), dim=1)
        output = output + head.gather(1, gather.unsqueeze(1)).squeeze(1)
        loss = -output.mean()
        return _ASMoutput(output if batched else output.squeeze(0), loss)

    def _get_full_log_prob(self, input: Tensor, head_output: Tensor) -> Tensor:
        head = F.log_softmax(head_output, dim=1)
        parts = [head[:, : self.shortlist_size]]
        for i, cluster in enumerate(self.tail):
            column = head[:, self.shortlist_size + i].unsqueeze(1)
            parts.append(F.log_softmax(cluster(input), dim=1) + column)
        return pytensor.cat(parts, 1)

    def log_prob(self, input: Tensor) -> Tensor:
        """Log-probabilities of all classes.

        Shape:
            ``(N, in_features)`` to ``(N, n_classes)``.
        """
        return self._get_full_log_prob(input, self.head(input))

    def predict(self, input: Tensor) -> Tensor:
        """The most probable class of each sample, without scores of clusters nobody needs.

        Shape:
            ``(N, in_features)`` to ``(N,)`` of int64.
        """
        scores = self.head(input)
        best = scores.argmax(dim=1)
        unsure = (best >= self.shortlist_size).nonzero().squeeze(1)
        if unsure.numel() == 0:
            return best
        full = self._get_full_log_prob(input[unsure], scores[unsure])
        return best.index_copy(0, unsure, full.argmax(dim=1))
