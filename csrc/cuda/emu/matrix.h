// The emulator's tensor cores: ldmatrix, and mma.sync of m16n8k16 and m16n8k8, for the kernels'
// sources (cuda/tensor_core.h) and for translated PTX (emu/ptx.h) alike.
//
// All lanes of a warp meet, each with a structure of its own registers; the last one to come does
// the work for all. Products of bfloat16, half and tf32 are exact in float; an element of the
// result is the sum of its products in order of k, in double, plus what was there, rounded to float
// once. Real tensor cores also add exact products of a few k at once, in an order that nobody
// promises.
#pragma once

#include "cuda/emu/cuda_runtime.h"

namespace pt::emu {

enum class MatrixKind : uint8_t { kLoad, kLoadTransposed, kBFloat16, kHalf, kTf32 };

// A lane's registers. Loads: `row` is the row that the lane reads for all, out[j] its part of
// matrix j. Products: out += a * b, with the registers in PTX's order.
struct MatrixStep {
  MatrixKind kind;
  uint32_t row[4];
  uint32_t a[4], b[2];
  union {
    uint32_t out[4];
    float sums[4];
  };
};

// cvt.rna.tf32.f32: ten bits of mantissa, ties away from zero, and one NaN.
inline uint32_t tf32_of(uint32_t bits) {
  if ((bits & 0x7fffffffu) > 0x7f800000u) return 0x7fffffffu;
  return (bits & 0x7f800000u) == 0x7f800000u ? bits : (bits + 0x1000u) & ~0x1fffu;
}

// `lanes` are the addresses of 32 structures (threads.cpp calls it when all have come).
void matrix_operation(const uint64_t* lanes);

// Meets the other lanes.
inline void matrix_step(MatrixStep& own, int line) {
  warp_operation(kMatrix, 0xffffffffu, reinterpret_cast<uintptr_t>(&own), 0, line);
}

}  // namespace pt::emu
