"""The text of a tensor: what repr(), str() and print() show, as PyTorch shows it.

Used by Tensor.__repr__ and Tensor.__format__. Reads a tensor only through tolist(), indexing and
its properties, and only the elements that will be shown, so that printing costs the same for a
tensor of a thousand elements and for one of a billion.
"""

from __future__ import annotations

import math

from pytensor import _C

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from pytensor import Tensor

__all__ = ["set_printoptions", "tensor_format", "tensor_repr"]

_ELLIPSIS = "..."
_ALWAYS_PLAIN_DTYPES = ("bool", "int64")


class _PrintOptions:
    """The process-wide settings that set_printoptions() changes."""

    __slots__ = ("edgeitems", "linewidth", "precision", "sci_mode", "threshold")

    def __init__(self) -> None:
        self.precision = 4
        self.threshold: float = 1000
        self.edgeitems = 3
        self.linewidth = 80
        self.sci_mode: bool | None = None


_options = _PrintOptions()
_PROFILES = {"default": (4, 1000, 3), "short": (2, 1000, 2), "full": (4, math.inf, 3)}


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Sets how tensors are printed.

    Args:
        precision: digits after the decimal point (default 4).
        threshold: number of elements above which only the edges are shown (default 1000).
        edgeitems: elements shown at each edge of each dimension (default 3).
        linewidth: characters in a line before it wraps (default 80).
        profile: "default", "short" or "full": sets the four values above at once; values that
            are also given override the profile's.
        sci_mode: True or False forces scientific notation on or off; None, also when left out,
            chooses it from the values.

    Example::

        >>> pytensor.set_printoptions(precision=2)
        >>> pytensor.tensor([1.12345])
        tensor([1.12])
        >>> pytensor.set_printoptions(profile="default")
    """
    if profile is not None and profile in _PROFILES:
        _options.precision, _options.threshold, _options.edgeitems = _PROFILES[profile]
        _options.linewidth = 80
    if precision is not None:
        _options.precision = precision
    if threshold is not None:
        _options.threshold = threshold
    if edgeitems is not None:
        _options.edgeitems = edgeitems
    if linewidth is not None:
        _options.linewidth = linewidth
    _options.sci_mode = sci_mode


class _Formatter:
    """Formats single elements, all to the width of the widest one that is shown."""

    __slots__ = ("integral", "is_floating", "precision", "scientific", "width")

    def __init__(self, values: list[Any], is_floating: bool) -> None:
        self.is_floating = is_floating
        self.precision = _options.precision
        self.integral = True
        self.scientific: bool | None = False
        self.width = 1
        if not is_floating:
            self.width = max([1, *(len(str(value)) for value in values)])
            return
        # Zeros and non-finite values choose neither the notation nor the width.
        measured = [v for v in values if v and v - v == 0.0]
        if not measured:
            return
        self.integral = all(v == math.floor(v) for v in measured)
        magnitudes = [abs(v) for v in measured]
        largest, smallest = max(magnitudes), min(magnitudes)
        self.scientific = _options.sci_mode
        if self.scientific is None:
            self.scientific = largest / smallest > 1000.0 or largest > 1.0e8 or smallest < 1.0e-4
        if self.scientific:
            spec = f".{self.precision}e"
        else:
            spec = ".0f" if self.integral else f".{self.precision}f"
        room_for_point = 1 if self.integral and not self.scientific else 0
        self.width = max(1, max(len(format(v, spec)) for v in measured) + room_for_point)

    def __call__(self, value: Any) -> str:
        if not self.is_floating:
            text = str(value)
        elif self.scientific:
            text = f"{value:.{self.precision}e}"
        elif self.integral:
            text = f"{value:.0f}"
            if value - value == 0.0:
                text += "."
        else:
            text = f"{value:.{self.precision}f}"
        return text.rjust(self.width)


def _shown_values(t: Tensor, summarize: bool) -> Any:
    """The elements that will be shown, as nested lists with _ELLIPSIS where some are left out."""
    edge = _options.edgeitems
    if not summarize or t.dim() == 0:
        return t.tolist()
    size = t.size(0)
    if size <= 2 * edge:
        return t.tolist() if t.dim() == 1 else [_shown_values(row, True) for row in t]
    if t.dim() == 1:
        return [*t[:edge].tolist(), _ELLIPSIS, *t[size - edge :].tolist()]
    head = [_shown_values(t[i], True) for i in range(edge)]
    tail = [_shown_values(t[i], True) for i in range(size - edge, size)]
    return [*head, _ELLIPSIS, *tail]


def _leaves(nested: Any) -> Iterator[Any]:
    if isinstance(nested, list):
        for item in nested:
            yield from _leaves(item)
    elif nested is not _ELLIPSIS:
        yield nested


def _row_text(row: list[Any], indent: int, form: _Formatter) -> str:
    per_line = max(1, (_options.linewidth - indent) // (form.width + 2))
    if row == [_ELLIPSIS]:
        return f"[{_ELLIPSIS}]"
    words = [" ..." if v is _ELLIPSIS else form(v) for v in row]
    lines = [", ".join(words[i : i + per_line]) for i in range(0, len(words), per_line)]
    return "[" + (",\n" + " " * (indent + 1)).join(lines) + "]"


def _nested_text(nested: Any, dim: int, indent: int, form: _Formatter) -> str:
    if dim == 0:
        return form(nested)
    if dim == 1:
        return _row_text(nested, indent, form)
    parts = [
        _ELLIPSIS if item is _ELLIPSIS else _nested_text(item, dim - 1, indent + 1, form)
        for item in nested
    ]
    return "[" + ("," + "\n" * (dim - 1) + " " * (indent + 1)).join(parts) + "]"


def _join_suffixes(text: str, suffixes: list[str], indent: int) -> str:
    """Appends ", suffix" to the text, each on a new line where it would pass the line's width."""
    line_length = len(text) - text.rfind("\n") + 1
    for suffix in suffixes:
        if line_length + len(suffix) + 2 > _options.linewidth:
            text += ",\n" + " " * indent + suffix
            line_length = indent + len(suffix)
        else:
            text += ", " + suffix
            line_length += len(suffix) + 2
    return text + ")"


