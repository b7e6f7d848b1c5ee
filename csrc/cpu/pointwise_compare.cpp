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
#include "ops/functors/rows_compare.h"
};
PT_REGISTER_KERNELS(kernels)

}  // namespace
}  // namespace pt::PT_ISA
