// Plain arguments of the matrix product kernels; the only thing op code and kernels share.
#pragma once

#include <cstdint>

namespace pt {

// What may become of the numbers of float32 operands where the processor has units for bfloat16:
// nothing; the sum of two bfloat16 numbers, with 16 or 17 of 24 bits; one. Devices round to tf32
// for either.
enum class Rounding : uint8_t { kNone, kTwoParts, kBFloat16 };

// For each batch: C[m,n] = clamp(scale * (alpha * A[m,k] @ B[k,n] + beta * C[m,n]) + bias +
// residual, least, most). Products of integers have no scale, residual and limits.
// Strides are in elements and may be any value (0 and negative included) for A and B.
// beta == 0 never reads C. k == 0 gives beta*C + bias.
struct GemmArgs {
  int64_t m = 0, n = 0, k = 0;
  const void* a = nullptr;
  int64_t a_row = 0, a_col = 0;
  const void* b = nullptr;
  int64_t b_row = 0, b_col = 0;
  void* c = nullptr;
  int64_t c_row = 0, c_col = 0;
  int64_t batch = 1, a_batch = 0, b_batch = 0, c_batch = 0;
  double alpha = 1, beta = 0;
  const void* bias = nullptr;          // same dtype as C, or null
  const void* scale = nullptr;         // the same, with the strides of bias
  int64_t bias_row = 0, bias_col = 0;  // strides of bias along m and n
  const void* residual = nullptr;      // laid out as C, or null
  double least = -__builtin_inf(), most = __builtin_inf();
  Rounding rounding = Rounding::kNone;
};

using GemmFn = void(const GemmArgs&);  // kernel table name: "gemm"

}  // namespace pt
