"""Writes the type stubs of the extension and of the package: ``python -m tools.make_stubs``.

pytensor/_C.pyi holds every op of the registry as a function and as a method of Tensor, with its
overloads, behind a hand-written part (tools/stub_head.pyi) for what is no op. pytensor/__init__.pyi
lists the names of the package. Both are committed; ``--check`` only says whether they are current.
"""

from __future__ import annotations

import argparse
import ast
import inspect
import keyword
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytensor

ROOT = Path(__file__).resolve().parents[1]
HEAD = ROOT / "tools" / "stub_head.pyi"
WIDTH = 100

TYPES = {
    "Tensor": "Tensor",
    "Tensor[]": "Sequence[Tensor]",
    "Scalar": "_Scalar",
    "int": "builtins.int",
    "float": "builtins.float",
    "bool": "builtins.bool",
    "int[]": "Sequence[builtins.int]",
    "float[]": "Sequence[builtins.float]",
    "str": "builtins.str",
    "ScalarType": "_DType",
    "Device": "_Device",
    "Layout": "_Layout",
    "MemoryFormat": "_MemoryFormat",
    "Generator": "Generator",
}
SCALAR_RETURNS = {
    "Scalar": "_Scalar",
    "int": "builtins.int",
    "float": "builtins.float",
    "bool": "builtins.bool",
    "()": "None",
}

WRITTEN = 'Written by tools/make_stubs.py; do not edit."""\n\n# ruff: noqa\n# fmt: off\n'

Entry = dict[str, Any]


def safe(name: str) -> str:
    return f"{name}_" if keyword.iskeyword(name) else name


def annotation(entry: Entry, param: Entry) -> str:
    text = TYPES[param["type"]]
    if param["type"] == "int[]" and param["list_size"]:
        text += " | builtins.int"
    if param["type"] == "Tensor" and entry["numbers"]:
        text += " | _Scalar"
    return f"{text} | None" if param["optional"] else text


def outputs(entry: Entry) -> list[tuple[str, str]]:
    """(type, name) of what the schema says is returned; names may be empty."""
    text = entry["schema"].split(") -> ", 1)[1]
    if text in SCALAR_RETURNS or text == "Tensor[]":
        return [(text, "")]
    items = [item.strip().partition(" ") for item in text.strip("()").split(",")]
    return [(kind, name) for kind, _, name in items]


def result_class(entry: Entry) -> str:
    return "_" + "_".join(name for _, name in outputs(entry))


def returns(entry: Entry) -> str:
    out = outputs(entry)
    if len(out) == 1:
        kind = out[0][0]
        if kind == "Tensor[]":
            return "builtins.tuple[Tensor, ...]"
        return SCALAR_RETURNS.get(kind, "Tensor")
    if out[0][1]:
        return result_class(entry)
    return f"builtins.tuple[{', '.join(['Tensor'] * len(out))}]"


def is_factory(entry: Entry) -> bool:
    return {"ScalarType", "Layout"} <= {p["type"] for p in entry["params"]}


def signatures(entry: Entry, method: bool) -> Iterator[str]:
    """The parameter lists of one op: sizes may also be given one by one."""
    params = list(entry["params"])
    lead = []
    if method:
        lead, params = ["self"], params[1:]
    first = params[0]["name"] if params else ""
    pieces: list[str] = []
    words: list[str] = []
    for p in params:
        name = "input" if p["name"] == "self" and not method else safe(p["name"])
        piece = f"{name}: {annotation(entry, p)}"
        if p["default"] is not None:
            piece += " = ..."
        (words if p["keyword_only"] else pieces).append(piece)
    if entry["has_out"]:
        several = len(outputs(entry)) > 1
        words.append(f"out: {'Sequence[Tensor]' if several else 'Tensor'} | None = ...")
    if is_factory(entry):
        words.append("requires_grad: builtins.bool = ...")
    yield ", ".join([*lead, *pieces, *(["*", *words] if words else [])])
    positional = [p for p in params if not p["keyword_only"]]
    start = 1 if positional and first == "self" else 0
    if len(positional) == start + 1 and positional[start]["type"] == "int[]":
        sizes = [*pieces[:start], f"*{safe(positional[start]['name'])}: builtins.int"]
        yield ", ".join([*lead, *sizes, *words])


def define(name: str, parameters: str, result: str, indent: str) -> str:
    line = f"{indent}def {name}({parameters}) -> {result}: ..."
    if len(line) <= WIDTH:
        return line
    inner = f"{indent}    {parameters}"
    if len(inner) <= WIDTH:
        return f"{indent}def {name}(\n{inner}\n{indent}) -> {result}: ..."
    items = "".join(f"{indent}    {item},\n" for item in split_items(parameters))
    return f"{indent}def {name}(\n{items}{indent}) -> {result}: ..."


def split_items(text: str) -> list[str]:
    """Cuts at the commas outside brackets."""
    items, depth, start = [], 0, 0
    for i, c in enumerate(text):
        depth += (c == "[") - (c == "]")
        if c == "," and depth == 0:
            items.append(text[start:i].strip())
            start = i + 1
    return [*items, text[start:].strip()]


def overloads(name: str, entries: Iterable[Entry], method: bool) -> str:
    seen: dict[str, str] = {}
    for entry in entries:
        for parameters in signatures(entry, method):
            seen.setdefault(parameters, returns(entry))
    indent = "    " if method else ""
    mark = f"{indent}@overload\n" if len(seen) > 1 else ""
    return "\n".join(mark + define(name, p, r, indent) for p, r in seen.items())


