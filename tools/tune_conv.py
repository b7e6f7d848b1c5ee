"""Measure where each way to compute a convolution is the quickest: ``python -m tools.tune_conv``.

Times the ways of our own library against each other over a grid of shapes, finds the limits between
them that lose the least time over the grid, and prints them; ``--write`` puts them into
csrc/cpu/conv/choices.h, for the instruction set that runs (PYTENSOR_ISA selects another). One
thread, processor time, the smallest of interleaved slices.
"""

from __future__ import annotations

import argparse
import itertools
import math
import os
import platform
import re
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

CHOICES = Path(__file__).parent.parent / "csrc/cpu/conv/choices.h"
SLICE_S = 0.004


class Shape(NamedTuple):
    """A square convolution; `kind` is what is computed: forward, input or weight."""

    kind: str
    batch: int
    channels: int
    size: int
    out: int
    kernel: int
    stride: int = 1

    @property
    def out_size(self) -> int:
        return (self.size + 2 * (self.kernel // 2) - self.kernel) // self.stride + 1

    @property
    def tiles(self) -> int:
        return int(self.batch * math.ceil(self.out_size / 2) ** 2)

    @property
    def work(self) -> int:
        return self.batch * self.out_size**2 * self.channels * self.out * self.kernel * self.kernel


class Timing(NamedTuple):
    shape: Shape
    seconds: dict[str, float]  # by way


def job(torch: Any, ops: Any, s: Shape) -> Callable[[], Any]:
    pads = s.kernel // 2
    x = torch.randn(s.batch, s.channels, s.size, s.size)
    w = torch.randn(s.out, s.channels, s.kernel, s.kernel)
    y = torch.randn(s.batch, s.out, s.out_size, s.out_size)
    steps = ([s.stride] * 2, [pads] * 2, [1, 1])
    if s.kind == "forward":
        return lambda: ops["conv_forward"](x, w, None, *steps, [s.out_size] * 2, 1)
    if s.kind == "input":
        return lambda: ops["conv_input_gradient"](y, w, None, *steps, [s.size] * 2, 1)
    return lambda: ops["conv_weight_gradient"](y, x, *steps, [s.kernel] * 2, 1)


def measure(run: Callable[[], Any], ways: Sequence[str], repeats: int) -> dict[str, float]:
    """The least processor time of a call of each way."""
    best = dict.fromkeys(ways, math.inf)
    for _ in range(repeats):
        for way in ways:
            os.environ["PYTENSOR_CONV_WAY"] = way
            run()
            calls, start = 0, time.process_time()
            while (elapsed := time.process_time() - start) < SLICE_S or calls == 0:
                run()
                calls += 1
            best[way] = min(best[way], elapsed / calls)
    return best


class Decision(NamedTuple):
    """Names of limits, their candidates, and whether `way` is taken for a shape under them."""

    names: tuple[str, ...]
    ways: tuple[str, str]  # where the rule holds, where it does not
    shapes: list[Shape]
    candidates: list[tuple[int, ...]]
    holds: Callable[[Shape, tuple[int, ...]], bool]


def grid(kind: str, kernel: int, stride: int, *axes: Iterable[int]) -> list[Shape]:
    """Shapes for all (channels, out, size, batch), the large ones left out."""
    found = []
    for channels, out, size, batch in itertools.product(*axes):
        shape = Shape(kind, batch, channels, size, out, kernel, stride)
        if shape.work < 600_000_000:
            found.append(shape)
    return found


def winograd_decision(kind: str, suffix: str) -> Decision:
    channels = (16, 32, 64, 128, 256, 512)
    shapes = [
        s
        for s in grid(kind, 3, 1, channels, channels, (4, 7, 10, 14, 28, 56), (1, 2, 4, 8))
        if s.out in (s.channels, 2 * s.channels)
    ]
    return Decision(
        (f"kWinograd{suffix}Tiles", f"kWinograd{suffix}Channels"),
        ("winograd", "product"),
        shapes,
        list(itertools.product((4, 8, 16, 24, 32, 48, 64, 96, 128, 192), (16, 32, 64, 128))),
        lambda s, v: s.tiles >= v[0] and min(s.channels, s.out) >= v[1],
    )


def scatters(s: Shape, limits: tuple[int, ...]) -> bool:
    channels, ratio, pixels = limits
    if s.channels < channels:
        return True
    if s.stride == 1:
        return ratio * s.channels <= s.out
    return s.batch == 1 and s.out_size**2 <= pixels


def decisions() -> list[Decision]:
    pointwise = grid(
        "forward", 1, 1, (32, 128, 512, 1024), (64, 256, 512, 2048), (4, 7, 10, 14, 20), (2, 8)
    )
    scatter = [
        *grid("input", 5, 1, (3, 8, 16, 32, 64, 128), (16, 64, 192), (14, 28), (1, 4)),
        *grid("input", 3, 2, (3, 8, 16, 32, 64, 128), (32, 128), (8, 14, 28), (1, 4)),
        *grid("input", 3, 2, (256, 512), (128, 512), (8, 14, 28), (1, 4)),
    ]
    return [
        winograd_decision("forward", ""),
        winograd_decision("input", "Input"),
        winograd_decision("weight", "Weight"),
        Decision(
            ("kPointwisePixels", "kPointwiseWeights"),
            ("pointwise", "product"),
            pointwise,
            list(
                itertools.product(
                    (16, 32, 64, 100, 128, 196, 256, 400),
                    (0, 4096, 16384, 65536, 131072, 262144, 524288, 1048576),
                )
            ),
            lambda s, v: s.out_size**2 >= v[0] or s.channels * s.out <= v[1],
        ),
        Decision(
            ("kScatterChannels", "kScatterRatio", "kScatterPixels"),
            ("scatter", "product"),
            scatter,
            list(
                itertools.product(
                    (4, 8, 16, 24, 32, 48, 64),
                    (1, 2, 3, 4, 6, 8, 1024),
                    (0, 9, 16, 25, 49, 64, 100),
                )
            ),
            scatters,
        ),
    ]


def loss(decision: Decision, timings: list[Timing], values: tuple[int, ...]) -> float:
    """The mean of log(time of the chosen way / time of the best)."""
    total = 0.0
    for shape, seconds in timings:
        way = decision.ways[0] if decision.holds(shape, values) else decision.ways[1]
        total += math.log(seconds[way] / min(seconds.values()))
    return total / len(timings)


def tune(decision: Decision, repeats: int, verbose: bool) -> dict[str, int]:
    import pytensor as torch
    from pytensor import _ops

    timings = []
    for shape in decision.shapes:
        seconds = measure(job(torch, _ops.internal, shape), decision.ways, repeats)
        timings.append(Timing(shape, seconds))
        if verbose:
            us = "  ".join(f"{way} {s * 1e6:.0f} us" for way, s in seconds.items())
            print(f"  {shape}: {us}", flush=True)
    losses = {values: loss(decision, timings, values) for values in decision.candidates}
    best = min(losses, key=lambda values: losses[values])
    names = ", ".join(f"{n} = {v}" for n, v in zip(decision.names, best, strict=True))
    print(
        f"{names}: {100 * math.expm1(losses[best]):.1f} % above the best of {len(timings)} shapes"
    )
    return dict(zip(decision.names, best, strict=True))


def cpu_name() -> str:
    """What Linux calls the processor, with its family and model."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    found: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        found.setdefault(name.strip(), value.strip())
    keys = ("model name", "cpu family", "model")
    return ", ".join(f"{key} {found[key]}" for key in keys if key in found)


def write(isa: str, values: dict[str, int]) -> None:
    """Replaces the values of an instruction set in choices.h."""
    text = CHOICES.read_text()
    start = {"avx512": "#if defined(PT_ISA_IS_AVX512)\n", "avx2": "#elif defined(PT_ISA_IS_AVX2)\n"}
    begin = start.get(isa, "#else\n")
    at = text.index(begin) + len(begin)
    end = re.compile(r"^#(elif|else|endif)", re.MULTILINE).search(text, at)
    assert end is not None
    block = re.sub(r"^// .*", f"// {cpu_name()}", text[at : end.start()], count=1)
    for name, value in values.items():
        block = re.sub(rf"\b{name} = \d+", f"{name} = {value}", block)
    CHOICES.write_text(text[:at] + block + text[end.start() :])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="put the limits into choices.h")
    parser.add_argument("--only", default="", help="limits whose name contains this")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--verbose", action="store_true", help="print each shape")
    args = parser.parse_args()
    os.environ["PYTENSOR_TUNE_CONV"] = "1"
    import pytensor as torch
    from pytensor import _C

    torch.set_num_threads(1)
    values: dict[str, int] = {}
    for decision in decisions():
        if args.only in " ".join(decision.names):
            values |= tune(decision, args.repeats, args.verbose)
    if args.write:
        write(_C.active_isa(), values)


if __name__ == "__main__":
    main()
