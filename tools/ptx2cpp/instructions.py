"""Instructions that compute. Helpers they call are in csrc/cuda/emu/ptx.h."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.ptx2cpp.types import BITS, cpp, is_float

if TYPE_CHECKING:
    from tools.ptx2cpp.function import Function
    from tools.ptx2cpp.memory import Writer

ROUNDINGS = ("rz", "rm", "rp")
WHOLE = {"rni": "std::nearbyint", "rzi": "std::trunc", "rmi": "std::floor", "rpi": "std::ceil"}
COMPARE = {
    "eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">=",
    "lo": "<", "ls": "<=", "hi": ">", "hs": ">=",
}  # fmt: skip
OPPOSITE = {"eq": "!=", "ne": "==", "lt": ">=", "le": ">", "gt": "<=", "ge": "<"}


def unsigned(t: str) -> str:
    """Integers wrap: they are added and multiplied without a sign."""
    return f"u{BITS[t]}"


def rounding(parts: list[str]) -> str | None:
    """The rounding mode if it is another than to nearest."""
    return next((p for p in parts if p in ROUNDINGS), None)


def binary(sign: str) -> Writer:
    """add and sub."""

    def write(f: Function, parts: list[str], o: list[str]) -> str | None:
        t = parts[-1]
        if is_float(t):
            a, b = f.value(o[1], t), f.value(o[2], t)
            mode = rounding(parts)
            if mode:
                text = f"rounded_add<'{mode[1]}'>({a}, {'-' if sign == '-' else ''}{b})"
            else:
                text = f"{a} {sign} {b}"
            return f.put(o[0], t, f"saturated({text})" if "sat" in parts else text)
        if "f16" in t or "sat" in parts:
            return None
        u = unsigned(t)
        a, b = f.value(o[1], u), f.value(o[2], u)
        carried = "carry" if parts[0] in ("addc", "subc") else "0"
        if "cc" in parts or carried == "carry":
            word = "uint64_t" if BITS[t] == 32 else "unsigned __int128"
            total = f"const {word} total = static_cast<{word}>({a}) {sign} {b} {sign} {carried};"
            keep = (
                f"carry = static_cast<uint64_t>(total >> {BITS[t]}) & 1;" if "cc" in parts else ""
            )
            return f"{{ {total} {keep} {f.put(o[0], u, 'total')} }}"
        return f.put(o[0], u, f"{a} {sign} {b}")

    return write


def product(f: Function, parts: list[str], o: list[str], t: str) -> str:
    """The wide, high or low half of a product of integers, as an expression."""
    if "wide" in parts:
        w = t[0] + str(BITS[t] * 2)
        wide = (
            f"static_cast<{cpp(w)}>({f.value(o[1], t)}) * static_cast<{cpp(w)}>({f.value(o[2], t)})"
        )
        return wide
    if "hi" in parts:
        signed = "" if t[0] == "s" else "unsigned "
        word = f"{signed}__int128" if BITS[t] == 64 else cpp(f"{t[0]}64")
        a, b = f.value(o[1], t), f.value(o[2], t)
        wide = f"static_cast<{word}>({a}) * static_cast<{word}>({b})"
        return f"static_cast<{cpp(t)}>(({wide}) >> {BITS[t]})"
    word = "uint32_t" if BITS[t] == 16 else cpp(unsigned(t))
    a, b = f.value(o[1], unsigned(t)), f.value(o[2], unsigned(t))
    return f"static_cast<{cpp(unsigned(t))}>(static_cast<{word}>({a}) * static_cast<{word}>({b}))"


def multiply(f: Function, parts: list[str], o: list[str]) -> str | None:
    t = parts[-1]
    if is_float(t):
        a, b = f.value(o[1], t), f.value(o[2], t)
        mode = rounding(parts)
        text = f"rounded_multiply<'{mode[1]}'>({a}, {b})" if mode else f"{a} * {b}"
        return f.put(o[0], t, f"saturated({text})" if "sat" in parts else text)
    if "f16" in t:
        return None
    result = t[0] + str(BITS[t] * 2) if "wide" in parts else unsigned(t)
    return f.put(o[0], result, product(f, parts, o, t))


def multiply_add(f: Function, parts: list[str], o: list[str]) -> str | None:
    t = parts[-1]
    if is_float(t):
        return fused(f, parts, o)
    if "f16" in t or "sat" in parts:
        return None
    result = "u" + str(BITS[t] * 2) if "wide" in parts else unsigned(t)
    a, b = f"static_cast<{cpp(result)}>({product(f, parts, o, t)})", f.value(o[3], result)
    carried = "carry" if parts[0] == "madc" else "0"
    if "cc" in parts or carried == "carry":
        word = "uint64_t" if BITS[result] == 32 else "unsigned __int128"
        keep = (
            f"carry = static_cast<uint64_t>(total >> {BITS[result]}) & 1;" if "cc" in parts else ""
        )
        total = f"const {word} total = static_cast<{word}>({a}) + {b} + {carried};"
        return f"{{ {total} {keep} {f.put(o[0], result, 'total')} }}"
    return f.put(o[0], result, f"{a} + {b}")


def fused(f: Function, parts: list[str], o: list[str]) -> str | None:
    t = parts[-1]
    if not is_float(t):
        return None
    a, b, c = (f.value(x, t) for x in o[1:4])
    mode = rounding(parts)
    text = f"rounded_fma<'{mode[1]}'>({a}, {b}, {c})" if mode else f"std::fma({a}, {b}, {c})"
    return f.put(o[0], t, f"saturated({text})" if "sat" in parts else text)


def divide(f: Function, parts: list[str], o: list[str]) -> str | None:
    t = parts[-1]
    a, b = f.value(o[1], t), f.value(o[2], t)
    if is_float(t):
        return None if rounding(parts) else f.put(o[0], t, f"{a} / {b}")
    name = "quotient" if parts[0] == "div" else "remainder_of"
    return f.put(o[0], t, f"{name}<{cpp(t)}>({a}, {b})")


def extreme(f: Function, parts: list[str], o: list[str]) -> str | None:
    t = parts[-1]
    if "f16" in t or "xorsign" in parts:
        return None
    name = "smaller" if parts[0] == "min" else "larger"
    nan = "true" if "NaN" in parts else "false"
    text = f.value(o[1], t)
    for operand in o[2:]:
        text = f"{name}<{cpp(t)}, {nan}>({text}, {f.value(operand, t)})"
    return f.put(o[0], t, text)


def unary(template: str, floats: bool = True, integers: bool = True) -> Writer:
    """``template`` with {a} for the operand and {t} for its type in C++."""

    def write(f: Function, parts: list[str], o: list[str]) -> str | None:
        t = parts[-1]
        if "f16" in t or not (floats if is_float(t) else integers) or rounding(parts):
            return None
        return f.put(o[0], t, template.format(a=f.value(o[1], t), t=cpp(t)))

    return write


def negate(f: Function, parts: list[str], o: list[str]) -> str | None:
    t = parts[-1]
    if "f16" in t:
        return None
    if is_float(t):
        return f.put(o[0], t, f"-{f.value(o[1], t)}")
    return f.put(o[0], unsigned(t), f"0 - {f.value(o[1], unsigned(t))}")


def logic(sign: str) -> Writer:
    def write(f: Function, parts: list[str], o: list[str]) -> str:
        t = parts[-1]
        return f.put(o[0], t, f"{f.value(o[1], t)} {sign} {f.value(o[2], t)}")

    return write


def invert(f: Function, parts: list[str], o: list[str]) -> str:
    t = parts[-1]
    return f.put(o[0], t, ("!" if t == "pred" else "~") + f.value(o[1], t))


def shift(f: Function, parts: list[str], o: list[str]) -> str:
    t = parts[-1]
    name = "shift_left" if parts[0] == "shl" else "shift_right"
    return f.put(o[0], t, f"{name}<{cpp(t)}>({f.value(o[1], t)}, {f.value(o[2], 'u32')})")


def words(name: str, count: int, target: str = "u32") -> Writer:
    """A function of ``count`` operands of 32 bits."""

    def write(f: Function, parts: list[str], o: list[str]) -> str:
        inputs = ", ".join(f.value(x, "u32") for x in o[1 : count + 1])
        return f.put(o[0], target, f"{name}({inputs})")

    return write


def funnel(f: Function, parts: list[str], o: list[str]) -> str:
    inputs = ", ".join(f.value(x, "u32") for x in o[1:4])
    return f.put(o[0], "u32", f"funnel_{parts[1]}_{parts[2]}({inputs})")


def bits(name: str) -> Writer:
    """A function of one operand of the instruction's type with a result of 32 bits."""

    def write(f: Function, parts: list[str], o: list[str]) -> str:
        t = parts[-1]
        return f.put(o[0], "u32", f"{name}<{cpp(t)}>({f.value(o[1], t)})")

    return write


