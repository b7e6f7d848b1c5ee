"""Initial values of networks for images."""

from __future__ import annotations

from pytensor import nn

__all__ = ["initialize"]


def initialize(
    network: nn.Module, nonlinearity: str = "leaky_relu", linear_std: float | None = None
) -> None:
    """Draws new values, layer by layer.

    Convolutions get He's normal distribution by their outputs, normalizations 1 and 0, linear
    layers a normal one, or keep what they have.

    Args:
        network: whose layers.
        nonlinearity: what follows the convolutions.
        linear_std: standard deviation of linear layers; None leaves them.
    """
    for m in network.modules():
        if isinstance(m, nn.Conv2d):
            nn.init.kaiming_normal_(m.weight, mode="fan_out", nonlinearity=nonlinearity)
        elif isinstance(m, (nn.BatchNorm2d, nn.GroupNorm)):
            if m.weight is not None:
                nn.init.ones_(m.weight)
        elif isinstance(m, nn.Linear) and linear_std is not None:
            nn.init.normal_(m.weight, 0, linear_std)
        else:
            continue
        if m.bias is not None:
            nn.init.zeros_(m.bias)
