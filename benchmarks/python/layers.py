"""Losses, normalizations, embeddings and dropout, forward with backward unless the name says so.

`python -m benchmarks.python.layers batch_norm`; see harness.py.
"""

from __future__ import annotations

from typing import Any

from benchmarks.python.harness import Case, Names, main

IMAGE = "8x64x56x56"


def sizes(shape: str) -> tuple[int, ...]:
    return tuple(int(n) for n in shape.split("x"))


def layer(name: str, shape: str, build: str, train: bool = True, goal: float = 1.3) -> Case:
    def setup(T: Any) -> Names:
        module = eval(build, {"nn": T.nn}).train(train)
        x = T.randn(*sizes(shape)).requires_grad_()
        return {"f": module, "x": x, "g": T.ones(*sizes(shape))}

    return Case(name, shape, "f(x).backward(g)", setup, goal, "norm")


def loss(name: str, shape: str, target: str, input: str = "x", goal: float = 1.3) -> Case:
    def setup(T: Any) -> Names:
        shape_ = sizes(shape)
        names = {"x": T.randn(*shape_), "r": T.rand(*shape_), "T": T, "shape": shape_}
        return {
            "f": getattr(T.nn.functional, name),
            "x": eval(input, names).detach().requires_grad_(),
            "y": eval(target, names),
        }

    return Case(name, shape, "f(x, y).backward()", setup, goal, "loss")


def embedding(shape: str, rows: int, goal: float = 2.0) -> Case:
    def setup(T: Any) -> Names:
        n, width = sizes(shape)
        return {
            "f": T.nn.functional.embedding,
            "w": T.randn(rows, width).requires_grad_(),
            "i": T.randint(0, rows, (n,)),
            "g": T.ones(n, width),
        }

    return Case(f"embedding of {rows}", shape, "f(i, w).backward(g)", setup, goal, "embedding")


def bag(mode: str, goal: float = 2.0) -> Case:
    def setup(T: Any) -> Names:
        return {
            "f": T.nn.EmbeddingBag(10000, 128, mode=mode),
            "i": T.randint(0, 10000, (256, 20)),
            "g": T.ones(256, 128),
        }

    return Case(f"embedding_bag {mode}", "256x20x128", "f(i).backward(g)", setup, goal, "embedding")


def dropout(shape: str, goal: float = 1.3) -> Case:
    def setup(T: Any) -> Names:
        return {
            "f": T.nn.Dropout(0.5),
            "x": T.randn(*sizes(shape)).requires_grad_(),
            "g": T.ones(*sizes(shape)),
        }

    return Case("dropout", shape, "f(x).backward(g)", setup, goal, "dropout")


CLASSES = "T.randint(0, shape[1], shape[:1] + shape[2:])"
PAIRS = {
    "mse_loss": ("r", "x"),
    "l1_loss": ("r", "x"),
    "smooth_l1_loss": ("r", "x"),
    "huber_loss": ("r", "x"),
    "binary_cross_entropy": ("r", "x.sigmoid()"),
    "binary_cross_entropy_with_logits": ("r", "x"),
    "poisson_nll_loss": ("r", "x"),
    "soft_margin_loss": ("r.sign()", "x"),
    "hinge_embedding_loss": ("r.sign()", "x"),
}

CASES = [
    *(
        loss("cross_entropy", s, CLASSES)
        for s in ("64x10", "4096x10", "1024x1000", "32x50000", "8x21x64x64")
    ),
    *(loss("nll_loss", s, CLASSES) for s in ("64x10", "1024x1000")),
    *(loss("multi_margin_loss", s, CLASSES) for s in ("64x10", "1024x1000")),
    *(loss(name, s, *args) for name, args in PAIRS.items() for s in ("64x10", "1024x1000")),
    layer("batch_norm train", IMAGE, "nn.BatchNorm2d(64)"),
    layer("batch_norm eval", IMAGE, "nn.BatchNorm2d(64)", train=False),
    layer("batch_norm train", "64x256", "nn.BatchNorm1d(256)"),
    layer("batch_norm train", "8x512x7x7", "nn.BatchNorm2d(512)"),
    layer("layer_norm", "1024x768", "nn.LayerNorm(768)"),
    layer("layer_norm", "64x64", "nn.LayerNorm(64)"),
    layer("rms_norm", "1024x768", "nn.RMSNorm(768)"),
    layer("group_norm", IMAGE, "nn.GroupNorm(8, 64)"),
    layer("instance_norm", IMAGE, "nn.InstanceNorm2d(64, affine=True)"),
    layer("local_response_norm", "8x64x28x28", "nn.LocalResponseNorm(5)"),
    embedding("4096x256", 10000),
    embedding("64x128", 50000),
    embedding("64x16", 100),
    *(bag(mode) for mode in ("sum", "mean", "max")),
    dropout("64x100"),
    dropout("1024x1000"),
]

if __name__ == "__main__":
    main("benchmarks.python.layers", __doc__, CASES)
