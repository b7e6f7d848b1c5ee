"""Tensors that modules register by themselves when they are assigned as attributes.

``Parameter`` and ``Buffer``, and their forms without a shape that lazy layers start with. Used by
``nn.Module`` and every layer.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import pytensor
from pytensor import Tensor
from pytensor._utils import _rebuild_parameter, _rebuild_parameter_with_state

__all__ = ["Buffer", "Parameter", "UninitializedBuffer", "UninitializedParameter", "is_lazy"]


class _ParameterMeta(type):
    """Counts tensors of a user's own class as parameters when they were wrapped as such."""

    def __instancecheck__(cls, instance: Any) -> bool:
        if super().__instancecheck__(instance):
            return True
        return (
            cls is Parameter
            and isinstance(instance, Tensor)
            and getattr(instance, "_is_param", False)
        )


class Parameter(Tensor, metaclass=_ParameterMeta):
    """A tensor that a module lists among its parameters once it is assigned to an attribute.

    Args:
        data: the values, shared and not copied. Default: an empty tensor.
        requires_grad: whether gradients are wanted, also when created under ``no_grad``.
            Default: ``True``.

    Example::

        >>> layer = pytensor.nn.Module()
        >>> layer.scale = pytensor.nn.Parameter(pytensor.ones(2))
        >>> [name for name, _ in layer.named_parameters()]
        ['scale']
    """

    def __new__(cls, data: Any = None, requires_grad: bool = True) -> Parameter:
        if data is None:
            data = pytensor.empty(0)
        if type(data) is Tensor or type(data) is Parameter:
            made: Parameter = Tensor._make_subclass(cls, data, requires_grad)
            return made
        custom: Any = data.detach().requires_grad_(requires_grad)
        if not isinstance(data, Parameter) and type(custom) is not type(data):
            return Tensor._make_subclass(cls, custom, requires_grad)
        custom._is_param = True
        return custom

    def __deepcopy__(self, memo: dict[int, Any]) -> Parameter:
        if id(self) in memo:
            known: Parameter = memo[id(self)]
            return known
        made = type(self)(self.data.clone(), self.requires_grad)
        memo[id(self)] = made
        return made

    def __reduce_ex__(self, protocol: Any) -> Any:
        arguments: Any = (self.data, self.requires_grad, OrderedDict())
        if not self.__dict__:
            return _rebuild_parameter, arguments
        return _rebuild_parameter_with_state, (*arguments, dict(self.__dict__))


# What an uninitialized tensor allows: to learn and to change its dtype and its device.
_CONVERSIONS = ("bfloat16", "char", "double", "float", "half", "int", "long", "short", "to", "type")
_QUESTIONS = ("get_device", "is_complex", "is_floating_point", "requires_grad_", "size")
_ALLOWED = frozenset((*_CONVERSIONS, *_QUESTIONS, "copy_", "cpu", "cuda"))


def _refuse(name: str) -> Any:
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        raise ValueError(
            f"Attempted to use an uninitialized parameter in Tensor.{name}. This error happens "
            "when you are using a `LazyModule` or explicitly manipulating "
            f"`torch.nn.parameter.{type(self).__name__}` objects. When using LazyModules Call "
            "`forward` with a dummy batch to initialize the parameters before calling torch "
            "functions"
        )

    method.__name__ = name
    return method


