"""Cost of a call on eight float32 values, where arithmetic is nothing and overhead everything."""

from __future__ import annotations

from typing import Any

from benchmarks.python.harness import Case, Names, main

SHAPE = "8"
CHAIN = "\n".join(["y = x"] + ["y = y * b + c"] * 5)  # ten ops


def values(T: Any) -> Names:
    a = T.tensor([0.5, -1.0, 2.0, 0.1, -0.3, 4.0, 1.5, -2.5])
    return {"a": a, "b": a * 0.5, "c": a + 1.0, "mask": a > 0, "m": a.view(2, 4)}


def leaves(T: Any) -> Names:
    names = values(T)
    x = names["a"].clone()
    x.requires_grad_()
    w = names["b"].clone()
    w.requires_grad_()
    return {**names, "x": x, "w": w}


def chain(T: Any) -> Names:
    return {**values(T), "x": leaves(T)["x"]}


def case(name: str, statement: str, goal: float, setup: Any = values) -> Case:
    return Case(name, SHAPE, statement, setup, goal)


CASES = [
    case("add", "a + b", 4),
    case("mul", "a * b", 4),
    case("add_scalar", "a + 2.0", 4),
    case("clamp_keyword", "a.clamp(min=0)", 4),
    case("add_function", "T.add(a, b)", 4),
    case("add_grad", "x + w", 4, leaves),
    case("mul_grad", "x * w", 4, leaves),
    case("view", "a.view(2, 4)", 3),
    case("t", "m.t()", 3),
    case("index", "a[3]", 3),
    case("slice", "a[1:5]", 3),
    case("sum", "a.sum()", 3),
    case("where", "T.where(mask, a, b)", 3),
    case("setitem", "a[2] = 1.5", 3),
    case("setitem_mask", "a[mask] = 0", 3),
    case("item", "a[3].item()", 3),
    case("zeros", "T.zeros(8)", 3),
    case("tensor_of_list", "T.tensor([1.0, 2.0, 3.0, 4.0])", 3),
    case("mul_sum_backward", "(x * w).sum().backward()", 12, leaves),
    case("chain_of_10", CHAIN.replace("y = x", "y = a"), 8, chain),
    case("chain_of_10_grad", CHAIN, 8, chain),
    case("chain_of_10_backward", CHAIN + "\ny.sum().backward()", 8, chain),
]

if __name__ == "__main__":
    main("benchmarks.python.overhead", __doc__, CASES)
