"""What pickles may make when they are not trusted: names of files, and how each is called.

`find` answers what a name stands for; `call` calls it with arguments checked. The list that
programs extend (`add_safe_globals`) is kept here too.
"""

from __future__ import annotations

import pickle
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any

import pytensor
from pytensor import _utils
from pytensor.nn.parameter import Parameter
from pytensor.serialization import _names
from pytensor.serialization._pickler import _get_layout

_user_globals: dict[str, Any] = {}


def _full_name(entry: Any) -> tuple[str, Any]:
    """The name that files use, and the object."""
    if isinstance(entry, tuple):
        if len(entry) != 2 or not isinstance(entry[1], str):
            raise ValueError(f"expected a tuple of a class or function and its name, got {entry!r}")
        return _canonical(*entry[1].rpartition(".")[::2]), entry[0]
    if not callable(entry):
        raise TypeError(f"safe globals are classes and functions, got {type(entry).__name__}")
    return _canonical(entry.__module__, getattr(entry, "__qualname__", entry.__name__)), entry


def _canonical(module: str, name: str) -> str:
    if module == "__builtin__":  # Python 2's name, which protocol 2 keeps
        module = "builtins"
    module, name = _names.torch_name(module, name) or (module, name)
    return f"{module}.{name}" if module else name


def add_safe_globals(safe_globals: list[Any]) -> None:
    """Lets ``load(weights_only=True)`` make objects of more classes.

    Loading then calls these classes and functions, with arguments that come from the file.

    Args:
        safe_globals: classes and functions, or tuples of one and the full name files have for it.

    Example::

        >>> import fractions
        >>> pytensor.serialization.add_safe_globals([fractions.Fraction])
        >>> pytensor.serialization.get_safe_globals()
        [<class 'fractions.Fraction'>]
        >>> pytensor.serialization.clear_safe_globals()
    """
    _user_globals.update(map(_full_name, safe_globals))


def get_safe_globals() -> list[Any]:
    """The classes and functions added to those that may be loaded."""
    return list(_user_globals.values())


def clear_safe_globals() -> None:
    """Forgets all classes and functions that were added."""
    _user_globals.clear()


class safe_globals:
    """Context in which more classes may be loaded, see ``add_safe_globals``.

    Args:
        safe_globals: classes and functions, or tuples of one and the full name files have for it.

    Example::

        >>> import fractions, io
        >>> file = io.BytesIO()
        >>> pytensor.save(fractions.Fraction(1, 2), file)
        >>> start = file.seek(0)
        >>> with pytensor.serialization.safe_globals([fractions.Fraction]):
        ...     pytensor.load(file)
        Fraction(1, 2)
    """

    def __init__(self, safe_globals: list[Any]) -> None:
        self._added = safe_globals

    def __enter__(self) -> None:
        self._before = dict(_user_globals)
        add_safe_globals(self._added)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        _user_globals.clear()
        _user_globals.update(self._before)


# --- what is always allowed ----------------------------------------------------------------------


def refuse(why: str) -> pickle.UnpicklingError:
    return pickle.UnpicklingError(f"Weights only load failed: {why}")


def _ordered_dict(items: Any = ()) -> Any:
    if type(items) not in (list, tuple):
        raise refuse("OrderedDict takes a list of pairs")
    return OrderedDict((hashable(key), value) for key, value in items)


def _counter(items: Any = None) -> Any:
    if items is not None and type(items) is not dict:
        raise refuse("Counter takes a dict")
    return Counter(items)


def _set(items: Any = ()) -> Any:
    return set(map(hashable, _elements(items)))


def _frozenset(items: Any = ()) -> Any:
    return frozenset(map(hashable, _elements(items)))


def _elements(items: Any) -> Iterable[Any]:
    if type(items) not in (list, tuple):
        raise refuse("sets take a list")
    return items


def _empty(kind: type) -> Callable[..., Any]:
    def make(*arguments: Any) -> Any:
        if arguments:
            raise refuse(f"{kind.__name__} takes no arguments")
        return kind()

    return make


def _bytearray(data: Any = b"", encoding: Any = None) -> Any:
    # A number would reserve memory.
    if type(data) is str and encoding == "latin-1":
        return bytearray(data, "latin-1")
    if type(data) is not bytes or encoding is not None:
        raise refuse("bytearray takes bytes")
    return bytearray(data)


def _complex(real: Any, imag: Any = 0.0) -> Any:
    if type(real) not in (int, float) or type(imag) not in (int, float):
        raise refuse("complex takes two numbers")
    return complex(real, imag)


def _encode(text: Any, encoding: Any = "latin1") -> Any:
    """How protocol 2 writes bytes."""
    if type(text) is not str or encoding != "latin1":
        raise refuse("only _codecs.encode(text, 'latin1') is allowed")
    return text.encode("latin1")


def _size(items: Any = ()) -> Any:
    if type(items) not in (list, tuple) or not all(type(n) is int for n in items):
        raise refuse("Size takes a list of integers")
    return pytensor.Size(items)


def _device(kind: Any, index: Any = None) -> Any:
    if type(kind) is not str or (index is not None and type(index) is not int):
        raise refuse("device takes a text and an index")
    return pytensor.device(kind) if index is None else pytensor.device(kind, index)


