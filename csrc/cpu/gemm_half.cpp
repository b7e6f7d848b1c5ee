// Matrix product of float16 and bfloat16: converted to float while packing, summed in float and
// rounded once at the end. The micro-kernels are those of gemm_f32.cpp.
#include "cpu/gemm/driver.h"

namespace pt::PT_ISA {

// gemm_tiles.cpp: false where the machine has no unit for bfloat16, or the product gains nothing.
bool gemm_units_bf16(const GemmArgs& args);

void gemm_f16(const GemmArgs& args) { gemm::run<Half>(args); }
void gemm_bf16(const GemmArgs& args) {
  if (!gemm_units_bf16(args)) gemm::run<BFloat16>(args);
}

}  // namespace pt::PT_ISA
