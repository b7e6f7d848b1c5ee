"""``torch.profiler`` for the blocks that programs name with ``record_function``.

Single operations are not recorded: their cost here is near that of writing them down.
"""

from __future__ import annotations

import enum
import functools
import json
import os
import threading
import time
from collections.abc import Callable
from typing import Any

__all__ = [
    "ProfilerAction",
    "ProfilerActivity",
    "profile",
    "record_function",
    "schedule",
    "tensorboard_trace_handler",
]


class ProfilerActivity(enum.Enum):
    """What can be watched; only the CPU is."""

    CPU = 0
    CUDA = 1
    XPU = 2


class ProfilerAction(enum.Enum):
    """What a profiler does in a step."""

    NONE = 0
    WARMUP = 1
    RECORD = 2
    RECORD_AND_SAVE = 3


# The profile that is recording, if any.
_active: list[profile] = []


class record_function:
    """Context and decorator: the time it takes appears under a name in the running profile.

    Args:
        name: the name.
        args: accepted for compatibility.
    """

    def __init__(self, name: str, args: str | None = None) -> None:
        self.name = name
        self._start = 0.0

    def __enter__(self) -> record_function:
        self._start = time.perf_counter()
        return self

    def __exit__(self, *exc: object) -> None:
        end = time.perf_counter()
        for running in _active:
            running._add(self.name, self._start, end)

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def decorated(*args: Any, **kwargs: Any) -> Any:
            with record_function(self.name):
                return function(*args, **kwargs)

        return decorated


def schedule(
    *, wait: int, warmup: int, active: int, repeat: int = 0, skip_first: int = 0
) -> Callable[[int], ProfilerAction]:
    """Which steps are recorded: after ``wait`` and ``warmup`` steps ``active`` ones, and again.

    Args:
        wait: steps left out at the start of each round.
        warmup: steps after those, left out too.
        active: steps recorded.
        repeat: how many rounds; 0 for no end.
        skip_first: steps before the first round.

    Example::

        >>> from pytensor.profiler import schedule
        >>> plan = schedule(wait=1, warmup=0, active=2)
        >>> [plan(step).name for step in range(4)]
        ['NONE', 'RECORD', 'RECORD_AND_SAVE', 'NONE']
    """
    if min(wait, warmup, repeat, skip_first) < 0 or active < 1:
        raise AssertionError("Invalid profiler schedule arguments")

    def action(step: int) -> ProfilerAction:
        if step < skip_first:
            return ProfilerAction.NONE
        rounds, place = divmod(step - skip_first, wait + warmup + active)
        if place < wait or (repeat and rounds >= repeat):
            return ProfilerAction.NONE
        if place < wait + warmup:
            return ProfilerAction.WARMUP
        last = place == wait + warmup + active - 1
        return ProfilerAction.RECORD_AND_SAVE if last else ProfilerAction.RECORD

    return action


class _Averages(list[Any]):
    """Rows of name, number of calls, and seconds in all."""

    def table(self, sort_by: str | None = None, row_limit: int = 100, **more: Any) -> str:
        """The rows as text, longest first."""
        width = max([4, *(len(name) for name, _, _ in self)])
        lines = [f"{'Name':{width}}  {'CPU total':>12}  {'CPU time avg':>12}  {'# of Calls':>10}"]
        for name, calls, total in self[: max(0, row_limit)]:
            average = total / calls
            lines.append(
                f"{name:{width}}  {total * 1e3:9.3f} ms  {average * 1e3:9.3f} ms  {calls:10}"
            )
        return "\n".join(lines)


class profile:
    """Context that records the blocks named with ``record_function``.

    Args:
        activities: accepted for compatibility.
        schedule: which steps are recorded, see ``schedule``; ``step`` ends one. Default: all.
        on_trace_ready: called with the profile when a round of steps is complete.
        **more: accepted for compatibility: ``record_shapes``, ``with_stack`` ...

    Example::

        >>> from pytensor.profiler import profile, record_function
        >>> with profile() as recorded:
        ...     with record_function("product"):
        ...         product = pytensor.ones(2, 2) @ pytensor.ones(2, 2)
        >>> [(name, calls) for name, calls, _ in recorded.key_averages()]
        [('product', 1)]
    """

    def __init__(
        self,
        *,
        activities: Any = None,
        schedule: Callable[[int], ProfilerAction] | None = None,
        on_trace_ready: Callable[[profile], Any] | None = None,
        **more: Any,
    ) -> None:
        self._plan = schedule or (lambda step: ProfilerAction.RECORD)
        self._on_trace_ready = on_trace_ready
        self._events: list[tuple[str, float, float, int]] = []
        self.step_num = 0

    def _add(self, name: str, start: float, end: float) -> None:
        if self._plan(self.step_num).value >= ProfilerAction.RECORD.value:
            self._events.append((name, start, end, threading.get_ident()))

    def __enter__(self) -> profile:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def start(self) -> None:
        """Begins to record."""
        _active.append(self)

    def stop(self) -> None:
        """Ends the recording."""
        _active.remove(self)
        if self._on_trace_ready is not None and self._events:
            self._on_trace_ready(self)

    def step(self) -> None:
        """Ends a step of the schedule."""
        complete = self._plan(self.step_num) is ProfilerAction.RECORD_AND_SAVE
        self.step_num += 1
        if complete and self._on_trace_ready is not None:
            self._on_trace_ready(self)
            self._events = []

    def key_averages(self, **more: Any) -> Any:
        """Rows of name, number of calls, and seconds in all; ``table()`` shows them."""
        totals: dict[str, tuple[int, float]] = {}
        for name, start, end, _ in self._events:
            calls, seconds = totals.get(name, (0, 0.0))
            totals[name] = calls + 1, seconds + end - start
        rows = [(name, calls, seconds) for name, (calls, seconds) in totals.items()]
        return _Averages(sorted(rows, key=lambda row: -row[2]))

    def export_chrome_trace(self, path: str) -> None:
        """Writes the blocks in the format of chrome://tracing."""
        events = [
            {"ph": "X", "cat": "user_annotation", "name": name, "pid": os.getpid(), "tid": thread,
             "ts": start * 1e6, "dur": (end - start) * 1e6}
            for name, start, end, thread in self._events
        ]  # fmt: skip
        with open(path, "w") as file:
            json.dump({"traceEvents": events}, file)


def tensorboard_trace_handler(
    dir_name: str, worker_name: str | None = None, use_gzip: bool = False
) -> Callable[[profile], None]:
    """For ``on_trace_ready``: writes each trace to a file of its own in a folder."""

    def write(recorded: profile) -> None:
        os.makedirs(dir_name, exist_ok=True)
        name = f"{worker_name or os.getpid()}.{time.time_ns()}.pt.trace.json"
        recorded.export_chrome_trace(os.path.join(dir_name, name))

    return write
