"""``torch.backends.cuda``: settings of devices that programs assign."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from pytensor import _C
from pytensor._settings import get_float32_matmul_precision, set_float32_matmul_precision


def is_built() -> bool:
    """Whether the library has its CUDA part, whatever the machine has."""
    return _C.cuda_built()


class _MatmulSettings(SimpleNamespace):
    """What matrix products on a device may do; ``allow_tf32`` is kept by the library."""

    @property
    def allow_tf32(self) -> bool:
        """Whether products of float32 may round what they multiply to ten bits of mantissa.

        The same setting as ``set_float32_matmul_precision``: True for "high" and "medium".
        """
        return get_float32_matmul_precision() != "highest"

    @allow_tf32.setter
    def allow_tf32(self, allowed: bool) -> None:
        set_float32_matmul_precision("high" if allowed else "highest")


matmul = _MatmulSettings(
    allow_fp16_reduced_precision_reduction=True,
    allow_bf16_reduced_precision_reduction=True,
    allow_fp16_accumulation=False,
    fp32_precision="none",
)

# Which ways of computing attention are wished for.
_attention = {"flash": True, "mem_efficient": True, "math": True, "cudnn": True}


def flash_sdp_enabled() -> bool:
    """What ``enable_flash_sdp`` was last given."""
    return _attention["flash"]


def mem_efficient_sdp_enabled() -> bool:
    """What ``enable_mem_efficient_sdp`` was last given."""
    return _attention["mem_efficient"]


def math_sdp_enabled() -> bool:
    """What ``enable_math_sdp`` was last given."""
    return _attention["math"]


def cudnn_sdp_enabled() -> bool:
    """What ``enable_cudnn_sdp`` was last given."""
    return _attention["cudnn"]


def enable_flash_sdp(enabled: bool) -> None:
    """Accepted for compatibility: attention has one way of being computed."""
    _attention["flash"] = bool(enabled)


def enable_mem_efficient_sdp(enabled: bool) -> None:
    """Accepted for compatibility: attention has one way of being computed."""
    _attention["mem_efficient"] = bool(enabled)


def enable_math_sdp(enabled: bool) -> None:
    """Accepted for compatibility: attention has one way of being computed."""
    _attention["math"] = bool(enabled)


def enable_cudnn_sdp(enabled: bool) -> None:
    """Accepted for compatibility: attention has one way of being computed."""
    _attention["cudnn"] = bool(enabled)


class sdp_kernel:
    """Context in which other ways of computing attention are wished for."""

    def __init__(
        self,
        enable_flash: bool = True,
        enable_math: bool = True,
        enable_mem_efficient: bool = True,
        enable_cudnn: bool = True,
    ) -> None:
        self._values = {
            "flash": enable_flash,
            "math": enable_math,
            "mem_efficient": enable_mem_efficient,
            "cudnn": enable_cudnn,
        }

    def __enter__(self) -> Any:
        self._before = dict(_attention)
        _attention.update(self._values)
        return {}

    def __exit__(self, *exc: object) -> None:
        _attention.update(self._before)
