"""``torch.backends.cpu``: what the kernels were compiled for."""

from __future__ import annotations

from pytensor import _C

_NAMES = {"avx512": "AVX512", "avx2": "AVX2"}


def get_cpu_capability() -> str:
    """The instruction set of the kernels in use: "DEFAULT", "AVX2" or "AVX512"."""
    return _NAMES.get(_C.active_isa(), "DEFAULT")
