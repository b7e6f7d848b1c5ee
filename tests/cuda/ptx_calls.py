"""Calls whose kernels are in few files of csrc/cuda, printed as JSON: name, numbers of the result.

A program that test_ptx.py starts with several libraries (PYTENSOR_CUDA_LIBRARY), to compare what
they make of the same calls.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial

import pytensor as pt
from pytensor import Tensor
from pytensor.nn import functional as F

FLOATS = (pt.float32, pt.float64, pt.float16, pt.bfloat16)


def numbers(*shape: int) -> Tensor:
    return pt.randn(*shape, generator=pt.Generator().manual_seed(sum(shape)))


def with_gradient(f: Callable[[Tensor], Tensor], x: Tensor) -> list[Tensor]:
    """A function of a tensor and the gradient of a sum of its squares."""
    x = x.cuda().requires_grad_()
    y = f(x)
    y.backward(y.detach())
    return [y.detach(), x.grad] if x.grad is not None else [y.detach()]


def every(x: Tensor, n: int) -> Tensor:
    """Few of many numbers."""
    return x.reshape(-1)[::n]


def products(name: str, dtype: pt.dtype) -> dict[str, list[Tensor]]:
    """Matrix products in all layouts, and convolutions with their gradients."""
    made: dict[str, list[Tensor]] = {}
    for m, k, n in ((1, 1, 1), (33, 31, 65), (64, 16, 64), (40, 72, 48), (3, 129, 70)):
        a, b = numbers(m, k).to(dtype).cuda(), numbers(k, n).to(dtype).cuda()
        x, y = (t.t().contiguous().t() for t in (a, b))
        made[f"gemm {name} {m}x{k}x{n}"] = [a @ b, x @ b, a @ y, x @ y]
    a, b, c = (numbers(*s).to(dtype).cuda() for s in ((5, 1100), (1100, 6), (6,)))
    made[f"pieces of {name}"] = [a @ b, pt.addmm(c, a, b, beta=0.5, alpha=2)]
    a, b = numbers(128, 65, 40).to(dtype).cuda(), numbers(128, 40, 66).to(dtype).cuda()
    x, y = (t.transpose(1, 2).contiguous().transpose(1, 2) for t in (a, b))
    made[f"large {name}"] = [every(p @ q, 997) for p in (a, x) for q in (b, y)]
    for sizes, settings in (
        (((2, 3, 9, 10), (5, 3, 3, 3)), {"padding": 1}),
        (((2, 8, 9, 8), (10, 4, 3, 2)), {"stride": 2, "groups": 2}),
        (((1, 40, 6, 6), (66, 40, 1, 1)), {}),
    ):
        w = numbers(*sizes[1]).to(dtype).cuda().requires_grad_()
        convolve = partial(F.conv2d, weight=w, **settings)
        made[f"conv {name} {sizes}"] = [
            *with_gradient(convolve, numbers(*sizes[0]).to(dtype)),
            w.grad,
        ]
    x, w = numbers(17, 4, 32, 32).to(dtype).cuda(), numbers(131, 4, 3, 3).to(dtype).cuda()
    made[f"large conv {name}"] = [every(F.conv2d(x, w), 997)]
    return made


def calls() -> dict[str, list[Tensor]]:
    """The results by name."""
    made: dict[str, list[Tensor]] = {}
    for name, t in (*((str(t), t) for t in FLOATS), ("tf32 of float32", pt.float32)):
        pt.set_float32_matmul_precision("high" if "tf32" in name else "highest")
        pt.backends.cudnn.allow_tf32 = "tf32" in name
        made |= products(name, t)
    pt.set_float32_matmul_precision("highest")
    for t in FLOATS:
        for shape in ((1, 1), (3, 31), (2, 1025), (65, 33)):
            x = numbers(*shape).to(t)
            made[f"softmax {t} {shape}"] = with_gradient(lambda v: pt.softmax(v, -1), x)
            made[f"log_softmax {t} {shape}"] = with_gradient(lambda v: pt.log_softmax(v, 0), x)
            made[f"moments {t} {shape}"] = [*pt.var_mean(x.cuda(), 0), pt.std(x.cuda(), -1)]
        x = numbers(7, 9).to(t).cuda()
        for to in (*FLOATS, pt.int64, pt.int8, pt.bool):
            made[f"copy {t} {to}"] = [x.to(to), x[:, ::2].to(to), x.t().to(to).contiguous()]
    for t in (pt.float32, pt.float64):
        x = (numbers(257) * 100).to(t).cuda()
        far = pt.tensor([1e5, -3e8, 1e15, 1e22], dtype=t).cuda()
        made[f"trigonometric {t}"] = [
            f(v) for v in (x, far) for f in (pt.sin, pt.cos, pt.tan, pt.atan)
        ]
    for u in (pt.int64, pt.int32, pt.uint8):
        a = (numbers(17, 19) * 5).abs().to(u).cuda()
        made[f"gemm {u}"] = [a @ a.t()]
    return made


def main() -> None:
    for name, tensors in calls().items():
        values = [v for t in tensors for v in t.cpu().to(pt.float64).reshape(-1).tolist()]
        print(json.dumps({"name": name, "values": values}))


if __name__ == "__main__":
    main()
