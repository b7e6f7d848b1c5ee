// Plain arguments of the product of operands of two types; what op code and the kernel share.
#pragma once

#include "cpu/gemm_args.h"

namespace pt {

// C[m,n] = A[m,k] @ B[k,n] + bias: one product with sums of float32. Each of A, B and C is bfloat16
// if its flag is set and else float32; the bias, a number for each column, is float32. Columns of C
// and the bias lie side by side; batch, alpha, beta and what may follow the bias are unused.
struct MixedGemmArgs {
  GemmArgs product;
  bool half_a = false, half_b = false, half_c = false;
};

// False where the product is of a shape that has a better way, from copies of one type.
using MixedGemmFn = bool(const MixedGemmArgs&);  // kernel table name: "gemm_mixed"

}  // namespace pt
