"""Helpers around modules and their parameters: clipping, norms of weights, fusion, summaries.

Most names resolve when first used, so that importing ``pytensor.nn`` stays quick.
"""

from __future__ import annotations

from typing import Any

# At once: each function has the name of its module, which would hide it when imported later.
from pytensor.nn.utils.spectral_norm import remove_spectral_norm, spectral_norm
from pytensor.nn.utils.weight_norm import remove_weight_norm, weight_norm

_HOMES = {
    "clip_grad": (
        "clip_grad_norm",
        "clip_grad_norm_",
        "clip_grad_value_",
        "clip_grads_with_norm_",
        "get_total_norm",
    ),
    "convert_parameters": ("parameters_to_vector", "vector_to_parameters"),
    "fusion": (
        "fuse_conv_bn_eval",
        "fuse_conv_bn_weights",
        "fuse_linear_bn_eval",
        "fuse_linear_bn_weights",
    ),
    "init": ("skip_init",),
    "memory_format": (
        "convert_conv2d_weight_memory_format",
        "convert_conv3d_weight_memory_format",
    ),
    "model_summary": ("summary",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}
_SUBMODULES = ("parametrizations", "parametrize", "rnn", "stateless")

__all__ = [
    "remove_spectral_norm",
    "remove_weight_norm",
    "spectral_norm",
    "weight_norm",
    *_HOME_OF,
    *_SUBMODULES,
]


def __getattr__(name: str) -> Any:
    import importlib

    if name in _HOME_OF:
        value = getattr(importlib.import_module(f"{__name__}.{_HOME_OF[name]}"), name)
        globals()[name] = value
        return value
    if name in _SUBMODULES or name in _HOMES:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
