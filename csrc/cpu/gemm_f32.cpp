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

void gemm_f32(const GemmArgs& args) { gemm::run<float>(args); }

}  // namespace pt::PT_ISA