def field(f: Function, parts: list[str], o: list[str]) -> str:
    t = parts[-1]
    inputs = [f.value(x, t) for x in o[1:-2]] + [f.value(x, "u32") for x in o[-2:]]
    name = "extract_field" if parts[0] == "bfe" else "insert_field"
    return f.put(o[0], t, f"{name}<{cpp(t)}>({', '.join(inputs)})")


def reverse(f: Function, parts: list[str], o: list[str]) -> str:
    t = parts[-1]
    return f.put(o[0], t, f"reversed<{cpp(t)}>({f.value(o[1], t)})")


def select(f: Function, parts: list[str], o: list[str]) -> str:
    t = f"b{BITS[parts[-1]]}"
    condition = f.value(o[3], "pred")
    return f.put(o[0], t, f"{condition} ? {f.value(o[1], t)} : {f.value(o[2], t)}")


def compare(f: Function, parts: list[str], o: list[str]) -> str | None:
    t, how = parts[-1], parts[1]
    if "f16" in t:
        return None
    a, b = f.value(o[1], t), f.value(o[2], t)
    unordered = f"(std::isnan({a}) || std::isnan({b}))"
    if how in ("nan", "num"):
        text = unordered if how == "nan" else f"!{unordered}"
    elif is_float(t) and how == "ne":
        text = f"({a} < {b} || {a} > {b})"
    elif is_float(t) and how == "equ":
        text = f"!({a} < {b} || {a} > {b})"
    elif is_float(t) and how.endswith("u") and how[:-1] in OPPOSITE:
        text = f"!({a} {OPPOSITE[how[:-1]]} {b})"
    elif how in COMPARE:
        text = f"({a} {COMPARE[how]} {b})"
    else:
        return None
    targets = o[0].split("|")
    combined = {"and": "&", "or": "|", "xor": "^"}.get(parts[2])
    last = f.value(o[3], "pred") if combined else ""
    puts = []
    for target, result in zip(targets, (text, f"!{text}"), strict=False):
        puts.append(f.put(target, "pred", f"{result} {combined} {last}" if combined else result))
    return " ".join(puts)


