"""Writes one kernel or function of a PTX file as a C++ function."""

from __future__ import annotations

import re

from tools.ptx2cpp import instructions, memory
from tools.ptx2cpp.module import Module, Parameter, UnknownInstruction
from tools.ptx2cpp.types import BITS, cpp, is_float, split, stored

SPECIAL = {"%tid": "threadIdx", "%ntid": "blockDim", "%ctaid": "blockIdx", "%nctaid": "gridDim"}
ALONE = {
    "%laneid": "lane()",
    "%lanemask_lt": "((1u << lane()) - 1)",
    "%lanemask_le": "(~0u >> (31 - lane()))",
    "%lanemask_eq": "(1u << lane())",
    "%lanemask_gt": "(~1u << lane())",
    "%lanemask_ge": "(~0u << lane())",
}
SHARED = "shared"  # in the C++ text: where shared memory starts
REGISTERS = re.compile(r"\.reg \.(\w+) (.*)")
ARRAY = re.compile(r"\.(shared|local|param) (?:\.align (\d+) )?\.(\w+) ([\w$]+)(?:\[(\d+)\])?")
ADDRESS = re.compile(r"\[\s*([%\w$.]+)\s*(?:\+\s*(-?\w+))?\s*\]")


class Function:
    """One function under translation: its names, and where its variables lie."""

    def __init__(
        self,
        module: Module,
        name: str,
        is_kernel: bool,
        parameters: list[Parameter],
        results: list[Parameter],
    ) -> None:
        self.module = module
        self.name = name
        self.is_kernel = is_kernel
        self.parameters = parameters
        self.results = results
        self.shared: dict[str, int] = {}
        self.shared_bytes = 0
        self.memory: dict[str, str] = {}  # of a parameter, result or local array: its address
        self.line = 0
        self.targets: dict[str, list[str]] = {}  # of indexed branches

    # --- names ---------------------------------------------------------------------------------

    def register(self, name: str) -> str:
        """The variable of a register."""
        return "v_" + name.strip().lstrip("%")

    def symbol(self, name: str) -> str:
        """The address that a name stands for; of shared variables it counts from their start."""
        if name in self.module.shared and name not in self.shared:
            self.place_shared(name, *self.module.shared[name])
        if name in self.shared:
            return f"{self.shared[name]}u"
        if name in self.module.dynamic:
            return "dynamic_shared"
        if name in self.memory:
            return f"reinterpret_cast<uint64_t>({self.memory[name]})"
        if name in self.module.tables:
            return f"reinterpret_cast<uint64_t>(v_{name})"
        raise UnknownInstruction(f"unknown name {name} in {self.name}")

    def value(self, operand: str, t: str) -> str:
        """An operand as a C++ expression of type ``t``."""
        operand = operand.strip()
        if operand.startswith("!"):
            return f"!{self.value(operand[1:], t)}"
        if operand in ALONE:
            return f"static_cast<{cpp(t)}>({ALONE[operand]})"
        if operand.startswith("%") and operand.split(".")[0] in SPECIAL:
            place, axis = operand.split(".")
            return f"static_cast<{cpp(t)}>({SPECIAL[place]}.{axis})"
        if re.match(r"0[fF][0-9a-fA-F]{8}$", operand):
            bits = f"0x{operand[2:]}u"
            return f"as_float({bits})" if t == "f32" else bits
        if re.match(r"0[dD][0-9a-fA-F]{16}$", operand):
            bits = f"0x{operand[2:]}ull"
            return f"as_double({bits})" if t == "f64" else bits
        if re.match(r"-?\d", operand):
            number = operand.rstrip("U")
            suffix = "ull" if operand.endswith("U") or int(number, 0) > 2**63 - 1 else "ll"
            if int(number, 0) == -(2**63):
                return f"static_cast<{cpp(t)}>(INT64_MIN)"
            return f"static_cast<{cpp(t)}>({number}{suffix})"
        if not operand.startswith("%") and not self.is_register(operand):
            return f"static_cast<{cpp(t)}>({self.symbol(operand)})"
        name = self.register(operand)
        if is_float(t):
            return f"as_{cpp(t)}({name})"
        return name if t == "pred" else f"static_cast<{cpp(t)}>({name})"

    def is_register(self, name: str) -> bool:
        return name in self.named

    def put(self, target: str, t: str, expression: str) -> str:
        """A statement that assigns a value of type ``t`` to a register."""
        if target == "_":
            return f"static_cast<void>({expression});"
        if is_float(t):
            return f"{self.register(target)} = bits_of<{cpp(t)}>({expression});"
        return f"{self.register(target)} = static_cast<{cpp(t)}>({expression});"

    def address(self, operand: str, space: str) -> str:
        """The address in ``[register + 4]``, in the host's terms."""
        m = ADDRESS.fullmatch(operand.strip())
        if not m:
            raise UnknownInstruction(f"address {operand}")
        base, offset = m[1], int(m[2] or "0", 0)
        number = base.lstrip("-").isdigit()
        if base.startswith("%") or self.is_register(base) or number:
            start = f"{base}ull" if number else self.register(base)
        else:
            start = self.symbol(base)
        if space == "shared":
            return f"({SHARED} + static_cast<uint32_t>({start} + {offset}))"
        return f"(static_cast<uint64_t>({start}) + {offset}ll)"

    # --- variables -----------------------------------------------------------------------------

    def place_shared(self, name: str, alignment: int, size: int) -> None:
        """Give a shared variable its place, with a gap behind it that nothing may touch."""
        alignment = max(alignment, 16)
        self.shared_bytes = (self.shared_bytes + alignment - 1) // alignment * alignment
        self.shared[name] = self.shared_bytes
        self.shared_bytes += size

    def declare(self, statement: str) -> str:
        """A declaration in C++, or nothing for a directive that means nothing here."""
        if m := REGISTERS.match(statement):
            names: list[str] = []
            for part in m[2].split(","):
                part = part.strip()
                if n := re.match(r"(%?[\w$]+)<(\d+)>", part):
                    names += [f"{self.register(n[1])}{i}" for i in range(int(n[2]))]
                else:
                    self.named.add(part)
                    names.append(self.register(part))
            return f"{stored(m[1])} {', '.join(names)};" if names else ""
        if m := ARRAY.match(statement):
            space, alignment, kind, name, count = m.groups()
            size = BITS[kind] // 8 * int(count or 1)
            if space == "shared":
                self.place_shared(name, int(alignment or 1), size)
                return ""
            self.memory[name] = f"v_{name}"
            return f"alignas(16) unsigned char v_{name}[{size}];"
        if re.match(
            r"\.(pragma|loc|file|section|minnctapersm|maxntid|reqntid|callprototype)\b", statement
        ):
            return ""
        raise UnknownInstruction(f"directive {statement.split()[0]}")

    # --- the function --------------------------------------------------------------------------

    def signature(self) -> str:
        """The head of the C++ function."""
        if self.is_kernel:
            arguments = "const unsigned char* parameters, char* shared, uint32_t dynamic_shared"
            return f"void k_{self.name}({arguments})"
        bytes_ = [f"unsigned char* v_{p.name}" for p in (*self.results, *self.parameters)]
        return (
            f"void f_{self.name}({', '.join([*bytes_, 'char* shared', 'uint32_t dynamic_shared'])})"
        )

    def translate(self, lines: list[str], file: str) -> str:
        """The whole function, and for a kernel its registration."""
        self.named: set[str] = set()
        offset = 0
        for p in self.parameters:
            offset = (offset + p.alignment - 1) // p.alignment * p.alignment
            self.memory[p.name] = f"(parameters + {offset})" if self.is_kernel else f"v_{p.name}"
            offset += p.size
        for p in self.results:
            self.memory[p.name] = f"v_{p.name}"
        for i, line in enumerate(lines):
            if m := re.match(r"\.branchtargets (.*)", line):
                self.targets[lines[i - 1].rstrip(":")] = split(m[1])
        out: list[str] = []
        for i, line in enumerate(lines):
            self.line = i + 1
            out.append("  " + self.statement(line))
        unused = "(void)shared, (void)dynamic_shared;"
        carry = "[[maybe_unused]] uint64_t carry = 0;"
        text = [self.signature() + " {", f"  {unused} {carry}", *out, "}"]
        if self.is_kernel:
            size = (self.shared_bytes + 15) // 16 * 16
            arguments = f'"{file}", "{self.name}", k_{self.name}, {size}'
            text.append(f"const Registration r_{self.name}{{{arguments}}};")
        return "\n".join(line for line in text if line.strip())

    def statement(self, line: str) -> str:
        """One statement in C++."""
        if line in "{}":
            return line
        if line.endswith(":"):
            return f"{label(line[:-1])}:;"
        if line.startswith(".branchtargets"):
            return ""
        if line.startswith("."):
            return self.declare(line)
        guard = ""
        if m := re.match(r"@(!?)\s*(%?[\w$]+)\s+(.*)", line):
            guard = f"if ({m[1]}{self.register(m[2])}) "
            line = m[3]
        opcode, _, rest = line.partition(" ")
        self.module.used.add(opcode)
        text = self.instruction(opcode, split(rest))
        return f"{guard}{{ {text} }}" if guard else text

    def instruction(self, opcode: str, operands: list[str]) -> str:
        """One instruction in C++."""
        parts = opcode.split(".")
        if parts[0] == "bra":
            return f"goto {label(operands[0])};"
        if parts[0] == "brx":
            cases = "".join(
                f" case {i}: goto {label(t)};" for i, t in enumerate(self.targets[operands[1]])
            )
            return f"switch ({self.value(operands[0], 'u32')}) {{{cases} }}"
        for table in (memory.TABLE, instructions.TABLE):
            write = table.get(parts[0])
            text = write(self, parts, operands) if write else None
            if text is not None:
                return text
        raise UnknownInstruction(f"instruction {opcode} {', '.join(operands)} in {self.name}")


def label(name: str) -> str:
    """A label's name in C++."""
    return name.strip().replace("$", "")
