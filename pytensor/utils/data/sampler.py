"""Samplers: which indices a ``DataLoader`` asks for, and in which order.

Draws from random generators come in PyTorch's order, so that the same seed gives the same batches.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Generic, TypeVar

import pytensor
from pytensor import Generator, Tensor

__all__ = [
    "BatchSampler",
    "RandomSampler",
    "Sampler",
    "SequentialSampler",
    "SubsetRandomSampler",
    "WeightedRandomSampler",
]

T_co = TypeVar("T_co", covariant=True)

_DRAW = 32  # indices drawn at once with replacement


def draw_seed(generator: Generator | None = None) -> int:
    """A seed for another generator: one draw of 64 bits."""
    return int(pytensor.empty((), dtype=pytensor.int64).random_(generator=generator).item())


def _check_flag(name: str, value: Any, kind: type[Exception]) -> None:
    if not isinstance(value, bool):
        raise kind(f"{name} should be a boolean value, but got {name}={value}")


class Sampler(Generic[T_co]):
    """Base of samplers: a subclass defines ``__iter__`` over indices, and ``__len__``."""

    def __iter__(self) -> Iterator[T_co]:
        raise NotImplementedError


class SequentialSampler(Sampler[int]):
    """0, 1, 2 ... to the end of a data set.

    Args:
        data_source: something with a length.
    """

    def __init__(self, data_source: Any) -> None:
        self.data_source = data_source

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.data_source)))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomSampler(Sampler[int]):
    """Indices of a data set in random order.

    Args:
        data_source: something with a length.
        replacement: whether an index may come again. Default: ``False``.
        num_samples: how many indices; more than there are begins anew. Default: the length.
        generator: draws them. Default: one seeded from the default generator.

    Raises:
        TypeError: `replacement` is no bool.
        ValueError: `num_samples` is no positive integer.
    """

    def __init__(
        self,
        data_source: Any,
        replacement: bool = False,
        num_samples: int | None = None,
        generator: Generator | None = None,
    ) -> None:
        self.data_source = data_source
        self.replacement = replacement
        self._num_samples = num_samples
        self.generator = generator
        if not isinstance(replacement, bool):
            raise TypeError(
                f"replacement should be a boolean value, but got replacement={replacement}"
            )
        if not isinstance(self.num_samples, int) or self.num_samples <= 0:
            raise ValueError(
                "num_samples should be a positive integer value, but got "
                f"num_samples={self.num_samples}"
            )

    @property
    def num_samples(self) -> int:
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def drawing(self) -> Generator:
        """The generator to draw from; a new one takes a seed from the default generator."""
        if self.generator is not None:
            return self.generator
        return Generator().manual_seed(draw_seed())

    def __iter__(self) -> Iterator[int]:
        n = len(self.data_source)
        generator = self.drawing()
        whole, rest = divmod(self.num_samples, _DRAW if self.replacement else n)
        if self.replacement:
            for count in [_DRAW] * whole + [rest]:
                yield from pytensor.randint(
                    high=n, size=(count,), dtype=pytensor.int64, generator=generator
                ).tolist()
        else:
            for _ in range(whole):
                yield from pytensor.randperm(n, generator=generator).tolist()
            yield from pytensor.randperm(n, generator=generator).tolist()[:rest]

    def __len__(self) -> int:
        return self.num_samples


class SubsetRandomSampler(Sampler[int]):
    """Given indices in random order, each once.

    Args:
        indices: a sequence of indices.
        generator: draws the order. Default: the default generator.
    """

    def __init__(self, indices: Sequence[int], generator: Generator | None = None) -> None:
        self.indices = indices
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        for i in pytensor.randperm(len(self.indices), generator=self.generator).tolist():
            yield self.indices[i]

    def __len__(self) -> int:
        return len(self.indices)


class WeightedRandomSampler(Sampler[int]):
    """Indices drawn with given weights.

    Args:
        weights: of the indices, not negative; they need not add up to 1.
        num_samples: how many to draw.
        replacement: whether an index may come again. Default: ``True``.
        generator: draws them. Default: the default generator.

    Raises:
        ValueError: `num_samples`, `replacement` or the shape of `weights` is wrong.
    """

    def __init__(
        self,
        weights: Sequence[float],
        num_samples: int,
        replacement: bool = True,
        generator: Generator | None = None,
    ) -> None:
        if not isinstance(num_samples, int) or isinstance(num_samples, bool) or num_samples <= 0:
            raise ValueError(
                f"num_samples should be a positive integer value, but got num_samples={num_samples}"
            )
        if not isinstance(replacement, bool):
            raise ValueError(
                f"replacement should be a boolean value, but got replacement={replacement}"
            )
        self.weights: Tensor = pytensor.as_tensor(weights, dtype=pytensor.float64)
        if self.weights.dim() != 1:
            raise ValueError(
                "weights should be a 1d sequence but given weights have shape "
                f"{tuple(self.weights.shape)}"
            )
        self.num_samples = num_samples
        self.replacement = replacement
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        drawn = pytensor.multinomial(
            self.weights, self.num_samples, self.replacement, generator=self.generator
        )
        yield from drawn.tolist()

    def __len__(self) -> int:
        return self.num_samples


class BatchSampler(Sampler[list[int]]):
    """Lists of indices from another sampler.

    Args:
        sampler: an iterable of indices.
        batch_size: how many make a batch.
        drop_last: whether a last batch that is smaller is left out.

    Raises:
        ValueError: `batch_size` is no positive integer, or `drop_last` no bool.

    Example::

        >>> list(pytensor.utils.data.BatchSampler(range(5), 2, False))
        [[0, 1], [2, 3], [4]]
    """

    def __init__(self, sampler: Iterable[int], batch_size: int, drop_last: bool) -> None:
        if not isinstance(batch_size, int) or isinstance(batch_size, bool) or batch_size <= 0:
            raise ValueError(
                f"batch_size should be a positive integer value, but got batch_size={batch_size}"
            )
        _check_flag("drop_last", drop_last, ValueError)
        self.sampler = sampler
        self.batch_size = batch_size
        self.drop_last = drop_last

    def __iter__(self) -> Iterator[list[int]]:
        indices = iter(self.sampler)
        while batch := list(itertools.islice(indices, self.batch_size)):
            if self.drop_last and len(batch) < self.batch_size:
                return
            yield batch

    def __len__(self) -> int:
        n = len(self.sampler)  # type: ignore[arg-type]
        return n // self.batch_size if self.drop_last else -(-n // self.batch_size)