def convert(f: Function, parts: list[str], o: list[str]) -> str | None:
    kinds = [p for p in parts if p in BITS]
    if len(kinds) != 2:
        return None
    to, source = kinds
    if to in ("f16x2", "bf16x2"):
        if source != "f32" or len(o) != 3 or "relu" in parts:
            return None
        half = "half_bits" if to == "f16x2" else "bfloat_bits"
        a, b = f.value(o[1], "f32"), f.value(o[2], "f32")
        return f.put(o[0], "u32", f"static_cast<uint32_t>({half}({a})) << 16 | {half}({b})")
    value = f.value(o[1], source)
    if source == "f16":
        value = f"half_value({value})"
    if source == "bf16":
        value = f"bfloat_value({value})"
    from_float = is_float(source) or source in ("f16", "bf16")
    to_float = is_float(to) or to in ("f16", "bf16", "tf32")
    whole = next((p for p in parts if p in WHOLE), None)
    if whole:
        value = f"{WHOLE[whole]}({value})"
    if from_float and not to_float:
        return f.put(o[0], to, f"to_integer<{cpp(to)}>({value})")
    if not from_float and not to_float:
        return f.put(o[0], to, f"clamped<{cpp(to)}>({value})" if "sat" in parts else value)
    mode = rounding(parts)
    if to == "f32":
        if mode:
            value = f"narrowed<'{mode[1]}'>({value})" if source == "f64" else ""
        value = f"static_cast<float>({value})" if value else ""
        if "sat" in parts and value:
            value = f"saturated({value})"
    elif to == "f64":
        value = "" if mode else f"static_cast<double>({value})"
    elif mode or source == "f64":
        value = ""
    elif to == "tf32":
        return f.put(o[0], "b32", f"tf32_bits({value})")
    else:
        name = "half_bits" if to == "f16" else "bfloat_bits"
        return f.put(o[0], "b16", f"{name}(static_cast<float>({value}))")
    return f.put(o[0], to, value) if value else None


