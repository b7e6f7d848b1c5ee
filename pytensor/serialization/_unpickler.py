"""Reads pickles that are not trusted: an interpreter of its own for the data opcodes.

It makes plain containers, and calls what `_allowed.find` gives; Python's pickle is not involved.
Used by `load` when weights_only is true. Opcodes: Lib/pickletools.py describes them.
"""

from __future__ import annotations

import struct
from collections import Counter, OrderedDict
from collections.abc import Callable
from typing import Any

from pytensor.serialization import _allowed
from pytensor.serialization._allowed import Global, check_attributes, hashable, refuse

_DICTS = (dict, OrderedDict, Counter)
_ERRORS = (
    ArithmeticError, AttributeError, IndexError, LookupError, RecursionError, TypeError,
    UnicodeError, ValueError, struct.error,
)  # fmt: skip
_table: list[Callable[[Unpickler], None] | None] = [None] * 256
_Method = Callable[["Unpickler"], None]


def _opcode(code: bytes) -> Callable[[_Method], _Method]:
    def enter(method: _Method) -> _Method:
        _table[code[0]] = method
        return method

    return enter


class Unpickler:
    """Reads one object.

    Args:
        data: bytes or a mapped file that holds the pickle.
        persistent_load: gives the object for a persistent id.
        start: where the pickle begins.

    Raises:
        pickle.UnpicklingError: from `load`: the pickle is damaged, or asks for what is not
            allowed.
    """

    def __init__(self, data: Any, persistent_load: Callable[[Any], Any], start: int = 0) -> None:
        self._data = data
        self._at = start
        self._persistent_load = persistent_load
        self._stack: list[Any] = []
        self._marks: list[int] = []
        self._memo: dict[int, Any] = {}
        self._error_outside: BaseException | None = None
        self.end = start

    def load(self) -> Any:
        """The object; `end` is then where the pickle ended."""
        data, table = self._data, _table
        try:
            while True:
                code = data[self._at]
                self._at += 1
                if code == 0x2E:  # STOP
                    break
                method = table[code]
                if method is None:
                    raise refuse(
                        f"opcode {chr(code)!r} at byte {self._at - 1} is not one of those that "
                        "hold data. If you trust where the file came from, load it with "
                        "weights_only=False, which lets the file run any code."
                    )
                method(self)
            (result,) = self._stack
        except _ERRORS as error:
            if error is self._error_outside:
                raise
            if self._at >= len(data):
                raise refuse("the pickle is cut off") from error
            raise refuse(f"the pickle is damaged near byte {self._at}: {error}") from error
        self.end = self._at
        return _plain(result)

    def _call(self, function: Callable[..., Any], *arguments: Any, **keywords: Any) -> Any:
        """Calls what the program gave; its exceptions are passed on as they are."""
        try:
            return function(*arguments, **keywords)
        except Exception as error:
            self._error_outside = error
            raise

    # --- reading ------------------------------------------------------------------------------

    def _take(self, count: int) -> bytes:
        start = self._at
        self._at = end = start + count
        if count < 0 or end > len(self._data):
            raise IndexError("it ends too soon")
        return self._data[start:end]

    def _number(self, size: int) -> int:
        return int.from_bytes(self._take(size), "little")

    def _line(self) -> str:
        end = self._data.find(b"\n", self._at, self._at + 1000)
        if end < 0:
            raise IndexError("a name has no end")
        text = self._data[self._at : end].decode()
        self._at = end + 1
        return text

    def _pop_mark(self) -> list[Any]:
        start = self._marks.pop()
        items = self._stack[start:]
        if start > len(self._stack):
            raise IndexError("a mark is missing")
        del self._stack[start:]
        return items

    def _pop(self) -> Any:
        if self._marks and len(self._stack) <= self._marks[-1]:
            raise IndexError("a mark is in the way")
        return self._stack.pop()

    # --- constants ----------------------------------------------------------------------------

    @_opcode(b"\x80")
    def _proto(self) -> None:
        version = self._number(1)
        if version > 5:
            raise ValueError(f"unsupported pickle protocol: {version}")

    @_opcode(b"\x95")
    def _frame(self) -> None:
        self._take(8)

    @_opcode(b"N")
    def _none(self) -> None:
        self._stack.append(None)

    @_opcode(b"\x88")
    def _true(self) -> None:
        self._stack.append(True)

    @_opcode(b"\x89")
    def _false(self) -> None:
        self._stack.append(False)

    @_opcode(b"K")
    def _int1(self) -> None:
        self._stack.append(self._data[self._at])
        self._at += 1

    @_opcode(b"M")
    def _int2(self) -> None:
        self._stack.append(self._number(2))

    @_opcode(b"J")
    def _int4(self) -> None:
        self._stack.append(int.from_bytes(self._take(4), "little", signed=True))

    @_opcode(b"\x8a")
    def _long1(self) -> None:
        self._stack.append(int.from_bytes(self._take(self._number(1)), "little", signed=True))

    @_opcode(b"\x8b")
    def _long4(self) -> None:
        self._stack.append(int.from_bytes(self._take(self._number(4)), "little", signed=True))

    @_opcode(b"G")
    def _float(self) -> None:
        self._stack.append(struct.unpack(">d", self._take(8))[0])

    def _push_text(self, size: int) -> None:
        self._stack.append(str(self._take(self._number(size)), "utf-8", "surrogatepass"))

    def _push_bytes(self, size: int) -> None:
        self._stack.append(self._take(self._number(size)))

    @_opcode(b"X")
    def _text4(self) -> None:
        self._push_text(4)

    @_opcode(b"\x8c")
    def _text1(self) -> None:
        self._push_text(1)

    @_opcode(b"\x8d")
    def _text8(self) -> None:
        self._push_text(8)

    @_opcode(b"C")
    def _bytes1(self) -> None:
        self._push_bytes(1)

    @_opcode(b"B")
    def _bytes4(self) -> None:
        self._push_bytes(4)

    @_opcode(b"\x8e")
    def _bytes8(self) -> None:
        self._push_bytes(8)

    @_opcode(b"\x96")
    def _bytearray8(self) -> None:
        self._stack.append(bytearray(self._take(self._number(8))))

    # Texts of Python 2.
    @_opcode(b"U")
    def _string1(self) -> None:
        self._stack.append(self._take(self._number(1)).decode())

    @_opcode(b"T")
    def _string4(self) -> None:
        self._stack.append(self._take(self._number(4)).decode())

    # --- memo and stack -----------------------------------------------------------------------

    @_opcode(b"q")
    def _put1(self) -> None:
        self._memo[self._data[self._at]] = self._stack[-1]
        self._at += 1

    @_opcode(b"r")
    def _put4(self) -> None:
        self._memo[self._number(4)] = self._stack[-1]

    @_opcode(b"\x94")
    def _memoize(self) -> None:
        self._memo[len(self._memo)] = self._stack[-1]

    @_opcode(b"h")
    def _get1(self) -> None:
        self._stack.append(self._memo[self._data[self._at]])
        self._at += 1

    @_opcode(b"j")
    def _get4(self) -> None:
        self._stack.append(self._memo[self._number(4)])

    @_opcode(b"(")
    def _mark(self) -> None:
        self._marks.append(len(self._stack))

    @_opcode(b"0")
    def _drop(self) -> None:
        self._pop()

    @_opcode(b"1")
    def _drop_mark(self) -> None:
        self._pop_mark()

    @_opcode(b"2")
    def _dup(self) -> None:
        self._stack.append(self._stack[-1])

    # --- containers ---------------------------------------------------------------------------

    @_opcode(b")")
    def _tuple0(self) -> None:
        self._stack.append(())

    @_opcode(b"\x85")
    def _tuple1(self) -> None:
        self._stack.append((_plain(self._pop()),))

    @_opcode(b"\x86")
    def _tuple2(self) -> None:
        second = _plain(self._pop())
        self._stack.append((_plain(self._pop()), second))

    @_opcode(b"\x87")
    def _tuple3(self) -> None:
        third, second = _plain(self._pop()), _plain(self._pop())
        self._stack.append((_plain(self._pop()), second, third))

    @_opcode(b"t")
    def _tuple(self) -> None:
        self._stack.append(tuple(map(_plain, self._pop_mark())))

    @_opcode(b"]")
    def _list(self) -> None:
        self._stack.append([])

    @_opcode(b"l")
    def _list_of(self) -> None:
        self._stack.append(list(map(_plain, self._pop_mark())))

    @_opcode(b"}")
    def _dict(self) -> None:
        self._stack.append({})

    @_opcode(b"d")
    def _dict_of(self) -> None:
        made: dict[Any, Any] = {}
        _set_items(made, self._pop_mark())
        self._stack.append(made)

    @_opcode(b"\x8f")
    def _set(self) -> None:
        self._stack.append(set())

    @_opcode(b"\x91")
    def _frozenset(self) -> None:
        self._stack.append(frozenset(hashable(_plain(v)) for v in self._pop_mark()))

    @_opcode(b"a")
    def _append(self) -> None:
        value = self._pop()
        _append_all(self._stack[-1], [value])

    @_opcode(b"e")
    def _appends(self) -> None:
        values = self._pop_mark()
        _append_all(self._stack[-1], values)

    @_opcode(b"s")
    def _set_item(self) -> None:
        value = self._pop()
        key = self._pop()
        _set_items(self._stack[-1], [key, value])

    @_opcode(b"u")
    def _set_items(self) -> None:
        values = self._pop_mark()
        _set_items(self._stack[-1], values)

    @_opcode(b"\x90")
    def _add_items(self) -> None:
        values = [_plain(v) for v in self._pop_mark()]
        target = self._stack[-1]
        if type(target) is set:
            target.update(map(hashable, values))
        else:
            _user_object(target)
            for value in values:
                target.add(value)

    # --- names and objects --------------------------------------------------------------------

    @_opcode(b"c")
    def _global(self) -> None:
        module = self._line()
        self._stack.append(_allowed.find(module, self._line()))

    @_opcode(b"\x93")
    def _stack_global(self) -> None:
        name, module = self._pop(), self._pop()
        if type(name) is not str or type(module) is not str:
            raise TypeError("a name is no text")
        self._stack.append(_allowed.find(module, name))

    @_opcode(b"Q")
    def _persistent(self) -> None:
        pid = self._pop()
        self._stack.append(self._call(self._persistent_load, pid))

    @_opcode(b"R")
    def _reduce(self) -> None:
        arguments = self._pop()
        called = self._pop()
        if type(called) is not Global or type(arguments) is not tuple:
            raise refuse(f"{_name(called)} is no function or class that may be called")
        if called.user:
            self._stack.append(self._call(called.call, *arguments))
        else:
            self._stack.append(called.call(*arguments))

    @_opcode(b"\x81")
    def _new(self) -> None:
        arguments = self._pop()
        self._new_object(arguments, {})

    @_opcode(b"\x92")
    def _new_with_keywords(self) -> None:
        keywords, arguments = self._pop(), self._pop()
        self._new_object(arguments, keywords)

    def _new_object(self, arguments: Any, keywords: Any) -> None:
        kind = self._pop()
        if type(kind) is not Global or type(arguments) is not tuple or type(keywords) is not dict:
            raise refuse(f"{_name(kind)} is no class that objects may be made of")
        if kind.user:
            cls = kind.call
            if not isinstance(cls, type):
                raise refuse(f"{kind.name} is no class")
            self._stack.append(self._call(cls.__new__, cls, *arguments, **keywords))
        else:
            self._stack.append(kind.call(*arguments, **keywords))

    @_opcode(b"b")
    def _build(self) -> None:
        state = self._pop()
        target = self._stack[-1]
        if type(target) is OrderedDict:
            check_attributes(OrderedDict, state)
            target.__dict__.update(state)
            return
        _user_object(target)
        if hasattr(target, "__setstate__"):
            target.__setstate__(state)
            return
        slots: Any = {}
        if type(state) is tuple and len(state) == 2:
            state, slots = state
        for part in (state or {}, slots or {}):
            if type(part) is not dict or not all(type(name) is str for name in part):
                raise refuse(f"the state of {_name(target)} is no dict of attributes")
        if state:
            target.__dict__.update(state)
        for name, value in (slots or {}).items():
            setattr(target, name, value)


