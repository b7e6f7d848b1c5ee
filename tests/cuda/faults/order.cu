// Faults in the order of threads: barriers, shared memory used again, atomics, warps, copies in
// flight.
#include "harness.h"

namespace pt::faults {
namespace {

using Pack4 = cuda::Pack<float, 4>;

template <bool kFaulty>
__global__ void __launch_bounds__(256) barrier_missing_kernel(const float* x, float* y) {
  PT_SHARED(float, s, [kCount]);
  s[threadIdx.x] = x[threadIdx.x];
  if constexpr (!kFaulty) __syncthreads();
  y[threadIdx.x] = s[kCount - 1 - threadIdx.x];
}

// A block's sum whose shared array is written while the sum before is still read.
template <bool kFaulty>
PT_DEVICE float hasty_sum(float v) {
  PT_SHARED(float, partial, [32]);
  const auto add = [](float a, float b) { return a + b; };
  const unsigned warp = threadIdx.x / 32, lane = threadIdx.x % 32;
  v = cuda::warp_reduce(v, add);
  if constexpr (!kFaulty) __syncthreads();
  if (lane == 0) partial[warp] = v;
  __syncthreads();
  float sum = 0;
  for (unsigned w = 0; w < blockDim.x / 32; ++w) sum += partial[w];
  return sum;
}
template <bool kFaulty>
__global__ void __launch_bounds__(256) reuse_without_barrier_kernel(const float* x, float* y) {
  const float v = x[threadIdx.x];
  const float sum = hasty_sum<kFaulty>(v);
  y[threadIdx.x] = hasty_sum<kFaulty>(v / sum) + sum;
}

template <bool kFaulty>
__global__ void __launch_bounds__(256) barrier_diverges_kernel(const float* x, float* y) {
  PT_SHARED(float, s, [kCount]);
  s[threadIdx.x] = x[threadIdx.x];
  if (kFaulty && threadIdx.x < 128) {
    __syncthreads();
  } else {
    __syncthreads();
  }
  y[threadIdx.x] = s[kCount - 1 - threadIdx.x];
}

template <bool kFaulty>
__global__ void __launch_bounds__(256) barrier_of_half_kernel(const float* x, float* y) {
  PT_SHARED(float, s, [kCount]);
  s[threadIdx.x] = x[threadIdx.x];
  if (!kFaulty || threadIdx.x < 128) __syncthreads();
  y[threadIdx.x] = s[kCount - 1 - threadIdx.x];
}

template <bool kFaulty>
__global__ void __launch_bounds__(256) deadlock_kernel(const float* x, float* y) {
  if (kFaulty && threadIdx.x == 3) __syncthreads();
  __syncwarp();
  __syncthreads();
  y[threadIdx.x] = x[threadIdx.x];
}

template <bool kFaulty>
__global__ void __launch_bounds__(256) atomic_missing_kernel(const float* x, float* y) {
  const int bin = static_cast<int>(threadIdx.x) % 16;
  if (threadIdx.x < 16) y[threadIdx.x] = 0;
  __syncthreads();
  if constexpr (kFaulty) {
    y[bin] += x[threadIdx.x] > 2;
  } else {
    atomicAdd(&y[bin], static_cast<float>(x[threadIdx.x] > 2));
  }
}

template <bool kFaulty>
__global__ void __launch_bounds__(256) blocks_add_kernel(const float* x, float* y) {
  if (threadIdx.x != 0) return;
  if constexpr (kFaulty) {
    y[0] += x[blockIdx.x] > 2;
  } else {
    atomicAdd(&y[0], static_cast<float>(x[blockIdx.x] > 2));
  }
}

template <bool kFaulty>
__global__ void __launch_bounds__(256) blocks_talk_kernel(float* x, float* y) {
  if (blockIdx.x == 0) y[threadIdx.x] = 2;
  if (blockIdx.x == 1) x[threadIdx.x] = kFaulty ? y[threadIdx.x] : 2;
}

template <bool kFaulty>
__global__ void __launch_bounds__(256) neighbour_in_place_kernel(float* x, float* y) {
  const unsigned i = threadIdx.x;
  const float next = i + 1 < kCount ? x[i + 1] : 0;
  if constexpr (!kFaulty) __syncthreads();
  x[i] += next;
  y[i] = x[i];
}

template <bool kFaulty>
__global__ void __launch_bounds__(256) warp_barrier_missing_kernel(const float* x, float* y) {
  PT_SHARED(float, s, [kCount]);
  const unsigned i = threadIdx.x;
  s[i] = x[i];
  for (unsigned step = 16; step > 0; step /= 2) {
    if constexpr (!kFaulty) __syncwarp();
    if (i % 32 < step) s[i] += s[i + step];
  }
  y[i] = i % 32 == 0 ? s[i] : 0;
}

template <bool kFaulty>
__global__ void __launch_bounds__(256) shuffle_from_absent_kernel(const float* x, float* y) {
  const unsigned i = threadIdx.x;
  float v = x[i];
  if (kFaulty ? i % 32 < 20 : true) v += __shfl_xor_sync(kFaulty ? 0xfffffu : ~0u, v, 16);
  y[i] = v;
}

template <bool kFaulty>
__global__ void __launch_bounds__(256)
    shuffle_after_return_kernel(const float* x, float* y, int n) {
  const int i = static_cast<int>(threadIdx.x);
  if (kFaulty && i >= n) return;
  float v = i < n ? x[i] : 0;
  for (int step = 16; step > 0; step /= 2) v += __shfl_down_sync(~0u, v, step);
  if (i < n) y[i] = v;
}

template <bool kFaulty>
__global__ void __launch_bounds__(256) mask_lacks_caller_kernel(const float* x, float* y) {
  y[threadIdx.x] = __shfl_sync(kFaulty ? 0x7fffffffu : ~0u, x[threadIdx.x], 0);
}

template <bool kFaulty>
__global__ void __launch_bounds__(64) copy_not_awaited_kernel(const float* x, float* y) {
  PT_SHARED(Pack4, s, [64]);
  cuda::async_copy16(&s[threadIdx.x], x + threadIdx.x * 4, true);
  cuda::async_commit();
  if constexpr (!kFaulty) cuda::async_wait<0>();
  __syncthreads();
  for (int j = 0; j < 4; ++j) y[threadIdx.x * 4 + j] = s[63 - threadIdx.x].v[j];
}

// The last group but one is awaited, where the last one is needed.
template <bool kFaulty>
__global__ void __launch_bounds__(32) copy_group_miscounted_kernel(const float* x, float* y) {
  PT_SHARED(Pack4, s, [2][32]);
  for (int stage = 0; stage < 2; ++stage) {
    cuda::async_copy16(&s[stage][threadIdx.x], x + stage * 128 + threadIdx.x * 4, true);
    cuda::async_commit();
  }
  cuda::async_wait<kFaulty ? 1 : 0>();
  __syncthreads();
  for (int j = 0; j < 4; ++j)
    y[threadIdx.x * 4 + j] = s[0][31 - threadIdx.x].v[j] + s[1][31 - threadIdx.x].v[j];
}

#define PT_PLAIN(name, blocks, threads)                            \
  template <bool kFaulty>                                          \
  void name(float* x, float* y) {                                  \
    cudaMemsetAsync(y, 0, kCount * sizeof(float), nullptr);        \
    PT_LAUNCH((name##_kernel<kFaulty>), blocks, threads, 0, x, y); \
  }
PT_PLAIN(barrier_missing, 1, 256)
PT_PLAIN(reuse_without_barrier, 1, 256)
PT_PLAIN(barrier_diverges, 1, 256)
PT_PLAIN(barrier_of_half, 1, 256)
PT_PLAIN(deadlock, 1, 256)
PT_PLAIN(atomic_missing, 1, 256)
PT_PLAIN(blocks_add, 16, 32)
PT_PLAIN(blocks_talk, 2, 256)
PT_PLAIN(neighbour_in_place, 1, 256)
PT_PLAIN(warp_barrier_missing, 1, 256)
PT_PLAIN(shuffle_from_absent, 1, 256)
PT_PLAIN(mask_lacks_caller, 1, 256)
PT_PLAIN(copy_not_awaited, 1, 64)
PT_PLAIN(copy_group_miscounted, 1, 32)

template <bool kFaulty>
void shuffle_after_return(float* x, float* y) {
  cudaMemsetAsync(y, 0, kCount * sizeof(float), nullptr);
  PT_LAUNCH((shuffle_after_return_kernel<kFaulty>), 1, 256, 0, x, y, 250);
}

PT_FAULTS(PT_FAULT(barrier_missing), PT_FAULT(reuse_without_barrier), PT_FAULT(barrier_diverges),
          PT_FAULT(barrier_of_half), PT_FAULT(deadlock), PT_FAULT(atomic_missing),
          PT_FAULT(blocks_add), PT_FAULT(blocks_talk), PT_FAULT(neighbour_in_place),
          PT_FAULT(warp_barrier_missing), PT_FAULT(shuffle_from_absent),
          PT_FAULT(shuffle_after_return), PT_FAULT(mask_lacks_caller), PT_FAULT(copy_not_awaited),
          PT_FAULT(copy_group_miscounted))

}  // namespace
}  // namespace pt::faults
