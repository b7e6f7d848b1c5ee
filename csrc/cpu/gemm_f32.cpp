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

// gemm_tiles.cpp: false where the machine has no unit for bfloat16.
bool gemm_units_f32(const GemmArgs& args);

void gemm_f32(const GemmArgs& args) {
  constexpr int64_t kLarge = 64 * 64 * 64;
  const bool units = args.reduced_precision && args.m * args.n * args.k * args.batch >= kLarge;
  if (!units || !gemm_units_f32(args)) gemm::run<float>(args);
}

}  // namespace pt::PT_ISA
