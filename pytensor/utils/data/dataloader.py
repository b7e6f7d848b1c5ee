"""``DataLoader``: batches of a data set, made here or by worker processes."""

from __future__ import annotations

import itertools
import multiprocessing
import multiprocessing.context
import os
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, TypeVar

import pytensor
from pytensor import Generator
from pytensor.utils.data._fetch import Fetcher, gather, rows_of
from pytensor.utils.data._pin import can_pin, pinned
from pytensor.utils.data.collate import default_collate, default_convert
from pytensor.utils.data.dataset import IterableDataset
from pytensor.utils.data.sampler import (
    BatchSampler,
    RandomSampler,
    SequentialSampler,
    draw_seed,
)

__all__ = ["DataLoader"]

T_co = TypeVar("T_co", covariant=True)

_FIXED = frozenset(
    {"batch_size", "batch_sampler", "sampler", "drop_last", "dataset", "persistent_workers"}
)


class _Forever:
    """The sampler of a stream: nothing to choose, without end."""

    def __iter__(self) -> Iterator[Any]:
        return itertools.repeat(None)


class DataLoader(Generic[T_co]):
    """Batches of a data set.

    The same seed gives PyTorch's batches. Without workers a ``TensorDataset`` is cut or gathered a
    whole batch at a time.

    Args:
        dataset: samples by index (``__getitem__`` and ``__len__``), or an ``IterableDataset``.
        batch_size: samples in a batch; None for single samples. Default: 1.
        shuffle: whether the order is random, anew in each pass. Default: ``False``.
        sampler: an iterable of indices, in the place of `shuffle`.
        batch_sampler: an iterable of lists of indices, in the place of `batch_size`, `shuffle`,
            `sampler` and `drop_last`.
        num_workers: processes that make batches; 0 makes them here. Default: 0.
        collate_fn: makes a batch of a list of samples. Default: ``default_collate``.
        pin_memory: puts the tensors of each batch into page-locked memory, from which
            ``to("cuda", non_blocking=True)`` copies without waiting. Without a device it warns.
            Default: ``False``.
        drop_last: leaves out a last batch that is smaller. Default: ``False``.
        timeout: seconds to wait for a worker's batch; 0 for ever. Default: 0.
        worker_init_fn: called in each worker with its number.
        multiprocessing_context: how processes start, as the name of a start method or as a
            context. Default: the system's.
        generator: draws the order and the workers' seeds. Default: the default generator.
        prefetch_factor: batches that each worker makes ahead. Default: 2 with workers.
        persistent_workers: keeps the processes from one pass to the next. Default: ``False``.
        pin_memory_device: accepted as in PyTorch.
        in_order: whether batches come in order although another may be ready. Default: ``True``.

    Raises:
        ValueError: arguments that exclude one another, or out of range.
        RuntimeError: while iterating, when a worker dies or does not answer in time. An exception
            in a worker is raised again with the worker's number and traceback.

    Example::

        >>> data = pytensor.utils.data.TensorDataset(pytensor.arange(5))
        >>> [batch.tolist() for batch, in pytensor.utils.data.DataLoader(data, batch_size=2)]
        [[0, 1], [2, 3], [4]]
    """

    _initialized = False

    def __init__(
        self,
        dataset: Any,
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Iterable[Any] | None = None,
        batch_sampler: Iterable[Any] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[Any], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], None] | None = None,
        multiprocessing_context: Any = None,
        generator: Generator | None = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
    ) -> None:
        _check_workers(num_workers, timeout, prefetch_factor, persistent_workers)
        self.dataset = dataset
        self.num_workers = num_workers
        self.prefetch_factor = 2 if num_workers > 0 and prefetch_factor is None else prefetch_factor
        self.pin_memory = pin_memory
        self.pin_memory_device = pin_memory_device
        self.timeout = timeout
        self.worker_init_fn = worker_init_fn
        self.multiprocessing_context = multiprocessing_context
        self.in_order = in_order
        self._iterable = isinstance(dataset, IterableDataset)
        if self._iterable:
            _check_stream(shuffle, sampler, batch_sampler)
        shuffle = bool(shuffle)
        if sampler is not None and shuffle:
            raise ValueError("sampler option is mutually exclusive with shuffle")
        if batch_sampler is not None:
            if batch_size != 1 or shuffle or sampler is not None or drop_last:
                raise ValueError(
                    "batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, "
                    "and drop_last"
                )
            batch_size = None
            drop_last = False
        elif batch_size is None and drop_last:
            raise ValueError(
                "batch_size=None option disables auto-batching and is mutually exclusive with "
                "drop_last"
            )
        if sampler is None:
            if self._iterable:
                sampler = _Forever()
            elif shuffle:
                sampler = RandomSampler(dataset, generator=generator)
            else:
                sampler = SequentialSampler(dataset)
        if batch_size is not None and batch_sampler is None:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        self.batch_size = batch_size
        self.drop_last = drop_last
        self.sampler = sampler
        self.batch_sampler = batch_sampler
        self.generator = generator
        batched = batch_sampler is not None
        self.collate_fn = collate_fn or (default_collate if batched else default_convert)
        self.persistent_workers = persistent_workers
        self._kept: Any = None  # persistent workers
        self._initialized = True

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "multiprocessing_context":
            _check_context(value, self.num_workers)
        if self._initialized and name in _FIXED:
            raise ValueError(
                f"{name} attribute should not be set after {type(self).__name__} is initialized"
            )
        super().__setattr__(name, value)

    def __len__(self) -> int:
        """Number of batches; of a stream, what its length promises."""
        if self._iterable:
            n = len(self.dataset)
            if self.batch_size is None:
                return n
            return n // self.batch_size if self.drop_last else -(-n // self.batch_size)
        source: Any = self._index_sampler
        return len(source)

    @property
    def _index_sampler(self) -> Iterable[Any]:
        return self.sampler if self.batch_sampler is None else self.batch_sampler

    @property
    def _fetch_arguments(self) -> tuple[Any, ...]:
        batched = self.batch_sampler is not None
        return self.dataset, self._iterable, batched, self.collate_fn, self.drop_last

    def __iter__(self) -> Iterator[Any]:
        if self.num_workers > 0:
            return _WorkerIterator(self)
        return _LocalIterator(self)

    def check_worker_number_rationality(self) -> None:
        """Warns of more workers than processors that this process may use."""
        allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None
        allowed = allowed or os.cpu_count()
        if allowed is not None and self.num_workers > allowed:
            warnings.warn(
                f"This DataLoader will create {self.num_workers} worker processes in total. Our "
                f"suggested max number of worker in current system is {allowed}, which is smaller "
                "than what this DataLoader is going to create. Please be aware that excessive "
                "worker creation might get DataLoader running slow or even freeze, lower the "
                "worker number to avoid potential slowness/freeze if necessary.",
                stacklevel=3,
            )


