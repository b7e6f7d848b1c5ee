// Pointwise kernels: comparison, logic, bits, selection. Name: inputs. bool, uint8 and int8 share
// a 1-byte kernel where only bits or equality matter.
//   eq ne lt le gt ge: a, b -> bool          logical_and logical_or logical_xor: a, b -> bool
//   logical_not: x -> bool                   isnan isinf isfinite isposinf isneginf: x -> bool (float)
//   signbit: x -> bool                       bitwise_and bitwise_or bitwise_xor: a, b (integer, bool)
//   bitwise_not: x (integer, bool)           lshift rshift: a, b (integer)
//   where: bool condition, a, b              masked_fill: x, bool mask, value
#include "cpu/pointwise.h"
#include "ops/functors/compare.h"

namespace pt::PT_ISA {
namespace {

template <class F>
constexpr PointwiseEntry equality() {
  return kernel_with_bytes<2, F, float, double>();
}

// bool orders like uint8.
template <class F>
constexpr PointwiseEntry ordering() {
  PointwiseEntry entry = kernel<2, F, float, double, int32_t, int64_t, uint8_t, int8_t>();
  return entry.set(DType::kBool, entry.slot(DType::kUInt8));
}

// Bits of a bool other than the lowest stay 0.
constexpr PointwiseEntry bitwise_not_entry() {
  return kernel_with_bytes<1, BitwiseNot>().set(DType::kBool,
                                                kernel<1, LogicalNot, uint8_t>().slot(DType::kUInt8));
}

const KernelEntry kernels[] = {
    PT_POINTWISE("eq", equality<Eq>()),
    PT_POINTWISE("ne", equality<Ne>()),
    PT_POINTWISE("lt", ordering<Lt>()),
    PT_POINTWISE("le", ordering<Le>()),
    PT_POINTWISE("gt", ordering<Gt>()),
    PT_POINTWISE("ge", ordering<Ge>()),
    PT_POINTWISE("logical_and", equality<LogicalAnd>()),
    PT_POINTWISE("logical_or", equality<LogicalOr>()),
    PT_POINTWISE("logical_xor", equality<LogicalXor>()),
    PT_POINTWISE("logical_not", kernel_with_bytes<1, LogicalNot, float, double>()),
    PT_POINTWISE("bitwise_and", kernel_with_bytes<2, BitwiseAnd>()),
    PT_POINTWISE("bitwise_or", kernel_with_bytes<2, BitwiseOr>()),
    PT_POINTWISE("bitwise_xor", kernel_with_bytes<2, BitwiseXor>()),
    PT_POINTWISE("bitwise_not", bitwise_not_entry()),
    PT_POINTWISE("lshift", integer_kernel<2, Lshift>()),
    PT_POINTWISE("rshift", integer_kernel<2, Rshift>()),
    PT_POINTWISE("isnan", number_kernel<1, IsNan>()),
    PT_POINTWISE("isinf", number_kernel<1, IsInf>()),
    PT_POINTWISE("isfinite", number_kernel<1, IsFinite>()),
    PT_POINTWISE("isposinf", number_kernel<1, IsPosInf>()),
    PT_POINTWISE("isneginf", number_kernel<1, IsNegInf>()),
    PT_POINTWISE("signbit", number_kernel<1, SignBit>()),
    PT_POINTWISE("where", kernel_with_bytes<3, Where, float, double>()),
    PT_POINTWISE("masked_fill", kernel_with_bytes<3, MaskedFill, float, double>()),
};
PT_REGISTER_KERNELS(kernels)

}  // namespace
}  // namespace pt::PT_ISA
