"""Folds batch normalization in evaluation mode into the layer before it.

Part of ``pytensor.nn.utils``.
"""

from __future__ import annotations

import copy
from typing import Any

import pytensor
from pytensor import Tensor
from pytensor.nn.parameter import Parameter

__all__ = [
    "fuse_conv_bn_eval",
    "fuse_conv_bn_weights",
    "fuse_linear_bn_eval",
    "fuse_linear_bn_weights",
]


def fuse_conv_bn_eval(conv: Any, bn: Any, transpose: bool = False) -> Any:
    """A convolution that does what a convolution and a batch norm after it do.

    Args:
        conv: a convolution in evaluation mode; it is copied.
        bn: a batch norm in evaluation mode with running statistics.
        transpose: whether it is a transposed convolution. Default: ``False``.
    """
    _check_eval(conv, bn)
    fused = copy.deepcopy(conv)
    fused.weight, fused.bias = fuse_conv_bn_weights(
        fused.weight,
        fused.bias,
        bn.running_mean,
        bn.running_var,
        bn.eps,
        bn.weight,
        bn.bias,
        transpose,
    )
    return fused


def fuse_conv_bn_weights(
    conv_w: Tensor,
    conv_b: Tensor | None,
    bn_rm: Tensor,
    bn_rv: Tensor,
    bn_eps: float,
    bn_w: Tensor | None,
    bn_b: Tensor | None,
    transpose: bool = False,
) -> tuple[Parameter, Parameter]:
    """Weight and bias of the convolution of ``fuse_conv_bn_eval``.

    Args:
        conv_w, conv_b: weight, and bias or None, of the convolution.
        bn_rm, bn_rv: running mean and variance, ``(channels,)``.
        bn_eps: added to the variance.
        bn_w, bn_b: weight and bias of the batch norm, or None.
        transpose: whether it is a transposed convolution. Default: ``False``.
    """
    channel_dim = 1 if transpose else 0
    shape = [-1 if i == channel_dim else 1 for i in range(conv_w.dim())]
    return _fold(conv_w, conv_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b, shape)


def fuse_linear_bn_eval(linear: Any, bn: Any) -> Any:
    """A linear layer that does what a linear layer and a batch norm after it do.

    Args:
        linear: a linear layer in evaluation mode; it is copied.
        bn: a batch norm in evaluation mode with running statistics, of as many features, or one.
    """
    _check_eval(linear, bn)
    if bn.num_features not in (linear.out_features, 1):
        raise AssertionError(
            "To fuse, linear.out_features == bn.num_features or bn.num_features == 1, got "
            f"linear.out_features={linear.out_features} and bn.num_features={bn.num_features}"
        )
    fused = copy.deepcopy(linear)
    fused.weight, fused.bias = fuse_linear_bn_weights(
        fused.weight,
        fused.bias,
        bn.running_mean,
        bn.running_var,
        bn.eps,
        bn.weight,
        bn.bias,
    )
    return fused


def fuse_linear_bn_weights(
    linear_w: Tensor,
    linear_b: Tensor | None,
    bn_rm: Tensor,
    bn_rv: Tensor,
    bn_eps: float,
    bn_w: Tensor | None,
    bn_b: Tensor | None,
) -> tuple[Parameter, Parameter]:
    """Weight and bias of the layer of ``fuse_linear_bn_eval``; see ``fuse_conv_bn_weights``."""
    return _fold(linear_w, linear_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b, [-1, 1])


def _check_eval(layer: Any, bn: Any) -> None:
    if layer.training or bn.training:
        raise AssertionError("Fusion only for eval!")
    if bn.running_mean is None or bn.running_var is None:
        raise AssertionError("bn.running_mean and bn.running_var must not be None")


def _fold(
    weight: Tensor,
    bias: Tensor | None,
    mean: Tensor,
    var: Tensor,
    eps: float,
    scale: Tensor | None,
    shift: Tensor | None,
    shape: list[int],
) -> tuple[Parameter, Parameter]:
    bias_dtype = weight.dtype if bias is None else bias.dtype
    trained = bias is not None and bias.requires_grad
    with pytensor.no_grad():
        factor = pytensor.rsqrt(var + eps)
        if scale is not None:
            factor = factor * scale
        moved = (-mean if bias is None else bias - mean) * factor
        if shift is not None:
            moved = moved + shift
        fused = (weight * factor.reshape(shape)).to(weight.dtype)
    return Parameter(fused, weight.requires_grad), Parameter(moved.to(bias_dtype), trained)