class _Iterator:
    """One pass over the data."""

    def __init__(self, loader: DataLoader[Any]) -> None:
        self._loader = loader
        self._given = 0
        self._warned = False
        self._batches: Iterator[Any] = iter(())
        self._pins = bool(loader.pin_memory) and can_pin()

    def __iter__(self) -> _Iterator:
        return self

    def __len__(self) -> int:
        return len(self._loader)

    def __next__(self) -> Any:
        batch = next(self._batches)
        self._given += 1
        if self._loader._iterable and not self._warned and hasattr(self._loader.dataset, "__len__"):
            self._check_length()
        return pinned(batch) if self._pins else batch

    def _check_length(self) -> None:
        promised = len(self._loader)
        if self._given > promised:
            self._warned = True
            warnings.warn(
                f"Length of IterableDataset {self._loader.dataset} was reported to be {promised}"
                f"(when accessing len(dataloader)), but {self._given} samples have been fetched. ",
                stacklevel=3,
            )


class _LocalIterator(_Iterator):
    """Batches made in this process."""

    def __init__(self, loader: DataLoader[Any]) -> None:
        super().__init__(loader)
        # A sampler may draw when its iteration begins, which PyTorch does before it draws the
        # seed of workers, whether there are workers or not.
        whole = _whole_batches(loader)
        indices = iter(loader._index_sampler) if whole is None else None
        draw_seed(loader.generator)
        if indices is not None:
            whole = _fetched(Fetcher(*loader._fetch_arguments), indices)
        assert whole is not None
        self._batches = whole


def _fetched(fetcher: Fetcher, indices: Iterator[Any]) -> Iterator[Any]:
    for index in indices:
        try:
            batch = fetcher.fetch(index)
        except StopIteration:
            return
        yield batch


def _whole_batches(loader: DataLoader[Any]) -> Iterator[Any] | None:
    """Batches of rows of tensors in the order of a plain sampler, without a list of indices."""
    rows = rows_of(loader.dataset)
    batches = loader.batch_sampler
    if (
        rows is None
        or type(batches) is not BatchSampler
        or loader.collate_fn is not default_collate
    ):
        return None
    tensors, mapping = rows
    sampler = batches.sampler
    n = len(loader.dataset)
    size, drop_last = batches.batch_size, batches.drop_last
    if type(sampler) is SequentialSampler and sampler.data_source is loader.dataset:
        if mapping is None:
            return _slices(tensors, n, size, drop_last)
        return _gathered(tensors, pytensor.tensor(list(mapping)), size, drop_last)
    if type(sampler) is RandomSampler and not sampler.replacement and sampler.num_samples == n:
        if sampler.data_source is not loader.dataset:
            return None
        return _shuffled(tensors, mapping, sampler, size, drop_last)
    return None


