"""Instructions that move data: loads, stores, moves, addresses, calls, and between threads."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tools.ptx2cpp.types import BITS, cpp, listed, split

if TYPE_CHECKING:
    from tools.ptx2cpp.function import Function

Writer = Callable[["Function", list[str], list[str]], str | None]
SPACES = ("global", "shared", "local", "const", "param")


def space_of(parts: list[str]) -> str:
    """The state space that an instruction names, generic if none."""
    return next((p.split("::")[0] for p in parts if p.split("::")[0] in SPACES), "generic")


def load(f: Function, parts: list[str], operands: list[str]) -> str:
    t = parts[-1]
    targets = listed(operands[0])
    address = f.address(operands[1], space_of(parts))
    if len(targets) == 1:
        return f.put(targets[0], raw(t), f"load<{cpp(raw(t))}>({address})")
    puts = " ".join(f.put(d, raw(t), f"pack.v[{i}]") for i, d in enumerate(targets) if d != "_")
    return f"{{ const auto pack = load<Vector<{cpp(raw(t))}, {len(targets)}>>({address}); {puts} }}"


def store(f: Function, parts: list[str], operands: list[str]) -> str:
    t = raw(parts[-1])
    values = [f.value(v, t) for v in listed(operands[1])]
    address = f.address(operands[0], space_of(parts))
    if len(values) == 1:
        return f"store<{cpp(t)}>({address}, {values[0]});"
    vector = f"Vector<{cpp(t)}, {len(values)}>"
    return f"store<{vector}>({address}, {vector}{{{{{', '.join(values)}}}}});"


def raw(t: str) -> str:
    """The unsigned or signed type of the same size: what moves is bits."""
    return f"b{BITS[t]}" if t[0] in "fb" else t


def move(f: Function, parts: list[str], operands: list[str]) -> str:
    t, (target, source) = parts[-1], operands
    if target.startswith("{"):
        names = listed(target)
        width = BITS[t] // len(names)
        bits = f.value(source, raw(t))
        puts = " ".join(
            f.put(n, f"b{width}", f"bits >> {i * width}") for i, n in enumerate(names) if n != "_"
        )
        return f"{{ const auto bits = {bits}; {puts} }}"
    if source.startswith("{"):
        names = listed(source)
        width = BITS[t] // len(names)
        word = cpp(f"b{BITS[t]}")
        terms = [
            f"static_cast<{word}>(static_cast<{word}>({f.value(n, f'b{width}')}) << {i * width})"
            for i, n in enumerate(names)
        ]
        return f.put(target, raw(t), " | ".join(terms))
    kind = t if t == "pred" else raw(t)
    return f.put(target, kind, f.value(source, kind))


def convert_address(f: Function, parts: list[str], operands: list[str]) -> str:
    t = parts[-1]
    source = f.value(operands[1], t)
    if "shared" in [p.split("::")[0] for p in parts]:
        sign = "-" if "to" in parts else "+"
        source = f"{source} {sign} reinterpret_cast<uint64_t>(shared)"
    return f.put(operands[0], t, source)


def call(f: Function, parts: list[str], operands: list[str]) -> str | None:
    """``call (result), name, (arguments)``: everything travels in byte arrays."""
    names = [o for o in operands if not o.startswith("(")]
    lists = [split(o.strip("()")) for o in operands if o.startswith("(")]
    if len(names) != 1 or names[0] not in f.module.functions:
        return None
    arguments = [f"v_{a}" for group in lists for a in group]
    return f"f_{names[0]}({', '.join([*arguments, 'shared', 'dynamic_shared'])});"


def barrier(f: Function, parts: list[str], operands: list[str]) -> str | None:
    if "warp" in parts:
        return f"sync_warp({f.value(operands[0], 'u32')}, {f.line});"
    if "sync" in parts and len(operands) == 1:
        return f"emu::barrier(0, {f.line});"
    if "red" in parts:
        negated = operands[-1]
        count = f"emu::barrier({f.value(negated, 'pred')}, {f.line})"
        if "popc" in parts:
            return f.put(operands[0], "u32", count)
        if "or" in parts:
            return f.put(operands[0], "pred", f"{count} != 0")
    return None


def shuffle(f: Function, parts: list[str], operands: list[str]) -> str:
    target, *predicate = operands[0].split("|")
    inputs = [f.value(o, "u32") for o in operands[1:5]]
    found = f"shuffle_{parts[2]}({', '.join(inputs)}, {f.line})"
    text = f"const auto moved = {found}; {f.put(target, 'b32', 'moved.value')}"
    if predicate:
        text += f" {f.put(predicate[0], 'pred', 'moved.in_range')}"
    return f"{{ {text} }}"


def vote(f: Function, parts: list[str], operands: list[str]) -> str | None:
    mask = f.value(operands[2], "u32")
    if "ballot" in parts:
        return f.put(
            operands[0], "u32", f"ballot({mask}, {f.value(operands[1], 'pred')}, {f.line})"
        )
    if "any" in parts:
        return f.put(
            operands[0], "pred", f"ballot({mask}, {f.value(operands[1], 'pred')}, {f.line}) != 0"
        )
    if "all" in parts:
        return f.put(
            operands[0], "pred", f"ballot({mask}, !({f.value(operands[1], 'pred')}), {f.line}) == 0"
        )
    return None


ATOMICS = {
    "add": "atomicAdd", "min": "atomicMin", "max": "atomicMax", "exch": "atomicExch",
    "cas": "atomicCAS", "or": "atomicOr",
}  # fmt: skip


def atomic(f: Function, parts: list[str], operands: list[str]) -> str | None:
    t = parts[-1]
    kind = next((p for p in parts if p in ATOMICS), None)
    if kind is None or t in ("f16", "bf16", "f16x2", "bf16x2"):
        return None
    target, rest = (operands[0], operands[1:]) if parts[0] == "atom" else ("_", operands)
    where = f"pointer<{cpp(t)}>({f.address(rest[0], space_of(parts))})"
    values = ", ".join(f.value(v, t) for v in rest[1:])
    return f.put(target, t, f"{ATOMICS[kind]}({where}, {values})")


def asynchronous(f: Function, parts: list[str], operands: list[str]) -> str | None:
    if parts[1] != "async":
        return None
    if "commit_group" in parts:
        return "emu::async_commit();"
    if "wait_group" in parts:
        return f"emu::async_wait({operands[0]});"
    if "wait_all" in parts:
        return "emu::async_commit(); emu::async_wait(0);"
    if parts[2] not in ("ca", "cg"):
        return None
    to = f"pointer<void>({f.address(operands[0], 'shared')})"
    source = f"pointer<const void>({f.address(operands[1], 'global')})"
    valid = f.value(operands[3], "u32") if len(operands) > 3 else operands[2]
    return f"emu::async_copy({to}, {source}, {operands[2]}, static_cast<int>({valid}));"


MATRIX_KINDS = {
    ("m16n8k16", "bf16"): "kBFloat16", ("m16n8k16", "f16"): "kHalf", ("m16n8k8", "tf32"): "kTf32",
}  # fmt: skip


def load_matrices(f: Function, parts: list[str], operands: list[str]) -> str | None:
    """ldmatrix: all lanes meet, each with the row that it reads for the others."""
    if not {"sync", "m8n8", "b16"} <= set(parts) or space_of(parts) != "shared":
        return None
    targets = listed(operands[0])
    if f"x{len(targets)}" not in parts:
        return None
    kind = "kLoadTransposed" if "trans" in parts else "kLoad"
    address = f"pointer<const void>({f.address(operands[1], 'shared')})"
    step = f"const auto step = matrices_at(emu::MatrixKind::{kind}, {address}, {f.line});"
    puts = " ".join(f.put(t, "b32", f"step.out[{i}]") for i, t in enumerate(targets))
    return f"{{ {step} {puts} }}"


def multiply_matrices(f: Function, parts: list[str], operands: list[str]) -> str | None:
    """mma.sync of the shapes with sums in float that tensor_core.h has."""
    shape = next((p for p in parts if p.startswith("m16n8k")), "")
    types = [p for p in parts if p in BITS]
    if len(types) != 4 or types[0] != "f32" or types[3] != "f32" or types[1] != types[2]:
        return None
    kind = MATRIX_KINDS.get((shape, types[1]))
    if kind is None or "row" not in parts or "col" not in parts:
        return None
    results, a, b, c = (listed(o) for o in operands)
    fills = [
        *(f"step.a[{i}] = {f.value(v, 'b32')};" for i, v in enumerate(a)),
        *(f"step.b[{i}] = {f.value(v, 'b32')};" for i, v in enumerate(b)),
        *(f"step.sums[{i}] = {f.value(v, 'f32')};" for i, v in enumerate(c)),
    ]
    puts = " ".join(f.put(r, "f32", f"step.sums[{i}]") for i, r in enumerate(results))
    start = f"emu::MatrixStep step{{}}; step.kind = emu::MatrixKind::{kind};"
    return f"{{ {start} {' '.join(fills)} emu::matrix_step(step, {f.line}); {puts} }}"


def nothing(f: Function, parts: list[str], operands: list[str]) -> str:
    return ";"


TABLE: dict[str, Writer] = {
    "ld": load, "ldu": load, "st": store, "mov": move, "cvta": convert_address, "call": call,
    "bar": barrier, "barrier": barrier, "shfl": shuffle, "vote": vote, "atom": atomic,
    "red": atomic, "membar": nothing, "fence": nothing, "prefetch": nothing,
    "ret": lambda f, parts, operands: "return;",
    "exit": lambda f, parts, operands: "return;",
    "trap": lambda f, parts, operands: 'emu::report("trap"); return;',
    "cp": asynchronous, "ldmatrix": load_matrices, "mma": multiply_matrices,
}  # fmt: skip
