// The GEMM kernel called on tensors. Used by the matrix product ops.
#pragma once

#include "core/tensor.h"

namespace pt {

// out = alpha * a @ b + beta * out for matrices [m, k] and [k, n], or batches of them with an equal
// leading size. `bias` (optional) is added, broadcast along rows. Shapes must fit.
struct GemmScale {
  double alpha = 1;
  double beta = 0;
};
void gemm(const Tensor& out, const Tensor& a, const Tensor& b, const char* op, GemmScale scale = {},
          const Tensor& bias = {});

}  // namespace pt
