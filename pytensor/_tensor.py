"""Methods of Tensor written in Python: those that are rare or composed of others.

``attach`` puts them on the compiled type when the package is imported.
"""

from __future__ import annotations

from typing import Any


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

    with pytensor.no_grad():
        data = self.detach().clone()
        out = type(self)._make_subclass(type(self), data, self.requires_grad)
        if self.grad is not None:
            out.grad = copy.deepcopy(self.grad, memo)
        for key, value in self.__dict__.items():
            setattr(out, key, copy.deepcopy(value, memo))
    memo[id(self)] = out
    return out


def _rebuild(cls: Any, data: bytes, dtype: Any, shape: Any, requires_grad: bool) -> Any:
    import pytensor

    t = pytensor.empty(shape, dtype=dtype)
    if t.numel():
        raw = pytensor.frombuffer(bytearray(data), dtype=pytensor.uint8)
        t = _view_bytes(raw, dtype).view(shape)
    if cls is pytensor.Tensor:
        return t.requires_grad_(requires_grad)
    return cls._make_subclass(cls, t, requires_grad)


def _view_bytes(raw: Any, dtype: Any) -> Any:
    import pytensor

    return pytensor.frombuffer(raw.numpy(), dtype=dtype).clone()


def _reduce_ex(self: Any, protocol: int) -> Any:
    import pytensor

    if not self.is_leaf:
        raise RuntimeError("only leaf tensors can be pickled; use detach() first")
    flat = self.detach().contiguous().view(-1)
    if flat.dtype == pytensor.bfloat16:
        data = flat.view(pytensor.int16).numpy().tobytes()
    else:
        data = flat.numpy().tobytes()
    return _rebuild, (type(self), data, self.dtype, tuple(self.shape), self.requires_grad)


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
