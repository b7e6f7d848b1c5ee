"""Check that every file uses only the layers below it: ``python -m tools.check_layers [root]``.

The layers of csrc/, lowest first, are core, autograd's node files, op, ops, then the rest of
autograd and jit, and python on top. Kernel files (cpu/) stand apart: compiled once per
instruction set, they may see plain headers only, so that no shared inline function is compiled
with instructions that the running machine may lack. Each kernel is named by an op. In pytensor/,
the layers of the library (nn, optim, utils.data, vision) never touch the extension. Prints one line
per violation and exits with 1 if there is any.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

# Which layers the files of a layer may include. "plain" are the few headers of core/ that kernels
# see, "node" is the part of autograd/ below the ops, "portable" the part of cpu/ compiled once.
KERNEL_SIDE = {"plain", "functors", "kernel"}
BELOW_OP = {"plain", "core", "node"}
ALLOWED = {
    "plain": {"plain"},
    "functors": KERNEL_SIDE,
    "kernel": KERNEL_SIDE,
    "core": {"plain", "core"},
    "portable": KERNEL_SIDE | {"core", "portable"},
    "node": BELOW_OP,
    "op": BELOW_OP | KERNEL_SIDE | {"portable", "op"},
    "ops": BELOW_OP | KERNEL_SIDE | {"portable", "op", "ops"},
    "autograd": BELOW_OP | {"op", "ops", "autograd"},
    "jit": BELOW_OP | KERNEL_SIDE | {"op", "ops", "autograd", "jit"},
    "cuda": KERNEL_SIDE | {"cuda"},  # a library of its own: it meets the core in device_api.h alone
}

# Files of autograd/ that ops may record with; everything else there runs ops itself.
NODE_FILES = {"node.h", "node.cpp", "view_nodes.h", "grad_mode.h", "grad_mode.cpp"}
# Headers of core/ without inline code that could differ between instruction sets.
PLAIN_HEADERS = {
    "core/device_api.h", "core/dtype.h", "core/half.h", "core/on_device.h",
    "core/parallel.h",
}  # fmt: skip
# Standard headers full of inline functions, which a kernel file would compile with wide
# instructions under the name that portable code uses.
HEAVY_STANDARD = {
    "algorithm", "any", "array", "chrono", "deque", "functional", "iostream", "list", "map",
    "numeric", "ostream", "random", "regex", "set", "span", "sstream", "string", "thread",
    "unordered_map", "unordered_set", "variant", "vector",
}  # fmt: skip
PYTHON_HEADERS = re.compile(r"^(Python\.h|structmember\.h|datetime\.h|pybind11/|numpy/)")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)
# A row of a table of kernels: PT_FLOAT_KERNEL("name", ...), {"name", {...}}.
KERNEL_ROW = re.compile(r'(?:PT_\w*(?:KERNEL|REDUCTION)\(|^ *\{)"(\w+)",(?: *\{| )', re.MULTILINE)
# Parts of the Python package that only use tensors and functions.
ABOVE_EXTENSION = ("nn", "optim", "utils/data", "vision")


def layer_of(path: str) -> str | None:
    """Layer of a file named relative to csrc/, or None if it belongs to no known layer."""
    parts = PurePosixPath(path).parts
    if path in PLAIN_HEADERS:
        return "plain"
    if parts[0] == "cpu":
        return "portable" if parts[1] == "portable" else "kernel"
    if parts[:2] == ("cuda", "args"):
        return "kernel"
    if parts[:2] == ("ops", "functors"):
        return "functors"
    if parts[0] == "autograd":
        return "node" if parts[-1] in NODE_FILES else "autograd"
    return parts[0] if parts[0] in {*ALLOWED, "python"} else None


def check_includes(csrc: Path) -> Iterator[str]:
    """Yield a message for each include in csrc/ that crosses the layers."""
    for file in sorted(f for f in csrc.rglob("*") if f.suffix in {".cpp", ".cu", ".h"}):
        name = file.relative_to(csrc).as_posix()
        layer = layer_of(name)
        if layer is None:
            yield f"csrc/{name}: in no known layer"
            continue
        text = file.read_text()
        for match in INCLUDE.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            problem = include_problem(csrc, layer, match[1], match[2])
            if problem:
                yield f"csrc/{name}:{line}: {problem}"


def include_problem(csrc: Path, layer: str, quote: str, target: str) -> str | None:
    """Say what is wrong with one include, or None."""
    if PYTHON_HEADERS.match(target):
        return None if layer == "python" else f"only csrc/python may include <{target}>"
    if quote == "<":
        if layer in {"kernel", "functors"} and target in HEAVY_STANDARD:
            return f"a kernel file must not include <{target}>"
        return None
    if not (csrc / target).is_file():
        return f'"{target}" is no path relative to csrc/'
    if target.endswith(".cpp"):
        return f'"{target}" is a source file'
    other = layer_of(target)
    if layer == "python" or other in ALLOWED[layer]:
        return None
    return f'layer {layer} must not include "{target}" (layer {other})'


def check_kernels(csrc: Path) -> Iterator[str]:
    """Yield a message for each row of a kernels' table whose name no file above mentions."""
    mentioned: set[str] = set()
    rows: dict[str, str] = {}
    for file in sorted(f for f in csrc.rglob("*") if f.suffix in {".cpp", ".cu", ".h"}):
        name = file.relative_to(csrc).as_posix()
        text = file.read_text(encoding="utf-8")
        if layer_of(name) in {"kernel", "functors", "cuda"}:
            rows |= dict.fromkeys(KERNEL_ROW.findall(text), name)
        else:
            mentioned |= set(re.findall(r'"(\w+)"', text))
    for row in sorted(rows.keys() - mentioned):
        yield f'csrc/{rows[row]}: no op uses the kernel "{row}"'


def check_imports(package: Path) -> Iterator[str]:
    """Yield a message for each import of the extension from a layer above it."""
    files = [f for part in ABOVE_EXTENSION for f in sorted((package / part).rglob("*.py"))]
    for file in files + [package / f"{part}.py" for part in ABOVE_EXTENSION]:
        if not file.is_file():
            continue
        for node in ast.walk(ast.parse(file.read_text(), str(file))):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [f"{node.module or ''}.{alias.name}" for alias in node.names]
            else:
                continue
            if any("_C" in name.split(".") for name in names):
                where = file.relative_to(package.parent).as_posix()
                yield f"{where}:{node.lineno}: must not import the extension _C"


def check(root: Path) -> list[str]:
    """All violations below ``root``, the repository's top folder."""
    return [
        *check_includes(root / "csrc"),
        *check_kernels(root / "csrc"),
        *check_imports(root / "pytensor"),
    ]


def main(arguments: list[str]) -> int:
    root = Path(arguments[0]) if arguments else Path(__file__).parent.parent
    problems = check(root)
    for problem in problems:
        print(problem)
    print(f"layers: {len(problems)} violation(s)" if problems else "layers: in order")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