class UninitializedTensorMixin:
    """What UninitializedParameter and UninitializedBuffer have in common."""

    cls_to_become: type
    requires_grad: bool

    def materialize(self, shape: Any, device: Any = None, dtype: Any = None) -> None:
        """Gives the tensor its shape: it becomes an ordinary parameter or buffer.

        Args:
            shape: the sizes. The values are arbitrary.
            device: the device. Default: the current one.
            dtype: the dtype. Default: the current one.
        """
        data = self.data
        self.data: Tensor = pytensor.empty(
            shape, device=device or data.device, dtype=dtype or data.dtype
        )
        self.__class__ = self.cls_to_become

    @property
    def shape(self) -> Any:
        raise RuntimeError(
            "Can't access the shape of an uninitialized parameter or buffer. This error usually "
            "happens in `load_state_dict` when trying to load an uninitialized parameter into an "
            "initialized one. Call `forward` to initialize the parameters before accessing their "
            "attributes."
        )

    def share_memory_(self) -> Any:
        raise RuntimeError(
            "Can't share memory on an uninitialized parameter or buffer. Call `forward` to "
            "initialize the parameters before calling `module.share_memory()`."
        )

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    __str__ = __repr__

    def __reduce_ex__(self, protocol: Any) -> Any:
        return type(self), (self.requires_grad, self.data.device, self.data.dtype)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        if id(self) not in memo:
            make, arguments = self.__reduce_ex__(4)
            memo[id(self)] = make(*arguments)
        return memo[id(self)]


for _name in dir(Tensor):
    _operator = _name.startswith("__") and hasattr(int, _name) and not hasattr(object, _name)
    _public = _operator or not _name.startswith("_")
    _kept = _name in _ALLOWED or _name in vars(UninitializedTensorMixin)
    if _public and not _kept and callable(getattr(Tensor, _name)):
        setattr(UninitializedTensorMixin, _name, _refuse(_name))
del _name, _operator, _public, _kept


def is_lazy(param: Any) -> bool:
    """Whether a tensor still waits for its shape."""
    return isinstance(param, UninitializedTensorMixin)


class UninitializedParameter(UninitializedTensorMixin, Parameter):
    """A parameter whose shape is not known yet; see ``materialize``.

    Args:
        requires_grad: as for ``Parameter``. Default: ``True``.
        device: the device it will have. Default: the default device.
        dtype: the dtype it will have. Default: the default dtype.
    """

    cls_to_become = Parameter

    def __new__(cls, requires_grad: bool = True, device: Any = None, dtype: Any = None) -> Any:
        data = pytensor.empty(0, device=device, dtype=dtype)
        return Tensor._make_subclass(cls, data, requires_grad)


class _BufferMeta(type):
    """Buffers are ordinary tensors that carry a mark."""

    def __instancecheck__(cls, instance: Any) -> bool:
        if super().__instancecheck__(instance):
            return True
        return (
            cls is Buffer
            and isinstance(instance, Tensor)
            and getattr(instance, "_is_buffer", False)
        )


class Buffer(Tensor, metaclass=_BufferMeta):
    """A tensor that a module lists among its buffers once it is assigned to an attribute.

    Args:
        data: the values, shared and not copied. Default: an empty tensor.
        persistent: whether it is part of the module's ``state_dict``. Default: ``True``.

    Example::

        >>> layer = pytensor.nn.Module()
        >>> layer.mean = pytensor.nn.Buffer(pytensor.zeros(2))
        >>> list(layer.state_dict())
        ['mean']
    """

    persistent: bool

    def __new__(cls, data: Any = None, *, persistent: bool = True) -> Any:
        if data is None:
            data = pytensor.empty(0)
        made = data.detach().requires_grad_(data.requires_grad)
        made.persistent = persistent
        made._is_buffer = True
        return made


class UninitializedBuffer(UninitializedTensorMixin, Tensor):
    """A buffer whose shape is not known yet; see ``materialize``.

    Args:
        requires_grad: whether gradients are wanted. Default: ``False``.
        device: the device it will have. Default: the default device.
        dtype: the dtype it will have. Default: the default dtype.
        persistent: whether it is part of the module's ``state_dict``. Default: ``True``.
    """

    # An object of a Python class cannot become one of the compiled type itself.
    cls_to_become = Buffer

    def __new__(
        cls,
        requires_grad: bool = False,
        device: Any = None,
        dtype: Any = None,
        persistent: bool = True,
    ) -> Any:
        data = pytensor.empty(0, device=device, dtype=dtype)
        made = Tensor._make_subclass(cls, data, requires_grad)
        made.persistent = persistent
        made._is_buffer = True
        return made
