"""How losses reduce: by name, or by an older pair of arguments. For losses and their layers."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytensor import Tensor

_CODES = {"none": 0, "mean": 1, "sum": 2}


def code_of(reduction: str) -> int:
    """The number that the ops take for a reduction."""
    code = _CODES.get(reduction)
    if code is not None:
        return code
    if reduction == "elementwise_mean":
        warnings.warn(
            "reduction='elementwise_mean' is deprecated. Please use reduction='mean' instead.",
            stacklevel=3,
        )
        return 1
    raise ValueError(f"{reduction} is not a valid value for reduction")


def from_legacy(
    size_average: bool | None, reduce: bool | None, warn: bool = True, stacklevel: int = 3
) -> str:
    """The reduction that the arguments of PyTorch's early versions mean."""
    reduction = "none" if reduce is False else "sum" if size_average is False else "mean"
    if warn:
        warnings.warn(
            f"size_average and reduce args will be deprecated, please use reduction='{reduction}' "
            "instead.",
            stacklevel=stacklevel,
        )
    return reduction


def chosen(size_average: bool | None, reduce: bool | None, reduction: str) -> int:
    """The code of a reduction, or of what the legacy arguments mean where they are given."""
    if size_average is None and reduce is None:
        return _CODES[reduction] if reduction in _CODES else code_of(reduction)
    return _CODES[from_legacy(size_average, reduce, stacklevel=4)]


def reduced(losses: Tensor, code: int) -> Tensor:
    """Losses of single elements, reduced."""
    if code == 1:
        return losses.mean()
    return losses.sum() if code == 2 else losses


def warn_about_sizes(input: Tensor, target: Tensor, stacklevel: int = 3) -> None:
    """The warning for a target that broadcasts."""
    warnings.warn(
        f"Using a target size ({_size(target)}) that is different to the input size "
        f"({_size(input)}). This will likely lead to incorrect results due to broadcasting. "
        "Please ensure they have the same size.",
        stacklevel=stacklevel,
    )


def _size(t: Tensor) -> str:
    return f"torch.Size({list(t.shape)})"
