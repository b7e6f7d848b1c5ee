// Matrix products by cuBLASLt, for gemm.cu.
#pragma once

#include "core/dtype.h"
#include "cpu/gemm_args.h"

namespace pt::cuda {

// Queues the product and returns true, if the library is there, wanted, and able to do it. False
// leaves it to the kernels here.
bool library_gemm(DType dtype, const GemmArgs& g);

}  // namespace pt::cuda
