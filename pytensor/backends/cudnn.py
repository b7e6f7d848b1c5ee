"""``torch.backends.cudnn``: the settings programs assign; there is no cuDNN.

``allow_tf32`` has an effect: while it is True, as it is at first, convolutions of float32 on a
device run on its tensor cores, which round what they multiply to ten bits of mantissa.
"""

from __future__ import annotations

from pytensor import _C
from pytensor._absent import no
from pytensor.backends._settings import make_attribute, restored

enabled = True
benchmark = False
benchmark_limit: int | None = 10
deterministic = False
allow_tf32: bool

is_available = no


def version() -> int | None:
    """The version of cuDNN: None."""
    return None


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


make_attribute(
    __name__, "allow_tf32", _C.convolution_tf32, lambda v: _C.set_convolution_tf32(bool(v))
)
