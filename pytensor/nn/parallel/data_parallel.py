"""``DataParallel``: on the CPU, as in PyTorch without a GPU, the module itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pytensor.nn.modules.module import Module

__all__ = ["DataParallel", "data_parallel"]


class DataParallel(Module):
    """A module whose batches are shared out over GPUs; with none or one, it runs undivided.

    Args:
        module: the module to run, found again as the attribute ``module``.
        device_ids: GPUs to use; more than one is refused, for want of a replicated backward.
        output_device, dim: accepted as in PyTorch.

    Raises:
        RuntimeError: several devices are asked for.

    Example::

        >>> net = pytensor.nn.DataParallel(pytensor.nn.Linear(2, 1))
        >>> [name for name, _ in net.named_parameters()]
        ['module.weight', 'module.bias']
    """

    def __init__(
        self,
        module: Module,
        device_ids: Sequence[Any] | None = None,
        output_device: Any = None,
        dim: int = 0,
    ) -> None:
        super().__init__()
        if device_ids is not None and len(device_ids) > 1:
            raise RuntimeError(
                f"DataParallel(): argument 'device_ids' names {len(device_ids)} devices, but a "
                "module runs on one; pass one device, or none"
            )
        self.module = module
        self.dim = dim
        self.device_ids = list(device_ids or [])
        self.output_device = output_device

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        return self.module(*inputs, **kwargs)


def data_parallel(
    module: Module,
    inputs: Any,
    device_ids: Sequence[Any] | None = None,
    output_device: Any = None,
    dim: int = 0,
    module_kwargs: dict[str, Any] | None = None,
) -> Any:
    """Runs a module as ``DataParallel`` does.

    Args:
        module: the module to run.
        inputs: its argument, or a tuple of them.
        device_ids, output_device, dim: as of ``DataParallel``.
        module_kwargs: its keyword arguments.

    Example::

        >>> pytensor.nn.parallel.data_parallel(pytensor.nn.ReLU(), pytensor.ones(2))
        tensor([1., 1.])
    """
    arguments = inputs if isinstance(inputs, tuple) else (inputs,)
    wrapped = DataParallel(module, device_ids, output_device, dim)
    return wrapped(*arguments, **(module_kwargs or {}))
