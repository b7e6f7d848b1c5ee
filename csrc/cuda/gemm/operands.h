// How the operands of a product come to Ffma's slices: 16 bytes at a time where they lie along the
// rows (of B: the columns) and are aligned, else element by element, whatever the strides are. All
// copies are asynchronous, those across k put each element into its place.
#pragma once

#include "cuda/pt_cuda.h"

namespace pt::cuda {

template <class T, int kTile, int kSlice, int kStride, int kThreads>
struct Operand {
  static constexpr int kPer = 16 / sizeof(T), kChunks = kTile / kPer;
  static constexpr int kPackDown = kThreads / kChunks, kPacks = kSlice / kPackDown;
  static constexpr int kSingles = kTile * kSlice / kThreads;

  const T* from;        // this thread's first element of the next slice
  int64_t step, ahead;  // to its next element, to the next slice
  int place, place_step;
  int k, k_step;            // of its elements in a slice
  int inside, inside_step;  // its rows are inside while this is positive; of packs: bytes
  bool packs;

  // Element (i, k) lies at data[i * step_i + k * step_k]; i < size.
  PT_DEVICE Operand(const T* data, int64_t step_i, int64_t step_k, int64_t i0, int64_t size,
                    int64_t k0, bool in_packs)
      : packs(in_packs) {
    const int thread = static_cast<int>(threadIdx.x);
    const int rest = static_cast<int>(size - i0 < kTile ? size - i0 : kTile);
    int i;
    if (packs) {
      i = thread % kChunks * kPer, k = thread / kChunks, k_step = kPackDown;
      const int left = rest - i;
      inside = (left < 0 ? 0 : left < kPer ? left : kPer) * static_cast<int>(sizeof(T));
      inside_step = 0;
    } else if (step_i == 1) {
      i = thread % kTile, k = thread / kTile, k_step = kThreads / kTile;
      inside = rest - i, inside_step = 0;
    } else {
      i = thread / kSlice, k = thread % kSlice, k_step = 0;
      inside = rest - i, inside_step = kThreads / kSlice;
    }
    place = k * kStride + i;
    place_step = k_step * kStride + inside_step;
    from = data + (i0 + i) * step_i + (k0 + k) * step_k;
    step = k_step * step_k + inside_step * step_i;
    ahead = kSlice * step_k;
  }

  // `left` of the slice's k exist.
  PT_DEVICE void fetch(T* slot, int left) {
    const int there = left - k;
    const T* p = from;
    if (packs) {
      PT_UNROLL
      for (int e = 0; e < kPacks; ++e, p += step)
        async_copy<16>(slot + place + e * (kPackDown * kStride), p,
                       e * kPackDown < there ? inside : 0);
    } else {
      PT_UNROLL
      for (int e = 0; e < kSingles; ++e, p += step)
        async_copy<sizeof(T)>(
            slot + place + e * place_step, p,
            e * k_step < there && e * inside_step < inside ? static_cast<int>(sizeof(T)) : 0);
    }
    from += ahead;
  }
};

}  // namespace pt::cuda
