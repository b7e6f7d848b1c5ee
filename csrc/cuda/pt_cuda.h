// The vocabulary of the kernels: the only place that knows whether CUDA's compiler or the emulator
// (emu/cuda_runtime.h) is at work. Rules for kernels are in README.md.
//
//   PT_LAUNCH(kernel, blocks, threads, shared_bytes, arguments...);   // on the current stream
//   PT_SHARED(float, tile, [32][33]);    PT_DYNAMIC_SHARED(float, row);
#pragma once

#include <cstdint>

#include "core/dtype.h"

// Loops whose length the compiler does not know are unrolled by four, which quadruples a kernel.
// PT_KEEP_LOOP leaves them as they are.
#define PT_PRAGMA(text) _Pragma(#text)
#define PT_KEEP_LOOP PT_UNROLL_BY(1)

#ifdef PT_CUDA_EMULATION
#include "cuda/emu/cuda_runtime.h"

#define PT_SHARED(T, name, dims)            \
  static ::pt::emu::SharedSite name##_site; \
  T(&name)                                  \
  dims = *reinterpret_cast<T(*) dims>(::pt::emu::shared_variable(name##_site, sizeof(T dims)))
#define PT_DYNAMIC_SHARED(T, name) T* name = reinterpret_cast<T*>(::pt::emu::dynamic_shared())
#define PT_UNROLL _Pragma("GCC unroll 16")
#define PT_UNROLL_BY(n) PT_PRAGMA(GCC unroll n)
#ifdef PT_EMU_CHECKED  // the compiler does not show stores of what a call returns
#define PT_DEVICE inline __attribute__((always_inline))
#else
#define PT_DEVICE inline
#endif
#define PT_DEVICE_CALL PT_DEVICE
#define PT_LAUNCH(kernel, blocks, threads, shared, ...)                        \
  ::pt::cuda::note(::pt::emu::launch(#kernel, kernel, blocks, threads, shared, \
                                     ::pt::cuda::current_stream(), __VA_ARGS__))

#else
#include <cuda_runtime.h>

#define PT_SHARED(T, name, dims) __shared__ T name dims
#define PT_DYNAMIC_SHARED(T, name)                                   \
  extern __shared__ __align__(16) unsigned char pt_dynamic_shared[]; \
  T* name = reinterpret_cast<T*>(pt_dynamic_shared)
#define PT_UNROLL _Pragma("unroll")
#define PT_UNROLL_BY(n) PT_PRAGMA(unroll n)
#define PT_DEVICE __device__ __forceinline__
#define PT_DEVICE_CALL __device__ __noinline__
#define PT_LAUNCH(kernel, blocks, threads, shared, ...)                                      \
  ::pt::cuda::launch(#kernel, kernel, blocks, threads, shared, ::pt::cuda::current_stream(), \
                     __VA_ARGS__)
#endif

namespace pt::cuda {

cudaStream_t current_stream();  // of the calling thread's device
// Remembers the first failure until take_error() reports it.
void note(cudaError_t status);
void note_launch(cudaError_t status, const char* kernel, dim3 blocks, dim3 threads, size_t shared);
// Threads for `work` items, `threads` to a block, in no more blocks than keep the device busy:
// kernels loop over the rest (grid-stride).
unsigned blocks_for(int64_t work, int threads);

#ifndef PT_CUDA_EMULATION
// Typed, so that a wrong argument does not compile.
template <class... P, class... A>
void launch(const char* name, void (*kernel)(P...), dim3 blocks, dim3 threads, size_t shared,
            cudaStream_t stream, A&&... arguments) {
  cudaLaunchConfig_t c{};
  c.gridDim = blocks;
  c.blockDim = threads;
  c.dynamicSmemBytes = shared;
  c.stream = stream;
  note_launch(cudaLaunchKernelEx(&c, kernel, static_cast<P>(arguments)...), name, blocks, threads,
              shared);
}
#endif

// kBytes (4, 8 or 16, to which both addresses are aligned) from global to shared memory without a
// register between: the first `valid` of them, and zeros behind. Without valid ones nothing is
// read, wherever `from` points. Copies are complete after async_wait<groups still out>() and a
// barrier.
#ifdef PT_CUDA_EMULATION
template <int kBytes>
PT_DEVICE void async_copy(void* to, const void* from, int valid) {
  emu::async_copy(to, from, kBytes, valid);
}
inline void async_commit() { emu::async_commit(); }
template <int kLeft>
void async_wait() {
  emu::async_wait(kLeft);
}
#else
template <int kBytes>
PT_DEVICE void async_copy(void* to, const void* from, int valid) {
  const unsigned address = static_cast<unsigned>(__cvta_generic_to_shared(to));
  if constexpr (kBytes == 16) {
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;\n" ::"r"(address), "l"(from),
                 "r"(valid));
  } else {
    asm volatile("cp.async.ca.shared.global [%0], [%1], %2, %3;\n" ::"r"(address), "l"(from),
                 "n"(kBytes), "r"(valid));
  }
}
PT_DEVICE void async_commit() { asm volatile("cp.async.commit_group;\n"); }
template <int kLeft>
PT_DEVICE void async_wait() {
  asm volatile("cp.async.wait_group %0;\n" ::"n"(kLeft) : "memory");
}
#endif
PT_DEVICE void async_copy16(void* to, const void* from, bool valid) {
  async_copy<16>(to, from, valid ? 16 : 0);
}

inline constexpr unsigned kFullWarp = 0xffffffffu;

// kWidth elements as one load or store of up to 16 bytes; the address must be aligned to it.
template <class T, int kWidth>
struct alignas(sizeof(T) * kWidth) Pack {
  T v[kWidth];
};

inline bool aligned(const void* p, size_t to) { return reinterpret_cast<uintptr_t>(p) % to == 0; }

// --- reductions of a warp and of a block ------------------------------------------------------

// `combine(a, b)` over all lanes; every lane gets the result. All 32 lanes must come here.
template <class T, class Combine>
PT_DEVICE T warp_reduce(T v, Combine combine) {
  PT_UNROLL
  for (int step = 16; step > 0; step >>= 1) {
    const T other = __shfl_xor_sync(kFullWarp, v, step);
    v = combine(v, other);
  }
  return v;
}

// Over all threads of a one-dimensional block of whole warps; every thread gets the result. The
// order is fixed, so that results are the same in every run. `none` is combine's neutral element.
template <class T, class Combine>
PT_DEVICE T block_reduce(T v, T none, Combine combine) {
  PT_SHARED(T, partial, [32]);
  const int warp = static_cast<int>(threadIdx.x) >> 5, lane = static_cast<int>(threadIdx.x) & 31;
  const int warps = static_cast<int>(blockDim.x) >> 5;
  v = warp_reduce(v, combine);
  __syncthreads();  // an earlier reduction may still be read
  if (lane == 0) partial[warp] = v;
  __syncthreads();
  return warp_reduce(lane < warps ? partial[lane] : none, combine);
}

}  // namespace pt::cuda
