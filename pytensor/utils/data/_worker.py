"""What runs in a worker process of ``DataLoader``, and what user code can ask about it."""

from __future__ import annotations

import os
import random
import signal
import sys
import traceback
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

import pytensor
from pytensor.utils.data import _channel
from pytensor.utils.data._fetch import Fetcher

__all__ = ["Failure", "StreamEnd", "WorkerInfo", "get_worker_info", "run"]

_POLL_S = 5.0  # how often a worker looks whether its parent still lives


@dataclass
class WorkerInfo:
    """What a worker knows of itself.

    Attributes:
        id: number of the worker, from 0.
        num_workers: how many there are.
        seed: of its random generators.
        dataset: its copy of the data set.
    """

    id: int
    num_workers: int
    seed: int
    dataset: Any


_info: WorkerInfo | None = None


def get_worker_info() -> WorkerInfo | None:
    """The ``WorkerInfo`` of the worker process that asks; None in the main process."""
    return _info


class StreamEnd:
    """In the place of a batch: the worker's part of a stream has ended."""


class Failure:
    """An exception on its way to the main process, with its traceback as text."""

    def __init__(self, error: BaseException, where: str) -> None:
        self.kind = type(error)
        self.where = where
        self.text = "".join(traceback.format_exception(error))

    def reraise(self) -> None:
        """Raises an exception of the same class that tells where it came from."""
        message = f"Caught {self.kind.__name__} {self.where}.\nOriginal {self.text}"
        if self.kind is KeyError:
            message = _KeyErrorMessage(message)
        try:
            error = self.kind(message)
        except Exception:  # a class that takes other arguments
            raise RuntimeError(message) from None
        raise error


class _KeyErrorMessage(str):
    """A text that KeyError shows with its line breaks."""

    def __repr__(self) -> str:
        return self


def _seed(base_seed: int, number: int) -> int:
    seed = base_seed + number
    random.seed(seed)
    pytensor.manual_seed(seed)
    if "numpy" in sys.modules:
        import numpy as np

        words = [number, base_seed & 0xFFFFFFFF, base_seed >> 32, 0]
        np.random.seed(np.random.SeedSequence(words).generate_state(4))
    return seed


def run(
    connection: Connection,
    others: list[Connection],
    fetch_arguments: tuple[Any, ...],
    base_seed: int,
    number: int,
    num_workers: int,
    init: Any,
) -> None:
    """The body of a worker: answers requests until the connection closes.

    Args:
        connection: gets ``(task, index)``, or ``None`` for the end, or ``("resume", None)``; is
            sent ``(task, batch)``.
        others: ends of pipes that a forked process has inherited and must not keep open.
        fetch_arguments: of its ``Fetcher``.
        base_seed, number, num_workers: make its seed and its ``WorkerInfo``.
        init: the user's function, called with its number; or None.
    """
    global _info
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the main process's to answer
    for other in others:
        other.close()
    parent = os.getppid()
    where = f"in DataLoader worker process {number}"
    fetcher: Fetcher | None = None
    failure: Failure | None = None
    try:
        pytensor.set_num_threads(1)
        seed = _seed(base_seed, number)
        _info = WorkerInfo(number, num_workers, seed, fetch_arguments[0])
        if init is not None:
            init(number)
        fetcher = Fetcher(*fetch_arguments)
    except Exception as error:
        failure = Failure(error, where)
    while True:
        while not connection.poll(_POLL_S):
            if os.getppid() != parent:
                return
        try:
            request = connection.recv()
        except (EOFError, OSError):
            return
        if request is None:
            return
        task, index = request
        batch: Any
        if task == "resume":
            try:
                fetcher = Fetcher(*fetch_arguments)
                batch = None
            except Exception as error:
                batch = Failure(error, where)
        elif failure is not None:
            batch = failure
        else:
            assert fetcher is not None
            try:
                batch = fetcher.fetch(index)
            except StopIteration:
                batch = StreamEnd()
            except Exception as error:
                batch = Failure(error, where)
        try:
            _send(connection, task, batch, where, parent)
        except (BrokenPipeError, ConnectionError):
            return


def _send(connection: Connection, task: Any, batch: Any, where: str, parent: int) -> None:
    try:
        _channel.send(connection, (task, batch), parent)
    except (BrokenPipeError, ConnectionError):
        raise
    except Exception as error:  # the batch cannot be pickled
        _channel.send(connection, (task, Failure(error, where)), parent)
