"""The course's training loops of 500 steps, the same source under either library.

A program is run as it stands, but for the library it imports and the device, which is the CPU. Its
output is dropped.
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
    "nn_sequential": "06_nn_sequential.py",
    "optim_adam": "07_optim_adam.py",
    "lr_scheduler": "08_lr_scheduler.py",
    "modules": "09_modules.py",
    "dataloader": "11_dataloader.py",
    "dynamic_graph": "13_dynamic_graph.py",
}
GOALS = {"06": 2.5, "07": 4.0, "08": 2.5, "09": 2.5, "11": 2.5}
FOLDER = Path(os.environ.get("COURSE_PROGRAMS", Path(__file__).parents[2] / "examples" / "course"))


def program(T: Any, file: str) -> Callable[[], None]:
    source = (FOLDER / file).read_text().replace("cuda:0", "cpu")
    source, imports = re.subn(r"^(import|from) pytensor\b", rf"\1 {T.__name__}", source, flags=re.M)
    if imports == 0:
        raise ValueError(f"{file} does not import pytensor")
    code = compile(source, file, "exec")

    def run() -> None:
        T.manual_seed(0)
        with contextlib.redirect_stdout(io.StringIO()):
            exec(code, {"__name__": "course"})

    return run


def setup(file: str) -> Callable[[Any], Names]:
    return lambda T: {"program": program(T, file)}


CASES = [
    Case(name, file[:2], "program()", setup(file), goal=GOALS.get(file[:2], 2.0))
    for name, file in PROGRAMS.items()
]

if __name__ == "__main__":
    main("benchmarks.python.course", __doc__, CASES)
