// Faults in the use of memory: bounds, fresh and freed memory, pointers to the host's, alignment,
// and numbers that overflow on the way to an index.
#include "harness.h"

namespace pt::faults {
namespace {

using cuda::Pack;

template <bool kFaulty>
__global__ void __launch_bounds__(256) read_past_end_kernel(const float* x, float* y, int n) {
  const int i = static_cast<int>(threadIdx.x);
  y[i] = x[i] + (kFaulty || i + 1 < n ? x[i + 1] : 0);
}

template <bool kFaulty>
__global__ void __launch_bounds__(256) write_past_end_kernel(const float* x, float* y, int n) {
  const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (kFaulty ? i <= n : i < n) y[i] = i < n ? x[i] : 0;
}

template <bool kFaulty>
__global__ void __launch_bounds__(256) read_past_shared_kernel(const float* x, float* y) {
  PT_SHARED(float, s, [32]);
  const unsigned i = threadIdx.x;
  if (i < 32) s[i] = x[i];
  __syncthreads();
  if (i < 32) y[i] = s[i] + (kFaulty || i < 31 ? s[i + 1] * 0 : 0);
}

template <bool kFaulty>
__global__ void __launch_bounds__(256) write_past_shared_kernel(const float* x, float* y) {
  PT_SHARED(float, s, [32]);
  PT_SHARED(float, u, [32]);
  const unsigned i = threadIdx.x;
  if (i < 32) u[i] = 0;
  __syncthreads();
  if (i < (kFaulty ? 33 : 32)) (&s[0])[i] = x[i];
  __syncthreads();
  if (i < 32) y[i] = s[i] + u[i];
}

template <bool kFaulty>
__global__ void __launch_bounds__(256) dynamic_shared_short_kernel(const float* x, float* y) {
  PT_DYNAMIC_SHARED(float, s);
  s[threadIdx.x] = x[threadIdx.x];
  __syncthreads();
  y[threadIdx.x] = s[kCount - 1 - threadIdx.x];
}

template <bool kFaulty>
__global__ void __launch_bounds__(256) fresh_shared_kernel(const float* x, float* y) {
  PT_SHARED(float, s, [kCount]);
  const unsigned i = threadIdx.x;
  if (!kFaulty || i < 200) s[i] = x[i];
  __syncthreads();
  y[i] = x[i] + (i >= 200 && s[i] > 1 ? 1 : 0);
}

template <bool kFaulty>
__global__ void __launch_bounds__(256) fresh_global_kernel(const float* x, float* y) {
  y[threadIdx.x] += x[threadIdx.x];
}

struct Holder {
  const float* from;
};
template <bool kFaulty>
__global__ void __launch_bounds__(256) from_struct_kernel(Holder h, float* y) {
  y[threadIdx.x] = h.from[threadIdx.x];
}
__global__ void __launch_bounds__(256) plain_kernel(const float* x, float* y) {
  y[threadIdx.x] = x[threadIdx.x];
}

template <bool kFaulty>
__global__ void __launch_bounds__(64) misaligned_pack_kernel(const float* x, float* y) {
  using From = std::conditional_t<kFaulty, Pack<float, 4>, Pack<float, 1>>;
  const From p = *reinterpret_cast<const From*>(x + 1 + threadIdx.x);
  for (const float v : p.v) y[threadIdx.x] = v;
}

template <bool kFaulty>
__global__ void __launch_bounds__(32) misaligned_copy_kernel(const float* x, float* y) {
  PT_SHARED(float, s, [kCount]);
  cuda::async_copy16(s + threadIdx.x * 4, x + (kFaulty ? 1 : 0) + threadIdx.x * 4, true);
  cuda::async_commit();
  cuda::async_wait<0>();
  __syncthreads();
  y[threadIdx.x] = s[threadIdx.x];
}

// Rows so far apart that the product has more than 31 bits; the wrapped index is inside all the
// same.
template <bool kFaulty>
__global__ void __launch_bounds__(256) index_overflow_kernel(const float* x, float* y, int step) {
  const int i = static_cast<int>(threadIdx.x);
  using Index = std::conditional_t<kFaulty, int, int64_t>;
  const auto at = static_cast<uint64_t>(static_cast<Index>(i) * step + i);
  y[i] = x[at % kCount];
}

template <bool kFaulty>
__global__ void __launch_bounds__(256) local_array_kernel(const float* x, float* y, int n) {
  float own[4] = {1, 2, 3, 4};
  const int i = static_cast<int>(threadIdx.x);
  own[i % n] += x[i];
  y[i] = own[i % (kFaulty ? n + 1 : n)];
}

template <bool kFaulty>
__global__ void __launch_bounds__(256) shift_too_far_kernel(const float* x, float* y, int bits) {
  const int i = static_cast<int>(threadIdx.x);
  using Wide = std::conditional_t<kFaulty, int, int64_t>;
  y[i] = x[i] + static_cast<float>(Wide{1} << (bits + i % 2));
}

#define PT_PLAIN(name, threads, ...)                                      \
  template <bool kFaulty>                                                 \
  void name(float* x, float* y) {                                         \
    cudaMemsetAsync(y, 0, kCount * sizeof(float), nullptr);               \
    PT_LAUNCH((name##_kernel<kFaulty>), 1, threads, 0, x, y __VA_ARGS__); \
  }
PT_PLAIN(read_past_shared, 256)
PT_PLAIN(write_past_shared, 256)
PT_PLAIN(fresh_shared, 256)
PT_PLAIN(misaligned_pack, 64)
PT_PLAIN(misaligned_copy, 32)
PT_PLAIN(index_overflow, 256, , 1 << 28)
PT_PLAIN(local_array, 256, , 4)
PT_PLAIN(shift_too_far, 256, , 31)

template <bool kFaulty>
void read_past_end(float* x, float* y) {
  PT_LAUNCH((read_past_end_kernel<kFaulty>), 1, 256, 0, x, y, kCount);
}
template <bool kFaulty>
void write_past_end(float* x, float* y) {
  PT_LAUNCH((write_past_end_kernel<kFaulty>), 2, 256, 0, x, y, kCount);
}
template <bool kFaulty>
void dynamic_shared_short(float* x, float* y) {
  PT_LAUNCH((dynamic_shared_short_kernel<kFaulty>), 1, 256, kCount * (kFaulty ? 2 : 4), x, y);
}
template <bool kFaulty>
void fresh_global(float* x, float* y) {
  if (!kFaulty) cudaMemsetAsync(y, 0, kCount * sizeof(float), nullptr);
  PT_LAUNCH((fresh_global_kernel<kFaulty>), 1, 256, 0, x, y);
}
template <bool kFaulty>
void host_pointer(float* x, float* y) {
  static float own[kCount] = {};
  PT_LAUNCH(plain_kernel, 1, 256, 0, kFaulty ? own : x, y);
  cudaDeviceSynchronize();
}
template <bool kFaulty>
void host_pointer_in_struct(float* x, float* y) {
  static float* own = new float[kCount]();
  PT_LAUNCH((from_struct_kernel<kFaulty>), 1, 256, 0, Holder{kFaulty ? own : x}, y);
  cudaDeviceSynchronize();
}
template <bool kFaulty>
void freed_memory(float* x, float* y) {
  void* p = nullptr;
  cudaMalloc(&p, kCount * sizeof(float));
  cudaMemcpyAsync(p, x, kCount * sizeof(float), cudaMemcpyDeviceToDevice, nullptr);
  if (kFaulty) cudaFree(p);
  PT_LAUNCH(plain_kernel, 1, 256, 0, static_cast<float*>(p), y);
  if (!kFaulty) cudaFree(p);
}
// The pointer hides in a struct, so that the launch does not see it.
template <bool kFaulty>
void freed_memory_in_struct(float* x, float* y) {
  void* p = nullptr;
  cudaMalloc(&p, kCount * sizeof(float));
  cudaMemcpyAsync(p, x, kCount * sizeof(float), cudaMemcpyDeviceToDevice, nullptr);
  if (kFaulty) cudaFree(p);
  PT_LAUNCH((from_struct_kernel<kFaulty>), 1, 256, 0, Holder{static_cast<float*>(p)}, y);
  if (!kFaulty) cudaFree(p);
}
template <bool kFaulty>
void host_reads_device(float* x, float* y) {
  float first = 0;
  if (kFaulty) {
    first = *static_cast<volatile float*>(x);
  } else {
    cudaMemcpyAsync(&first, x, sizeof first, cudaMemcpyDeviceToHost, nullptr);
  }
  cudaMemsetAsync(y, first > 1, kCount * sizeof(float), nullptr);
}

PT_FAULTS(PT_FAULT(read_past_end), PT_FAULT(write_past_end), PT_FAULT(read_past_shared),
          PT_FAULT(write_past_shared), PT_FAULT(dynamic_shared_short), PT_FAULT(fresh_shared),
          PT_FAULT(fresh_global), PT_FAULT(host_pointer), PT_FAULT(host_pointer_in_struct),
          PT_FAULT(freed_memory), PT_FAULT(freed_memory_in_struct), PT_FAULT(host_reads_device),
          PT_FAULT(misaligned_pack), PT_FAULT(misaligned_copy), PT_FAULT(index_overflow),
          PT_FAULT(local_array), PT_FAULT(shift_too_far))

}  // namespace
}  // namespace pt::faults
