"""Pooling, padding, interpolation and grid sampling, with and without gradients."""

from __future__ import annotations

from typing import Any

from benchmarks.python.harness import Case, Names, main

STEM = (8, 64, 112, 112)  # ResNet after its first convolution
LENET = (64, 6, 28, 28)
BLOCK = (16, 256, 14, 14)
PHOTOS = (4, 3, 256, 256)


def case(name: str, shape: tuple[int, ...], call: str, goal: float, group: str) -> list[Case]:
    """Forward without gradients, and forward with backward."""

    def setup(T: Any) -> Names:
        x = T.randn(*shape)
        leaf = x.clone().requires_grad_()
        names: Names = {"F": T.nn.functional, "x": x, "leaf": leaf}
        y = eval(call, {"T": T, **names})
        return {**names, "g": T.ones_like(y)}

    text = "x".join(map(str, shape))
    both = call.replace("(x", "(leaf", 1)
    return [
        Case(name, text, call, setup, goal, group),
        Case(name + " + backward", text, f"{both}.backward(g); leaf.grad = None", setup, 1, group),
    ]


def sampled(shape: tuple[int, ...], mode: str = "bilinear") -> list[Case]:
    """A grid of random points: forward, and with the gradients of the planes and of the grid."""

    def setup(T: Any) -> Names:
        n, _, *sizes = shape
        x, grid = T.randn(*shape), T.rand(n, *sizes, len(sizes)) * 2 - 1
        leaves: Names = {"leaf": x.clone().requires_grad_(), "points": grid.clone()}
        leaves["points"].requires_grad_()
        return {"F": T.nn.functional, "x": x, "grid": grid, "g": T.ones_like(x), **leaves}

    name, text = f"grid_sample {mode}", "x".join(map(str, shape))
    call = f"F.grid_sample(%s, '{mode}', align_corners=False)"
    both = f"{call % 'leaf, points'}.backward(g); leaf.grad = points.grad = None"
    return [
        Case(name, text, call % "x, grid", setup, 1.0, "grid"),
        Case(f"{name} + backward", text, both, setup, 1.0, "grid"),
    ]


CASES = [
    *(
        c
        for shape in (STEM, LENET, BLOCK)
        for name, call, goal in (
            ("max_pool2d 3x3/2", "F.max_pool2d(x, 3, 2, 1)", 3.0),
            ("max_pool2d 2x2", "F.max_pool2d(x, 2)", 3.0),
            ("avg_pool2d 2x2", "F.avg_pool2d(x, 2)", 1.5),
            ("avg_pool2d 3x3", "F.avg_pool2d(x, 3, 1, 1)", 1.5),
            ("adaptive_avg_pool2d 7", "F.adaptive_avg_pool2d(x, 7)", 1.5),
            ("adaptive_avg_pool2d 1", "F.adaptive_avg_pool2d(x, 1)", 1.0),
        )
        for c in case(name, shape, call, goal, "pooling")
    ),
    *(
        c
        for mode in ("constant", "reflect", "replicate", "circular")
        for c in case(f"pad {mode}", PHOTOS, f"F.pad(x, (1, 1, 1, 1), '{mode}')", 1.0, "padding")
    ),
    *(
        c
        for factor in (2, 0.5, 1.7)
        for mode in ("nearest", "bilinear", "bicubic", "area")
        for c in case(
            f"interpolate {mode} {factor}",
            PHOTOS,
            f"F.interpolate(x, scale_factor={factor}, mode='{mode}')",
            1.5,
            "interpolation",
        )
    ),
    *(
        c
        for mode in ("bilinear", "nearest", "bicubic")
        for shape in (PHOTOS, (4, 64, 56, 56))
        for c in sampled(shape, mode)
    ),
    *sampled((2, 4, 24, 32, 32)),
]

if __name__ == "__main__":
    main("benchmarks.python.pooling", __doc__, CASES)
