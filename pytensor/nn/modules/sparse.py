"""Embedding layers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytensor
from pytensor.nn import functional as F
from pytensor.nn import init
from pytensor.nn.modules.module import Module
from pytensor.nn.parameter import Parameter

if TYPE_CHECKING:
    from pytensor import Tensor

__all__ = ["Embedding", "EmbeddingBag"]


def _checked_row(padding_idx: int | None, rows: int) -> int | None:
    if padding_idx is None:
        return None
    what = "Padding_idx must be within num_embeddings"
    if not -rows <= padding_idx < rows:
        raise AssertionError(what)
    return padding_idx if padding_idx >= 0 else rows + padding_idx


class _Table(Module):
    """The weight of both layers, and its initial values."""

    weight: Tensor

    def _make_table(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None,
        weight: Tensor | None,
        frozen: bool,
        device: Any,
        dtype: Any,
    ) -> None:
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        self.padding_idx = _checked_row(padding_idx, num_embeddings)
        if weight is None:
            shape = (num_embeddings, embedding_dim)
            self.weight = Parameter(
                pytensor.empty(shape, device=device, dtype=dtype), requires_grad=not frozen
            )
            self.reset_parameters()
            return
        if list(weight.shape) != [num_embeddings, embedding_dim]:
            raise AssertionError("Shape of weight does not match num_embeddings and embedding_dim")
        self.weight = Parameter(weight, requires_grad=not frozen)

    def reset_parameters(self) -> None:
        """Draws new initial values; the padding row becomes 0."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            with pytensor.no_grad():
                self.weight[self.padding_idx].fill_(0)


