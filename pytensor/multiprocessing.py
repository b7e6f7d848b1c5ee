"""``torch.multiprocessing``: Python's ``multiprocessing``, with ``spawn`` added.

Tensors go through queues as copies: pickled, not in shared memory.
"""

from __future__ import annotations

import multiprocessing as _multiprocessing
import sys
import traceback
from collections.abc import Callable
from multiprocessing import *  # noqa: F403
from typing import Any

_STRATEGIES = {"file_descriptor", "file_system"}
_state = {"strategy": "file_descriptor"}


def get_all_sharing_strategies() -> set[str]:
    """The strategies that may be set."""
    return set(_STRATEGIES)


def get_sharing_strategy() -> str:
    """What ``set_sharing_strategy`` was last given."""
    return _state["strategy"]


def set_sharing_strategy(new_strategy: str) -> None:
    """Accepted for compatibility: tensors are not shared but copied.

    Raises:
        AssertionError: it is none of PyTorch's strategies.
    """
    assert new_strategy in _STRATEGIES, f"unknown sharing strategy {new_strategy!r}"
    _state["strategy"] = new_strategy


class ProcessException(Exception):
    """A process that ``spawn`` started failed."""

    def __init__(self, message: str, error_index: int, pid: int) -> None:
        super().__init__(message)
        self.msg = message
        self.error_index = error_index
        self.pid = pid


class ProcessRaisedException(ProcessException):
    """The function raised an exception; the message holds its traceback."""


class ProcessExitedException(ProcessException):
    """The process ended with an exit code or by a signal."""


def _run(function: Callable[..., Any], index: int, arguments: tuple[Any, ...], errors: Any) -> None:
    try:
        function(index, *arguments)
    except KeyboardInterrupt:
        pass
    except Exception:
        errors.put(traceback.format_exc())
        sys.exit(1)


class ProcessContext:
    """The processes that ``spawn(join=False)`` started."""

    def __init__(self, processes: list[Any], errors: list[Any]) -> None:
        self.processes = processes
        self._errors = errors

    def pids(self) -> list[int]:
        """The processes' ids."""
        return [process.pid for process in self.processes]

    def join(self, timeout: float | None = None) -> bool:
        """Waits until a process ends; True when all have ended well.

        Raises:
            ProcessRaisedException: the function raised an exception in one of them.
            ProcessExitedException: one of them ended with an exit code.
        """
        from multiprocessing.connection import wait

        running = [p.sentinel for p in self.processes if p.is_alive()]
        if running:
            wait(running, timeout)
        for index, process in enumerate(self.processes):
            if process.exitcode not in (None, 0):
                self._stop()
                self._fail(index, process)
        return all(process.exitcode == 0 for process in self.processes)

    def _stop(self) -> None:
        for process in self.processes:
            if process.is_alive():
                process.terminate()
            process.join()

    def _fail(self, index: int, process: Any) -> None:
        if not self._errors[index].empty():
            text = self._errors[index].get()
            raise ProcessRaisedException(
                f"\n\n-- Process {index} terminated with the following error:\n{text}",
                index,
                process.pid,
            )
        raise ProcessExitedException(
            f"process {index} terminated with exit code {process.exitcode}", index, process.pid
        )


def spawn(
    fn: Callable[..., Any],
    args: tuple[Any, ...] = (),
    nprocs: int = 1,
    join: bool = True,
    daemon: bool = False,
    start_method: str = "spawn",
) -> ProcessContext | None:
    """Runs ``fn(i, *args)`` in processes of their own, i from 0 to ``nprocs - 1``.

    Args:
        fn: a function at the top level of a module.
        args: what it is given after i.
        nprocs: how many processes.
        join: whether to wait for all. Default: ``True``.
        daemon: whether the processes end with this one. Default: ``False``.
        start_method: "spawn", "fork" or "forkserver". A program that runs by
            ``python -m pytensor.compat`` always forks: new interpreters would not find ``torch``.

    Raises:
        ProcessRaisedException: the function raised an exception; the others are stopped.
        ProcessExitedException: a process ended with an exit code.
    """
    compat = sys.modules.get("pytensor.compat")
    if compat is not None and compat.is_installed():
        start_method = "fork"
    context: Any = _multiprocessing.get_context(start_method)
    errors = [context.SimpleQueue() for _ in range(nprocs)]
    processes = [
        context.Process(target=_run, args=(fn, index, args, errors[index]), daemon=daemon)
        for index in range(nprocs)
    ]
    for process in processes:
        process.start()
    started = ProcessContext(processes, errors)
    if not join:
        return started
    while not started.join():
        pass
    return None
