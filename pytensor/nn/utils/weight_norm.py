"""Weight normalization as a forward pre-hook. Part of ``pytensor.nn.utils``.

Salimans and Kingma, "Weight normalization", 2016. The newer form is in ``parametrizations.py``.
"""

from __future__ import annotations

import warnings
from typing import Any

from pytensor import Tensor
from pytensor.nn.parameter import Parameter, is_lazy

__all__ = ["WeightNorm", "remove_weight_norm", "weight_norm"]


def norm_except_dim(v: Tensor, pow: float = 2, dim: int = 0) -> Tensor:
    """The norm over all dimensions but one, which keep size 1; over all with dim = -1."""
    if dim == -1:
        return v.norm(pow)
    if not 0 <= dim < v.dim():
        raise IndexError(
            f"Dimension out of range (expected to be in range of [0, {v.dim() - 1}] or -1, but "
            f"got {dim})"
        )
    others = [i for i in range(v.dim()) if i != dim]
    return v.norm(pow, others, keepdim=True) if others else v.abs()


def compose_weight(v: Tensor, g: Tensor, dim: int) -> Tensor:
    """The direction of ``v`` with the length ``g``."""
    return v * (g / norm_except_dim(v, 2, dim))


class WeightNorm:
    """The hook: computes the weight from its length and direction before each forward.

    Args:
        name: of the weight; its parts are ``name_g`` and ``name_v``.
        dim: the dimension that keeps lengths of its own; None or -1: one length for all.
    """

    def __init__(self, name: str, dim: int | None) -> None:
        self.name = name
        self.dim = -1 if dim is None else dim

    def compute_weight(self, module: Any) -> Tensor:
        """The weight from its parts."""
        g, v = getattr(module, self.name + "_g"), getattr(module, self.name + "_v")
        return compose_weight(v, g, self.dim)

    @staticmethod
    def apply(module: Any, name: str, dim: int | None) -> WeightNorm:
        """Splits a module's weight and registers the hook."""
        for hook in module._forward_pre_hooks.values():
            if isinstance(hook, WeightNorm) and hook.name == name:
                raise RuntimeError(
                    f"Cannot register two weight_norm hooks on the same parameter {name}"
                )
        norm = WeightNorm(name, dim)
        weight = getattr(module, name)
        if is_lazy(weight):
            raise ValueError(
                "The module passed to `WeightNorm` can't have uninitialized parameters. Make sure "
                "to run the dummy forward before applying weight normalization"
            )
        del module._parameters[name]
        length = norm_except_dim(weight, 2, norm.dim).data
        module.register_parameter(name + "_g", Parameter(length))
        module.register_parameter(name + "_v", Parameter(weight.data))
        setattr(module, name, norm.compute_weight(module))
        module.register_forward_pre_hook(norm)
        return norm

    def remove(self, module: Any) -> None:
        """Makes the present weight a parameter again."""
        weight = self.compute_weight(module)
        delattr(module, self.name)
        del module._parameters[self.name + "_g"]
        del module._parameters[self.name + "_v"]
        setattr(module, self.name, Parameter(weight.data))

    def __call__(self, module: Any, inputs: Any) -> None:
        setattr(module, self.name, self.compute_weight(module))


def weight_norm(module: Any, name: str = "weight", dim: int | None = 0) -> Any:
    """Splits a weight into length (``name_g``) and direction (``name_v``).

    Args:
        module: the module, which is returned.
        name: of the weight. Default: ``"weight"``.
        dim: the dimension that keeps lengths of its own; None: one length for all. Default: 0.
    """
    warnings.warn(
        "`torch.nn.utils.weight_norm` is deprecated in favor of "
        "`torch.nn.utils.parametrizations.weight_norm`.",
        FutureWarning,
        stacklevel=2,
    )
    WeightNorm.apply(module, name, dim)
    return module


def remove_weight_norm(module: Any, name: str = "weight") -> Any:
    """Undoes ``weight_norm``; the weight keeps its present value.

    Args:
        module: the module, which is returned.
        name: of the weight. Default: ``"weight"``.
    """
    for key, hook in module._forward_pre_hooks.items():
        if isinstance(hook, WeightNorm) and hook.name == name:
            hook.remove(module)
            del module._forward_pre_hooks[key]
            return module
    raise ValueError(f"weight_norm of '{name}' not found in {module}")
