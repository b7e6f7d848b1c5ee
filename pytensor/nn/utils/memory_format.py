"""Memory formats of convolution weights. Part of ``pytensor.nn.utils``."""

from __future__ import annotations

from typing import Any

from pytensor import nn

__all__ = ["convert_conv2d_weight_memory_format", "convert_conv3d_weight_memory_format"]


def convert_conv2d_weight_memory_format(module: Any, memory_format: Any) -> Any:
    """Lays out the weights of all 2-d convolutions in a module in a memory format.

    Args:
        module: the module, which is returned.
        memory_format: such as ``pytensor.channels_last``.
    """
    return _convert(module, ("Conv2d", "ConvTranspose2d"), memory_format)


def convert_conv3d_weight_memory_format(module: Any, memory_format: Any) -> Any:
    """Lays out the weights of all 3-d convolutions in a module in a memory format.

    Args:
        module: the module, which is returned.
        memory_format: such as ``pytensor.channels_last_3d``.
    """
    return _convert(module, ("Conv3d", "ConvTranspose3d"), memory_format)


def _convert(module: Any, names: tuple[str, ...], memory_format: Any) -> Any:
    kinds = tuple(getattr(nn, name) for name in names)
    for layer in module.modules():
        if isinstance(layer, kinds):
            weight: Any = layer.weight
            weight.data = weight.detach().contiguous(memory_format=memory_format)
    return module
