"""The worker processes of a ``DataLoader`` and the order of what they are asked for.

Each worker has one pipe. The main process keeps a bounded number of requests on the way, waits for
all pipes and all processes at once, and so learns at once of a worker that died.
"""

from __future__ import annotations

import collections
import multiprocessing
import multiprocessing.connection
import os
import signal
import time
import weakref
from collections.abc import Iterator
from typing import Any

from pytensor.utils.data import _channel, _worker
from pytensor.utils.data._worker import Failure, StreamEnd

__all__ = ["Workers"]

_GRACE_S = 2.0  # for workers to end by themselves


class Workers:
    """Processes that make batches.

    Args:
        context: of ``multiprocessing``.
        number: how many.
        fetch_arguments: of the ``Fetcher`` in each.
        base_seed: worker i is seeded with this plus i.
        init: called in each worker with its number; or None.
        ahead: how many requests each has at a time.
        timeout: seconds to wait for a batch; 0 for ever.
        in_order: whether batches come in the order of their indices.
    """

    def __init__(
        self,
        context: Any,
        number: int,
        fetch_arguments: tuple[Any, ...],
        base_seed: int,
        init: Any,
        ahead: int,
        timeout: float,
        in_order: bool,
    ) -> None:
        self.connections: list[Any] = []
        self.processes: list[Any] = []
        self.ahead = ahead * number
        self.timeout = timeout
        self.in_order = in_order
        forks = context.get_start_method() == "fork"
        # Registered before the first start: an exception on the way leaves no process behind.
        self._end = weakref.finalize(self, _end, self.connections, self.processes, os.getpid())
        for i in range(number):
            ours, theirs = context.Pipe(duplex=True)
            process = context.Process(
                target=_worker.run,
                args=(
                    theirs,
                    [*self.connections, ours] if forks else [],
                    fetch_arguments,
                    base_seed,
                    i,
                    number,
                    init,
                ),
                daemon=True,
                name=f"DataLoader worker {i}",
            )
            try:
                process.start()
            finally:
                theirs.close()
            self.connections.append(ours)
            self.processes.append(process)
        self._forget()

    def _forget(self) -> None:
        self.asked: collections.OrderedDict[int, int] = collections.OrderedDict()  # task: worker
        self.arrived: dict[int, Any] = {}
        self.active = [True] * len(self.connections)
        self.next_task = 0
        self.turn = 0

    def resume(self) -> None:
        """Begins another pass over the data with the same processes, which draw on."""
        while any(task not in self.arrived for task in self.asked):
            self._wait()
        self._forget()
        for i, connection in enumerate(self.connections):
            self._request(i, ("resume", None), connection)
        for connection in self.connections:
            self._raise_if_dead([connection])
            _, answer = _channel.receive(connection)
            if isinstance(answer, Failure):
                answer.reraise()

    def ask(self, indices: Iterator[Any]) -> None:
        """Keeps as many requests on the way as workers may have."""
        while len(self.asked) < self.ahead and any(self.active):
            worker = self._next_worker()
            if worker is None:
                return
            try:
                index = next(indices)
            except StopIteration:
                return
            self._request(worker, (self.next_task, index), self.connections[worker])
            self.asked[self.next_task] = worker
            self.next_task += 1

    def _next_worker(self) -> int | None:
        for _ in self.connections:
            worker = self.turn
            self.turn = (self.turn + 1) % len(self.connections)
            if self.active[worker]:
                return worker
        return None

    def _request(self, worker: int, request: Any, connection: Any) -> None:
        try:
            connection.send(request)
        except (BrokenPipeError, ConnectionError):
            self._raise_dead(worker)

    def batches(self, indices: Iterator[Any]) -> Iterator[Any]:
        """All batches, asking for more as they come."""
        self.ask(indices)
        while self.asked:
            task = self._next_arrived()
            batch = self.arrived.pop(task)
            worker = self.asked.pop(task)
            if isinstance(batch, StreamEnd):
                self.active[worker] = False
                self.ask(indices)
                continue
            self.ask(indices)
            if isinstance(batch, Failure):
                batch.reraise()
            yield batch

    def _next_arrived(self) -> int:
        deadline = time.monotonic() + self.timeout if self.timeout > 0 else None
        while True:
            if self.in_order:
                first = next(iter(self.asked))
                if first in self.arrived:
                    return first
            elif self.arrived:
                return next(iter(self.arrived))
            self._wait(deadline)

    def _wait(self, deadline: float | None = None) -> None:
        """Takes in what has arrived; raises when a worker died or time is up."""
        left = None if deadline is None else max(deadline - time.monotonic(), 0)
        sentinels = [p.sentinel for p in self.processes]
        ready = multiprocessing.connection.wait([*self.connections, *sentinels], left)
        if not ready:
            raise RuntimeError(f"DataLoader timed out after {self.timeout} seconds")
        for connection in self.connections:
            if connection in ready:
                try:
                    task, batch = _channel.receive(connection)
                except (EOFError, ConnectionError):
                    self._raise_dead(self.connections.index(connection))
                self.arrived[task] = batch
        if not any(connection in ready for connection in self.connections):
            self._raise_dead(next(i for i, s in enumerate(sentinels) if s in ready))

    def _raise_if_dead(self, connections: list[Any]) -> None:
        which = self.connections.index(connections[0])
        sentinel = self.processes[which].sentinel
        if not connections[0].poll(0) and sentinel in multiprocessing.connection.wait(
            [connections[0], sentinel]
        ):
            self._raise_dead(which)

    def _raise_dead(self, worker: int) -> None:
        process = self.processes[worker]
        process.join(_GRACE_S)
        code = process.exitcode
        if code is not None and code < 0:
            how = f"is killed by signal: {signal.strsignal(-code)}."
        else:
            how = f"exited unexpectedly with exit code {code}."
        pid = process.pid
        self.close()
        raise RuntimeError(f"DataLoader worker {worker} (pid {pid}) {how}")

    def close(self) -> None:
        """Ends the processes; what is on its way is dropped."""
        self._end()


def _end(connections: list[Any], processes: list[Any], owner: int) -> None:
    if os.getpid() != owner:  # a copy in a forked process; the processes are not its to end
        return
    for connection in connections:
        connection.close()
    deadline = time.monotonic() + _GRACE_S
    for process in processes:
        process.join(max(deadline - time.monotonic(), 0))
    for process in processes:
        if process.is_alive():
            process.kill()
            process.join()
        process.close()
    connections.clear()
    processes.clear()