def test(f: Function, parts: list[str], o: list[str]) -> str | None:
    names = {"infinite": "std::isinf", "finite": "std::isfinite", "notanumber": "std::isnan",
             "normal": "std::isnormal", "number": "!std::isnan"}  # fmt: skip
    name = names.get(parts[1])
    return f.put(o[0], "pred", f"{name}({f.value(o[1], parts[-1])})") if name else None


def copysign(f: Function, parts: list[str], o: list[str]) -> str:
    t = parts[-1]
    return f.put(o[0], t, f"std::copysign({f.value(o[2], t)}, {f.value(o[1], t)})")


def lookup(f: Function, parts: list[str], o: list[str]) -> str:
    inputs = ", ".join(f.value(x, "u32") for x in o[1:4])
    return f.put(o[0], "u32", f"lookup<{int(o[4].rstrip('U'), 0)}>({inputs})")


def dot_of_bytes(f: Function, parts: list[str], o: list[str]) -> str:
    first, second = ("int8_t" if p == "s32" else "uint8_t" for p in parts[1:3])
    inputs = ", ".join(f.value(x, "u32") for x in o[1:4])
    return f.put(o[0], "u32", f"dot_of_bytes<{first}, {second}>({inputs})")


TABLE: dict[str, Writer] = {
    "add": binary("+"), "sub": binary("-"), "addc": binary("+"), "subc": binary("-"),
    "mul": multiply, "mad": multiply_add, "madc": multiply_add, "fma": fused,
    "div": divide, "rem": divide, "min": extreme, "max": extreme, "neg": negate,
    "abs": unary("magnitude<{t}>({a})"),
    "and": logic("&"), "or": logic("|"), "xor": logic("^"), "not": invert,
    "cnot": unary("{a} == 0", floats=False), "shl": shift, "shr": shift, "shf": funnel,
    "selp": select, "setp": compare, "cvt": convert, "testp": test, "copysign": copysign,
    "ex2": unary("std::exp2({a})", integers=False), "lg2": unary("std::log2({a})", integers=False),
    "rcp": unary("1 / {a}", integers=False), "sqrt": unary("std::sqrt({a})", integers=False),
    "rsqrt": unary("1 / std::sqrt({a})", integers=False),
    "sin": unary("std::sin({a})", integers=False), "cos": unary("std::cos({a})", integers=False),
    "tanh": unary("std::tanh({a})", integers=False),
    "popc": bits("count_ones"), "clz": bits("leading_zeros"), "bfind": bits("highest_bit"),
    "brev": reverse, "bfe": field, "bfi": field, "prmt": words("permuted", 3), "lop3": lookup,
    "dp4a": dot_of_bytes,
}  # fmt: skip
