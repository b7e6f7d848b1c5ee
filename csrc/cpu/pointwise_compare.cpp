// Pointwise kernels: comparison, logic, bits, selection. Name: inputs. bool, uint8 and int8 share
// a 1-byte kernel where only bits or equality matter.
//   eq ne lt le gt ge: a, b -> bool          logical_and logical_or logical_xor: a, b -> bool
//   logical_not signbit: x -> bool           isnan isinf isfinite isposinf isneginf: x -> bool
//   bitwise_and bitwise_or bitwise_xor: a, b (integer, bool)
//   bitwise_not: x (integer, bool)           lshift rshift: a, b (integer)
//   where: bool condition, a, b              masked_fill: x, bool mask, value
#include "cpu/pointwise.h"
#include "ops/functors/compare.h"

namespace pt::PT_ISA {
namespace {

constinit const KernelEntry kernels[] = {
    PT_ANY_KERNEL("eq", 2, Eq),
    PT_ANY_KERNEL("ne", 2, Ne),
    PT_ORDER_KERNEL("lt", 2, Lt),
    PT_ORDER_KERNEL("le", 2, Le),
    PT_ORDER_KERNEL("gt", 2, Gt),
    PT_ORDER_KERNEL("ge", 2, Ge),
    PT_ANY_KERNEL("logical_and", 2, LogicalAnd),
    PT_ANY_KERNEL("logical_or", 2, LogicalOr),
    PT_ANY_KERNEL("logical_xor", 2, LogicalXor),
    PT_ANY_KERNEL("logical_not", 1, LogicalNot),
    PT_BITS_KERNEL("bitwise_and", 2, BitwiseAnd, BitwiseAnd),
    PT_BITS_KERNEL("bitwise_or", 2, BitwiseOr, BitwiseOr),
    PT_BITS_KERNEL("bitwise_xor", 2, BitwiseXor, BitwiseXor),
    PT_BITS_KERNEL("bitwise_not", 1, BitwiseNot, LogicalNot),
    PT_INTEGER_KERNEL("lshift", 2, Lshift),
    PT_INTEGER_KERNEL("rshift", 2, Rshift),
    PT_NUMBER_KERNEL("isnan", 1, IsNan),
    PT_NUMBER_KERNEL("isinf", 1, IsInf),
    PT_NUMBER_KERNEL("isfinite", 1, IsFinite),
    PT_NUMBER_KERNEL("isposinf", 1, IsPosInf),
    PT_NUMBER_KERNEL("isneginf", 1, IsNegInf),
    PT_NUMBER_KERNEL("signbit", 1, SignBit),
    PT_ANY_KERNEL("where", 3, Where),
    PT_ANY_KERNEL("masked_fill", 3, MaskedFill),
};
PT_REGISTER_KERNELS(kernels)

}  // namespace
}  // namespace pt::PT_ISA
