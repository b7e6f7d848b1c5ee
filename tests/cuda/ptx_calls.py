"""Calls whose kernels are in few files of csrc/cuda, printed as JSON: name, numbers of the result.

A program that test_ptx.py starts with several libraries (PYTENSOR_CUDA_LIBRARY), to compare what
they make of the same calls.
"""

from __future__ import annotations

import json
from collections.abc import Callable

import pytensor as pt
from pytensor import Tensor

FLOATS = (pt.float32, pt.float64, pt.float16, pt.bfloat16)


def numbers(*shape: int) -> Tensor:
    return pt.randn(*shape, generator=pt.Generator().manual_seed(sum(shape)))


def with_gradient(f: Callable[[Tensor], Tensor], x: Tensor) -> list[Tensor]:
    """A function of a tensor and the gradient of a sum of its squares."""
    x = x.cuda().requires_grad_()
    y = f(x)
    y.backward(y.detach())
    return [y.detach(), x.grad] if x.grad is not None else [y.detach()]


def calls() -> dict[str, list[Tensor]]:
    """The results by name."""
    made: dict[str, list[Tensor]] = {}
    for t in FLOATS:
        for m, k, n in ((1, 1, 1), (33, 31, 65), (64, 16, 64), (3, 129, 70)):
            a, b = numbers(m, k).to(t).cuda(), numbers(k, n).to(t).cuda()
            made[f"gemm {t} {m}x{k}x{n}"] = [a @ b, a.t().contiguous().t() @ b]
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
