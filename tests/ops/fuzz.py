"""Random calls of every op, right and wrong: each must end in a result or an exception.

Run as ``python -m tests.ops.fuzz --calls 100000 [--seed 0]``. The calls run in child processes of
limited memory; a child that dies is reported with the seed and the call it died in, and
``python -m tests.ops.fuzz --child SEED --only N`` repeats that one call.
"""

from __future__ import annotations

import argparse
import mmap
import random
import resource
import signal
import subprocess
import sys
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CALLS_PER_CHILD = 5000
SECONDS_PER_CALL = 20
MEMORY = 1 << 30  # on top of what the process has after the import
NOTE = 4096

# Sizes that overflow a product, a byte count or an int.
HUGE = (2**31 - 1, 2**31, 2**40, 2**62, 2**63 - 1, -(2**31), -(2**63), 2**64)
FLOATS = ("float32", "float64", "float16", "bfloat16")
DTYPES = (*FLOATS, "int64", "int32", "int16", "int8", "uint8", "bool")
# Refused by the operating system's own limits, or endless by their meaning.
SKIPPED = {"empty_cache", "set_num_threads"}


@dataclass
class Death:
    """A child that ended by a signal or did not end."""

    seed: int
    how: str
    call: str

    def __str__(self) -> str:
        return f"seed {self.seed}: {self.how} in {self.call}"


