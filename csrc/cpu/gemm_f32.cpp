// Matrix product of float32: its micro-kernels and its instance of the driver.
#include "cpu/gemm/driver.h"

namespace pt::PT_ISA {
namespace gemm {

template <>
const KernelTable<float>& kernel_table<float>() {
  static constexpr KernelTable<float> table;
  return table;
}

}  // namespace gemm

// gemm_tiles.cpp: false where the machine has no unit for bfloat16, or none that is quicker.
bool gemm_units_f32(const GemmArgs& args);
bool gemm_parts_f32(const GemmArgs& args);

void gemm_f32(const GemmArgs& args) {
  constexpr int64_t kLarge = 64 * 64 * 64;
  if (args.rounding != Rounding::kNone && args.m * args.n * args.k * args.batch >= kLarge) {
    // Packing both parts of an operand pays if many rows of the other meet it.
    constexpr int64_t kFewRows = 16;
    if (args.rounding == Rounding::kBFloat16) {
      if (gemm_units_f32(args)) return;
    } else if (args.m >= kFewRows && args.n >= kFewRows && args.k >= 2 * kFewRows) {
      if (gemm_parts_f32(args)) return;
    }
  }
  gemm::run<float>(args);
}

}  // namespace pt::PT_ISA