class Embedding(_Table):
    """A table of vectors, looked up by indices.

    Args:
        num_embeddings: the number V of vectors.
        embedding_dim: their size D.
        padding_idx: a row that starts at 0 and gets no gradient.
        max_norm: rows that are looked up are scaled down to this length, in place.
        norm_type: the exponent of that norm. Default: 2.
        scale_grad_by_freq: divides a row's gradient by how often it is named. Default: ``False``.
        sparse: accepted; gradients are dense all the same.
        device, dtype: of the table. Default: the default device and dtype.

    Shape:
        indices ``(*)`` to ``(*, D)``. `weight` ``(V, D)`` starts standard normal.

    Raises:
        AssertionError: padding_idx is out of range.

    Example::

        >>> layer = pytensor.nn.Embedding(10, 3)
        >>> layer(pytensor.tensor([[1, 2, 4], [4, 3, 9]])).shape
        torch.Size([2, 3, 3])
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
        _weight: Tensor | None = None,
        _freeze: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.max_norm = max_norm
        self.norm_type = norm_type
        self.scale_grad_by_freq = scale_grad_by_freq
        self.sparse = sparse
        self._make_table(
            num_embeddings, embedding_dim, padding_idx, _weight, _freeze, device, dtype
        )

    def forward(self, input: Tensor) -> Tensor:
        return F.embedding(
            input,
            self.weight,
            self.padding_idx,
            self.max_norm,
            self.norm_type,
            self.scale_grad_by_freq,
            self.sparse,
        )

    def extra_repr(self) -> str:
        text = f"{self.num_embeddings}, {self.embedding_dim}"
        if self.padding_idx is not None:
            text += f", padding_idx={self.padding_idx}"
        if self.max_norm is not None:
            text += f", max_norm={self.max_norm}"
        if self.norm_type != 2:
            text += f", norm_type={self.norm_type}"
        if self.scale_grad_by_freq:
            text += f", scale_grad_by_freq={self.scale_grad_by_freq}"
        return text + (", sparse=True" if self.sparse else "")

    @classmethod
    def from_pretrained(
        cls,
        embeddings: Tensor,
        freeze: bool = True,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
    ) -> Embedding:
        """A layer with a given table.

        Args:
            embeddings: the table, ``(V, D)``.
            freeze: the table is not trained. Default: ``True``.
            padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse: as of the class.

        Example::

            >>> table = pytensor.tensor([[1.0, 2.0], [3.0, 4.0]])
            >>> pytensor.nn.Embedding.from_pretrained(table)(pytensor.tensor([1]))
            tensor([[3., 4.]])
        """
        if embeddings.dim() != 2:
            raise AssertionError("Embeddings parameter is expected to be 2-dimensional")
        rows, columns = embeddings.shape
        return cls(
            num_embeddings=rows,
            embedding_dim=columns,
            padding_idx=padding_idx,
            max_norm=max_norm,
            norm_type=norm_type,
            scale_grad_by_freq=scale_grad_by_freq,
            sparse=sparse,
            _weight=embeddings,
            _freeze=freeze,
        )


class EmbeddingBag(_Table):
    """Sums, means or maxima of bags of vectors of a table.

    Args:
        num_embeddings: the number V of vectors.
        embedding_dim: their size D.
        max_norm: rows that are looked up are scaled down to this length, in place.
        norm_type: the exponent of that norm. Default: 2.
        scale_grad_by_freq: divides a row's gradient by how often it is named. Default: ``False``.
        mode: ``'sum'``, ``'mean'`` or ``'max'``. Default: ``'mean'``.
        sparse: accepted; gradients are dense all the same.
        include_last_offset: the last offset is the end of the last bag. Default: ``False``.
        padding_idx: a row that starts at 0 and does not count.
        device, dtype: of the table. Default: the default device and dtype.

    Shape:
        indices ``(B, N)``, or ``(N)`` with offsets ``(B)``, to ``(B, D)``.

    Example::

        >>> layer = pytensor.nn.EmbeddingBag(10, 3, mode="sum")
        >>> layer(pytensor.tensor([1, 2, 4, 5]), pytensor.tensor([0, 3])).shape
        torch.Size([2, 3])
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        mode: str = "mean",
        sparse: bool = False,
        _weight: Tensor | None = None,
        include_last_offset: bool = False,
        padding_idx: int | None = None,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.max_norm = max_norm
        self.norm_type = norm_type
        self.scale_grad_by_freq = scale_grad_by_freq
        self.mode = mode
        self.sparse = sparse
        self.include_last_offset = include_last_offset
        self._make_table(num_embeddings, embedding_dim, padding_idx, _weight, False, device, dtype)

    def forward(
        self,
        input: Tensor,
        offsets: Tensor | None = None,
        per_sample_weights: Tensor | None = None,
    ) -> Tensor:
        return F.embedding_bag(
            input,
            self.weight,
            offsets,
            self.max_norm,
            self.norm_type,
            self.scale_grad_by_freq,
            self.mode,
            self.sparse,
            per_sample_weights,
            self.include_last_offset,
            self.padding_idx,
        )

    def extra_repr(self) -> str:
        text = f"{self.num_embeddings}, {self.embedding_dim}"
        if self.max_norm is not None:
            text += f", max_norm={self.max_norm}"
        if self.norm_type != 2:
            text += f", norm_type={self.norm_type}"
        if self.scale_grad_by_freq:
            text += f", scale_grad_by_freq={self.scale_grad_by_freq}"
        text += f", mode={self.mode!r}"
        return text if self.padding_idx is None else f"{text}, padding_idx={self.padding_idx}"

    @classmethod
    def from_pretrained(
        cls,
        embeddings: Tensor,
        freeze: bool = True,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        mode: str = "mean",
        sparse: bool = False,
        include_last_offset: bool = False,
        padding_idx: int | None = None,
    ) -> EmbeddingBag:
        """A layer with a given table.

        Args:
            embeddings: the table, ``(V, D)``.
            freeze: the table is not trained. Default: ``True``.
            max_norm, norm_type, scale_grad_by_freq, mode, sparse, include_last_offset,
                padding_idx: as of the class.

        Example::

            >>> table = pytensor.tensor([[1.0, 2.0], [3.0, 4.0]])
            >>> pytensor.nn.EmbeddingBag.from_pretrained(table)(pytensor.tensor([[1, 0]]))
            tensor([[2., 3.]])
        """
        if embeddings.dim() != 2:
            raise AssertionError("Embeddings parameter is expected to be 2-dimensional")
        rows, columns = embeddings.shape
        layer = cls(
            num_embeddings=rows,
            embedding_dim=columns,
            _weight=embeddings,
            max_norm=max_norm,
            norm_type=norm_type,
            scale_grad_by_freq=scale_grad_by_freq,
            mode=mode,
            sparse=sparse,
            include_last_offset=include_last_offset,
            padding_idx=padding_idx,
        )
        layer.weight.requires_grad = not freeze
        return layer
