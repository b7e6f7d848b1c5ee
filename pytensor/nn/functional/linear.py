"""Linear maps: ``linear``, ``bilinear``. Part of ``pytensor.nn.functional``."""

from __future__ import annotations

from pytensor import Tensor, _ops
from pytensor.composites.casting import autocasts

__all__ = ["bilinear", "linear"]

linear = _ops.linear


@autocasts("keep")
def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``y[k] = input1 @ weight[k] @ input2 + bias[k]`` for each sample.

    Args:
        input1: ``(*, in1)``, floating point.
        input2: ``(*, in2)`` with the same leading dimensions.
        weight: ``(out, in1, in2)``.
        bias: ``(out,)`` or None. Default: None.

    Shape:
        The result is ``(*, out)``.

    Example::

        >>> one = pytensor.ones(4, 2)
        >>> pytensor.nn.functional.bilinear(one, one, pytensor.ones(3, 2, 2)).shape
        torch.Size([4, 3])
    """
    if input1.dim() != input2.dim():
        raise RuntimeError(
            f"bilinear(): input dimensions do not match: got {input1.dim()} and {input2.dim()}"
        )
    for i, (a, b) in enumerate(zip(input1.shape[:-1], input2.shape[:-1])):
        if a != b:
            raise RuntimeError(
                f"bilinear(): input batch dimensions do not match at dim {i}: got {a} and {b}"
            )
    if weight.dim() != 3:
        raise RuntimeError(f"bilinear(): weight must be 3-D, got {weight.dim()}-D")
    out, in1, in2 = weight.shape
    for given, wanted, which in ((input1, in1, 1), (input2, in2, 2)):
        if given.shape[-1] != wanted:
            raise RuntimeError(
                f"bilinear(): input{which} size does not match weight size: got "
                f"{given.shape[-1]} but expected {wanted}"
            )
    if bias is not None and bias.shape[0] != out:
        raise RuntimeError(
            f"bilinear(): bias size does not match weight size: got {bias.shape[0]} but expected "
            f"{out}"
        )
    batch = input1.shape[:-1]
    first = input1.reshape(-1, in1) @ weight.transpose(0, 1).reshape(in1, out * in2)
    second = input2.reshape(-1, in2, 1)
    result = (first.reshape(-1, out, in2) @ second).reshape(*batch, out)
    return result if bias is None else result + bias
