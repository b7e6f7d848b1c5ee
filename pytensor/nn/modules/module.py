"""``nn.Module``, the base of all layers and models: registered members, traversal and repr.

The calling of hooks, saving and conversions are in ``_hooks.py``, ``_state.py``, ``_convert.py``.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from pytensor import Tensor
from pytensor._settings import typename
from pytensor.nn.modules import _hooks
from pytensor.nn.modules._convert import Convert
from pytensor.nn.modules._hooks import (
    Hooks,
    register_module_backward_hook,
    register_module_buffer_registration_hook,
    register_module_forward_hook,
    register_module_forward_pre_hook,
    register_module_full_backward_hook,
    register_module_full_backward_pre_hook,
    register_module_module_registration_hook,
    register_module_parameter_registration_hook,
)
from pytensor.nn.modules._state import StateDict
from pytensor.nn.modules._table import TABLES, Table
from pytensor.nn.parameter import Buffer, Parameter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from typing_extensions import Self

__all__ = [
    "Module",
    "register_module_backward_hook",
    "register_module_buffer_registration_hook",
    "register_module_forward_hook",
    "register_module_forward_pre_hook",
    "register_module_full_backward_hook",
    "register_module_full_backward_pre_hook",
    "register_module_module_registration_hook",
    "register_module_parameter_registration_hook",
]

_HOOK_DICTS = (
    "_backward_pre_hooks",
    "_backward_hooks",
    "_forward_hooks",
    "_forward_hooks_with_kwargs",
    "_forward_hooks_always_called",
    "_forward_pre_hooks",
    "_forward_pre_hooks_with_kwargs",
    "_state_dict_hooks",
    "_state_dict_pre_hooks",
    "_load_state_dict_pre_hooks",
    "_load_state_dict_post_hooks",
)


def _forward_unimplemented(self: Any, *input: Any) -> None:
    """What the module computes; each subclass defines it."""
    raise NotImplementedError(
        f'Module [{type(self).__name__}] is missing the required "forward" function'
    )


class Module(Hooks, StateDict, Convert):
    """Base of all layers and models.

    A subclass calls ``super().__init__()``, assigns parameters and other modules to attributes,
    and defines ``forward``. What is assigned is found by ``parameters()``, ``state_dict()``,
    ``to()`` and so on.

    Example::

        >>> class Scale(pytensor.nn.Module):
        ...     def __init__(self):
        ...         super().__init__()
        ...         self.factor = pytensor.nn.Parameter(pytensor.tensor(3.0))
        ...     def forward(self, x):
        ...         return self.factor * x
        >>> Scale()(pytensor.ones(2))
        tensor([3., 3.], grad_fn=<MulBackward0>)
    """

    training: bool
    call_super_init: bool = False
    dump_patches: bool = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if not self.call_super_init and (args or kwargs):
            name = type(self).__name__
            if kwargs:
                raise TypeError(
                    f"{name}.__init__() got an unexpected keyword argument '{next(iter(kwargs))}'"
                )
            raise TypeError(
                f"{name}.__init__() takes 1 positional argument but {len(args) + 1} were given"
            )
        members = self.__dict__
        members["training"] = True
        for table in TABLES:
            members[table] = Table(self)
        members["_non_persistent_buffers_set"] = set()
        members["_is_full_backward_hook"] = None
        for hooks in _HOOK_DICTS:
            members[hooks] = OrderedDict()
        if self.call_super_init:
            super().__init__(*args, **kwargs)

    forward: Callable[..., Any] = _forward_unimplemented

    # -- registration ------------------------------------------------------------------------

    def _check_name(self, kind: str, name: Any, table: dict[str, Any]) -> None:
        if not isinstance(name, str):
            raise TypeError(f"{kind} name should be a string. Got {typename(name)}")
        # PyTorch looks for clashes of a child's name before its form, of others' after it.
        taken = name not in table and hasattr(self, name)
        if taken and kind == "module":
            raise KeyError(f"attribute '{name}' already exists")
        if "." in name:
            got = f", got: {name}" if kind == "module" else ""
            raise KeyError(f'{kind} name can\'t contain "."{got}')
        if name == "":
            raise KeyError(f'{kind} name can\'t be empty string ""')
        if taken:
            raise KeyError(f"attribute '{name}' already exists")

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Adds a parameter.

        Args:
            name: under which it becomes an attribute.
            param: the parameter, or None for one that is absent (not saved either).
        """
        if "_parameters" not in self.__dict__:
            raise AttributeError("cannot assign parameter before Module.__init__() call")
        self._check_name("parameter", name, self._parameters)
        if param is not None:
            if not isinstance(param, Parameter):
                raise TypeError(
                    f"cannot assign '{typename(param)}' object to parameter '{name}' "
                    "(torch.nn.Parameter or None required)"
                )
            if param.grad_fn is not None:
                raise ValueError(
                    f"Cannot assign non-leaf Tensor to parameter '{name}'. Model parameters must "
                    f"be created explicitly. To express '{name}' as a function of another "
                    "Tensor, compute the value in the forward() method."
                )
            param = _hooks.registered(_hooks._parameter_registration_hooks, self, name, param)
        self._parameters[name] = param

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Adds a tensor that is part of the state but no parameter, such as a running mean.

        Args:
            name: under which it becomes an attribute.
            tensor: the buffer, or None for one that is absent (not saved either).
            persistent: whether it is part of the ``state_dict``. Default: ``True``.
        """
        if "_buffers" not in self.__dict__:
            raise AttributeError("cannot assign buffer before Module.__init__() call")
        self._check_name("buffer", name, self._buffers)
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(
                f"cannot assign '{typename(tensor)}' object to buffer '{name}' "
                "(torch Tensor or None required)"
            )
        tensor = _hooks.registered(_hooks._buffer_registration_hooks, self, name, tensor)
        self._buffers[name] = tensor
        if persistent:
            self._non_persistent_buffers_set.discard(name)
        else:
            self._non_persistent_buffers_set.add(name)

    def add_module(self, name: str, module: Module | None) -> None:
        """Adds a child module.

        Args:
            name: under which it becomes an attribute.
            module: the child, or None for one that is absent.
        """
        if not isinstance(module, Module) and module is not None:
            raise TypeError(f"{typename(module)} is not a Module subclass")
        self._check_name("module", name, self._modules)
        self._modules[name] = _hooks.registered(
            _hooks._module_registration_hooks, self, name, module
        )

    def register_module(self, name: str, module: Module | None) -> None:
        """Same as ``add_module``."""
        self.add_module(name, module)

    def __setattr__(self, name: str, value: Any) -> None:
        members = self.__dict__
        parameters = members.get("_parameters")
        if isinstance(value, Parameter):
            if parameters is None:
                raise AttributeError("cannot assign parameters before Module.__init__() call")
            self._forget(name, keep="_parameters")
            self.register_parameter(name, value)
            return
        if isinstance(value, Module):
            if parameters is None:
                raise AttributeError("cannot assign module before Module.__init__() call")
            if name in parameters:
                raise _wrong_kind(value, "parameter", name, "torch.nn.Parameter or None")
            self._forget(name, keep="_modules")
            self._modules[name] = _hooks.registered(
                _hooks._module_registration_hooks, self, name, value
            )
            return
        if parameters is not None:
            if name in parameters:
                if value is not None:
                    raise _wrong_kind(value, "parameter", name, "torch.nn.Parameter or None")
                self.register_parameter(name, None)
                return
            if name in self._modules:
                if value is not None:
                    raise _wrong_kind(value, "child module", name, "torch.nn.Module or None")
                self._modules[name] = None
                return
            if name in self._buffers:
                if value is not None and not isinstance(value, Tensor):
                    raise _wrong_kind(
                        value, "buffer", name, "torch.nn.Buffer, torch.Tensor or None"
                    )
                kept = name not in self._non_persistent_buffers_set
                self._set_buffer(name, value, getattr(value, "persistent", kept))
                return
        if isinstance(value, Buffer):
            if parameters is not None:
                members.pop(name, None)
            self._set_buffer(name, value, value.persistent)
        elif name in TABLES:
            self._replace_table(name, value)
        else:
            object.__setattr__(self, name, value)

    def __getattr__(self, name: str) -> Any:
        # Members are ordinary attributes, which Python finds before it asks here. Programs and
        # subclasses call this by name, and type checkers learn from it that there are members.
        return object.__getattribute__(self, name)

    def _set_buffer(self, name: str, value: Any, persistent: bool) -> None:
        if type(self).register_buffer is Module.register_buffer or not persistent:
            self.register_buffer(name, value, persistent)
        else:  # an override need not know the argument
            self.register_buffer(name, value)

    def _forget(self, name: str, keep: str) -> None:
        for table in TABLES:
            if table != keep:
                self.__dict__[table].pop(name, None)
        if name not in self.__dict__[keep]:
            self.__dict__.pop(name, None)
        self._non_persistent_buffers_set.discard(name)

    def _replace_table(self, name: str, entries: Any) -> None:
        old = self.__dict__.get(name, {})
        for key in old:
            if self.__dict__.get(key) is old[key]:
                del self.__dict__[key]
        self.__dict__[name] = Table(self, entries)

    def __delattr__(self, name: str) -> None:
        for table in TABLES:
            if name in self.__dict__.get(table, ()):
                del self.__dict__[table][name]
                self._non_persistent_buffers_set.discard(name)
                return
        object.__delattr__(self, name)

    def __dir__(self) -> list[str]:
        names = {*dir(type(self)), *self.__dict__}
        return sorted(name for name in names if not name[0].isdigit())

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__.copy()

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        for table in TABLES:
            self.__dict__[table] = Table(self, self.__dict__.get(table, ()))
        for hooks in _HOOK_DICTS:
            self.__dict__.setdefault(hooks, OrderedDict())
        self.__dict__.setdefault("_non_persistent_buffers_set", set())
        self.__dict__.setdefault("_is_full_backward_hook", None)

    # -- traversal ---------------------------------------------------------------------------

    def _named_members(
        self,
        get_members_fn: Callable[[Any], Any],
        prefix: str = "",
        recurse: bool = True,
        remove_duplicate: bool = True,
    ) -> Iterator[tuple[str, Any]]:
        seen = set()
        modules = (
            self.named_modules(prefix=prefix, remove_duplicate=remove_duplicate)
            if recurse
            else [(prefix, self)]
        )
        for path, module in modules:
            before = path + "." if path else ""
            for name, value in get_members_fn(module):
                if value is None or id(value) in seen:
                    continue
                if remove_duplicate:
                    seen.add(id(value))
                yield before + name, value

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """The parameters, each once.

        Args:
            recurse: those of the modules below too. Default: ``True``.
        """
        for _, parameter in self.named_parameters(recurse=recurse):
            yield parameter

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """The parameters with their names.

        Args:
            prefix: put before every name. Default: ``""``.
            recurse: those of the modules below too. Default: ``True``.
            remove_duplicate: each once, under its first name. Default: ``True``.
        """
        yield from self._named_members(
            lambda module: module._parameters.items(), prefix, recurse, remove_duplicate
        )

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """The buffers, each once.

        Args:
            recurse: those of the modules below too. Default: ``True``.
        """
        for _, buffer in self.named_buffers(recurse=recurse):
            yield buffer

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """The buffers with their names; arguments as in ``named_parameters``."""
        yield from self._named_members(
            lambda module: module._buffers.items(), prefix, recurse, remove_duplicate
        )

    def children(self) -> Iterator[Module]:
        """The modules directly below this one, each once."""
        for _, module in self.named_children():
            yield module

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The modules directly below this one, with their names."""
        seen = set()
        for name, module in self._modules.items():
            if module is not None and module not in seen:
                seen.add(module)
                yield name, module

    def modules(self, remove_duplicate: bool = True) -> Iterator[Module]:
        """This module and all below it.

        Args:
            remove_duplicate: each once. Default: ``True``.
        """
        for _, module in self.named_modules(remove_duplicate=remove_duplicate):
            yield module

    def named_modules(
        self, memo: set[Module] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """This module (named ``prefix``) and all below it, with their paths.

        Args:
            memo: modules to leave out. Default: none.
            prefix: the path of this module. Default: ``""``.
            remove_duplicate: each once, under its first path. Default: ``True``.

        Example::

            >>> net = pytensor.nn.Sequential(pytensor.nn.ReLU())
            >>> [name for name, _ in net.named_modules()]
            ['', '0']
        """
        if memo is None:
            memo = set()
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self
        for name, module in self._modules.items():
            if module is not None:
                path = f"{prefix}.{name}" if prefix else name
                yield from module.named_modules(memo, path, remove_duplicate)

    def get_submodule(self, target: str) -> Module:
        """The module at a path such as ``"features.0"``; ``""`` is this one.

        Raises:
            AttributeError: there is nothing at the path, or it is no module.
        """
        module = self
        for name in target.split(".") if target else ():
            if not hasattr(module, name):
                raise AttributeError(f"{module._get_name()} has no attribute `{name}`")
            module = getattr(module, name)
            if not isinstance(module, Module):
                raise AttributeError(f"`{name}` is not an nn.Module")
        return module

    def set_submodule(self, target: str, module: Module, strict: bool = False) -> None:
        """Puts a module at a path.

        Args:
            target: the path; what is above it must exist.
            module: the new module.
            strict: whether something must have been there. Default: ``False``.
        """
        if target == "":
            raise ValueError("Cannot set the submodule without a target name!")
        path, _, name = target.rpartition(".")
        if not isinstance(module, Module):
            raise ValueError(f"`module` is not an nn.Module, found {type(module)}")
        parent = self.get_submodule(path)
        if strict and not hasattr(parent, name):
            raise AttributeError(f"{parent._get_name()} has no attribute `{name}`")
        if hasattr(parent, name) and not isinstance(getattr(parent, name), Module):
            raise AttributeError(f"`{name}` is not an nn.Module")
        setattr(parent, name, module)

    def get_parameter(self, target: str) -> Parameter:
        """The parameter at a path such as ``"features.0.weight"``."""
        return self._get_member(target, "_parameters", "nn.Parameter")

    def get_buffer(self, target: str) -> Tensor:
        """The buffer at a path such as ``"norm.running_mean"``."""
        return self._get_member(target, "_buffers", "buffer")

    def _get_member(self, target: str, table: str, kind: str) -> Any:
        path, _, name = target.rpartition(".")
        module = self.get_submodule(path)
        if not hasattr(module, name):
            raise AttributeError(f"{module._get_name()} has no attribute `{name}`")
        value = getattr(module, name)
        if table == "_buffers" and name not in module._buffers:
            raise AttributeError(f"`{name}` is not a buffer")
        if table == "_parameters" and not isinstance(value, Parameter):
            raise AttributeError(f"`{name}` is not an nn.Parameter")
        return value

    # -- mode and text -----------------------------------------------------------------------

    def train(self, mode: bool = True) -> Self:
        """Sets training mode, which dropout, batch norm and the like go by.

        Args:
            mode: ``False`` for evaluation mode. Default: ``True``.
        """
        if not isinstance(mode, bool):
            raise ValueError("training mode is expected to be boolean")
        self.training = mode
        for module in self.children():
            module.train(mode)
        return self

    def eval(self) -> Self:
        """Sets evaluation mode: ``train(False)``."""
        return self.train(False)

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Accepted for programs that compile: eager calls run the same kernels."""

    def _get_name(self) -> str:
        return type(self).__name__

    def extra_repr(self) -> str:
        """What ``repr`` shows between the brackets; layers override it."""
        return ""

    def __repr__(self) -> str:
        extra = self.extra_repr()
        lines = extra.split("\n") if extra else []
        single = len(lines) == 1 and not self._modules
        for name, module in self._modules.items():
            first, *rest = repr(module).split("\n")
            indented = ["  " + line if line.strip() else "" for line in rest]
            lines.append("\n".join([f"({name}): {first}", *indented]))
        if not lines:
            return self._get_name() + "()"
        if single:
            return f"{self._get_name()}({lines[0]})"
        return f"{self._get_name()}(\n  " + "\n  ".join(lines) + "\n)"

    def _replicate_for_data_parallel(self) -> Self:
        replica = type(self).__new__(type(self))
        replica.__setstate__(self.__dict__.copy())
        replica.__dict__["_is_replica"] = True
        return replica


def _wrong_kind(value: Any, kind: str, name: str, expected: str) -> TypeError:
    return TypeError(f"cannot assign '{typename(value)}' as {kind} '{name}' ({expected} expected)")