def by_name(flag: str, entries: list[Entry]) -> dict[str, list[Entry]]:
    found: dict[str, list[Entry]] = {}
    for e in entries:
        if e[flag] and not e["internal"]:
            found.setdefault(e["name"], []).append(e)
    return dict(sorted(found.items()))


def python_methods(known: set[str]) -> list[str]:
    """Methods that the package writes in Python and puts on the type."""
    lines = []
    for name, value in sorted(vars(pytensor.Tensor).items()):
        if not inspect.isfunction(value) or name in known or name.startswith("_"):
            continue
        params = list(inspect.signature(value).parameters.values())[1:]
        parts, keyword_only = ["self"], False
        for p in params:
            if p.kind is p.KEYWORD_ONLY and not keyword_only:
                parts.append("*")
                keyword_only = True
            keyword_only = keyword_only or p.kind is p.VAR_POSITIONAL
            star = "*" if p.kind is p.VAR_POSITIONAL else "**" if p.kind is p.VAR_KEYWORD else ""
            default = "" if star or p.default is p.empty else " = ..."
            parts.append(f"{star}{p.name}: Any{default}")
        result = "Tensor" if inspect.signature(value).return_annotation == "Tensor" else "Any"
        lines.append(define(name, ", ".join(parts), result, "    "))
    return lines


def head_names(text: str) -> tuple[set[str], set[str]]:
    """Names that the hand-written part defines: of the module, and of class Tensor."""
    module: set[str] = set()
    tensor: set[str] = set()
    for node in ast.parse(text).body:
        name = getattr(node, "name", None)
        if name is not None:
            module.add(name)
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            module.add(node.target.id)
        if isinstance(node, ast.ClassDef) and node.name == "Tensor":
            for item in node.body:
                if isinstance(item, ast.FunctionDef):
                    tensor.add(item.name)
                elif isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name):
                    tensor.add(item.target.id)
    return module, tensor


def result_classes(entries: list[Entry]) -> str:
    fields = {
        result_class(e): [name for _, name in outputs(e)]
        for e in entries
        if len(outputs(e)) > 1 and outputs(e)[0][1]
    }
    return "\n\n".join(
        f"class {name}(NamedTuple):\n" + "\n".join(f"    {f}: Tensor" for f in names)
        for name, names in sorted(fields.items())
    )


def extension_stub() -> str:
    entries = pytensor._C.describe_registry()
    head = HEAD.read_text()
    module_names, tensor_names = head_names(head)
    methods = by_name("method", entries)
    parts = [overloads(n, e, True) for n, e in methods.items() if n not in tensor_names]
    parts += python_methods(tensor_names | set(methods))
    body = head.replace("    # the methods of the registry follow here", "\n".join(parts))
    functions = by_name("function", entries)
    made = "\n".join(overloads(n, e, False) for n, e in functions.items() if n not in module_names)
    note = f'"""The extension. {WRITTEN}'
    return note + "\n\n".join([body.strip(), result_classes(entries), made]) + "\n"


def is_module(name: str) -> bool:
    package = ROOT / "pytensor"
    return any(p.stem.split(".")[0] == name for p in package.iterdir())


def package_stub() -> str:
    """The names of the package: what __init__.py imports and assigns, and the registry's ops."""
    source = (ROOT / "pytensor" / "__init__.py").read_text()
    lines = ["import builtins", "from typing import Any", ""]
    imported: dict[str, list[tuple[str, str]]] = {}
    known = {"builtins", "Any"}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("pytensor"):
            for a in node.names:
                if node.module == "pytensor" and not is_module(a.name):
                    continue
                imported.setdefault(str(node.module), []).append((a.name, a.asname or a.name))
    functions = pytensor._C.functions
    for name in sorted(functions):
        if getattr(pytensor, name, None) is functions[name] and not name.startswith("_"):
            imported["pytensor._C"].append((name, name))
    for name in pytensor.functional.__all__:
        imported.setdefault("pytensor.functional", []).append((name, name))
    for name in sorted(n for n in dir(pytensor) if n.endswith("Tensor")):
        imported["pytensor._C"].append((name, name))
    for module, names in sorted(imported.items()):
        items = []
        for name, alias in names:
            if alias not in known:
                items.append(f"{name} as {alias}")
                known.add(alias)
        if items:
            lines += [f"from {module} import (", *(f"    {i}," for i in sorted(items)), ")"]
    lines.append("")
    types = {"float": "builtins.float", "int": "builtins.int", "NoneType": "None"}
    for name, value in sorted(vars(pytensor).items()):
        if name.startswith("_") or name in known or inspect.ismodule(value):
            continue
        kind = type(value).__name__
        if kind in ("dtype", "Generator"):
            lines.append(f"{name}: _C.{kind}")
        elif kind in types:
            lines.append(f"{name}: {types[kind]}")
        else:
            lines.append(f"{name}: Any")
    note = f'"""The names of the package. {WRITTEN}'
    return note + "\n".join(lines) + "\n"


def stubs() -> dict[Path, str]:
    package = ROOT / "pytensor"
    return {package / "_C.pyi": extension_stub(), package / "__init__.pyi": package_stub()}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, compare")
    check = parser.parse_args(arguments).check
    stale = [path for path, text in stubs().items() if not is_current(path, text)]
    if check:
        for path in stale:
            print(f"{path.relative_to(ROOT)} is out of date: run python -m tools.make_stubs")
        return 1 if stale else 0
    for path in stale:
        path.write_text(stubs()[path])
        print(f"wrote {path.relative_to(ROOT)}")
    return 0


def is_current(path: Path, text: str) -> bool:
    return path.exists() and path.read_text() == text


if __name__ == "__main__":
    sys.exit(main())
