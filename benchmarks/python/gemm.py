"""float32 matrix products: squares in all layouts, skinny and program shapes, gemv, batches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.python.harness import Case, Names, main

SQUARES = (32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 2048, 4096)
LAYOUTS = ("NN", "NT", "TN", "TT")


def operands(m: int, n: int, k: int, layout: str) -> Callable[[Any], Names]:
    """a (m, k) and b (k, n); T stands for a transposed view of contiguous memory."""

    def setup(T: Any) -> Names:
        a = T.randn(m, k) if layout[0] == "N" else T.randn(k, m).t()
        b = T.randn(k, n) if layout[1] == "N" else T.randn(n, k).t()
        return {"a": a, "b": b}

    return setup


def product(group: str, m: int, n: int, k: int, layout: str, goal: float = 1.0) -> Case:
    return Case("mm", f"{m}x{n}x{k} {layout}", "a.mm(b)", operands(m, n, k, layout), goal, group)


def gemv(rows: int, columns: int, transposed: bool) -> Case:
    def setup(T: Any) -> Names:
        a = T.randn(columns, rows).t() if transposed else T.randn(rows, columns)
        return {"a": a, "x": T.randn(columns)}

    layout = "T" if transposed else "N"
    return Case("mv", f"{rows}x{columns} {layout}", "a.mv(x)", setup, 1.0, "gemv")


def batched(batch: tuple[int, ...], m: int, n: int, k: int, b_transposed: bool) -> Case:
    def setup(T: Any) -> Names:
        b = T.randn(*batch, n, k).transpose(-2, -1) if b_transposed else T.randn(*batch, k, n)
        return {"a": T.randn(*batch, m, k), "b": b}

    layout = "NT" if b_transposed else "NN"
    shape = f"{'x'.join(map(str, batch))} of {m}x{n}x{k} {layout}"
    return Case("matmul", shape, "a.matmul(b)", setup, 1.0, "batched")


CASES = [
    # No product may be under 0.9; the mean of the group must reach 1.
    *(product("to 64", s, s, s, layout, 1.8) for s in SQUARES if s <= 64 for layout in LAYOUTS),
    *(product("from 96", s, s, s, layout, 0.9) for s in SQUARES if s > 64 for layout in LAYOUTS),
    # A two-layer network of the course, forward and backward (m, n, k).
    product("program", 64, 100, 1000, "NN"),
    product("program", 64, 10, 100, "NN"),
    product("program", 100, 10, 64, "TN"),
    product("program", 64, 100, 10, "NT"),
    product("program", 1000, 100, 64, "TN"),
    product("program", 64, 1000, 100, "NT"),
    *(product("skinny", m, 4096, 4096, lay) for m in (1, 2, 4, 8, 16) for lay in ("NN", "NT")),
    *(product("skinny", 4096, n, 4096, lay) for n in (1, 4, 8, 16) for lay in ("NN", "TN")),
    *(gemv(r, c, t) for r, c in ((4096, 4096), (512, 512), (1000, 100)) for t in (False, True)),
    batched((8, 12), 128, 128, 64, True),
    batched((8, 12), 128, 64, 128, False),
    batched((4, 8), 512, 512, 64, True),
    batched((4, 8), 512, 64, 512, False),
    batched((32, 4), 32, 32, 32, True),
    batched((1024,), 8, 8, 8, False),
]

if __name__ == "__main__":
    main("benchmarks.python.gemm", __doc__, CASES)
