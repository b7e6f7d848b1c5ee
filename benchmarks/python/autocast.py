"""Networks in float32 beside the same under autocast("cpu", bfloat16), both in pytensor.

    python -m benchmarks.python.autocast                        # with the processor's units
    PYTENSOR_BF16=none python -m benchmarks.python.autocast     # as on a processor without any

`ratio` is float32's time over autocast's: above 1 autocast is the faster one. Slices alternate in
one process. Without units the goal is not to be slower.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from benchmarks.python.harness import (
    Case,
    Names,
    Settings,
    Table,
    load_modules,
    make_parser,
    measure,
)
from benchmarks.python.networks import NETWORKS
from benchmarks.python.sequence import gpt

LABELS = ("float32", "autocast")
VOCABULARY = 65
EQUAL = 0.98  # what noise takes from a ratio of 1


class Side(NamedTuple):
    """What a case is set up for: a library, and whether its region is on."""

    library: Any
    casts: bool

    def region(self) -> Any:
        T = self.library
        return T.autocast("cpu", dtype=T.bfloat16, enabled=self.casts)


def inference(make: Callable[[Any], Any], inputs: Callable[[Any], Any]) -> Callable[[Any], Names]:
    def setup(side: Side) -> Names:
        T = side.library
        T.manual_seed(0)
        model, x = make(T).eval(), inputs(T)

        def run() -> None:
            with T.no_grad(), side.region():
                model(x)

        return {"run": run}

    return setup


def training(
    make: Callable[[Any], Any], inputs: Callable[[Any], Any], classes: int
) -> Callable[[Any], Names]:
    def setup(side: Side) -> Names:
        T = side.library
        T.manual_seed(0)
        model, x = make(T), inputs(T)
        optimizer = T.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9)

        def run() -> None:
            with side.region():
                y = model(x)
                y = y.reshape(-1, y.shape[-1])
                loss = T.nn.functional.cross_entropy(y, T.arange(y.shape[0]) % classes)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

        return {"run": run}

    return setup


def pair(name: str, make: Any, inputs: Any, shape: str, classes: int) -> list[Case]:
    return [
        Case(name, f"inference {shape}", "run()", inference(make, inputs), EQUAL, "inference"),
        Case(
            name, f"training {shape}", "run()", training(make, inputs, classes), EQUAL, "training"
        ),
    ]


def network(name: str, *shape: int) -> list[Case]:
    return pair(name, lambda T: NETWORKS[name](T.nn), lambda T: T.randn(*shape), f"b{shape[0]}", 10)


def small_gpt(layers: int, size: int, heads: int, length: int, batch: int) -> list[Case]:
    return pair(
        "gpt",
        lambda T: gpt(T, layers, size, heads, VOCABULARY, length),
        lambda T: T.randint(0, VOCABULARY, (batch, length)),
        f"{layers}x{size}, b{batch}",
        VOCABULARY,
    )


CASES_OF_SIDES = [
    *network("mlp", 64, 784),
    *network("lenet", 64, 1, 28, 28),
    *small_gpt(2, 128, 4, 64, 8),
    *small_gpt(4, 256, 8, 128, 8),
    *network("resnet18", 1, 3, 224, 224),
    *network("resnet18", 8, 3, 224, 224)[1:],
]


def main() -> None:
    args = make_parser(__doc__).parse_args()
    library = load_modules([args.modules[1]], args.threads, args.precision)[0]
    sides = [Side(library, False), Side(library, True)]
    settings = Settings(args.threads, args.repeats, args.slice_ms / 1e3, args.precision)
    cases = [c for c in CASES_OF_SIDES if args.op in c.name and args.shape in c.shape]
    table = Table(LABELS, cases)
    results = []
    for case in cases:
        results.append(measure(case, sides, settings))
        table.line(results[-1])
    table.summary(results)


if __name__ == "__main__":
    main()
