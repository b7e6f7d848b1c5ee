"""Memory-bound ops on freshly allocated outputs at 1K, 64K, 1M and 16M float32 elements.

The kinds: arithmetic, functions, comparison, selection, broadcasting, reductions and scans over
each dim, copies of every layout, concatenation, indexing, sorting, random numbers.
"""

from __future__ import annotations

from typing import Any

from benchmarks.python.harness import Case, Names, main

SIZES = {"1K": 1 << 10, "64K": 1 << 16, "1M": 1 << 20, "16M": 1 << 24}

POINTWISE = {
    "add": "a + b",
    "add_scalar": "a + 1.5",
    "mul": "a * b",
    "div": "a / b",
    "neg": "-a",
    "abs": "a.abs()",
    "pow_2": "a.pow(2)",
    "sqrt": "u.sqrt()",
    "rsqrt": "u.rsqrt()",
    "reciprocal": "a.reciprocal()",
    "exp": "a.exp()",
    "log": "u.log()",
    "sin": "a.sin()",
    "tanh": "a.tanh()",
    "sigmoid": "a.sigmoid()",
    "exp_double": "d.exp()",
    "erf": "a.erf()",
    "erfinv": "u2.erfinv()",
    "erfinv_double": "d2.erfinv()",
    "relu": "a.relu()",
    "clamp": "a.clamp(min=-0.5, max=0.5)",
    "maximum": "T.maximum(a, b)",
    "floor": "a.floor()",
    "addcmul": "T.addcmul(a, b, c, value=0.5)",
    "lerp": "T.lerp(a, b, 0.3)",
    "lt": "a < b",
    "eq_scalar": "a == 0.0",
    "logical_and": "mask & mask2",
    "isnan": "a.isnan()",
    "where": "T.where(mask, a, b)",
    "masked_fill": "a.masked_fill(mask, 0.0)",
    "masked_select": "a.masked_select(mask)",
    "nonzero": "mask.nonzero()",
    "add_int64": "i + i",
    "mul_float64": "d * d",
    "to_float64": "a.to(T.float64)",
    "to_int64": "a.to(T.int64)",
    "float_of_int64": "i.to(T.float32)",
    "float_of_bool": "mask.to(T.float32)",
    "clone": "a.clone()",
    "zeros": "T.zeros(n)",
    "ones_like": "T.ones_like(a)",
    "arange": "T.arange(n)",
    "rand": "T.rand(n)",
    "randn": "T.randn(n)",
    "bernoulli": "T.bernoulli(u)",
    "randperm": "T.randperm(n)",
    "cat": "T.cat([a, b])",
    "stack": "T.stack([a, b])",
    "flip": "a.flip(0)",
    "roll": "a.roll(17)",
    "repeat": "a.repeat(2)",
    "sum": "a.sum()",
    "mean": "a.mean()",
    "prod": "a.prod()",
    "var": "a.var()",
    "norm": "a.norm()",
    "max": "a.max()",
    "argmax": "a.argmax()",
    "any": "mask.any()",
    "cumsum": "a.cumsum(0)",
    "index_select": "T.index_select(a, 0, index)",
    "gather": "T.gather(a, 0, index)",
    "advanced_index": "a[index]",
    "boolean_index": "a[mask]",
    "scatter_add": "z.scatter_add_(0, index, a)",
    "take_strided": "a[::2].contiguous()",
    "sort": "a.sort()",
    "sort_bytes": "bytes.sort()",
    "unique_consecutive": "runs.unique_consecutive()",
    "topk": "a.topk(10)",
}

# m is square-like (rows, columns), image is (8, 4, h, w).
MATRIX = {
    "broadcast_row": "m + row",
    "broadcast_column": "m * column",
    "add_transposed": "m + mt",
    "sum_dim0": "m.sum(0)",
    "sum_dim1": "m.sum(1)",
    "max_dim0": "m.max(0)",
    "max_dim1": "m.max(1)",
    "argmax_dim0": "m.argmax(0)",
    "argmax_dim1": "m.argmax(1)",
    "var_dim0": "m.var(0)",
    "var_dim1": "m.var(1)",
    "logsumexp_dim1": "m.logsumexp(1)",
    "softmax_dim0": "m.softmax(0)",
    "softmax_dim1": "m.softmax(1)",
    "log_softmax_dim1": "m.log_softmax(1)",
    "cumsum_dim0": "m.cumsum(0)",
    "cumsum_dim1": "m.cumsum(1)",
    "transposed_copy": "mt.contiguous()",
    "nhwc_copy": "image.permute(0, 2, 3, 1).contiguous()",
    "swap_outer_copy": "image.transpose(0, 1).contiguous()",
    "cat_dim1": "T.cat([m, m], 1)",
    "index_rows": "m[rows]",
    "tril": "m.tril()",
    "sort_dim1": "m.sort(1)",
}


def vectors(n: int) -> Any:
    def setup(T: Any) -> Names:
        T.manual_seed(0)
        a, b = T.randn(n), T.randn(n)
        return {
            "n": n, "a": a, "b": b, "c": T.randn(n), "u": T.rand(n), "z": T.zeros(n),
            "mask": a > 0, "mask2": b > 0, "d": a.to(T.float64),
            "i": T.arange(n), "index": T.randperm(n), "runs": T.arange(n) // 16,
            "bytes": T.randint(0, 256, (n,)).to(T.uint8), "u2": T.rand(n) * 1.98 - 0.99,
            "d2": T.rand(n, dtype=T.float64) * 1.98 - 0.99,
        }  # fmt: skip

    return setup


def matrices(n: int) -> Any:
    rows = 1 << (n.bit_length() - 1) // 2
    columns = n // rows
    side = 1 << ((n // 32).bit_length() - 1) // 2

    def setup(T: Any) -> Names:
        T.manual_seed(0)
        return {
            "m": T.randn(rows, columns), "mt": T.randn(columns, rows).t(),
            "row": T.randn(columns), "column": T.randn(rows, 1),
            "image": T.randn(8, 4, side, n // 32 // side), "rows": T.randperm(rows),
        }  # fmt: skip

    return setup


CASES = [
    Case(name, size, statement, setup(n), 0.95, size)
    for size, n in SIZES.items()
    for table, setup in ((POINTWISE, vectors), (MATRIX, matrices))
    for name, statement in table.items()
]

if __name__ == "__main__":
    main("benchmarks.python.elementwise", __doc__, CASES)
