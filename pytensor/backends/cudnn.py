"""``torch.backends.cudnn``: whether and how convolutions on a device are cuDNN's.

cuDNN 9 is used where the machine has it (see ``pytensor.cuda.libraries``); the library's own
kernels compute what it does not.

=================  ================================================================================
``enabled``        whether cuDNN may be used; default True
``benchmark``      whether its algorithms are timed when a convolution is first seen, instead of
                   taken by its guess; the choice, and with it the last bits of results, may then
                   differ between runs of a program. Default False
``deterministic``  nothing is timed, whatever ``benchmark`` says. Algorithms whose results differ
                   from call to call are never taken, with either value. Default False
``allow_tf32``     whether convolutions of float32 run on tensor cores, which round what they
                   multiply to ten bits of mantissa, by cuDNN or without it. Default True
=================  ================================================================================
"""

from __future__ import annotations

from functools import partial

from pytensor import _C, Tensor
from pytensor.backends._settings import make_attribute, restored
from pytensor.cuda import libraries

benchmark_limit: int | None = 10
enabled: bool
benchmark: bool
deterministic: bool
allow_tf32: bool

_DTYPES = ("float32", "float64", "float16", "bfloat16")


def is_available() -> bool:
    """Whether there is a device, and a cuDNN that is used there while ``enabled``."""
    return version() is not None


def version() -> int | None:
    """The version of cuDNN as its own number, 92800 for 9.28; None where there is none."""
    return libraries.version("cudnn")


def is_acceptable(tensor: Tensor) -> bool:
    """Whether convolutions of such a tensor may be cuDNN's.

    Args:
        tensor: of any dtype, on any device.
    """
    fit = tensor.is_cuda and str(tensor.dtype).rpartition(".")[2] in _DTYPES
    return fit and _C.cudnn_switch(0) and is_available()


class flags(restored):
    """Context in which settings have other values.

    Example::

        >>> with pytensor.backends.cudnn.flags(deterministic=True):
        ...     pytensor.backends.cudnn.deterministic
        True
    """

    def __init__(
        self,
        enabled: bool = False,
        benchmark: bool = False,
        benchmark_limit: int | None = 10,
        deterministic: bool = False,
        allow_tf32: bool = True,
    ) -> None:
        super().__init__(
            __name__,
            enabled=enabled,
            benchmark=benchmark,
            benchmark_limit=benchmark_limit,
            deterministic=deterministic,
            allow_tf32=allow_tf32,
        )


def _switch(which: int, on: object) -> None:
    _C.set_cudnn_switch(which, bool(on))


for _which, _name in enumerate(("enabled", "benchmark", "deterministic")):
    make_attribute(__name__, _name, partial(_C.cudnn_switch, _which), partial(_switch, _which))
make_attribute(
    __name__, "allow_tf32", _C.convolution_tf32, lambda v: _C.set_convolution_tf32(bool(v))
)
