"""Saving and loading: 100 MB of tensors, many small ones, plain objects; memory and mapped files.

Files lie in a folder of their own in the system's temporary one. Saving here flushes to disk before
the file is put in place, which PyTorch leaves out.
"""

from __future__ import annotations

import atexit
import io
import os
import shutil
import tempfile
from collections.abc import Callable
from typing import Any

from benchmarks.python.harness import Case, Names, main


def large(T: Any) -> Any:
    return {f"weight{i}": T.randn(1000, 250) for i in range(100)}


def small(T: Any) -> Any:
    return {f"weight{i}": T.randn(4) for i in range(1000)}


def numbers(T: Any) -> Any:
    return list(range(200_000))


def words(T: Any) -> Any:
    return {f"word{i}": i for i in range(50_000)}


def in_memory(make: Callable[[Any], Any]) -> Callable[[Any], Names]:
    def setup(T: Any) -> Names:
        T.manual_seed(0)
        obj = make(T)
        file = io.BytesIO()
        T.save(obj, file)
        return {"obj": obj, "data": file.getvalue(), "BytesIO": io.BytesIO}

    return setup


def on_disk(make: Callable[[Any], Any]) -> Callable[[Any], Names]:
    def setup(T: Any) -> Names:
        folder = tempfile.mkdtemp()
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        names = {"obj": make(T), "path": os.path.join(folder, "model.pt")}
        T.save(names["obj"], names["path"])
        return names

    return setup


SAVE, LOAD = "T.save(obj, BytesIO())", "T.load(BytesIO(data))"
CASES = [
    Case("save_file", "100 MB", "T.save(obj, path)", on_disk(large), 1.0, "saving"),
    Case("save", "100 MB", SAVE, in_memory(large), 1.0, "saving"),
    Case("save", "1000 small tensors", SAVE, in_memory(small), 1.5, "saving"),
    Case("save", "200,000 numbers", SAVE, in_memory(numbers), 1.0, "saving"),
    Case("save", "50,000 words", SAVE, in_memory(words), 1.0, "saving"),
    Case("load_file", "100 MB", "T.load(path)", on_disk(large), 1.0, "loading"),
    Case("load_mapped", "100 MB", "T.load(path, mmap=True)", on_disk(large), 2.0, "loading"),
    Case("load", "100 MB", LOAD, in_memory(large), 1.0, "loading"),
    Case("load", "1000 small tensors", LOAD, in_memory(small), 1.5, "loading"),
    Case("load", "200,000 numbers", LOAD, in_memory(numbers), 1.5, "loading"),
    Case("load", "50,000 words", LOAD, in_memory(words), 1.5, "loading"),
]

if __name__ == "__main__":
    main("benchmarks.python.saving", __doc__, CASES)
