"""Methods of Tensor written in Python: those that are rare or composed of others.

``attach`` puts them on the compiled type when the package is imported.
"""

from __future__ import annotations

from typing import Any

from pytensor import _C
from pytensor._C import Tensor


def _repr(self: Any, *, tensor_contents: Any = None) -> str:
    from pytensor._printing import tensor_repr

    return tensor_repr(self)


def _format(self: Any, spec: str) -> str:
    from pytensor._printing import tensor_format

    return tensor_format(self, spec)


def _iter(self: Any) -> Any:
    if self.dim() == 0:
        raise TypeError("iteration over a 0-d tensor")
    return iter(self.unbind(0))


def _contains(self: Any, element: Any) -> bool:
    import pytensor

    if isinstance(element, (pytensor.Tensor, int, float, bool)):
        return bool((element == self).any().item())
    raise RuntimeError(
        f"Tensor.__contains__ only supports Tensor or scalar, but you passed in a {type(element)}."
    )


def _reversed(self: Any) -> Any:
    return self if self.dim() == 0 else self.flip(0)


def _deepcopy(self: Any, memo: dict[int, Any]) -> Any:
    if not self.is_leaf:
        raise RuntimeError(
            "Only Tensors created explicitly by the user (graph leaves) support the deepcopy "
            "protocol at the moment. If you were attempting to deepcopy a module, this may be "
            "because of a torch.nn.utils.weight_norm usage."
        )
    if id(self) in memo:
        return memo[id(self)]
    import copy

    import pytensor
    from pytensor.storage import _deepcopy_bytes

    with pytensor.no_grad():
        copied = _deepcopy_bytes(_C.internal["_storage_bytes"](self), memo)
        whole = copied[: copied.numel() // self.element_size() * self.element_size()]
        data = pytensor.empty(0, dtype=self.dtype, device=self.device).set_(
            whole.view(self.dtype), self.storage_offset(), self.shape, self.stride()
        )
        out = type(self)._make_subclass(type(self), data, self.requires_grad)
        if self.grad is not None:
            out.grad = copy.deepcopy(self.grad, memo)
        for key, value in self.__dict__.items():
            setattr(out, key, copy.deepcopy(value, memo))
    memo[id(self)] = out
    return out


def _rebuild_from_type_v2(make: Any, new_type: Any, arguments: Any, state: Any) -> Any:
    """A tensor of a subclass, or with attributes: make(*arguments) becomes one of `new_type`."""
    import pytensor
    from pytensor._utils import _set_state

    tensor = make(*arguments)
    if new_type is not pytensor.Tensor:
        tensor = new_type._make_subclass(new_type, tensor, tensor.requires_grad)
    own = new_type.__dict__.get("__setstate__") if new_type is not pytensor.Tensor else None
    if own is None:
        return _set_state(tensor, state)
    own(tensor, state)
    return tensor


def _reduce_ex(self: Any, protocol: int) -> Any:
    """How pickle and copy see a tensor: the memory it covers, without the rest of its storage."""
    from collections import OrderedDict

    from pytensor import _utils
    from pytensor.storage import TypedStorage

    data = self.detach()
    span = 1 + sum((n - 1) * step for n, step in zip(data.shape, data.stride()))
    if data.numel() and span == data.numel():
        # Dense in some order of its dimensions, which is kept.
        dense = data.as_strided((span,), (1,))
        strides = tuple(data.stride())
    else:
        dense = data.contiguous()
        strides = tuple(dense.stride())
    if dense.untyped_storage().nbytes() != dense.numel() * dense.element_size():
        dense = dense.clone()
    arguments: Any = (
        TypedStorage(dense),
        0,
        tuple(self.shape),
        strides,
        self.requires_grad,
        OrderedDict(),
    )
    state = _utils._get_state(self)
    if type(self) is Tensor and not state:
        return _utils._rebuild_tensor_v2, arguments
    return _rebuild_from_type_v2, (_utils._rebuild_tensor_v2, type(self), arguments, state)


def _is_shared(self: Any) -> bool:
    return False


def _share_memory(self: Any) -> Any:
    return self


def _setstate(self: Any, state: Any) -> None:
    self.__dict__.update(state)


def _dim_order(self: Any) -> tuple[int, ...]:
    return tuple(sorted(range(self.dim()), key=lambda d: -self.stride(d)))


def _as_subclass(self: Any, cls: Any) -> Any:
    return cls._make_subclass(cls, self, self.requires_grad)


def _untyped_storage(self: Any) -> Any:
    from pytensor.storage import UntypedStorage

    return UntypedStorage(self)


def _storage(self: Any) -> Any:
    from pytensor.storage import TypedStorage

    return TypedStorage(self)


def _replace_elements(self: Any, name: str, values: list[Any]) -> Any:
    import pytensor

    if self.requires_grad:
        raise RuntimeError(
            f"Can't call {name}() on Variable that requires grad. Use var.detach().{name}() "
            "instead."
        )
    return self.copy_(pytensor.tensor(values, dtype=self.dtype).reshape(self.shape))


def _apply(self: Any, callable: Any) -> Any:
    return _replace_elements(self, "apply_", [callable(v) for v in self.flatten().tolist()])


def _map(self: Any, tensor: Any, callable: Any) -> Any:
    pairs = zip(self.flatten().tolist(), tensor.expand_as(self).flatten().tolist())
    return _replace_elements(self, "map_", [callable(a, b) for a, b in pairs])


def _renorm_(self: Any, p: float, dim: int, maxnorm: float) -> Any:
    return self.copy_(self.renorm(p, dim, maxnorm))


def attach(tensor_type: Any) -> None:
    """Adds the methods of this file and of ``functional`` to the Tensor type."""
    from pytensor import functional

    for name, method in {
        "__repr__": _repr,
        "__str__": _repr,
        "__format__": _format,
        "__iter__": _iter,
        "__contains__": _contains,
        "__reversed__": _reversed,
        "__deepcopy__": _deepcopy,
        "__reduce_ex__": _reduce_ex,
        "__setstate__": _setstate,
        "__array_priority__": 1000,
        "is_shared": _is_shared,
        "share_memory_": _share_memory,
        "dim_order": _dim_order,
        "as_subclass": _as_subclass,
        "untyped_storage": _untyped_storage,
        "storage": _storage,
        "apply_": _apply,
        "map_": _map,
        "renorm_": _renorm_,
        "__rdiv__": tensor_type.__rtruediv__,
    }.items():
        setattr(tensor_type, name, method)
    methods = functional.TENSOR_METHODS
    for name in methods:
        if not hasattr(tensor_type, name):
            setattr(tensor_type, name, getattr(functional, name))
