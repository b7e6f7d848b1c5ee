"""``torch.backends.cpu``: what the kernels were compiled for, and how convolutions are computed.

``winograd`` is this library's own: which of Winograd's transforms float32 convolutions (3x3 with
stride 1 and their gradients) may use. They take fewer multiplications than direct sums and round
differently:

========  =========================================================================================
"auto"    F(2x2, 3x3), and F(4x4, 3x3) below ``set_float32_matmul_precision("highest")``; default
"off"     direct sums only
"f2"      F(2x2, 3x3) at any precision: errors of the size of direct sums' own
"f4"      F(4x4, 3x3) as well, at any precision: errors to about 1e-5 of the output's scale
========  =========================================================================================

A transform is taken where it is allowed and quicker; below "highest", units of the processor for
bfloat16 come first. A program's results are the same bits in every
run with the same setting.

Example::

    >>> with pytensor.backends.cpu.flags(winograd="off"):
    ...     pytensor.backends.cpu.winograd
    'off'
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

from pytensor import _C
from pytensor.backends._settings import restored

_NAMES = {"avx512": "AVX512", "avx2": "AVX2"}
_WINOGRAD = ("auto", "off", "f2", "f4")


def get_cpu_capability() -> str:
    """The instruction set of the kernels in use: "DEFAULT", "AVX2" or "AVX512"."""
    return _NAMES.get(_C.active_isa(), "DEFAULT")


class flags(restored):
    """Context in which settings have other values.

    Args:
        winograd: "auto", "off", "f2" or "f4"; see the module.

    Raises:
        ValueError: for any other text.
    """

    def __init__(self, winograd: str = "auto") -> None:
        super().__init__(__name__, winograd=winograd)


class _Backend(ModuleType):
    """This module, with ``winograd`` as a property."""

    _winograd = "auto"

    @property
    def winograd(self) -> str:
        return self._winograd

    @winograd.setter
    def winograd(self, value: Any) -> None:
        if value not in _WINOGRAD:
            raise ValueError(
                f"backends.cpu.winograd expects 'auto', 'off', 'f2' or 'f4', got {value!r}"
            )
        _C.set_winograd_tiles(_WINOGRAD.index(value))
        self._winograd = value


sys.modules[__name__].__class__ = _Backend
