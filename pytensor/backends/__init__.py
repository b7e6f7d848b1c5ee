"""``torch.backends``: what the libraries behind PyTorch are told, kept here for programs that ask.

This library's kernels are its own and deterministic. Few settings have an effect: ``cpu.winograd``
chooses how convolutions are computed there; ``cuda.matmul.allow_tf32`` (which is
``set_float32_matmul_precision``) and ``cudnn.allow_tf32`` let devices round inputs, as that
function and autocast do on the cpu; ``cudnn.enabled`` and ``cudnn.benchmark`` decide whether and
how convolutions on a device are cuDNN's. The rest is remembered.
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
