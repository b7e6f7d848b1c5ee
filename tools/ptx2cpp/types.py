"""PTX's types in C++, and the reading of operands. Used by the other files of this package."""

from __future__ import annotations

BITS = {
    "b8": 8, "u8": 8, "s8": 8, "b16": 16, "u16": 16, "s16": 16, "f16": 16, "bf16": 16,
    "b32": 32, "u32": 32, "s32": 32, "f32": 32, "f16x2": 32, "bf16x2": 32, "tf32": 32,
    "b64": 64, "u64": 64, "s64": 64, "f64": 64, "b128": 128, "pred": 1,
}  # fmt: skip


def cpp(t: str) -> str:
    """The C++ type in which values of the PTX type ``t`` are computed."""
    if t == "pred":
        return "bool"
    if t in ("f32", "f64"):
        return "float" if t == "f32" else "double"
    sign = "" if t.startswith("s") else "u"
    return f"{sign}int{BITS[t]}_t"


def stored(t: str) -> str:
    """The C++ type of a register of the PTX type ``t``: an unsigned integer, or bool."""
    return "bool" if t == "pred" else f"uint{BITS[t]}_t"


def is_float(t: str) -> bool:
    """Whether ``t`` is float or double (halves are kept as their bits)."""
    return t in ("f32", "f64")


def split(text: str) -> list[str]:
    """The operands of an instruction: commas inside of brackets do not count."""
    parts: list[str] = []
    depth = 0
    part = ""
    for letter in text:
        depth += (letter in "{[(") - (letter in "}])")
        if letter == "," and depth == 0:
            parts.append(part.strip())
            part = ""
        else:
            part += letter
    return [*parts, part.strip()] if part.strip() else parts


def listed(operand: str) -> list[str]:
    """The elements of ``{a, b}``, or the operand alone."""
    return [part.strip() for part in operand.strip("{}").split(",")]
