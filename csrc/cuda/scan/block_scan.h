// Running sums over the threads of a block.
#pragma once

#include "cuda/pt_cuda.h"

namespace pt::cuda {

// The sum of `v` over the threads before this one, and over all of them in `total`. All kThreads
// threads of a one-dimensional block must come here.
template <class T, int kThreads>
PT_DEVICE T block_exclusive_sum(T v, T* total) {
  PT_SHARED(T, warps, [32]);
  const int lane = static_cast<int>(threadIdx.x) & 31, warp = static_cast<int>(threadIdx.x) >> 5;
  T inclusive = v;
  PT_UNROLL
  for (int step = 1; step < 32; step *= 2) {
    const T other = __shfl_up_sync(kFullWarp, inclusive, step);
    if (lane >= step) inclusive += other;
  }
  __syncthreads();  // an earlier sum may still be read
  if (lane == 31) warps[warp] = inclusive;
  __syncthreads();
  T before = T(0), sum = T(0);
  PT_UNROLL
  for (int w = 0; w < kThreads / 32; ++w) {
    if (w < warp) before += warps[w];
    sum += warps[w];
  }
  *total = sum;
  return before + inclusive - v;
}

}  // namespace pt::cuda
