// How the operands of a product come to TensorCore's slices: 16 bytes at a time along the direction
// in which they lie, where that is aligned; else element by element.
#pragma once

#include "cuda/gemm/tensor_math.h"

namespace pt::cuda {

template <class T, int kTile, bool kAlongK, int kThreads>
struct TensorOperand {
  using Chunk = Pack<uint32_t, 4>;
  static constexpr int kPer = 16 / sizeof(T), kSlice = 4 * kPer;
  static constexpr int kAcross = kAlongK ? 4 : kTile / kPer;  // chunks of a line
  static constexpr int kLines = kAlongK ? kTile : kSlice;
  static constexpr int kStep = kThreads / kAcross, kChunks = kLines / kStep;

  const T* from;            // this thread's first chunk of the next slice
  int64_t element, step;    // to the next element of a chunk, to the next chunk
  int64_t ahead;            // to the next slice
  int line, chunk, inside;  // rows from this thread's first that exist
  bool packs;

  // Element (i, k) lies at data[i * step_i + k * step_k]; i < size.
  PT_DEVICE TensorOperand(const T* data, int64_t step_i, int64_t step_k, int64_t i0, int64_t size,
                          int64_t k0, bool in_packs)
      : packs(in_packs) {
    const int thread = static_cast<int>(threadIdx.x);
    line = thread / kAcross, chunk = thread % kAcross;
    const int i = kAlongK ? line : chunk * kPer, k = kAlongK ? chunk * kPer : line;
    inside = static_cast<int>(size - i0 < kTile ? size - i0 : kTile) - i;
    from = data + (i0 + i) * step_i + (k0 + k) * step_k;
    element = kAlongK ? step_k : step_i;
    step = kStep * (kAlongK ? step_i : step_k);
    ahead = kSlice * step_k;
  }

  // `left` of the slice's k exist.
  PT_DEVICE void fetch(Chunk* slot, int left) {
    const T* p = from;
    PT_UNROLL
    for (int e = 0; e < kChunks; ++e, p += step) {
      const int at = line + e * kStep;
      Chunk* to = slot + chunk_place<T, kTile, kAlongK>(at, chunk);
      int count = kAlongK ? left - chunk * kPer : inside;
      if (kAlongK ? e * kStep >= inside : at >= left) count = 0;
      count = count < 0 ? 0 : count < kPer ? count : kPer;
      if (packs) {
        async_copy<16>(to, p, count * static_cast<int>(sizeof(T)));
      } else if constexpr (sizeof(T) == 4) {
        T* elements = reinterpret_cast<T*>(to);
        PT_UNROLL
        for (int j = 0; j < kPer; ++j)
          async_copy<4>(elements + j, p + j * element, j < count ? 4 : 0);
      } else {
        Chunk own;
        PT_UNROLL
        for (int j = 0; j < kPer; j += 2) {
          const uint32_t low = j < count ? p[j * element].bits : 0;
          const uint32_t high = j + 1 < count ? p[(j + 1) * element].bits : 0;
          own.v[j / 2] = low | high << 16;
        }
        *to = own;
      }
    }
    from += ahead;
  }
};

}  // namespace pt::cuda
