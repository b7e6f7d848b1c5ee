"""Functions that rebuild tensors from storages. Files name them, so they keep PyTorch's names.

`torch._utils._rebuild_tensor_v2` in a file is `pytensor._utils._rebuild_tensor_v2` here. Used by
pytensor.serialization, by pickled tensors and by Parameter. They trust nothing they are given.
"""

from __future__ import annotations

from typing import Any

from pytensor.storage import TypedStorage


def _whole_numbers(values: Any, what: str) -> tuple[int, ...]:
    numbers = tuple(values)
    if not all(type(n) is int and 0 <= n < 1 << 63 for n in numbers):
        raise RuntimeError(f"_rebuild_tensor(): {what} must be integers from 0, got {numbers}")
    return numbers


def _rebuild_tensor(storage: Any, storage_offset: int, size: Any, stride: Any) -> Any:
    """A tensor over `storage`.

    Raises:
        RuntimeError: the sizes and strides reach beyond the storage, or are no integers.
    """
    import pytensor

    if not isinstance(storage, TypedStorage):
        raise RuntimeError(
            f"_rebuild_tensor(): storage must be TypedStorage, not {type(storage).__name__}"
        )
    sizes = _whole_numbers(size, "sizes")
    strides = _whole_numbers(stride, "strides")
    (offset,) = _whole_numbers((storage_offset,), "storage_offset")
    if len(sizes) > 64:
        raise RuntimeError(f"_rebuild_tensor(): a tensor has at most 64 dims, got {len(sizes)}")
    if len(sizes) != len(strides):
        raise RuntimeError(f"_rebuild_tensor(): got {len(sizes)} sizes and {len(strides)} strides")
    if 0 in sizes:
        offset = min(offset, len(storage))
    else:
        last = offset + sum((n - 1) * step for n, step in zip(sizes, strides))
        if last >= len(storage):
            raise RuntimeError(
                f"_rebuild_tensor(): sizes {sizes}, strides {strides} and storage offset {offset} "
                f"need a storage of {last + 1} elements, but it has {len(storage)}"
            )
    tensor = pytensor.empty(0, dtype=storage.dtype, device=storage.device)
    return tensor.set_(storage._elements, offset, sizes, strides)


def _rebuild_tensor_v2(
    storage: Any,
    storage_offset: int,
    size: Any,
    stride: Any,
    requires_grad: bool,
    backward_hooks: Any,
    metadata: Any = None,
) -> Any:
    tensor = _rebuild_tensor(storage, storage_offset, size, stride)
    if requires_grad:
        tensor.requires_grad_(True)
    return tensor


def _rebuild_parameter(data: Any, requires_grad: bool, backward_hooks: Any) -> Any:
    from pytensor.nn.parameter import Parameter

    return Parameter(data, requires_grad)


def _rebuild_parameter_with_state(
    data: Any, requires_grad: bool, backward_hooks: Any, state: Any
) -> Any:
    return _set_state(_rebuild_parameter(data, requires_grad, backward_hooks), state)


def _set_state(target: Any, state: Any) -> Any:
    """Gives back the attributes that `_get_state` took."""
    slots: Any = {}
    if isinstance(state, tuple) and len(state) == 2:
        state, slots = state
    for name, value in {**(state or {}), **(slots or {})}.items():
        setattr(target, name, value)
    return target


def _get_state(tensor: Any) -> Any:
    """The attributes a program gave a tensor; empty if there are none."""
    own = type(tensor).__dict__.get("__getstate__")
    return own(tensor) if own is not None else dict(tensor.__dict__)
