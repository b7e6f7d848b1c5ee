"""The course's training loops of 500 steps, the same source under either library.

A program is run as it stands but for its import of the library: `torch` is the one under test,
the device the CPU, and the output is dropped.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.python.harness import Case, Names, main

PROGRAMS = {
    "manual_gradients": "02_manual_gradients.py",
    "autograd": "03_autograd.py",
    "sigmoid_function": "04_sigmoid_function.py",
    "custom_function": "05_custom_function.py",
    "dynamic_graph": "13_dynamic_graph.py",
}
FOLDER = Path(os.environ.get("COURSE_PROGRAMS", Path(__file__).parents[2] / "examples" / "course"))


def program(T: Any, file: str) -> Callable[[], None]:
    source = (FOLDER / file).read_text().replace("cuda:0", "cpu")
    source, imports = re.subn(r"^import (pytensor as )?torch$", "", source, flags=re.M)
    if imports != 1:
        raise ValueError(f"{file} imports the library {imports} times, not once")
    code = compile(source, file, "exec")

    def run() -> None:
        T.manual_seed(0)
        with contextlib.redirect_stdout(io.StringIO()):
            exec(code, {"torch": T, "__name__": "course"})

    return run


def setup(file: str) -> Callable[[Any], Names]:
    return lambda T: {"program": program(T, file)}


CASES = [
    Case(name, file[:2], "program()", setup(file), goal=2.0) for name, file in PROGRAMS.items()
]

if __name__ == "__main__":
    main("benchmarks.python.course", __doc__, CASES)