def _slices(tensors: Any, n: int, size: int, drop_last: bool) -> Iterator[Any]:
    for start in range(0, n - size + 1 if drop_last else n, size):
        yield [t[start : start + size].clone() for t in tensors]


def _shuffled(
    tensors: Any, mapping: Any, sampler: RandomSampler, size: int, drop_last: bool
) -> Iterator[Any]:
    n = len(sampler.data_source)
    generator = sampler.drawing()
    order = pytensor.randperm(n, generator=generator)
    if mapping is not None:
        order = pytensor.tensor(list(mapping), dtype=pytensor.int64)[order]
    yield from _gathered(tensors, order, size, drop_last)
    pytensor.randperm(n, generator=generator)  # the sampler's draw for the samples beyond n


def _gathered(tensors: Any, order: Any, size: int, drop_last: bool) -> Iterator[Any]:
    n = len(order)
    for start in range(0, n - size + 1 if drop_last else n, size):
        yield gather(tensors, order[start : start + size])


class _WorkerIterator(_Iterator):
    """Batches from worker processes."""

    def __init__(self, loader: DataLoader[Any]) -> None:
        super().__init__(loader)
        from pytensor.utils.data._pool import Workers

        loader.check_worker_number_rationality()
        if loader._kept is not None:
            self._workers = loader._kept
            loader._kept = None
            self._workers.resume()
        else:
            # PyTorch begins the iteration twice: a sampler that draws then draws twice.
            iter(loader._index_sampler)
            base_seed = draw_seed(loader.generator)
            self._workers = Workers(
                _context(loader.multiprocessing_context),
                loader.num_workers,
                loader._fetch_arguments,
                base_seed,
                loader.worker_init_fn,
                loader.prefetch_factor or 2,
                loader.timeout,
                loader.in_order,
            )
        indices = iter(loader._index_sampler)
        self._workers.ask(indices)  # they begin now, not with the first next()
        self._batches = _from_workers(loader, self._workers, indices)


def _from_workers(loader: DataLoader[Any], workers: Any, indices: Iterator[Any]) -> Iterator[Any]:
    """All batches; keeps or ends the processes with the last one, or when it is dropped.

    It must not know its iterator, which would live on in the cycle with the processes.
    """
    finished = False
    try:
        yield from workers.batches(indices)
        finished = True
    finally:
        if finished and loader.persistent_workers:
            loader._kept = workers
        else:
            workers.close()


def _context(given: Any) -> Any:
    if given is None or isinstance(given, str):
        return multiprocessing.get_context(given)
    return given


def _check_context(given: Any, num_workers: int) -> None:
    if given is None:
        return
    if num_workers == 0:
        raise ValueError(
            "multiprocessing_context can only be used with multi-process loading (num_workers > "
            "0), but got num_workers=0"
        )
    if isinstance(given, str):
        known = multiprocessing.get_all_start_methods()
        if given not in known:
            raise ValueError(
                "multiprocessing_context option should specify a valid start method in "
                f"{known}, but got multiprocessing_context={given!r}"
            )
    elif not isinstance(given, multiprocessing.context.BaseContext):
        raise TypeError(
            "multiprocessing_context option should be a valid context object or a string "
            f"specifying the start method, but got multiprocessing_context={given}"
        )


def _check_workers(
    num_workers: int, timeout: float, prefetch_factor: int | None, persistent_workers: bool
) -> None:
    if num_workers < 0:
        raise ValueError(
            "num_workers option should be non-negative; use num_workers=0 to disable "
            "multiprocessing."
        )
    if timeout < 0:
        raise ValueError("timeout option should be non-negative")
    if num_workers == 0 and prefetch_factor is not None:
        raise ValueError(
            "prefetch_factor option could only be specified in multiprocessing."
            "let num_workers > 0 to enable multiprocessing, otherwise set prefetch_factor to None."
        )
    if prefetch_factor is not None and prefetch_factor < 0:
        raise ValueError("prefetch_factor option should be non-negative")
    if persistent_workers and num_workers == 0:
        raise ValueError("persistent_workers option needs num_workers > 0")


def _check_stream(shuffle: bool | None, sampler: Any, batch_sampler: Any) -> None:
    for name, value, wrong in (
        ("shuffle", shuffle, shuffle not in (None, False)),
        ("sampler", sampler, sampler is not None),
        ("batch_sampler", batch_sampler, batch_sampler is not None),
    ):
        if wrong:
            raise ValueError(
                f"DataLoader with IterableDataset: expected unspecified {name} option, but got "
                f"{name}={value}"
            )
