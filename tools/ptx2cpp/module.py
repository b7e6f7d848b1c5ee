"""Reads a PTX file: its variables, functions and statements; writes the C++ file around them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from tools.ptx2cpp.types import BITS, cpp


class UnknownInstruction(Exception):
    """The file has an instruction or an operand that is not translated."""


@dataclass
class Parameter:
    """A parameter or the result of a function."""

    name: str
    size: int
    alignment: int


@dataclass
class Module:
    """What the functions of a file share."""

    shared: dict[str, tuple[int, int]] = field(default_factory=dict)  # name: alignment, bytes
    dynamic: set[str] = field(default_factory=set)
    tables: dict[str, str] = field(default_factory=dict)  # name: definition in C++
    functions: dict[str, list[Parameter]] = field(default_factory=dict)  # .func: its parameters
    used: set[str] = field(default_factory=set)  # opcodes, for reports


PARAMETER = re.compile(
    r"\.param\s+(?:\.align\s+(\d+)\s+)?\.(\w+)\s+"
    r"(?:\.ptr\s+(?:\.(?:global|shared|const|local)\s+)?(?:\.align\s+\d+\s+)?)?"
    r"([\w$]+)(?:\[(\d+)\])?"
)
VARIABLE = re.compile(
    r"^[ \t]*(?:\.(?:visible|weak)\s+)?\.(global|const|shared)\s+(?:\.attribute\([^)]*\)\s*)?"
    r"\.align\s+(\d+)\s+\.(\w+)\s+([\w$]+)(?:\[(\d*)\])?(?:\s*=\s*\{([^}]*)\}|\s*=\s*([^;{]*))?\s*;",
    re.M,
)
HEAD = re.compile(
    r"^[ \t]*(?:\.(?:visible|weak|extern)\s+)*\.(entry|func)\s+(?:\(([^)]*)\)\s*)?([\w$]+)\s*"
    r"(?:\(([^)]*)\))?([^{;]*)([{;])",
    re.M,
)
STATEMENT = re.compile(r"\s*[\w$]+:(?!:)|\s*[{}]|[^;{}]*?(?:\{[^{};]*\}[^;{}]*)*;")


def parameters(text: str | None) -> list[Parameter]:
    """The parameters in a list of them."""
    return [
        Parameter(m[3], BITS[m[2]] // 8 * int(m[4] or 1), int(m[1] or BITS[m[2]] // 8))
        for m in PARAMETER.finditer(text or "")
    ]


def body_end(text: str, start: int) -> int:
    """The place of the brace that closes the one before ``start``."""
    depth = 1
    for m in re.compile(r"[{}]").finditer(text, start):
        depth += 1 if m[0] == "{" else -1
        if depth == 0:
            return m.start()
    raise UnknownInstruction("a function has no end")


def statements(body: str) -> list[str]:
    """Labels ("name:"), braces, and instructions without their semicolon."""
    found = [" ".join(m[0].split()) for m in STATEMENT.finditer(body)]
    return [s.rstrip(";").strip() for s in found if s.rstrip(";").strip()]


def read_variables(text: str, module: Module) -> None:
    """Collect the variables outside of functions."""
    for m in VARIABLE.finditer(text):
        space, alignment, kind, name, count, values, single = m.groups()
        if space == "shared":
            module.shared[name] = (int(alignment), BITS[kind] // 8 * int(count or 1))
            continue
        if values is None and single is None and count == "":
            raise UnknownInstruction(f"variable {name} of unknown size")
        contents = values if values is not None else single or "0"
        contents = re.sub(r"\b0f([0-9a-fA-F]{8})", r"0x\1u", contents)
        contents = re.sub(r"\b0d([0-9a-fA-F]{16})", r"0x\1ull", contents)
        contents = re.sub(r"(?<=\d)U\b", "u", contents)
        kind = {"f32": "u32", "f64": "u64"}.get(kind, kind)
        module.tables[name] = (
            f"alignas({alignment}) static const {cpp(kind)} v_{name}[{count or 1}] = "
            f"{{{contents}}};"
        )


def translate(text: str, file: str) -> tuple[str, set[str]]:
    """Translate one PTX file.

    Args:
        text: what nvcc -ptx wrote.
        file: the name of the .cu file, under which its kernels are registered.

    Returns:
        The C++ source, and the names of the instructions in it.

    Raises:
        UnknownInstruction: the text has what is not translated.
    """
    from tools.ptx2cpp.function import Function

    text = re.sub(r"/\*.*?\*/|//[^\n]*", "", text, flags=re.S)
    module = Module()
    module.dynamic = set(re.findall(r"\.extern\s+\.shared[^;]*?([\w$]+)\[\];", text))
    heads = list(HEAD.finditer(text))
    outside, at = "", 0
    bodies: list[tuple[re.Match[str], str]] = []
    for m in heads:
        if m[1] == "func":
            module.functions[m[3]] = parameters(m[4])
        if m[6] == ";" or m.start() < at:
            continue
        end = body_end(text, m.end())
        outside += text[at : m.start()]
        bodies.append((m, text[m.end() : end]))
        at = end + 1
    read_variables(outside + text[at:], module)
    functions: list[str] = []
    heads_out: list[str] = []
    for m, body in bodies:
        function = Function(module, m[3], m[1] == "entry", parameters(m[4]), parameters(m[2]))
        functions.append(function.translate(statements(body), file))
        if m[1] == "func":
            heads_out.append(function.signature() + ";")
    parts = ['#include "cuda/emu/ptx.h"', "namespace {", *module.tables.values(), *heads_out]
    return "\n".join([*parts, *functions, "}  // namespace", ""]), module.used
