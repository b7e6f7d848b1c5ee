// Matrix product of float64: its micro-kernels and its instance of the driver.
#include "cpu/gemm/driver.h"

namespace pt::PT_ISA {
namespace gemm {

template <>
const KernelTable<double>& kernel_table<double>() {
  static constexpr KernelTable<double> table;
  return table;
}

}  // namespace gemm

void gemm_f64(const GemmArgs& args) { gemm::run<double>(args); }

}  // namespace pt::PT_ISA
