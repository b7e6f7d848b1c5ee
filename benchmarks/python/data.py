"""Passes over a TensorDataset by DataLoader, with and without worker processes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.python.harness import Case, Names, main


def one_pass(**options: Any) -> Callable[[Any], Names]:
    def setup(T: Any) -> Names:
        data = T.utils.data.TensorDataset(T.rand(10_000, 1, 28, 28), T.arange(10_000) % 10)
        loader = T.utils.data.DataLoader(data, batch_size=64, **options)

        def run() -> None:
            for _ in loader:
                pass

        return {"run": run}

    return setup


CASES = [
    Case("shuffled", "10000x28x28", "run()", one_pass(shuffle=True), goal=8.0),
    Case("in order", "10000x28x28", "run()", one_pass(), goal=8.0),
    Case("2 workers", "10000x28x28", "run()", one_pass(shuffle=True, num_workers=2)),
]

if __name__ == "__main__":
    main("benchmarks.python.data", __doc__, CASES)
