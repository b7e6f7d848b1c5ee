"""From indices to batches, in the process that runs it: ``Fetcher``, and gathering of rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytensor
from pytensor import Tensor
from pytensor.utils.data.collate import default_collate
from pytensor.utils.data.dataset import Subset, TensorDataset

__all__ = ["Fetcher", "rows_of"]


class Fetcher:
    """Makes batches of a map-style or an iterable data set.

    Args:
        dataset: where samples come from.
        iterable: whether it is a stream.
        batched: whether `fetch` gets lists of indices, or one.
        collate: makes a batch of samples, or converts a single one.
        drop_last: whether the last batch of a stream is left out when it is smaller.
    """

    def __init__(
        self,
        dataset: Any,
        iterable: bool,
        batched: bool,
        collate: Callable[[Any], Any],
        drop_last: bool,
    ) -> None:
        self.dataset = dataset
        self.batched = batched
        self.collate = collate
        self.drop_last = drop_last
        self.stream: Iterator[Any] | None = iter(dataset) if iterable else None
        self.ended = False
        self.rows = rows_of(dataset) if batched and collate is default_collate else None

    def fetch(self, index: Any) -> Any:
        """The batch of `index`; raises StopIteration at the end of a stream."""
        if self.stream is not None:
            return self._from_stream(index)
        if self.rows is not None:
            tensors, mapping = self.rows
            chosen = index if mapping is None else [mapping[i] for i in index]
            return gather(tensors, pytensor.tensor(chosen, dtype=pytensor.int64))
        if not self.batched:
            return self.collate(self.dataset[index])
        if callable(getattr(self.dataset, "__getitems__", None)):
            return self.collate(self.dataset.__getitems__(index))
        return self.collate([self.dataset[i] for i in index])

    def _from_stream(self, index: Any) -> Any:
        if self.ended:
            raise StopIteration
        assert self.stream is not None
        if not self.batched:
            return self.collate(next(self.stream))
        samples = []
        for _ in index:
            try:
                samples.append(next(self.stream))
            except StopIteration:
                self.ended = True
                break
        if not samples or (self.drop_last and len(samples) < len(index)):
            raise StopIteration
        return self.collate(samples)


def rows_of(dataset: Any) -> tuple[tuple[Tensor, ...], Any] | None:
    """The tensors whose rows are the samples, and the indices of a subset; None for others.

    Subclasses may have other samples, and so take the slow path.
    """
    mapping = None
    if type(dataset) is Subset:
        dataset, mapping = dataset.dataset, dataset.indices
    if type(dataset) is not TensorDataset or len(dataset.tensors) == 0:
        return None
    if any(t.requires_grad for t in dataset.tensors):
        return None
    return dataset.tensors, mapping


def gather(tensors: tuple[Tensor, ...], index: Tensor) -> list[Tensor]:
    """Rows of each tensor; negative indices count from the end as in samples.

    Raises:
        IndexError: an index is out of range.
    """
    n = tensors[0].size(0)
    if index.numel():
        low, high = int(index.min().item()), int(index.max().item())
        if low < -n or high >= n:
            wrong = low if low < -n else high
            raise IndexError(f"index {wrong} is out of bounds for dimension 0 with size {n}")
        if low < 0:
            index = pytensor.where(index < 0, index + n, index)
    return [t.index_select(0, index) for t in tensors]
