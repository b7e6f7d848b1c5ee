"""Changing the tensors of a module in place: ``Convert``, the part of ``nn.Module`` for it.

``to``, ``half``, ``apply``, ``zero_grad`` and the like. Used by ``module.py``.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import pytensor
from pytensor.nn.parameter import is_lazy

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import Self


def parse_to(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, Any, bool, Any]:
    """device, dtype, non_blocking and memory_format from the arguments of a ``to``."""
    device, dtype, non_blocking, memory_format = None, None, False, None
    flags = [a for a in args if isinstance(a, bool)]
    if flags:
        non_blocking = flags[0]
    for value in [a for a in args if not isinstance(a, bool)]:
        if isinstance(value, pytensor.Tensor):
            device, dtype = value.device, value.dtype
        elif isinstance(value, pytensor.dtype):
            dtype = value
        elif value is not None:
            device = pytensor.device(value)
    for name, value in kwargs.items():
        if name == "device":
            device = None if value is None else pytensor.device(value)
        elif name == "dtype":
            dtype = value
        elif name == "non_blocking":
            non_blocking = value
        elif name == "memory_format":
            memory_format = value
        elif name in ("tensor", "other"):
            device, dtype = value.device, value.dtype
        elif name != "copy":
            raise TypeError(f"to() got an unexpected keyword argument '{name}'")
    return device, dtype, non_blocking, memory_format


class Convert:
    """Conversions of all tensors of a module, in place; each returns the module."""

    _parameters: dict[str, Any]
    _buffers: dict[str, Any]
    children: Any
    parameters: Any

    def _apply(self, fn: Callable[[Any], Any], recurse: bool = True) -> Self:
        """Replaces each parameter's data, its gradient, and each buffer by ``fn`` of them."""
        if recurse:
            for child in self.children():
                child._apply(fn)
        for parameter in self._parameters.values():
            if parameter is None:
                continue
            grad = None if is_lazy(parameter) else parameter.grad
            with pytensor.no_grad():
                made = fn(parameter)
                if made is not parameter:
                    parameter.data = made
                if grad is not None:
                    made = fn(grad)
                    if made is not grad:
                        parameter.grad = made.requires_grad_(grad.requires_grad)
        for name, buffer in self._buffers.items():
            if buffer is not None:
                self._buffers[name] = fn(buffer)
        return self

    def apply(self, fn: Callable[[Any], Any]) -> Self:
        """Calls ``fn`` with each module below this one, and then with this one.

        Example::

            >>> net = pytensor.nn.Sequential(pytensor.nn.ReLU())
            >>> _ = net.apply(lambda module: print(type(module).__name__))
            ReLU
            Sequential
        """
        for child in self.children():
            child.apply(fn)
        fn(self)
        return self

    def to(self, *args: Any, **kwargs: Any) -> Self:
        """Moves to a device, or converts floating-point tensors to a dtype.

        Called as ``to(device=None, dtype=None, non_blocking=False)``, ``to(dtype)``,
        ``to(tensor)`` or ``to(memory_format=...)``.

        Args:
            device: where parameters and buffers shall be.
            dtype: a floating-point dtype; integer buffers keep theirs.
            non_blocking: accepted. Default: ``False``.
            memory_format: the layout of tensors with four or five dimensions.
        """
        device, dtype, non_blocking, memory_format = parse_to(args, kwargs)
        if dtype is not None and not (dtype.is_floating_point or dtype.is_complex):
            raise TypeError(
                "nn.Module.to only accepts floating point or complex dtypes, but got desired "
                f"dtype={dtype}"
            )
        if dtype is not None and dtype.is_complex:
            warnings.warn("Modules with complex parameters are not supported", stacklevel=2)

        def convert(t: Any) -> Any:
            wanted = dtype if t.is_floating_point() or t.is_complex() else None
            if memory_format is not None and not is_lazy(t) and t.dim() in (4, 5):
                made = t.to(device, wanted or t.dtype, non_blocking)
                return made.contiguous(memory_format=memory_format)
            return t.to(device, wanted or t.dtype, non_blocking)

        return self._apply(convert)

    def _to_dtype(self, dtype: Any) -> Self:
        return self._apply(lambda t: t.to(dtype) if t.is_floating_point() else t)

    def float(self) -> Self:
        """Converts floating-point tensors to float32."""
        return self._to_dtype(pytensor.float32)

    def double(self) -> Self:
        """Converts floating-point tensors to float64."""
        return self._to_dtype(pytensor.float64)

    def half(self) -> Self:
        """Converts floating-point tensors to float16."""
        return self._to_dtype(pytensor.float16)

    def bfloat16(self) -> Self:
        """Converts floating-point tensors to bfloat16."""
        return self._to_dtype(pytensor.bfloat16)

    def type(self, dst_type: Any) -> Self:
        """Converts all tensors, integer ones too, to a dtype."""
        return self._apply(lambda t: t.type(dst_type))

    def cpu(self) -> Self:
        """Moves to the CPU."""
        return self._apply(lambda t: t.cpu())

    def cuda(self, device: int | Any | None = None) -> Self:
        """Moves to a CUDA device; default: the current one."""
        return self._apply(lambda t: t.cuda(device))

    def to_empty(self, *, device: Any, recurse: bool = True) -> Self:
        """Moves to a device without copying the values.

        Args:
            device: where parameters and buffers shall be.
            recurse: the modules below this one too. Default: ``True``.
        """
        return self._apply(lambda t: pytensor.empty_like(t, device=device), recurse=recurse)

    def share_memory(self) -> Self:
        """Puts the tensors into memory that processes share; see ``Tensor.share_memory_``."""
        return self._apply(lambda t: t.share_memory_())

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Sets whether the parameters need gradients.

        Args:
            requires_grad: ``False`` freezes the module. Default: ``True``.
        """
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forgets the gradients of the parameters.

        Args:
            set_to_none: sets them to None, not to zeros. Default: ``True``.
        """
        if getattr(self, "_is_replica", False):
            warnings.warn(
                "Calling .zero_grad() from a module created with nn.DataParallel() has no effect. "
                "The parameters are copied (in a differentiable manner) from the original module. "
                "This means they are not leaf nodes in autograd and so don't accumulate "
                "gradients. If you need gradients in your forward method, consider using "
                "autograd.grad instead.",
                stacklevel=2,
            )
        for parameter in self.parameters():
            grad = parameter.grad
            if grad is None:
                continue
            if set_to_none:
                parameter.grad = None
                continue
            if grad.grad_fn is not None:
                grad.detach_()
            else:
                grad.requires_grad_(False)
            grad.zero_()
