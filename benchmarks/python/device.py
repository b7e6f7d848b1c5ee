"""Times on a cuda device beside what its hardware allows and beside PyTorch.

    python -m benchmarks.python.device [part of a name ...] [--tiny] [--seconds N]
    python -m benchmarks.python.device --floors            # the table of docs/cuda.md

The floor of a case is the longer of two times: the bytes it must move over the memory's bandwidth,
and its operations over the rate of the unit that can do them. `of floor` is floor over time: 100%
cannot be exceeded, except by what stays in the cache. Without a CUDA build of PyTorch its column
stays empty; `--tiny` is for trying the program on a machine that plays a device.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

DEVICE = "cuda"
# Bytes and operations a second, as NVIDIA's data sheets give them (dense, SXM), by a part of the
# device's name. Others are measured against H100's.
RATES = {
    "H100": {"memory": 3.35e12, "fp32": 67e12, "tf32": 494e12, "bf16": 989e12},
    "H200": {"memory": 4.8e12, "fp32": 67e12, "tf32": 494e12, "bf16": 989e12},
    "A100": {"memory": 2.0e12, "fp32": 19.5e12, "tf32": 156e12, "bf16": 312e12},
    "B200": {"memory": 8.0e12, "fp32": 80e12, "tf32": 1100e12, "bf16": 2250e12},
}
LAUNCH_S = 2.5e-6  # from one kernel to the next, where they are too short for anything else

Shape = tuple[int, ...]
Cost = tuple[float, float]  # bytes, operations


@dataclass(frozen=True)
class DeviceCase:
    """What is timed. `setup(T, shape)` gives the call with module T."""

    name: str
    shape: Shape
    tiny: Shape
    cost: Callable[[Shape], Cost]
    setup: Callable[[Any, Shape], Callable[[], Any]]
    expected: str  # part of the floor that the kernel should reach
    moves: str  # what the kernel moves and computes beside the least
    unit: str = "fp32"
    launches: int = 0  # the floor is so many launches instead

    def floor(self, rates: dict[str, float], shape: Shape) -> tuple[float, str]:
        """Seconds, and what binds."""
        if self.launches:
            return self.launches * LAUNCH_S, "launches"
        moved, operations = self.cost(shape)
        memory, math = moved / rates["memory"], operations / rates[self.unit]
        return (memory, "memory") if memory >= math else (math, self.unit)


def product(shape: Sequence[int]) -> int:
    result = 1
    for n in shape:
        result *= n
    return result


def per_element(bytes_: float, operations: float = 1) -> Callable[[Shape], Cost]:
    return lambda shape: (bytes_ * product(shape), operations * product(shape))


def randn(T: Any, shape: Shape, dtype: str = "float32") -> Any:
    return T.randn(*shape, device=DEVICE).to(getattr(T, dtype))


def elementwise(f: Callable[..., Any], inputs: int = 1, dtype: str = "float32") -> Any:
    def setup(T: Any, shape: Shape) -> Callable[[], Any]:
        operands = [randn(T, shape, dtype) for _ in range(inputs)]
        return lambda: f(T, *operands)

    return setup


def with_grad(forward: Callable[..., Any], *sizes: Callable[[Shape], Shape]) -> Any:
    """The backward pass alone, of a graph that is kept."""

    def setup(T: Any, shape: Shape) -> Callable[[], Any]:
        leaves = [randn(T, size(shape)).requires_grad_() for size in (lambda s: s, *sizes)]
        out = forward(T, *leaves)
        grad = T.ones_like(out)
        return lambda: T.autograd.grad(out, leaves, grad, retain_graph=True)

    return setup


def layer_norm(T: Any, x: Any, weight: Any, bias: Any) -> Any:
    return T.nn.functional.layer_norm(x, weight.shape, weight, bias)


def last(shape: Shape) -> Shape:
    return shape[-1:]


def layer_norm_forward(T: Any, shape: Shape) -> Callable[[], Any]:
    x, weight, bias = randn(T, shape), randn(T, last(shape)), randn(T, last(shape))
    return lambda: layer_norm(T, x, weight, bias)


def batch_norm(T: Any, shape: Shape) -> Callable[[], Any]:
    layer, x = T.nn.BatchNorm2d(shape[1]).to(DEVICE), randn(T, shape)
    return lambda: layer(x)


def cross_entropy(T: Any, shape: Shape) -> Callable[[], Any]:
    x, classes = randn(T, shape), T.randint(0, shape[1], shape[:1]).to(DEVICE)
    return lambda: T.nn.functional.cross_entropy(x, classes)


def embedding(T: Any, shape: Shape) -> Callable[[], Any]:
    rows, width, picks = shape
    table, index = randn(T, (rows, width)), T.randint(0, rows, (picks,)).to(DEVICE)
    return lambda: T.nn.functional.embedding(index, table)


def matmul(dtype: str = "float32", precision: str = "highest") -> Any:
    def setup(T: Any, shape: Shape) -> Callable[[], Any]:
        m, n, k = shape
        a, b = randn(T, (m, k), dtype), randn(T, (k, n), dtype)

        def call() -> Any:
            T.set_float32_matmul_precision(precision)
            return a @ b

        return call

    return setup


def matmul_cost(size: int) -> Callable[[Shape], Cost]:
    def cost(shape: Shape) -> Cost:
        m, n, k = shape
        return size * (m * k + k * n + m * n), 2 * m * n * k

    return cost


def convolution(dtype: str = "float32", precision: str = "highest") -> Any:
    def setup(T: Any, shape: Shape) -> Callable[[], Any]:
        n, c, h, w, out, kernel = shape
        x, weight = randn(T, (n, c, h, w), dtype), randn(T, (out, c, kernel, kernel), dtype)

        def call() -> Any:
            T.set_float32_matmul_precision(precision)
            if hasattr(T.backends, "cudnn"):
                T.backends.cudnn.allow_tf32 = precision != "highest"
            return T.nn.functional.conv2d(x, weight, padding=kernel // 2)

        return call

    return setup


def convolution_cost(size: int) -> Callable[[Shape], Cost]:
    def cost(shape: Shape) -> Cost:
        n, c, h, w, out, kernel = shape
        moved = size * (n * h * w * (c + out) + out * c * kernel**2)
        return moved, 2 * n * h * w * out * c * kernel**2

    return cost


def cholesky(T: Any, shape: Shape) -> Callable[[], Any]:
    x = randn(T, shape)
    a = x @ x.mT / shape[-1] + T.eye(shape[-1], device=DEVICE)
    return lambda: T.linalg.cholesky(a)


def linear_system(T: Any, shape: Shape) -> Callable[[], Any]:
    n, k = shape
    a, b = randn(T, (n, n)), randn(T, (n, k))
    return lambda: T.linalg.solve(a, b)


def triangular_system(T: Any, shape: Shape) -> Callable[[], Any]:
    n, k = shape
    a, b = randn(T, (n, n)) / n + T.eye(n, device=DEVICE), randn(T, (n, k))
    return lambda: T.linalg.solve_triangular(a, b, upper=False)


def optimizer(name: str, **options: Any) -> Any:
    def setup(T: Any, shape: Shape) -> Callable[[], Any]:
        sizes = [shape[0] // 8] * 6 + [shape[0] // 64] * 16
        params = [T.zeros(n, device=DEVICE).requires_grad_() for n in sizes]
        for p in params:
            p.grad = T.full((p.numel(),), 0.01, device=DEVICE)
        step: Callable[[], Any] = getattr(T.optim, name)(params, lr=1e-3, **options).step
        return step

    return setup


def lenet(T: Any, shape: Shape) -> Callable[[], Any]:
    nn = T.nn
    net = nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
    ).to(DEVICE)  # fmt: skip
    step = T.optim.SGD(net.parameters(), lr=0.01, momentum=0.9)
    x, classes = randn(T, (shape[0], 1, 28, 28)), T.randint(0, 10, shape).to(DEVICE)

    def call() -> None:
        step.zero_grad()
        nn.functional.cross_entropy(net(x), classes).backward()
        step.step()

    return call


BIG, SMALL = (1 << 26,), (1 << 10,)
ROWS, FEW = (8192, 4096), (8, 64)
IMAGES, ICONS = (64, 256, 56, 56), (2, 4, 6, 6)
CUBE, DICE = (4096, 4096, 4096), (64, 64, 64)
FILTERS, TAPS = (64, 256, 56, 56, 256, 3), (2, 4, 6, 6, 4, 3)

DEVICE_CASES = [
    DeviceCase("relu", BIG, SMALL, per_element(8), elementwise(lambda T, x: T.relu(x)),
               "90%", "packs of 16 bytes"),
    DeviceCase("add", BIG, SMALL, per_element(12), elementwise(lambda T, x, y: x + y, 2),
               "90%", "packs of 16 bytes"),
    DeviceCase("gelu", BIG, SMALL, per_element(8, 30),
               elementwise(lambda T, x: T.nn.functional.gelu(x)), "80%", "about 40 instructions"),
    DeviceCase("add bfloat16", BIG, SMALL, per_element(6),
               elementwise(lambda T, x, y: x + y, 2, "bfloat16"),
               "40%", "the strided loop, 2 bytes at a time"),
    DeviceCase("add transposed", (8192, 8192), (32, 32), per_element(12),
               elementwise(lambda T, x, y: x + y.t(), 2), "25%", "one operand across lines"),
    DeviceCase("copy to bfloat16", BIG, SMALL, per_element(6),
               elementwise(lambda T, x: x.to(T.bfloat16)), "50%", "an element at a time"),
    DeviceCase("dropout", BIG, SMALL, per_element(9, 20),
               elementwise(lambda T, x: T.nn.functional.dropout(x, 0.5)),
               "70%", "4 numbers of Philox at a time, and a mask of bytes"),
    DeviceCase("sum", BIG, SMALL, per_element(4), elementwise(lambda T, x: x.sum()),
               "75%", "512 blocks, an element at a time; a second launch"),
    DeviceCase("sum of rows", ROWS, FEW, per_element(4), elementwise(lambda T, x: x.sum(1)),
               "75%", "a block to a row"),
    DeviceCase("sum of columns", ROWS, FEW, per_element(4), elementwise(lambda T, x: x.sum(0)),
               "70%", "32 columns to a block"),
    DeviceCase("max with index", ROWS, FEW, per_element(4),
               elementwise(lambda T, x: x.max(1)), "60%", "a block to a row"),
    DeviceCase("cumsum", ROWS, FEW, per_element(8), elementwise(lambda T, x: x.cumsum(1)),
               "15%", "reads twice; a thread walks a piece, so that lanes are far apart"),
    DeviceCase("softmax", ROWS, FEW, per_element(8, 5),
               elementwise(lambda T, x: T.softmax(x, 1)),
               "65%", "reads twice (the second time from L2), an element at a time"),
    DeviceCase("softmax backward", ROWS, FEW, per_element(12, 4),
               with_grad(lambda T, x: T.softmax(x, 1)), "60%", "reads both twice (L2)"),
    DeviceCase("layer_norm", ROWS, FEW, per_element(8, 8), layer_norm_forward,
               "70%", "keeps 2048 elements of a row, reads the rest thrice (L2)"),
    DeviceCase("layer_norm backward", ROWS, FEW, per_element(12, 14),
               with_grad(layer_norm, last, last), "40%", "a second pass for weight and bias"),
    DeviceCase("batch_norm", IMAGES, ICONS, per_element(12, 8), batch_norm,
               "75%", "two passes in packs, and small launches between"),
    DeviceCase("cross_entropy", (8192, 32000), (8, 30), per_element(4, 5), cross_entropy,
               "45%", "reads twice, and once for the class"),
    DeviceCase("max_pool2d", IMAGES, ICONS, per_element(4 + 12 / 4, 2),
               elementwise(lambda T, x: T.nn.functional.max_pool2d(x, 2, return_indices=True)),
               "50%", "4 bytes at a time; indices of 8 bytes"),
    DeviceCase("embedding", (1 << 20, 256, 1 << 18), (64, 16, 32),
               lambda s: (8 * s[1] * s[2] + 8 * s[2], 0), embedding,
               "60%", "4 bytes at a time"),
    DeviceCase("sort", (1 << 24,), SMALL, per_element(4 + 12), elementwise(lambda T, x: x.sort()),
               "3%", "tiles of 1024, then 14 passes of merging over 24 bytes"),
    DeviceCase("matmul float32", CUBE, DICE, matmul_cost(4), matmul(), "60%", "FFMA"),
    DeviceCase("matmul tf32", CUBE, DICE, matmul_cost(4), matmul(precision="high"),
               "45%", "mma.sync, which reaches about 60% of what wgmma does", unit="tf32"),
    DeviceCase("matmul bfloat16", CUBE, DICE, matmul_cost(2), matmul("bfloat16"),
               "45%", "mma.sync", unit="bf16"),
    DeviceCase("conv2d float32", FILTERS, TAPS, convolution_cost(4), convolution(),
               "50%", "a matrix product whose operand is read from the image"),
    DeviceCase("conv2d tf32", FILTERS, TAPS, convolution_cost(4),
               convolution(precision="high"), "35%", "the same", unit="tf32"),
    DeviceCase("conv2d bfloat16", FILTERS, TAPS, convolution_cost(2), convolution("bfloat16"),
               "35%", "the same", unit="bf16"),
    DeviceCase("cholesky", (1024, 64, 64), (2, 5, 5),
               lambda s: (8 * product(s), product(s) * s[2] / 3), cholesky,
               "10%", "a block to a matrix, 3 barriers to a column; the host reads info"),
    DeviceCase("triangular system", (4096, 1024), (5, 2),
               lambda s: (4 * (s[0] ** 2 / 2 + 2 * s[0] * s[1]), s[0] ** 2 * s[1]),
               triangular_system, "10%", "blocks of 96 rows, a barrier to a row; products between"),
    DeviceCase("linear system", (2048, 1), (5, 1),
               lambda s: (4 * s[0] * (s[0] + 2 * s[1]), 2 * s[0] ** 2 * (s[0] / 3 + s[1])),
               linear_system, "1%", "panels of 32 columns by one block; the host reads info"),
    DeviceCase("SGD with momentum", (25_600_000,), (2048,), per_element(20, 4),
               optimizer("SGD", momentum=0.9), "75%", "one launch for 48 tensors"),
    DeviceCase("Adam", (25_600_000,), (2048,), per_element(28, 15), optimizer("Adam"),
               "75%", "one launch for 48 tensors"),
    DeviceCase("LeNet step", (128,), (4,), per_element(0), lenet,
               "50%", "about 60 kernels, each too short to fill the device", launches=60),
]  # fmt: skip


def rates_of(name: str) -> tuple[dict[str, float], str]:
    """The rates of a device, and whose they are."""
    found = next((key for key in RATES if key in name), "H100")
    return RATES[found], found


def seconds(T: Any, call: Callable[[], Any], budget: float) -> float:
    """The least time of a call among several batches, which wait for the device at their end."""
    wait = T.cuda.synchronize
    call()
    wait()
    start = time.perf_counter()
    call()
    wait()
    once = max(time.perf_counter() - start, 1e-7)
    calls = max(1, min(1000, int(budget / 6 / once)))
    best = once
    for _ in range(5):
        start = time.perf_counter()
        for _ in range(calls):
            call()
        wait()
        best = min(best, (time.perf_counter() - start) / calls)
        if best * calls > budget:
            break
    return best


def measure(case: DeviceCase, T: Any, shape: Shape, budget: float) -> float | str:
    """Seconds of a call, or why there are none."""
    try:
        return seconds(T, case.setup(T, shape), budget)
    except Exception as error:  # what one library lacks must not end the run
        return f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"[:70]
    finally:
        gc.collect()
        T.cuda.empty_cache()


def shape_text(shape: Shape) -> str:
    return "x".join(f"{n >> 20}M" if n >= 1 << 20 and n % (1 << 20) == 0 else f"{n}" for n in shape)


def floors() -> str:
    """The table of docs/cuda.md."""
    lines = [
        "| case | size | bytes | operations | floor on H100 | bound by | expected | our kernel |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for case in DEVICE_CASES:
        moved, operations = case.cost(case.shape)
        floor, bound = case.floor(RATES["H100"], case.shape)
        numbers = "-" if case.launches else f"{moved / 1e6:,.0f} MB | {operations / 1e9:,.2f} G"
        lines.append(
            f"| {case.name} | {shape_text(case.shape)} | {numbers.replace('-', '- | -')} "
            f"| {floor * 1e6:,.0f} us | {bound} | {case.expected} | {case.moves} |"
        )
    return "\n".join(lines)


def run(names: Sequence[str], tiny: bool, limit: float) -> int:
    """Prints a line for each case; the number of those that failed."""
    import pytensor

    if not pytensor.cuda.is_available():
        print("no cuda device: pytensor.cuda.is_available() is False")
        return 1
    device = pytensor.cuda.get_device_name()
    rates, whose = rates_of(device)
    try:
        torch = importlib.import_module("torch")
    except ImportError:
        torch = None
    beside = torch if torch is not None and torch.cuda.is_available() else None
    note = "" if whose in device else f" (floors are those of {whose})"
    other = f"PyTorch {beside.__version__}" if beside else "no PyTorch with a cuda device"
    print(f"{device}{note}; {other}")
    print(f"{'case':20} {'size':>20} {'floor us':>9} {'us':>10} {'of floor':>8} {'PyTorch us':>10} "
          f"{'ratio':>6}")  # fmt: skip
    end = time.monotonic() + limit
    failed = 0
    for case in DEVICE_CASES:
        if names and not any(name in case.name for name in names):
            continue
        if time.monotonic() > end:
            print(f"stopped before {case.name}: {limit:.0f} s are over")
            break
        shape = case.tiny if tiny else case.shape
        floor, _ = case.floor(rates, shape)
        head = f"{case.name:20} {shape_text(shape):>20} {floor * 1e6:9.1f}"
        ours = measure(case, pytensor, shape, 0.01 if tiny else 0.3)
        if isinstance(ours, str):
            print(f"{head} {ours}", flush=True)
            failed += 1
            continue
        theirs = measure(case, beside, shape, 0.3) if beside else ""
        rest = (
            f"{theirs}" if isinstance(theirs, str) else f"{theirs * 1e6:10.1f} {theirs / ours:6.2f}"
        )
        print(f"{head} {ours * 1e6:10.1f} {floor / ours:8.1%} {rest}", flush=True)
    return failed


def main() -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.python.device", description=__doc__)
    parser.add_argument("names", nargs="*", help="parts of names of cases")
    parser.add_argument("--floors", action="store_true", help="print the table of floors")
    parser.add_argument("--tiny", action="store_true", help="small sizes")
    parser.add_argument("--seconds", type=float, default=240, help="start no case after that")
    options = parser.parse_args()
    if options.floors:
        print(floors())
        return 0
    return 1 if run(options.names, options.tiny, options.seconds) else 0


if __name__ == "__main__":
    raise SystemExit(main())