def _tensor_of_class(make: Any, kind: Any, arguments: Any, state: Any) -> Any:
    if make not in _TENSOR_MAKERS or type(arguments) is not tuple:
        raise refuse("_rebuild_from_type_v2 takes one of the functions that rebuild tensors")
    known = any(kind is k for k in (pytensor.Tensor, Parameter, *_user_globals.values()))
    if not known or not isinstance(kind, type) or not issubclass(kind, pytensor.Tensor):
        raise refuse(f"_rebuild_from_type_v2 takes a subclass of Tensor that is allowed: {kind!r}")
    from pytensor._tensor import _rebuild_from_type_v2

    parts = state if type(state) is tuple else (state,)
    for part in parts:
        check_attributes(pytensor.Tensor, part or {})
    return _rebuild_from_type_v2(make, kind, arguments, state)


def _parameter_with_state(data: Any, requires_grad: Any, hooks: Any, state: Any) -> Any:
    check_attributes(Parameter, state)
    return _utils._rebuild_parameter_with_state(data, requires_grad, hooks, state)


def _parameter(data: Any, requires_grad: Any = True, hooks: Any = None) -> Any:
    if not isinstance(data, pytensor.Tensor):
        raise refuse("a parameter is made of a tensor")
    return _utils._rebuild_parameter(data, bool(requires_grad), hooks)


_TENSOR_MAKERS = (_utils._rebuild_tensor, _utils._rebuild_tensor_v2)
# Name in files: the object, and what is called in its place.
_CALLS: dict[str, tuple[Any, Callable[..., Any]]] = {
    "collections.OrderedDict": (OrderedDict, _ordered_dict),
    "collections.Counter": (Counter, _counter),
    "builtins.set": (set, _set),
    "builtins.frozenset": (frozenset, _frozenset),
    **{f"builtins.{kind.__name__}": (kind, _empty(kind)) for kind in (bytes, dict, list, tuple)},
    "builtins.bytearray": (bytearray, _bytearray),
    "builtins.complex": (complex, _complex),
    "_codecs.encode": (_encode, _encode),
    "torch.Size": (pytensor.Size, _size),
    "torch.device": (pytensor.device, _device),
    "torch.serialization._get_layout": (_get_layout, _get_layout),
    "torch._utils._rebuild_tensor": (_utils._rebuild_tensor, _utils._rebuild_tensor),
    "torch._utils._rebuild_tensor_v2": (_utils._rebuild_tensor_v2, _utils._rebuild_tensor_v2),
    "torch._utils._rebuild_parameter": (_utils._rebuild_parameter, _parameter),
    "torch._utils._rebuild_parameter_with_state": (
        _utils._rebuild_parameter_with_state,
        _parameter_with_state,
    ),
    "torch._tensor._rebuild_from_type_v2": (_tensor_of_class, _tensor_of_class),
    "torch.nn.parameter.Parameter": (Parameter, _parameter),
}
_VALUES: dict[str, Any] = {
    **_names.DTYPES,
    **_names.STORAGE_TYPES,
    "torch.Tensor": pytensor.Tensor,
    "torch.strided": pytensor.strided,
}


class Global:
    """A name in a pickle that may be called: `call` checks what it is given."""

    __slots__ = ("call", "name", "user", "value")

    def __init__(self, name: str, value: Any, call: Callable[..., Any], user: bool) -> None:
        self.name = name
        self.value = value  # what the name stands for where it is not called
        self.call = call
        self.user = user  # allowed by the program


_GLOBALS = {name: Global(name, *entry, False) for name, entry in _CALLS.items()}


def find(module: str, name: str) -> Any:
    """What a name in a pickle stands for.

    Raises:
        pickle.UnpicklingError: it is none of those that may be loaded.
    """
    full = _canonical(module, name)
    if full in _GLOBALS:
        return _GLOBALS[full]
    if full in _VALUES:
        return _VALUES[full]
    if full in _user_globals:
        return Global(full, _user_globals[full], _user_globals[full], True)
    if full in _names.FOREIGN:
        raise refuse(f"the file holds {full}, which pytensor does not have")
    raise refuse(
        f"the file asks for {full}, which is not among the classes and functions that may be "
        "loaded. If you trust where the file came from, either let this one be loaded, with "
        f"serialization.add_safe_globals([{name}]) or the context "
        f"serialization.safe_globals([{name}]), or load it with weights_only=False, which lets "
        "the file run any code."
    )


# --- checks ---------------------------------------------------------------------------------------

_ATOMS = (str, int, float, bool, bytes, complex, type(None))
_PLAIN = (pytensor.Size, pytensor.dtype, pytensor.device, frozenset, *_ATOMS)
_MAX_KEY = 10_000


def hashable(key: Any) -> Any:
    """`key`, if its hash is computed soon: a nested tuple can be exponentially large or deep."""
    if type(key) is not tuple:
        if type(key) in _PLAIN or isinstance(key, pytensor.Tensor) or is_user_object(key):
            return key
        raise refuse(f"{type(key).__name__} objects are not allowed as keys")
    level, count = [key], 0
    depth = 0
    while level:
        count += sum(map(len, level))
        depth += 1
        if count > _MAX_KEY or depth > 100:
            raise refuse("a key is a tuple of too many parts")
        for part in (p for t in level for p in t if type(p) is not tuple):
            hashable(part)
        level = [p for t in level for p in t if type(p) is tuple]
    return key


def is_user_object(value: Any) -> bool:
    """Whether the program allowed the class of an object."""
    return any(type(value) is allowed for allowed in _user_globals.values())


def check_attributes(kind: type, state: Any) -> None:
    """Refuses a state that is no dict of attributes, or that hides methods of the class."""
    if type(state) is not dict:
        raise refuse(f"the state of {kind.__name__} must be a dict, not {type(state).__name__}")
    for name in state:
        if type(name) is not str or not name.isidentifier() or hasattr(kind, name):
            raise refuse(f"the file sets {name!r} of {kind.__name__}")