class Fuzzer:
    """Makes calls from a seed. Each call depends on the seed and its number alone."""

    def __init__(self, seed: int):
        import pytensor

        self.lib = pytensor
        self.seed = seed
        public = (e for e in pytensor._C.describe_registry() if not e["internal"])
        self.entries = [e for e in public if e["name"] not in SKIPPED]
        self.random = random.Random()

    def call(self, number: int, note) -> str:
        """Runs one call; returns "result" or the name of the exception's class."""
        self.random.seed(f"{self.seed}/{number}")
        self.lib.manual_seed(number)
        entry = self.random.choice(self.entries)
        pieces: list[str] = []
        positional, keywords = self.arguments(entry, pieces)
        name = entry["name"]
        as_method = entry["method"] and positional and self.is_tensor(positional[0])
        note(f"call {number}: {name}({', '.join(pieces)})".encode())
        if as_method and (self.random.random() < 0.5 or not entry["function"]):
            function, positional = getattr(positional[0], name, None), positional[1:]
        else:
            function = getattr(self.lib._C, name, None)
        if function is None:
            return "absent"
        track = self.random.random() < 0.3
        try:
            if track:
                self.track(positional)
            result = function(*positional, **keywords)
            if track:
                self.backward(result)
            self.read(result)
        except MemoryError:
            return "MemoryError"
        except Exception as error:
            return type(error).__name__
        return "result"

    def is_tensor(self, x) -> bool:
        return isinstance(x, self.lib.Tensor)

    def track(self, values):
        for v in values:
            if self.is_tensor(v) and v.is_floating_point() and v.is_leaf:
                v.requires_grad_()

    def backward(self, result):
        for t in result if isinstance(result, (tuple, list)) else (result,):
            if self.is_tensor(t) and t.requires_grad and 0 < t.numel() < 10_000:
                t.sum().backward()

    def read(self, result):
        """Touches every element, so that a view beyond its storage is noticed."""
        for t in result if isinstance(result, (tuple, list)) else (result,):
            if self.is_tensor(t) and t.numel() < 10_000:
                t.detach().clone()

    # --- arguments -------------------------------------------------------------------------------

    def arguments(self, entry, pieces):
        positional, keywords = [], {}
        by_name = False
        wrong = self.random.random() < 0.25  # a call with arguments of wrong kinds
        shape = self.shape()
        for p in entry["params"]:
            if p["default"] is not None and self.random.random() < 0.5:
                by_name = True
                continue
            if wrong and self.random.random() < 0.4:
                value = self.anything()
            else:
                value = self.fitting(p, shape)
            pieces.append(f"{p['name']}={self.text(value)}")
            if by_name or p["keyword_only"]:
                keywords[p["name"]] = value
            else:
                positional.append(value)
        if wrong and self.random.random() < 0.2:
            positional.append(self.anything())
            pieces.append(self.text(positional[-1]))
        if entry["has_out"] and self.random.random() < 0.15:
            keywords["out"] = self.tensor(self.shape())
            pieces.append(f"out={self.text(keywords['out'])}")
        return positional, keywords

    def text(self, value) -> str:
        if self.is_tensor(value):
            kind = str(value.dtype).rsplit(".", 1)[-1]
            return f"{kind}{list(value.shape)}/{value.stride()}"
        if isinstance(value, (list, tuple)):
            return "[" + ", ".join(map(self.text, value)) + "]"
        return repr(value)[:80]

    def shape(self):
        return [self.random.choice((0, 1, 2, 3, 4, 5)) for _ in range(self.random.randrange(5))]

    def tensor(self, shape):
        lib, rnd = self.lib, self.random
        if rnd.random() < 0.2:
            shape = self.shape()
        elif rnd.random() < 0.2:
            shape = [1 if rnd.random() < 0.3 else n for n in shape]
        dtype = rnd.choice(DTYPES) if rnd.random() < 0.5 else "float32"
        layout = rnd.random()
        made = [*shape, 2] if layout < 0.15 else list(shape)
        t = lib.empty(made, dtype=getattr(lib, dtype))
        if dtype == "bool":
            t.random_(0, 2)
        elif rnd.random() < 0.05:
            t.fill_(rnd.choice((0, 1)) if dtype[0] in "iu" else rnd.choice((0.0, float("nan"))))
        elif dtype[0] in "iu":
            t.random_(0, rnd.choice((2, 5, 100)))
        else:
            t.normal_()
        if layout < 0.15:
            return t[..., 0]
        if layout < 0.3 and len(shape) > 1:
            return t.transpose(0, -1)
        if layout < 0.4:
            return t.expand([2, *shape])
        return t

    def integer(self):
        if self.random.random() < 0.08:
            return self.random.choice(HUGE)
        return self.random.choice((-2, -1, 0, 1, 2, 3, 4, 7))

    def number(self):
        choice = self.random.random()
        if choice < 0.5:
            return self.integer()
        if choice < 0.9:
            return self.random.uniform(-3, 3)
        return self.random.choice((float("inf"), float("-inf"), float("nan"), True, 1e300, -0.0))

    def integers(self, count: int = 0):
        few = count or self.random.randrange(5)
        if self.random.random() < 0.2:
            few = self.random.randrange(6)
        return [self.integer() for _ in range(few)]

    def fitting(self, p, shape):
        lib, rnd = self.lib, self.random
        if p["optional"] and rnd.random() < 0.3:
            return None
        kind = p["type"]
        if kind == "Tensor":
            return self.tensor(shape)
        if kind == "Tensor[]":
            return [self.tensor(shape) for _ in range(rnd.randrange(4))]
        if kind == "Scalar":
            return self.number()
        if kind == "int":
            return self.integer()
        if kind == "float":
            return rnd.uniform(-2, 2) if rnd.random() < 0.8 else self.number()
        if kind == "bool":
            return rnd.random() < 0.5
        if kind == "int[]":
            if p["name"] in ("size", "shape") and rnd.random() < 0.5:
                return shape
            return self.integer() if rnd.random() < 0.1 else self.integers(p["list_size"])
        if kind == "float[]":
            return [self.number() for _ in range(rnd.randrange(4))]
        if kind == "str":
            return rnd.choice(("", "mean", "none", "sum", "floor", "trunc", "ij", "\u00e4", "fro"))
        if kind == "ScalarType":
            return getattr(lib, rnd.choice(DTYPES))
        if kind == "Device":
            return rnd.choice(("cpu", "cuda", "meta", "cpu:1", "nonsense"))
        if kind == "Layout":
            return lib.strided
        if kind == "MemoryFormat":
            return rnd.choice((lib.contiguous_format, lib.preserve_format, lib.channels_last))
        if kind == "Generator":
            return lib.Generator()
        raise AssertionError(f"the fuzzer knows no values of type {kind}")

    def anything(self):
        lib, rnd = self.lib, self.random
        return rnd.choice(
            (
                lambda: None,
                lambda: self.tensor(self.shape()),
                lambda: lib.tensor(rnd.choice((0, 2.5, True))),
                self.integer,
                self.number,
                self.integers,
                lambda: [self.tensor(self.shape()), None],
                lambda: [1.5, "a"],
                lambda: "text",
                lambda: b"bytes",
                dict,
                lambda: {1: 2},
                lambda: (),
                lambda: 10**30,
                lambda: 1j,
                lambda: object(),
                lambda: int,
                lambda: lib.float32,
                lambda: slice(None),
                lambda: Ellipsis,
                lambda: range(3),
                lambda: [[1, 2], [3]],
            )
        )()


