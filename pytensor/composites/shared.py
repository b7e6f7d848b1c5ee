"""Small helpers of the composite functions: dimensions, ``out=`` arguments, named results."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from pytensor import Tensor

# Names of dtypes as error messages write them.
_SCALAR_NAMES = {
    "bool": "Bool",
    "uint8": "Byte",
    "int8": "Char",
    "int16": "Short",
    "int32": "Int",
    "int64": "Long",
    "float16": "Half",
    "bfloat16": "BFloat16",
    "float32": "Float",
    "float64": "Double",
}


def dtype_name(t: Tensor) -> str:
    """The dtype's name without the library's: ``float32``."""
    return str(t.dtype).rsplit(".", 1)[-1]


def scalar_name(t: Tensor) -> str:
    """The dtype's name in error messages: ``Float``, ``Long``, ..."""
    return _SCALAR_NAMES[dtype_name(t)]


def wrap_dim(dim: int, ndim: int) -> int:
    """The dimension counted from the front; a tensor without dimensions counts as having one."""
    bound = max(ndim, 1)
    if not -bound <= dim < bound:
        raise IndexError(
            f"Dimension out of range (expected to be in range of [{-bound}, {bound - 1}], "
            f"but got {dim})"
        )
    return dim + bound if dim < 0 else dim


def wrap_dims(dims: int | Iterable[int] | None, ndim: int) -> tuple[int, ...]:
    """Several dimensions counted from the front, all when None; none may be named twice."""
    if dims is None:
        return tuple(range(ndim))
    if isinstance(dims, int):
        dims = (dims,)
    wrapped: list[int] = []
    for dim in dims:
        d = wrap_dim(dim, ndim)
        if d in wrapped:
            raise RuntimeError(f"dim {d} appears multiple times in the list of dims")
        wrapped.append(d)
    return tuple(wrapped)


def write_out(result: Tensor, out: Tensor | None) -> Tensor:
    """The result, copied into the caller's ``out`` tensor where there is one."""
    if out is None:
        return result
    if out.shape != result.shape:
        out.resize_(tuple(result.shape))
    return out.copy_(result)


def tracks_grad(t: Tensor) -> bool:
    """Whether ops on the tensor are being recorded."""
    from pytensor import _C

    return t.requires_grad and _C.grad_enabled()


def guarded_sqrt(t: Tensor) -> Tensor:
    """sqrt whose gradient at zero is zero instead of infinite."""
    if not tracks_grad(t):
        return t.sqrt()
    zero = t == 0
    return t.masked_fill(zero, 1).sqrt().masked_fill(zero, 0)


def named_result(name: str, fields: Sequence[str]) -> Any:
    """A tuple class whose items also have names, printed as results of several tensors are."""

    def new(cls: type, *items: Any) -> Any:
        return tuple.__new__(cls, items)

    def text(self: Any) -> str:
        items = ",\n".join(f"{field}={item!r}" for field, item in zip(fields, self))
        return f"pytensor.return_types.{name}(\n{items})"

    def getter(index: int) -> property:
        return property(lambda self: tuple.__getitem__(self, index))

    members: dict[str, Any] = {field: getter(i) for i, field in enumerate(fields)}
    members.update(__slots__=(), __new__=new, __repr__=text)
    members["__getnewargs__"] = tuple
    return type(name, (tuple,), members)
