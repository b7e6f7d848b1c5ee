"""Numeric limits of element types: ``pytensor.finfo`` and ``pytensor.iinfo``.

Plain tables; used by programs that need the largest or smallest value of a dtype
(``torch.finfo(x.dtype).min`` in attention masks above all).
"""

from __future__ import annotations

from pytensor import _C

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pytensor import dtype as DType

__all__ = ["finfo", "iinfo"]

# dtype name: bits, max, eps, smallest normal value, resolution (10 ** -digits)
_FLOAT_LIMITS = {
    "float16": (16, 65504.0, 2.0**-10, 2.0**-14, 1e-3),
    "bfloat16": (16, (2.0 - 2.0**-7) * 2.0**127, 2.0**-7, 2.0**-126, 1e-2),
    "float32": (32, (2.0 - 2.0**-23) * 2.0**127, 2.0**-23, 2.0**-126, 1e-6),
    "float64": (64, (2.0 - 2.0**-52) * 2.0**1023, 2.0**-52, 2.0**-1022, 1e-15),
    "complex64": (32, (2.0 - 2.0**-23) * 2.0**127, 2.0**-23, 2.0**-126, 1e-6),
    "complex128": (64, (2.0 - 2.0**-52) * 2.0**1023, 2.0**-52, 2.0**-1022, 1e-15),
}
_COMPLEX_PARTS = {"complex64": "float32", "complex128": "float64"}

# dtype name: bits, is signed
_INT_BITS = {
    "uint8": (8, False),
    "int8": (8, True),
    "int16": (16, True),
    "int32": (32, True),
    "int64": (64, True),
}


def _dtype_name(type: DType, function: str) -> str:
    if not isinstance(type, _C.dtype):
        given = type.__class__.__name__
        raise TypeError(f"{function}(): argument 'type' (position 1) must be dtype, not {given}")
    return str(type).rsplit(".", 1)[-1]


class finfo:
    """Limits of a floating-point dtype.

    Args:
        type: a floating-point dtype; the default dtype when left out.

    Attributes: ``bits``, ``eps``, ``max``, ``min``, ``tiny`` (= ``smallest_normal``),
    ``resolution`` and ``dtype`` (its name).

    Raises:
        TypeError: for a dtype that is not floating-point.

    Example::

        >>> pytensor.finfo(pytensor.float32).max
        3.4028234663852886e+38
    """

    __slots__ = ("bits", "dtype", "eps", "max", "min", "resolution", "smallest_normal", "tiny")
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, type: DType | None = None) -> None:
        name = _dtype_name(_C.get_default_dtype() if type is None else type, "finfo")
        if name not in _FLOAT_LIMITS:
            raise TypeError(
                f"finfo() requires a floating point input type. Use iinfo to handle '{name}'"
            )
        self.bits, self.max, self.eps, self.tiny, self.resolution = _FLOAT_LIMITS[name]
        self.min = -self.max
        self.smallest_normal = self.tiny
        self.dtype = _COMPLEX_PARTS.get(name, name)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, finfo) and self.dtype == other.dtype

    def __repr__(self) -> str:
        return (
            f"finfo(resolution={self.resolution:g}, min={self.min:g}, max={self.max:g}, "
            f"eps={self.eps:g}, smallest_normal={self.tiny:g}, tiny={self.tiny:g}, "
            f"dtype={self.dtype})"
        )


class iinfo:
    """Limits of an integer dtype.

    Args:
        type: an integer dtype.

    Attributes: ``bits``, ``max``, ``min`` and ``dtype`` (its name).

    Raises:
        TypeError: for a dtype that is not an integer type.

    Example::

        >>> pytensor.iinfo(pytensor.int8).max
        127
    """

    __slots__ = ("bits", "dtype", "max", "min")
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, type: DType) -> None:
        name = _dtype_name(type, "iinfo")
        if name == "bool":
            raise TypeError("bool is not supported by iinfo")
        if name not in _INT_BITS:
            raise TypeError(f"iinfo() requires an integer input type. Use finfo to handle '{name}'")
        self.bits, signed = _INT_BITS[name]
        self.max = 2 ** (self.bits - signed) - 1
        self.min = -self.max - 1 if signed else 0
        self.dtype = name

    def __eq__(self, other: object) -> bool:
        return isinstance(other, iinfo) and self.dtype == other.dtype

    def __repr__(self) -> str:
        return f"iinfo(min={self.min:g}, max={self.max:g}, dtype={self.dtype})"
