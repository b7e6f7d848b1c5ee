"""bfloat16 on the CPU's units: products, convolutions, and ResNet-18 under autocast.

The statements "of float32" are timed for comparison: their times under the second library divided
by those of the same shape in bfloat16 are what the units bring.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.python.harness import Case, Names, main
from benchmarks.python.networks import resnet18

SIZES = (64, 128, 256, 512, 1024, 2048)
SKINNY = [(1, 4096, 4096), (4, 4096, 4096), (16, 4096, 4096), (8, 1000, 512), (100, 3072, 768)]
# input channels, height = width, output channels, kernel, stride, padding: layers of ResNet-18
LAYERS = [
    (3, 224, 64, 7, 2, 3),
    (64, 56, 64, 3, 1, 1),
    (64, 56, 128, 3, 2, 1),
    (64, 56, 128, 1, 2, 0),
    (128, 28, 128, 3, 1, 1),
    (256, 14, 256, 3, 1, 1),
    (512, 7, 512, 3, 1, 1),
]


def operands(m: int, n: int, k: int, layout: str) -> Callable[[Any], Names]:
    def setup(T: Any) -> Names:
        a = T.randn(m, k).bfloat16() if layout[0] == "N" else T.randn(k, m).bfloat16().t()
        b = T.randn(k, n).bfloat16() if layout[1] == "N" else T.randn(n, k).bfloat16().t()
        return {"a": a, "b": b}

    return setup


def product(m: int, n: int, k: int, layout: str, goal: float, group: str) -> Case:
    return Case("mm", f"{m}x{n}x{k} {layout}", "a.mm(b)", operands(m, n, k, layout), goal, group)


def medium(size: int) -> Case:
    def setup(T: Any) -> Names:
        def run() -> Any:
            T.set_float32_matmul_precision("medium")
            try:
                return a.mm(b)
            finally:
                T.set_float32_matmul_precision("highest")

        a, b = T.randn(size, size), T.randn(size, size)
        return {"run": run}

    return Case("mm_medium", f"{size}", "run()", setup, 1.5, "float32 medium")


def layer(batch: int, sizes: tuple[int, ...], half: bool, gradient: bool) -> Callable[[Any], Names]:
    channels, size, out, kernel, stride, padding = sizes

    def setup(T: Any) -> Names:
        dtype = T.bfloat16 if half else T.float32
        x = T.randn(batch, channels, size, size).to(dtype).requires_grad_(gradient)
        w = T.randn(out, channels, kernel, kernel).to(dtype).requires_grad_(gradient)
        names = {"x": x, "w": w, "arguments": (stride, padding)}
        if gradient:
            y = T.conv2d(x, w, None, stride, padding)
            names |= {"y": y, "g": T.ones_like(y), "grad": T.autograd.grad}
        return names

    return setup


def network(train: bool, autocast: bool) -> Callable[[Any], Names]:
    """ResNet-18 at batch 8 and 224x224: `step()` is a forward pass, or a training step."""

    def setup(T: Any) -> Names:
        T.manual_seed(0)
        model = resnet18(T.nn).train(train)
        optimizer = T.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9)
        x, labels = T.randn(8, 3, 224, 224), T.arange(8)

        def forward() -> Any:
            with T.autocast("cpu", dtype=T.bfloat16, enabled=autocast):
                return model(x)

        def infer() -> Any:
            with T.no_grad():
                return forward()

        def step() -> None:
            optimizer.zero_grad()
            T.nn.functional.cross_entropy(forward().float(), labels).backward()
            optimizer.step()

        return {"step": step if train else infer}

    return setup


def cases() -> list[Case]:
    found = [product(s, s, s, lay, 0.9, "square") for s in SIZES for lay in ("NN", "NT", "TN")]
    found += [product(*shape, lay, 1.0, "skinny") for shape in SKINNY for lay in ("NN", "NT")]
    found += [medium(s) for s in (256, 1024)]
    call, grad = "T.conv2d(x, w, None, *arguments)", "grad(y, (x, w), g, retain_graph=True)"
    for sizes in LAYERS:
        channels, size, out, kernel, stride, _ = sizes
        shape = f"{channels}->{out} {kernel}x{kernel}/{stride} {size} batch 8"
        found += [
            Case("conv2d", shape, call, layer(8, sizes, True, False), 1.0, "conv2d"),
            Case("conv2d_gradients", shape, grad, layer(8, sizes, True, True), 1.0, "gradients"),
            Case("conv2d of float32", shape, call, layer(8, sizes, False, False), 1.0, "float32"),
        ]
    for train, name in ((False, "inference"), (True, "training step")):
        for autocast, kind in ((True, "autocast"), (False, "of float32")):
            found.append(
                Case(f"resnet18 {kind}", f"{name} batch 8", "step()", network(train, autocast))
            )
    return found


CASES = cases()

if __name__ == "__main__":
    main("benchmarks.python.bf16", __doc__, CASES)