# --- processes -----------------------------------------------------------------------------------


def child(seed: int, first: int, count: int, note_file: str | None) -> None:
    """Runs calls in this process; before each, writes its text to the file."""
    fuzzer = Fuzzer(seed)
    warnings.simplefilter("ignore")
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    memory = None
    if note_file is not None:
        with open(note_file, "r+b") as f:
            memory = mmap.mmap(f.fileno(), NOTE)

    def note(text: bytes) -> None:
        if memory is None:
            print(text.decode(errors="replace"), flush=True)
        else:
            memory[:NOTE] = text[:NOTE].ljust(NOTE)

    ends: dict[str, int] = {}
    for number in range(first, first + count):
        signal.alarm(SECONDS_PER_CALL)  # ends the process: a call may not see signals
        end = fuzzer.call(number, note)
        ends[end] = ends.get(end, 0) + 1
    signal.alarm(0)
    print(" ".join(f"{k}:{v}" for k, v in sorted(ends.items())))


def run(calls: int, seed: int) -> tuple[dict[str, int], list[Death]]:
    """Makes the calls in child processes; returns how they ended, and the deaths."""
    ends: dict[str, int] = {}
    deaths: list[Death] = []
    first = 0
    with tempfile.NamedTemporaryFile() as note_file:
        while first < calls and len(deaths) < 20:
            count = min(CALLS_PER_CHILD, calls - first)
            note_file.seek(0)
            note_file.write(b" " * NOTE)
            note_file.flush()
            command = [sys.executable, "-m", "tests.ops.fuzz", "--child", str(seed)]
            command += ["--first", str(first), "--calls", str(count), "--note", note_file.name]
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
            if done.returncode == 0:
                for item in done.stdout.split():
                    name, number = item.split(":")
                    ends[name] = ends.get(name, 0) + int(number)
                first += count
                continue
            text = Path(note_file.name).read_bytes().strip().decode(errors="replace")
            if done.returncode < 0:
                how = signal.Signals(-done.returncode).name
            else:
                how = f"exit {done.returncode}: {done.stderr.strip()[-300:]}"
            deaths.append(Death(seed, how, text or "no call"))
            if not text:
                break
            first = int(text.split()[1].rstrip(":")) + 1  # goes on behind the fatal call
    return ends, deaths


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--child", type=int, help="run the calls of this seed in this process")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--only", type=int, help="with --child: the number of one call")
    parser.add_argument("--note")
    options = parser.parse_args()
    if options.child is not None:
        only = options.only is not None
        first = options.only if only else options.first
        child(options.child, first, 1 if only else options.calls, options.note)
        return 0
    ends, deaths = run(options.calls, options.seed)
    print(", ".join(f"{k} {v}" for k, v in sorted(ends.items(), key=lambda e: -e[1])))
    for death in deaths:
        print(death)
    return 1 if deaths else 0


if __name__ == "__main__":
    sys.exit(main())
