"""``python -m pytensor.compat SCRIPT``, ``-m MODULE`` or ``-c CODE``: python with torch here."""

from __future__ import annotations

import os
import runpy
import sys

from pytensor import compat

USAGE = """\
usage: python -m pytensor.compat SCRIPT [ARGUMENTS]
       python -m pytensor.compat -m MODULE [ARGUMENTS]
       python -m pytensor.compat -c CODE [ARGUMENTS]

Runs a program written for PyTorch with this library in the place of torch and torchvision."""


def main(arguments: list[str]) -> int:
    """Runs the program that the arguments name, as python itself would."""
    if not arguments or arguments[0] in ("-h", "--help"):
        print(USAGE, file=sys.stdout if arguments else sys.stderr)
        return 0 if arguments else 2
    compat.install()
    first, rest = arguments[0], arguments[1:]
    if first in ("-m", "-c") and not rest:
        print(f"{USAGE}\n\nargument expected for the {first} option", file=sys.stderr)
        return 2
    if first == "-m":
        sys.argv = rest
        sys.path[0] = os.getcwd()
        runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
    elif first == "-c":
        sys.argv = ["-c", *rest[1:]]
        sys.path[0] = ""
        module = type(sys)("__main__")
        sys.modules["__main__"] = module
        exec(compile(rest[0], "<string>", "exec"), module.__dict__)
    elif first.startswith("-"):
        print(f"{USAGE}\n\nunknown option {first}", file=sys.stderr)
        return 2
    else:
        if not os.path.exists(first):
            print(f"can't open file {first!r}: No such file or directory", file=sys.stderr)
            return 2
        sys.argv = arguments
        sys.path[0] = os.path.dirname(os.path.realpath(first))
        _run_file(first)
    return 0


def _run_file(path: str) -> None:
    if os.path.isdir(path):
        runpy.run_path(path, run_name="__main__")
        return
    # As the real __main__, so that what the program pickles names classes that can be found.
    module = type(sys)("__main__")
    module.__file__ = path
    sys.modules["__main__"] = module
    with open(path, "rb") as file:
        code = compile(file.read(), path, "exec")
    exec(code, module.__dict__)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
