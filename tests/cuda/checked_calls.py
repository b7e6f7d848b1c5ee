"""Calls the registry's samples on a device, at the sizes where kernels go wrong, and on the cpu.

A program that test_checked.py starts with the checked library (``python -m tests.cuda.checked_calls
PART PARTS``): the library is chosen by the environment, and so is the order of threads. Prints a
line of JSON for each call that fails a check or differs from the cpu, and one with the number of
calls at the end.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np

import pytensor
from tests.ops import registry
from tests.ops.registry import Raised, Sample, Variation

# Around a warp, packs of 16 bytes, a tile of the matrix product and a block.
SIZES = (0, 1, 2, 31, 33, 63, 65, 255, 257)
# How many of them each sample gets, unless PYTENSOR_CHECKED is "all".
SOME = 3
LARGEST = 10_000  # elements of an argument or result: each access takes 100 ns
# Contents or randomness without a value to compare; factors that are not unique.
SKIP = ("arbitrary", "random")


def resized(sample: Sample) -> Iterator[Variation]:
    """The sample with its first or its last size changed."""
    shapes: list[tuple[int, ...]] = []

    def note(shape: tuple[int, ...]) -> tuple[int, ...]:
        shapes.append(shape)
        return shape

    dtype = "float32" if sample.makers() & set("RPUS") else "int64"
    try:
        registry.arguments(pytensor, sample, Variation(dtype, resize=note))
    except Exception:
        return
    if not shapes or not shapes[0]:
        return
    turn = zlib.crc32(sample.id.encode()) % len(SIZES)
    sizes = (SIZES[turn:] + SIZES[:turn])[: None if os.environ.get("PYTENSOR_CHECKED") else SOME]
    for old in sorted({shapes[0][0], shapes[0][-1]} - {1}):
        for new in sizes:

            def change(n: int, old: int = old, new: int = new) -> int:
                return new if n == old else n

            def resize(shape: tuple[int, ...], change: Any = change) -> tuple[int, ...]:
                return tuple(change(n) for n in shape)

            if all(np.prod(resize(s)) <= LARGEST for s in shapes):
                yield Variation(dtype, resize=resize, limit=change, label=f"{old} made {new}")


def variations(sample: Sample) -> Iterator[Variation]:
    makers = sample.makers()
    dtypes = (*registry.FLOATS, *registry.INTS, "int16", "int8")
    for dtype in dtypes if makers & set("RPUSI") else ("float32",):
        yield Variation(dtype)
    yield Variation("float32", "transposed")
    yield Variation("float32", "sliced")
    yield from resized(sample)


def run(sample: Sample, variation: Variation, device: str) -> tuple[Any, list[Any]]:
    """Outcome and gradients."""
    registry.DEVICE = device
    try:
        args, kwargs, leaves = registry.arguments(pytensor, sample, variation)
        # Also what a sample computes before the call: the op sees it as a tensor like any other.
        leaves += [x for x in args if isinstance(x, pytensor.Tensor) and x.is_floating_point()]
        leaves = [x for x in leaves if x.is_leaf and x.layout == pytensor.strided]
        wants = variation.dtype in ("float32", "float64")
        for leaf in leaves if wants else []:
            leaf.requires_grad_()
        result = registry.call(pytensor, sample, args, kwargs)
        grads: list[Any] = []
        first = result[0] if isinstance(result, (tuple, list)) and result else result
        if wants and isinstance(first, pytensor.Tensor) and first.requires_grad:
            (first * 0.5).sum().backward()
            grads = [leaf.grad for leaf in leaves]
        if device == "cuda":
            pytensor.cuda.synchronize()  # indices out of bounds are reported there
        return result, grads
    except Exception as error:
        with contextlib.suppress(Exception):
            pytensor.cuda.synchronize()  # what else is to be reported belongs to this call
        return Raised(error), []


def flat(value: Any) -> list[Any]:
    """The tensors in a result."""
    if isinstance(value, pytensor.Tensor):
        return [value.detach().cpu()]
    if isinstance(value, (tuple, list)):
        return [t for v in value for t in flat(v)]
    return []


def difference(got: Any, want: Any, dtype: str, sample: Sample) -> str:
    """How two results differ, or ''."""
    ours, theirs = flat(got), flat(want)
    if len(ours) != len(theirs):
        return f"{len(ours)} tensors, not {len(theirs)}"
    rtol, atol = registry.TOLERANCES.get(dtype, (1e-5, 1e-5))
    rtol, atol = max(10 * rtol, sample.tolerance or 0), max(10 * atol, sample.tolerance or 0)
    for a, b in zip(ours, theirs, strict=True):
        if a.shape != b.shape or a.dtype != b.dtype:
            return f"{a.dtype}{tuple(a.shape)}, not {b.dtype}{tuple(b.shape)}"
        if a.is_complex() or a.layout != pytensor.strided:
            continue
        x, y = (np.array(t.to(pytensor.float64).tolist()) for t in (a, b))
        if not np.allclose(x, y, rtol, atol, equal_nan=True):
            return f"values differ by {np.nanmax(abs(x - y)):.3g}"
    return ""


def size(value: Any) -> int:
    """The elements of the tensors in a result."""
    if isinstance(value, pytensor.Tensor):
        return int(value.numel())
    return sum(size(v) for v in value) if isinstance(value, (tuple, list)) else 0


def failure(sample: Sample, variation: Variation) -> str | None:
    """What is wrong with the call on the device; None if there is no kernel for it."""
    want, expected = run(sample, variation, "cpu")
    registry.DEVICE = "cuda"
    if size(want) > LARGEST:
        return ""
    if isinstance(want, Raised) and isinstance(want.error, NotImplementedError):
        return None  # a dtype that only the device knows
    got, grads = run(sample, variation, "cuda")
    if isinstance(got, Raised):
        if registry.lacks_kernel(got.error) or isinstance(got.error, NotImplementedError):
            return None
        if "CUDA error" in str(got.error):
            return str(got.error)
    if isinstance(want, Raised) or isinstance(got, Raised):
        return "" if type(want) is type(got) else f"{got}, and on the cpu {want}"
    if any(option in sample.options for option in SKIP):
        return ""
    if "unstable" in sample.options and variation.label:
        return ""
    return difference((got, grads), (want, expected), variation.dtype, sample)


def main() -> None:
    part, parts = int(sys.argv[1]), int(sys.argv[2])
    pytensor.set_num_threads(1)
    calls = 0
    for sample in registry.samples()[part::parts]:
        if registry.NOT_UNIQUE.search(sample.op["name"]):
            continue
        for variation in variations(sample):
            text = failure(sample, variation)
            if text is None and "made" not in variation.label:
                continue
            if text is None:
                break
            calls += 1
            if text:
                call = f"{sample.id} {sample.text} {variation}"
                print(json.dumps({"call": call, "failure": text[:600]}), flush=True)
    print(json.dumps({"calls": calls}))


if __name__ == "__main__":
    main()
