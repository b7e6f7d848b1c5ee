// Products on the tensor cores, for gemm.cu.
#pragma once

#include "cpu/gemm_args.h"

namespace pt::cuda {

// T: Half, BFloat16, or float, whose operands are rounded to tf32. Sums are made in float.
template <class T>
void tensor_core_gemm(const GemmArgs& g);

}  // namespace pt::cuda
