"""``torch.backends``: what the libraries behind PyTorch are told, kept here for programs that ask.

Little depends on these settings: this library's kernels are its own and deterministic.
``cpu.winograd`` chooses how convolutions are computed; only ``set_float32_matmul_precision`` and
autocast let kernels round inputs.
"""

from __future__ import annotations

from typing import Any

_SUBMODULES = ("cpu", "cuda", "cudnn", "mkl", "mkldnn", "mps", "openmp")


def __getattr__(name: str) -> Any:
    if name in _SUBMODULES:
        import importlib

        return importlib.import_module(f"pytensor.backends.{name}")
    raise AttributeError(f"module 'pytensor.backends' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_SUBMODULES])