def _grad_suffix(t: Tensor) -> str | None:
    try:
        node = t.grad_fn
    except RuntimeError:  # a view whose history became invalid by an in-place change
        return "grad_fn=<Invalid>"
    if node is not None:
        return f"grad_fn=<{node.name().rsplit('::', 1)[-1]}>"
    return "requires_grad=True" if t.requires_grad else None


def _suffixes(t: Tensor) -> list[str]:
    suffixes = []
    if t.device.type != "cpu":
        suffixes.append(f"device='{t.device}'")
    dtype = t.dtype
    is_default = dtype == _C.get_default_dtype()
    if t.dim() != 1 if t.numel() == 0 else _options.edgeitems == 0:
        suffixes.append(f"size={tuple(t.shape)}")
    if t.numel() != 0:
        is_default = is_default or str(dtype).rsplit(".", 1)[-1] in _ALWAYS_PLAIN_DTYPES
    if not is_default:
        suffixes.append(f"dtype={dtype}")
    grad = _grad_suffix(t)
    if grad is not None:
        suffixes.append(grad)
    return suffixes


def tensor_repr(t: Tensor) -> str:
    """The text of ``repr(t)``.

    Args:
        t: a tensor of any dtype, shape and device, or of a subclass, whose name is then shown.

    Example::

        >>> pytensor.tensor([1.0, 2.5])
        tensor([1.0000, 2.5000])
    """
    class_names = [cls.__name__ for cls in type(t).__mro__]
    prefix = "tensor(" if class_names[0] in ("Tensor", "Parameter") else f"{class_names[0]}("
    heading = "Parameter containing:\n" if "Parameter" in class_names else ""
    if t.numel() == 0:
        text = "[]"
    else:
        values = t.detach()
        nested = _shown_values(values, values.numel() > _options.threshold)
        form = _Formatter(list(_leaves(nested)), t.is_floating_point())
        text = _nested_text(nested, t.dim(), len(prefix), form)
    return heading + _join_suffixes(prefix + text, _suffixes(t), len(prefix))


def tensor_format(t: Tensor, spec: str) -> str:
    """The text of ``format(t, spec)``: a tensor without dimensions formats as its number.

    Args:
        t: a tensor.
        spec: a format specification as for Python numbers; must be empty for other tensors.

    Example::

        >>> f"{pytensor.tensor(0.12345):.2f}"
        '0.12'
    """
    if t.dim() == 0 and type(t) is _C.Tensor:
        return format(t.item(), spec)
    return object.__format__(t, spec)
