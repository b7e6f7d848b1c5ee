"""A new parameter group checked and completed: Optimizer.add_param_group."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import pytensor
from pytensor import Tensor

if TYPE_CHECKING:
    from pytensor.optim.optimizer import Optimizer


def _split_names(params: list[Any]) -> tuple[list[Any], list[str]]:
    """Parameters, and the names of those that came as ``(name, parameter)``."""
    names = [p[0] for p in params if isinstance(p, tuple)]
    if names and len(names) != len(params):
        raise ValueError(
            "all optimizer params should be with/without names. Some param names are missing"
        )
    return [p[1] if isinstance(p, tuple) else p for p in params], names


def _check_parameter(optimizer: Optimizer, param: Any) -> None:
    if not isinstance(param, Tensor):
        raise TypeError(
            "optimizer can only optimize Tensors, but one of the params is "
            + pytensor.typename(param)
        )
    if not optimizer.defaults.get("differentiable") and not (param.is_leaf or param.retains_grad):
        raise ValueError("can't optimize a non-leaf Tensor")


def complete_group(optimizer: Optimizer, group: dict[str, Any]) -> dict[str, Any]:
    """The group itself, with a list of parameters and the optimizer's defaults."""
    from pytensor.optim.optimizer import required

    if not isinstance(group, dict):
        raise TypeError(f"param_group must be a dict, but got {type(group)}")
    params = group["params"]
    if isinstance(params, set):
        raise TypeError(
            "optimizer parameters need to be organized in ordered collections, but the ordering "
            "of tensors in sets will change between runs. Please use a list instead."
        )
    group["params"], names = _split_names([params] if isinstance(params, Tensor) else list(params))
    if names:
        group["param_names"] = names
    for param in group["params"]:
        _check_parameter(optimizer, param)
    for name, default in optimizer.defaults.items():
        if default is required and name not in group:
            raise ValueError(
                f"parameter group didn't specify a value of required optimization parameter {name}"
            )
        group.setdefault(name, default)

    new = set(group["params"])
    if len(new) != len(group["params"]):
        warnings.warn(
            "optimizer contains a parameter group with duplicate parameters; in future, this will "
            "cause an error; see github.com/pytorch/pytorch/issues/40967 for more information",
            stacklevel=4,
        )
    for other in optimizer.param_groups:
        if ("param_names" in group) != ("param_names" in other):
            which = "with" if "param_names" in group else "without"
            raise ValueError(
                "all optimizer param groups should be with/without names. cannot add param group "
                f"{which} names to the optimizer"
            )
        if not new.isdisjoint(other["params"]):
            raise ValueError("some parameters appear in more than one parameter group")
    return group