def _plain(value: Any) -> Any:
    """What programs get to see: for a name that may be called, the class or function itself."""
    return value.value if type(value) is Global else value


def _name(value: Any) -> str:
    return value.name if type(value) is Global else f"an object of class {type(value).__name__}"


def _user_object(value: Any) -> None:
    """Refuses objects of classes the program did not allow: their methods are not called."""
    if not _allowed.is_user_object(value):
        kind = type(value)
        raise refuse(
            f"objects of {kind.__module__}.{kind.__qualname__} may not be filled with data from "
            "the file. If you trust where it came from, allow the class with "
            f"serialization.add_safe_globals([{kind.__qualname__}])"
        )


def _append_all(target: Any, values: list[Any]) -> None:
    values = [_plain(v) for v in values]
    if type(target) is list:
        target.extend(values)
    else:
        _user_object(target)
        target.extend(values) if hasattr(target, "extend") else [target.append(v) for v in values]


def _set_items(target: Any, values: list[Any]) -> None:
    if type(target) not in _DICTS:
        _user_object(target)
    if len(values) % 2:
        raise IndexError("a key has no value")
    for key, value in zip(values[::2], values[1::2]):
        target[key if type(key) is str else hashable(_plain(key))] = _plain(value)


def globals_of(data: bytes) -> set[tuple[str, str]]:
    """Modules and names that a pickle asks for. Reads opcodes only; nothing is made."""
    import pickletools

    found: set[tuple[str, str]] = set()
    texts: list[str] = []
    memo: dict[Any, str] = {}
    for opcode, argument, _ in pickletools.genops(data):
        if opcode.name in ("GLOBAL", "INST"):
            module, _, name = str(argument).partition(" ")
            found.add((module, name))
        elif opcode.name == "STACK_GLOBAL" and len(texts) >= 2:
            found.add((texts[-2], texts[-1]))
        elif opcode.name == "MEMOIZE":
            memo[len(memo)] = texts[-1] if texts else ""
        elif opcode.name in ("BINGET", "LONG_BINGET"):
            texts.append(memo.get(argument, ""))
        elif isinstance(argument, str):
            texts.append(argument)
    return found
