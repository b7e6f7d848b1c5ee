"""Steps of optimizers over 25 million parameters, beside torch's default and its fused form."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.python.harness import Case, Names, main

# Sizes of a network with a few large and many small tensors.
SIZES = [4_000_000] * 5 + [1_000_000] * 4 + [100_000] * 9 + [1_000] * 100


def step(name: str, fused: bool, **options: Any) -> Callable[[Any], Names]:
    def setup(T: Any) -> Names:
        params = [T.zeros(n, requires_grad=True) for n in SIZES]
        for p in params:
            p.grad = T.full((p.numel(),), 0.01)
        if fused:
            options["fused"] = True
        optimizer = getattr(T.optim, name)(params, lr=1e-3, **options)
        optimizer.step()
        return {"step": optimizer.step}

    return setup


def clip(T: Any) -> Names:
    params = [T.zeros(n, requires_grad=True) for n in SIZES]
    for p in params:
        p.grad = T.full((p.numel(),), 0.01)
    return {"run": lambda: T.nn.utils.clip_grad_norm_(params, 1.0)}


CASES = [
    Case("SGD", "25M", "step()", step("SGD", False), goal=1.0),
    Case("SGD momentum", "25M", "step()", step("SGD", False, momentum=0.9), goal=2.0),
    Case("SGD momentum fused", "25M", "step()", step("SGD", True, momentum=0.9), goal=1.0),
    Case("Adam", "25M", "step()", step("Adam", False), goal=2.0),
    Case("Adam fused", "25M", "step()", step("Adam", True), goal=1.0),
    Case("AdamW", "25M", "step()", step("AdamW", False), goal=2.0),
    Case("AdamW fused", "25M", "step()", step("AdamW", True), goal=1.0),
    Case("RMSprop", "25M", "step()", step("RMSprop", False), goal=1.0),
    Case("Adagrad", "25M", "step()", step("Adagrad", False), goal=1.0),
    Case("clip_grad_norm_", "25M", "run()", clip, goal=1.0),
]

if __name__ == "__main__":
    main("benchmarks.python.optimizers", __doc__, CASES)
