// Tensor cores: the warp's matrix products of PTX (mma.sync, compute capability 8.0 and newer) and
// the loads that bring their operands into place. Used by gemm/ and conv/.
//
// All 32 lanes of a warp call these together. With g = lane / 4 and t = lane % 4, a lane holds of a
// 16 x K matrix A (elements of two bytes: K = 16, pairs of neighbours along k; of four: K = 8)
//
//   a[0] row g, a[1] row g + 8, both from k = t * pair; a[2], a[3] the same rows, K / 2 further
//   b[0] column g of B from k = t * pair, b[1] K / 2 further
//   sums[0], sums[1] row g, columns 2t and 2t + 1; sums[2], sums[3] row g + 8
#pragma once

#include "core/half.h"
#include "cuda/pt_cuda.h"

#ifdef PT_CUDA_EMULATION
#include "cuda/emu/matrix.h"
#endif

namespace pt::cuda {

#ifdef PT_CUDA_EMULATION

// Four matrices of 8 rows of 16 bytes: lanes 8j to 8j + 7 give the addresses of the rows of matrix
// j. out[j]: 4 bytes of row g from byte 4t, or, transposed, the elements of two bytes in rows 2t
// and 2t + 1 of column g.
template <bool kTransposed>
PT_DEVICE void load_matrices(uint32_t (&out)[4], const void* row, int line = __builtin_LINE()) {
  if (reinterpret_cast<uintptr_t>(row) % 16 != 0)
    emu::report("a row of a matrix is not aligned to 16 bytes (line %d)", line);
  emu::MatrixStep own{};
  own.kind = kTransposed ? emu::MatrixKind::kLoadTransposed : emu::MatrixKind::kLoad;
  const Pack<uint32_t, 4> v = *static_cast<const Pack<uint32_t, 4>*>(row);
  for (int i = 0; i < 4; ++i) own.row[i] = v.v[i];
  emu::matrix_step(own, line);
  for (int i = 0; i < 4; ++i) out[i] = own.out[i];
}

// sums += A * B. T: BFloat16, Half, or float for numbers that to_tf32 has rounded.
template <class T>
PT_DEVICE void tensor_core_multiply(float (&sums)[4], const uint32_t (&a)[4],
                                    const uint32_t (&b)[2], int line = __builtin_LINE()) {
  emu::MatrixStep own{};
  own.kind = std::is_same_v<T, BFloat16> ? emu::MatrixKind::kBFloat16
             : std::is_same_v<T, Half>   ? emu::MatrixKind::kHalf
                                         : emu::MatrixKind::kTf32;
  for (int i = 0; i < 4; ++i) own.a[i] = a[i], own.sums[i] = sums[i];
  for (int i = 0; i < 2; ++i) own.b[i] = b[i];
  emu::matrix_step(own, line);
  for (int i = 0; i < 4; ++i) sums[i] = own.sums[i];
}

// Ten bits of mantissa, ties away from zero.
PT_DEVICE uint32_t to_tf32(uint32_t bits) { return emu::tf32_of(bits); }

#else

template <bool kTransposed>
PT_DEVICE void load_matrices(uint32_t (&out)[4], const void* row) {
  const unsigned address = static_cast<unsigned>(__cvta_generic_to_shared(row));
  if constexpr (kTransposed) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];\n"
                 : "=r"(out[0]), "=r"(out[1]), "=r"(out[2]), "=r"(out[3])
                 : "r"(address)
                 : "memory");
  } else {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];\n"
                 : "=r"(out[0]), "=r"(out[1]), "=r"(out[2]), "=r"(out[3])
                 : "r"(address)
                 : "memory");
  }
}

#define PT_MULTIPLY(shape)                                                          \
  asm volatile("mma.sync.aligned." shape                                            \
               " {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};\n" \
               : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])         \
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]))
template <class T>
PT_DEVICE void tensor_core_multiply(float (&sums)[4], const uint32_t (&a)[4],
                                    const uint32_t (&b)[2]) {
  if constexpr (std::is_same_v<T, BFloat16>) {
    PT_MULTIPLY("m16n8k16.row.col.f32.bf16.bf16.f32");
  } else if constexpr (std::is_same_v<T, Half>) {
    PT_MULTIPLY("m16n8k16.row.col.f32.f16.f16.f32");
  } else {
    PT_MULTIPLY("m16n8k8.row.col.f32.tf32.tf32.f32");
  }
}
#undef PT_MULTIPLY

PT_DEVICE uint32_t to_tf32(uint32_t bits) {
  uint32_t rounded;
  asm("cvt.rna.tf32.f32 %0, %1;\n" : "=r"(rounded) : "f"(__uint_as_float(bits)));
  return rounded;
}

#endif

}  // namespace pt::cuda
