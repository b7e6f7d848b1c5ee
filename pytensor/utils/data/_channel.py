"""Batches on their way from a worker process: ``send`` and ``receive`` over a connection.

Tensors do not go through the pipe. A worker writes those of a message to an anonymous file in
memory and passes its descriptor, and the receiver maps it: nothing has a name that could outlive a
killed process, and no mount's size limits it. Where the system has no such files, or memory for
one runs out, the bytes go through the pipe.
"""

from __future__ import annotations

import io
import mmap
import os
import pickle
from multiprocessing import reduction
from multiprocessing.connection import Connection
from typing import Any

import pytensor
from pytensor import Tensor

__all__ = ["receive", "send"]

_ALIGN = 64
_INLINE = 1 << 14  # bytes; copying fewer through the pipe is quicker than mapping them


class _Pickler(reduction.ForkingPickler):
    """Puts tensors aside, each under its number."""

    def __init__(self, file: Any) -> None:
        super().__init__(file, pickle.HIGHEST_PROTOCOL)
        self.tensors: list[Tensor] = []
        self._numbers: dict[int, int] = {}

    def persistent_id(self, obj: Any) -> Any:
        if type(obj) is not Tensor:
            return None
        if obj.requires_grad and not obj.is_leaf:
            raise RuntimeError(
                "DataLoader: a worker's batch holds a tensor that requires grad and is no leaf; "
                "gradients do not cross processes. Call detach() on it"
            )
        number = self._numbers.setdefault(id(obj), len(self.tensors))
        if number == len(self.tensors):
            self.tensors.append(obj)
        return number


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: Any, tensors: list[Tensor]) -> None:
        super().__init__(file)
        self.tensors = tensors

    def persistent_load(self, pid: Any) -> Tensor:
        return self.tensors[pid]


def _bytes_of(t: Tensor) -> memoryview:
    flat = t.detach().contiguous().reshape(-1).view(pytensor.uint8)
    return memoryview(flat.numpy()).cast("B")


def _shared_file(parts: list[memoryview], size: int) -> int | None:
    """The descriptor of a memory file that holds the parts, or None where that cannot be had."""
    if not hasattr(os, "memfd_create"):
        return None
    fd = os.memfd_create("pytensor-batch")
    try:
        os.posix_fallocate(fd, 0, size)  # a write to missing memory would be a signal
        with mmap.mmap(fd, size) as area:
            at = 0
            for part in parts:
                area[at : at + len(part)] = part
                at = _next(at + len(part))
    except OSError:
        os.close(fd)
        return None
    return fd


def _next(at: int) -> int:
    return -(-at // _ALIGN) * _ALIGN


def send(connection: Connection, message: Any, receiver: int | None) -> None:
    """Sends an object.

    Args:
        connection: the worker's end.
        message: anything that can be pickled; its tensors are copied.
        receiver: process id of the receiver, which descriptors are passed to.
    """
    buffer = io.BytesIO()
    pickler = _Pickler(buffer)
    pickler.dump(message)
    parts = [_bytes_of(t) for t in pickler.tensors]
    size = 0
    for part in parts:
        size = _next(size + len(part))
    fd = _shared_file(parts, size) if size > _INLINE else None
    about = [
        (str(t.dtype).rsplit(".", 1)[-1], tuple(t.shape), t.requires_grad) for t in pickler.tensors
    ]
    connection.send_bytes(pickle.dumps((buffer.getvalue(), about, fd is not None)))
    if fd is not None:
        try:
            reduction.send_handle(connection, fd, receiver)
        finally:
            os.close(fd)
    else:
        for part in parts:
            if len(part):
                connection.send_bytes(part)


def receive(connection: Connection) -> Any:
    """The next object that was sent.

    Raises:
        EOFError: the other end is closed.
    """
    text, about, shared = pickle.loads(connection.recv_bytes())
    area: Any = None
    if shared:
        fd = reduction.recv_handle(connection)
        try:
            area = mmap.mmap(fd, 0)
        finally:
            os.close(fd)
    tensors = []
    at = 0
    for name, shape, requires_grad in about:
        dtype = getattr(pytensor, name)
        t = pytensor.empty(shape, dtype=dtype)
        size = t.numel() * t.element_size()
        if size and area is not None:
            t = pytensor.frombuffer(area, dtype=dtype, count=t.numel(), offset=at).reshape(shape)
            at = _next(at + size)
        elif size:
            raw = bytearray(connection.recv_bytes())
            t = pytensor.frombuffer(raw, dtype=dtype).reshape(shape)
        tensors.append(t.requires_grad_(requires_grad))
    return _Unpickler(io.BytesIO(text), tensors).load()
