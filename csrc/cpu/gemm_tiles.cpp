// Matrix products on the bfloat16 units; other instruction sets have none, and say so.
#include "cpu/gemm/tile_driver.h"

namespace pt::PT_ISA {

#if defined(PT_ISA_IS_AVX512)
bool gemm_units_bf16(const GemmArgs& args) { return gemm::run_units<BFloat16>(args); }
bool gemm_units_f32(const GemmArgs& args) { return gemm::run_units<float>(args); }
bool gemm_parts_f32(const GemmArgs& args) { return gemm::run_units<float, 2>(args); }
#else
bool gemm_units_bf16(const GemmArgs&) { return false; }
bool gemm_units_f32(const GemmArgs&) { return false; }
bool gemm_parts_f32(const GemmArgs&) { return false; }
#endif

}  // namespace pt::PT_ISA
