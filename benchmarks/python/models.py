"""Whole networks: training steps and inference, the same weights under both libraries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.python.harness import Case, Names, main
from benchmarks.python.networks import NETWORKS


def inference(network: str, shape: tuple[int, ...]) -> Callable[[Any], Names]:
    def setup(T: Any) -> Names:
        T.manual_seed(0)
        model = NETWORKS[network](T.nn).eval()
        x = T.randn(*shape)

        def run() -> None:
            with T.no_grad():
                model(x)

        return {"run": run}

    return setup


def training(network: str, shape: tuple[int, ...], optimizer: str) -> Callable[[Any], Names]:
    def setup(T: Any) -> Names:
        T.manual_seed(0)
        model = NETWORKS[network](T.nn)
        x = T.randn(*shape)
        target = T.arange(shape[0]) % 10
        update = getattr(T.optim, optimizer)(model.parameters(), lr=1e-3)

        def run() -> None:
            loss = T.nn.functional.cross_entropy(model(x), target)
            update.zero_grad()
            loss.backward()
            update.step()

        return {"run": run}

    return setup


def _inference(network: str, batch: int, goal: float) -> Case:
    shape = (batch, 3, 224, 224)
    return Case(network, f"inference b{batch}", "run()", inference(network, shape), goal=goal)


CASES = [
    Case("lenet", "training b64", "run()", training("lenet", (64, 1, 28, 28), "Adam"), goal=1.5),
    Case("mlp", "training b64", "run()", training("mlp", (64, 784), "Adam"), goal=1.5),
    _inference("resnet18", 1, 1.5),
    _inference("resnet18", 8, 1.5),
    _inference("alexnet", 1, 1.5),
    _inference("vgg16", 1, 1.5),
    _inference("resnet101", 1, 1.5),
    _inference("mobilenet_v2", 1, 1.5),
    Case(
        "resnet18", "training b8", "run()", training("resnet18", (8, 3, 224, 224), "SGD"), goal=1.3
    ),
]

if __name__ == "__main__":
    main("benchmarks.python.models", __doc__, CASES)
