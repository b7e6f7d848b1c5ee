"""``DistributedSampler``: the part of a data set that belongs to one of several processes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pytensor
from pytensor.utils.data.sampler import Sampler

__all__ = ["DistributedSampler"]


class DistributedSampler(Sampler[int]):
    """Every ``num_replicas``-th index of a common order, beginning with ``rank``.

    Args:
        dataset: something with a length.
        num_replicas: number of processes.
        rank: of this process, below `num_replicas`.
        shuffle: whether the order is random; ``set_epoch`` then changes it. Default: ``True``.
        seed: of the order, the same in all processes. Default: 0.
        drop_last: leaves out samples until the parts are equal, instead of repeating some.
            Default: ``False``.

    Raises:
        RuntimeError: `num_replicas` or `rank` is not given; there is no process group to ask.
        ValueError: `rank` is out of range.
    """

    def __init__(
        self,
        dataset: Any,
        num_replicas: int | None = None,
        rank: int | None = None,
        shuffle: bool = True,
        seed: int = 0,
        drop_last: bool = False,
    ) -> None:
        if num_replicas is None or rank is None:
            raise RuntimeError("Requires distributed package to be available")
        if rank >= num_replicas or rank < 0:
            raise ValueError(
                f"Invalid rank {rank}, rank should be in the interval [0, {num_replicas - 1}]"
            )
        self.dataset = dataset
        self.num_replicas = num_replicas
        self.rank = rank
        self.epoch = 0
        self.drop_last = drop_last
        n = len(dataset)
        if drop_last and n % num_replicas != 0:
            self.num_samples = math.ceil((n - num_replicas) / num_replicas)
        else:
            self.num_samples = math.ceil(n / num_replicas)
        self.total_size = self.num_samples * num_replicas
        self.shuffle = shuffle
        self.seed = seed

    def __iter__(self) -> Iterator[int]:
        n = len(self.dataset)
        if self.shuffle:
            generator = pytensor.Generator().manual_seed(self.seed + self.epoch)
            order = pytensor.randperm(n, generator=generator).tolist()
        else:
            order = list(range(n))
        if not self.drop_last and order:
            order = (order * math.ceil(self.total_size / n))[: self.total_size]
        return iter(order[self.rank : self.total_size : self.num_replicas])

    def __len__(self) -> int:
        return self.num_samples

    def set_epoch(self, epoch: int) -> None:
        """Chooses another random order, the same in all processes.

        Args:
            epoch: number of the pass over the data.
        """
        self.epoch = epoch
