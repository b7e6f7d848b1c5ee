"""A file that replaces another one only once it is complete. Used by everything that saves."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
import threading
from types import TracebackType
from typing import Any

_PART = 4 << 20


class FileWriter:
    """Writes buffers to a descriptor without copies, however large they are."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._written = 0
        self._started = 0

    def write(self, data: Any) -> None:
        view = memoryview(data)
        while len(view):
            count = os.write(self._descriptor, view[:_PART])
            view = view[count:]
            self._written += count
            if self._written - self._started >= _PART:
                self._start_flush()

    def _start_flush(self) -> None:
        """Lets the disk begin with what is written, so that the flush at the end is short."""
        if hasattr(os, "posix_fadvise"):
            with contextlib.suppress(OSError):  # no file on a disk
                count = self._written - self._started
                os.posix_fadvise(self._descriptor, self._started, count, os.POSIX_FADV_DONTNEED)
        self._started = self._written


def _close_later(descriptor: int) -> None:
    """Closes the last reference to a large file, whose blocks the system then takes its time to
    free: a fifth of the time of replacing it."""
    try:
        threading.Thread(target=os.close, args=(descriptor,), daemon=True).start()
    except RuntimeError:  # the interpreter is ending, or there can be no more threads
        os.close(descriptor)


class AtomicFile:
    """Context that gives a `FileWriter`; the file appears under its name when the block ends well.

    The bytes go to a new file in the same folder, which is flushed to disk and renamed. When the
    block is left by an exception, or the disk is full, the old file stays and the new one is
    removed. A symbolic link is followed, an existing file's permissions are kept, and what is no
    regular file (a pipe, /dev/null) is written to directly.

    Args:
        path: where the file will be.

    Raises:
        RuntimeError: the folder does not exist.
        OSError: the file cannot be written.
    """

    def __init__(self, path: Any) -> None:
        self._path = os.path.realpath(os.fsdecode(os.fspath(path)))
        self._temporary: str | None = None

    def __enter__(self) -> FileWriter:
        folder, name = os.path.split(self._path)
        if not os.path.isdir(folder):
            raise RuntimeError(f"Parent directory {folder} does not exist.")
        mode = None
        flags = os.O_WRONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
        with contextlib.suppress(FileNotFoundError):
            mode = os.stat(self._path).st_mode
        if mode is not None and not stat.S_ISREG(mode):
            self._descriptor = os.open(self._path, flags)  # a folder is refused here
            return FileWriter(self._descriptor)
        if mode is not None and not os.access(self._path, os.W_OK):
            raise PermissionError(13, "Permission denied", self._path)
        # Long names keep their length in bounds.
        self._temporary = os.path.join(folder, f".{name[:100]}.{secrets.token_hex(6)}.tmp")
        self._descriptor = os.open(self._temporary, flags | os.O_CREAT | os.O_EXCL, 0o666)
        if mode is not None:
            with contextlib.suppress(OSError):  # file systems without permissions
                os.chmod(self._temporary, stat.S_IMODE(mode))
        return FileWriter(self._descriptor)

    def _hold_replaced(self) -> int | None:
        """A descriptor of the old file, if it is a large one."""
        if os.name == "posix":
            with contextlib.suppress(OSError):
                if os.stat(self._path).st_size >= _PART:
                    return os.open(self._path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            try:
                if kind is None and self._temporary:
                    os.fsync(self._descriptor)
            finally:
                os.close(self._descriptor)
            if kind is None and self._temporary:
                replaced = self._hold_replaced()
                os.replace(self._temporary, self._path)
                self._temporary = None
                if replaced is not None:
                    _close_later(replaced)
        finally:
            if self._temporary:
                os.unlink(self._temporary)
