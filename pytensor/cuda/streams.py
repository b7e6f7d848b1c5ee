"""Streams and events: queues of a device's work, and marks in them."""

from __future__ import annotations

from typing import Any

import pytensor
from pytensor import _C
from pytensor.cuda._device import index_of


class Stream:
    """A queue of work on a device. Work of different streams may overlap.

    There are 32 of each priority on a device, which are handed out in turn.

    Args:
        device: the device, by default the current one.
        priority: smaller numbers go first.

    Raises:
        RuntimeError: the library has no CUDA part.

    Attributes:
        device: the device.
        cuda_stream: the driver's handle, 0 for the default stream.
    """

    def __init__(self, device: Any = None, priority: int = 0) -> None:
        if not _C.cuda_built():
            raise RuntimeError("torch.cuda.Stream requires CUDA support")
        index = index_of(device)
        with pytensor.cuda.device(index):
            self._set(_C.cuda_stream_create(priority), index)
        self.priority = priority

    def _set(self, handle: int, index: int) -> None:
        self.cuda_stream = handle
        self.device_index = index
        self.device = pytensor.device("cuda", index)

    @staticmethod
    def _of(handle: int, index: int) -> Stream:
        stream = Stream.__new__(Stream)
        stream._set(handle, index)
        stream.priority = 0
        return stream

    def synchronize(self) -> None:
        """Waits until all work in the stream is done."""
        _C.cuda_stream_synchronize(self.cuda_stream)

    def query(self) -> bool:
        """Whether all work in the stream is done."""
        return _C.cuda_stream_query(self.cuda_stream)

    def record_event(self, event: Event | None = None) -> Event:
        """Puts a mark at the end of the queue and returns it."""
        event = Event() if event is None else event
        event.record(self)
        return event

    def wait_event(self, event: Event) -> None:
        """What is queued from now on waits for the mark."""
        _C.cuda_stream_wait(self.cuda_stream, event._made())

    def wait_stream(self, stream: Stream) -> None:
        """What is queued from now on waits for the work now in another stream."""
        self.wait_event(stream.record_event())

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Stream)
            and self.cuda_stream == other.cuda_stream
            and self.device_index == other.device_index
        )

    def __hash__(self) -> int:
        return hash((self.cuda_stream, self.device_index))

    def __repr__(self) -> str:
        return f"<torch.cuda.Stream device={self.device} cuda_stream={self.cuda_stream:#x}>"


class ExternalStream(Stream):
    """A stream that another library has made and keeps.

    Args:
        stream_ptr: the driver's handle.
        device: its device, by default the current one.
    """

    def __init__(self, stream_ptr: int, device: Any = None) -> None:
        if not _C.cuda_built():
            raise RuntimeError("torch.cuda.Stream requires CUDA support")
        self._set(stream_ptr, index_of(device))
        self.priority = 0


def get_stream_from_external(data_ptr: int, device: Any = None) -> Stream:
    """The stream with a driver's handle."""
    return ExternalStream(data_ptr, device)


class Event:
    """A mark in a stream: to wait for, and to measure time with.

    Args:
        enable_timing: whether elapsed_time() will be asked.
        blocking: accepted for programs that give it.
        interprocess: not supported.
        external: not supported.

    Raises:
        RuntimeError: the library has no CUDA part.
    """

    def __init__(
        self,
        enable_timing: bool = False,
        blocking: bool = False,
        interprocess: bool = False,
        external: bool = False,
    ) -> None:
        if not _C.cuda_built():
            raise RuntimeError("torch.cuda.Event requires CUDA support")
        if interprocess:
            raise RuntimeError("Event: events between processes are not supported")
        if external:
            raise RuntimeError("Event: events across the border of a graph are not supported")
        self._timing = enable_timing
        self.cuda_event = 0  # made when it is first recorded

    def _made(self) -> int:
        if not self.cuda_event:
            self.cuda_event = _C.cuda_event_create(self._timing)
        return self.cuda_event

    def record(self, stream: Stream | None = None) -> None:
        """Puts the mark at the end of a stream, by default the current one."""
        stream = current_stream() if stream is None else stream
        _C.cuda_event_record(self._made(), stream.cuda_stream)

    def wait(self, stream: Stream | None = None) -> None:
        """A stream waits for the mark."""
        (current_stream() if stream is None else stream).wait_event(self)

    def query(self) -> bool:
        """Whether the work before the mark is done."""
        return not self.cuda_event or _C.cuda_event_query(self.cuda_event)

    def synchronize(self) -> None:
        """Waits until the work before the mark is done."""
        if self.cuda_event:
            _C.cuda_event_synchronize(self.cuda_event)

    def elapsed_time(self, end_event: Event) -> float:
        """Milliseconds between two marks made with enable_timing.

        Raises:
            ValueError: a mark was made without it.
            RuntimeError: the work before a mark is not done.
        """
        if not (self._timing and end_event._timing):
            raise ValueError("Both events must be created with argument 'enable_timing=True'.")
        if not (self.cuda_event and end_event.cuda_event):
            raise ValueError("Both events must be recorded before calculating elapsed time.")
        return _C.cuda_event_elapsed(self.cuda_event, end_event.cuda_event)

    def __repr__(self) -> str:
        return f"<torch.cuda.Event {self.cuda_event:#x}>"

    def __del__(self) -> None:
        if getattr(self, "cuda_event", 0) and _C is not None:
            _C.cuda_event_destroy(self.cuda_event)


class stream:
    """Context in which work goes to a stream; with None it changes nothing.

    Raises:
        RuntimeError: when it is entered with a stream and the library has no CUDA part.
    """

    def __init__(self, stream: Stream | None) -> None:
        self.stream = stream
        self._before: tuple[int, Stream] | None = None

    def __enter__(self) -> None:
        if self.stream is None:
            return
        if not _C.cuda_built():
            raise RuntimeError("PyTorch was compiled without CUDA support")
        index = self.stream.device_index
        self._before = (_C.cuda_current_device(), current_stream(index))
        set_stream(self.stream)

    def __exit__(self, *exc: object) -> None:
        if self._before is not None:
            index, before = self._before
            _C.cuda_set_stream(before.device_index, before.cuda_stream)
            _C.cuda_set_device(index)
            self._before = None


StreamContext = stream


def current_stream(device: Any = None) -> Stream:
    """The stream that work on a device goes to."""
    index = index_of(device)
    return Stream._of(_C.cuda_current_stream(index), index)


def default_stream(device: Any = None) -> Stream:
    """The stream that work goes to unless the program says otherwise."""
    return Stream._of(0, index_of(device))


def set_stream(stream: Stream) -> None:
    """Makes a stream, and its device, the current ones."""
    _C.cuda_set_device(stream.device_index)
    _C.cuda_set_stream(stream.device_index, stream.cuda_stream)
