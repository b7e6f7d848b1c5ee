"""Runs every planted fault of one library and prints what became of it, as JSON, a line each.

A program of its own (``python runner.py library.so``), because the emulator reads its environment
once. Each fault runs in a forked process, since some end in a crash.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
import tempfile

COUNT = 256


def outcome(library: ctypes.CDLL, name: str, faulty: bool) -> dict[str, object]:
    """Run one: its report, a digest of the result, whether it crashed and what stderr said."""
    result, text = (ctypes.c_float * (2 * COUNT))(), ctypes.create_string_buffer(2000)
    with tempfile.TemporaryFile() as errors, tempfile.TemporaryFile() as out:
        child = os.fork()
        if child == 0:
            os.dup2(errors.fileno(), 2)
            library.fault_run(name.encode(), int(faulty), result, text, len(text))
            os.write(out.fileno(), bytes(result) + text.value)
            os._exit(0)
        status = os.waitpid(child, 0)[1]
        out.seek(0)
        errors.seek(0)
        answer, said = out.read(), errors.read().decode(errors="replace")
    size = ctypes.sizeof(result)
    return {
        "name": name,
        "faulty": faulty,
        "report": answer[size:].decode(),
        "result": answer[:size].hex(),
        "crash": os.WIFSIGNALED(status),
        "said": said[-600:],
    }


def main() -> None:
    library = ctypes.CDLL(sys.argv[1])
    text = ctypes.create_string_buffer(10000)
    library.fault_names(text, len(text))
    for name in text.value.decode().split():
        for faulty in (False, True):
            print(json.dumps(outcome(library, name, faulty)), flush=True)


if __name__ == "__main__":
    main()
