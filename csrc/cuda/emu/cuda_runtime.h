// The part of CUDA that kernels here may use, played by the host: for tests on machines without a
// GPU. A build with PYTENSOR_CUDA=EMULATE compiles the .cu files with the C++ compiler against
// this header; see emu/threads.cpp and emu/runtime.cpp. Included by pt_cuda.h alone.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <tuple>
#include <type_traits>
#include <utility>

#define __host__
#define __device__
#ifdef PT_EMU_PTX
#define __global__ __attribute__((noinline, used))  // its symbol finds its PTX
#else
#define __global__ static
#endif
#define __forceinline__ inline __attribute__((always_inline))
#define __noinline__ __attribute__((noinline))
#define __launch_bounds__(...)

struct alignas(8) float2 {
  float x, y;
};
struct alignas(16) float4 {
  float x, y, z, w;
};
struct alignas(16) double2 {
  double x, y;
};
struct alignas(16) uint4 {
  unsigned x, y, z, w;
};
struct uint3 {
  unsigned x, y, z;
};
struct dim3 {
  unsigned x, y, z;
  dim3(unsigned a = 1, unsigned b = 1, unsigned c = 1) : x(a), y(b), z(c) {}
};

enum cudaError_t {
  cudaSuccess = 0,
  cudaErrorInvalidValue = 1,
  cudaErrorMemoryAllocation = 2,
  cudaErrorInvalidConfiguration = 9,
  cudaErrorInvalidDevice = 101,
  cudaErrorNotReady = 600,
  cudaErrorLaunchTimeout = 702,
  cudaErrorLaunchFailure = 719,
  cudaErrorStreamCaptureUnsupported = 900,
  cudaErrorStreamCaptureInvalidated = 901,
  cudaErrorStreamCaptureUnmatched = 903,
  cudaErrorStreamCaptureUnjoined = 904,
  cudaErrorStreamCaptureIsolation = 905,
  cudaErrorCapturedEvent = 907,
};
enum cudaStreamCaptureMode {
  cudaStreamCaptureModeGlobal,
  cudaStreamCaptureModeThreadLocal,
  cudaStreamCaptureModeRelaxed
};
enum cudaStreamCaptureStatus {
  cudaStreamCaptureStatusNone,
  cudaStreamCaptureStatusActive,
  cudaStreamCaptureStatusInvalidated
};
enum cudaMemcpyKind {
  cudaMemcpyHostToDevice = 1,
  cudaMemcpyDeviceToHost,
  cudaMemcpyDeviceToDevice
};

namespace pt::emu {

struct Stream;
struct Event;
struct Graph;
struct GraphExec;

// One GPU thread, while its block runs.
struct Thread {
  uint3 index;
  int linear, warp, lane;
  uint8_t state;
  void *stack_pointer, *stack;
  int line;    // of the barrier or warp operation it waits at
  int result;  // of a counting barrier
};
struct Block {
  uint3 index;
  dim3 threads, blocks;
};
extern Thread* current;  // null on the host
extern Block block;
extern uint64_t launches;

// Where a __shared__ variable lies in the running launch.
struct SharedSite {
  uint64_t launch = 0;
  size_t offset = 0;
};
void* shared_variable(SharedSite& site, size_t bytes);
void* dynamic_shared();

enum WarpOp { kWarpSync, kShuffle, kBallot, kMatrix };
int barrier(int predicate, int line);  // how many threads' predicates are nonzero
uint64_t warp_operation(WarpOp op, unsigned mask, uint64_t value, int source, int line);
void async_copy(void* to, const void* from, int bytes, int valid);
void async_commit();
void async_wait(int groups_left);

void run_grid(void (*kernel)(void*), void* context, size_t context_bytes, dim3 blocks, dim3 threads,
              size_t shared, const char* name);
void enqueue(Stream* stream, std::function<void()> work);
bool is_device_pointer(const void* p);
// A rule was broken: the text becomes the error of the launch.
void report(const char* format, ...) __attribute__((format(printf, 1, 2)));

template <class T>
void check_argument(const T& a, const char* kernel) {
  static_assert(std::is_trivially_copyable_v<T>, "kernel arguments are copied byte by byte");
  static_assert(sizeof(T) <= 4096);
  if constexpr (std::is_pointer_v<T>) {
    if (a && !is_device_pointer(a)) report("an argument of %s points to no device memory", kernel);
  }
}
template <class T>
uint64_t to_bits(T v) {
  static_assert(sizeof(T) <= 8);
  uint64_t u = 0;
  std::memcpy(&u, &v, sizeof v);
  return u;
}
template <class T>
T from_bits(uint64_t u) {
  T v;
  std::memcpy(&v, &u, sizeof v);
  return v;
}

}  // namespace pt::emu

using cudaStream_t = pt::emu::Stream*;
using cudaEvent_t = pt::emu::Event*;
using cudaGraph_t = pt::emu::Graph*;
using cudaGraphExec_t = pt::emu::GraphExec*;

#define threadIdx (::pt::emu::current->index)
#define blockIdx (::pt::emu::block.index)
#define blockDim (::pt::emu::block.threads)
#define gridDim (::pt::emu::block.blocks)

// The caller's line tells divergent barriers apart.
#define PT_EMU_LINE int line = __builtin_LINE()
inline void __syncthreads(PT_EMU_LINE) { pt::emu::barrier(0, line); }
inline int __syncthreads_count(int p, PT_EMU_LINE) { return pt::emu::barrier(p != 0, line); }
inline int __syncthreads_or(int p, PT_EMU_LINE) { return pt::emu::barrier(p != 0, line) != 0; }
inline void __syncwarp(unsigned mask = 0xffffffffu, PT_EMU_LINE) {
  pt::emu::warp_operation(pt::emu::kWarpSync, mask, 0, 0, line);
}
template <class T>
T __shfl_sync(unsigned mask, T v, int source, int = 32, PT_EMU_LINE) {
  return pt::emu::from_bits<T>(
      pt::emu::warp_operation(pt::emu::kShuffle, mask, pt::emu::to_bits(v), source & 31, line));
}
template <class T>
T __shfl_xor_sync(unsigned mask, T v, int x, int = 32, PT_EMU_LINE) {
  return pt::emu::from_bits<T>(pt::emu::warp_operation(pt::emu::kShuffle, mask, pt::emu::to_bits(v),
                                                       pt::emu::current->lane ^ x, line));
}
template <class T>
T __shfl_down_sync(unsigned mask, T v, int d, int = 32, PT_EMU_LINE) {
  const int lane = pt::emu::current->lane;
  return pt::emu::from_bits<T>(pt::emu::warp_operation(pt::emu::kShuffle, mask, pt::emu::to_bits(v),
                                                       lane + d < 32 ? lane + d : lane, line));
}
template <class T>
T __shfl_up_sync(unsigned mask, T v, int d, int = 32, PT_EMU_LINE) {
  const int lane = pt::emu::current->lane;
  return pt::emu::from_bits<T>(pt::emu::warp_operation(pt::emu::kShuffle, mask, pt::emu::to_bits(v),
                                                       lane >= d ? lane - d : lane, line));
}
inline unsigned __ballot_sync(unsigned mask, int p, PT_EMU_LINE) {
  return static_cast<unsigned>(pt::emu::warp_operation(pt::emu::kBallot, mask, p != 0, 0, line));
}
inline int __any_sync(unsigned mask, int p, PT_EMU_LINE) {
  return __ballot_sync(mask, p, line) != 0;
}
inline int __all_sync(unsigned mask, int p, PT_EMU_LINE) {
  return __ballot_sync(mask, !p, line) == 0;
}
#undef PT_EMU_LINE

// Threads take turns only where they wait, so that plain code is atomic. Checked builds are told.
#ifdef PT_EMU_CHECKED
namespace pt::emu::checks {
void atomic(const void* p, size_t bytes);
}
#define PT_EMU_ATOMIC \
  template <class T>  \
  __attribute__((no_sanitize("thread")))
#define PT_EMU_ATOMIC_AT(p) ::pt::emu::checks::atomic(p, sizeof *(p))
#else
#define PT_EMU_ATOMIC template <class T>
#define PT_EMU_ATOMIC_AT(p) static_cast<void>(0)
#endif
PT_EMU_ATOMIC T atomicAdd(T* p, std::type_identity_t<T> v) {
  PT_EMU_ATOMIC_AT(p);
  const T old = *p;
  *p = static_cast<T>(old + v);
  return old;
}
PT_EMU_ATOMIC T atomicMax(T* p, std::type_identity_t<T> v) {
  PT_EMU_ATOMIC_AT(p);
  const T old = *p;
  *p = old < v ? v : old;
  return old;
}
PT_EMU_ATOMIC T atomicMin(T* p, std::type_identity_t<T> v) {
  PT_EMU_ATOMIC_AT(p);
  const T old = *p;
  *p = v < old ? v : old;
  return old;
}
PT_EMU_ATOMIC T atomicOr(T* p, std::type_identity_t<T> v) {
  PT_EMU_ATOMIC_AT(p);
  const T old = *p;
  *p = old | v;
  return old;
}
PT_EMU_ATOMIC T atomicExch(T* p, std::type_identity_t<T> v) {
  PT_EMU_ATOMIC_AT(p);
  const T old = *p;
  *p = v;
  return old;
}
PT_EMU_ATOMIC T atomicCAS(T* p, std::type_identity_t<T> compare, std::type_identity_t<T> v) {
  PT_EMU_ATOMIC_AT(p);
  const T old = *p;
  if (old == compare) *p = v;
  return old;
}
#undef PT_EMU_ATOMIC
#undef PT_EMU_ATOMIC_AT
inline void __threadfence() {}
template <class T>
T __ldg(const T* p) {
  return *p;
}
inline unsigned __umulhi(unsigned a, unsigned b) {
  return static_cast<unsigned>((uint64_t{a} * b) >> 32);
}
inline int __popc(unsigned x) { return __builtin_popcount(x); }
inline int __ffs(int x) { return __builtin_ffs(x); }
inline int __clz(int x) { return x ? __builtin_clz(static_cast<unsigned>(x)) : 32; }
inline float rsqrtf(float x) { return 1.0f / std::sqrt(x); }
inline float __expf(float x) { return std::exp(x); }
inline float __logf(float x) { return std::log(x); }

// --- the runtime library -------------------------------------------------------------------------
struct cudaDeviceProp {
  char name[256];
  struct {
    char bytes[16];
  } uuid;
  size_t totalGlobalMem, sharedMemPerBlock, sharedMemPerBlockOptin, sharedMemPerMultiprocessor;
  int major, minor, multiProcessorCount, maxThreadsPerMultiProcessor, maxThreadsPerBlock, warpSize;
  int regsPerMultiprocessor, integrated, isMultiGpuBoard, l2CacheSize;
};
struct cudaPointerAttributes {
  int type;
};
enum { cudaMemoryTypeHost = 1, cudaStreamNonBlocking = 1, cudaEventDisableTiming = 2 };

const char* cudaGetErrorString(cudaError_t e);
cudaError_t cudaGetLastError();
cudaError_t cudaPeekAtLastError();
cudaError_t cudaGetDeviceCount(int* n);
cudaError_t cudaGetDevice(int* index);
cudaError_t cudaSetDevice(int index);
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* p, int index);
cudaError_t cudaDeviceCanAccessPeer(int* can, int index, int other);
cudaError_t cudaDeviceSynchronize();
cudaError_t cudaMalloc(void** p, size_t bytes);
cudaError_t cudaFree(void* p);
cudaError_t cudaMemGetInfo(size_t* free, size_t* total);
cudaError_t cudaMallocHost(void** p, size_t bytes);
cudaError_t cudaFreeHost(void* p);
cudaError_t cudaPointerGetAttributes(cudaPointerAttributes* a, const void* p);
cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t s);
cudaError_t cudaMemcpyPeerAsync(void* to, int to_device, const void* from, int from_device,
                                size_t bytes, cudaStream_t s);
cudaError_t cudaMemsetAsync(void* p, int value, size_t bytes, cudaStream_t s);
cudaError_t cudaStreamCreateWithPriority(cudaStream_t* s, unsigned flags, int priority);
cudaError_t cudaStreamDestroy(cudaStream_t s);
cudaError_t cudaStreamSynchronize(cudaStream_t s);
cudaError_t cudaStreamQuery(cudaStream_t s);
cudaError_t cudaStreamWaitEvent(cudaStream_t s, cudaEvent_t e, unsigned flags);
cudaError_t cudaEventCreateWithFlags(cudaEvent_t* e, unsigned flags);
cudaError_t cudaEventDestroy(cudaEvent_t e);
cudaError_t cudaEventRecord(cudaEvent_t e, cudaStream_t s);
cudaError_t cudaEventSynchronize(cudaEvent_t e);
cudaError_t cudaEventQuery(cudaEvent_t e);
cudaError_t cudaEventElapsedTime(float* ms, cudaEvent_t start, cudaEvent_t end);
cudaError_t cudaStreamBeginCapture(cudaStream_t s, cudaStreamCaptureMode mode);
cudaError_t cudaStreamEndCapture(cudaStream_t s, cudaGraph_t* graph);
cudaError_t cudaStreamGetCaptureInfo(cudaStream_t s, cudaStreamCaptureStatus* status,
                                     unsigned long long* id = nullptr);
cudaError_t cudaThreadExchangeStreamCaptureMode(cudaStreamCaptureMode* mode);
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* exec, cudaGraph_t graph,
                                 unsigned long long flags = 0);
cudaError_t cudaGraphGetNodes(cudaGraph_t graph, void** nodes, size_t* count);
cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t s);
cudaError_t cudaGraphDestroy(cudaGraph_t graph);
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec);

namespace pt::emu {

#ifdef PT_EMU_PTX

// A kernel that tools/ptx2cpp made of nvcc's PTX: its parameters lie as CUDA lays them out, and its
// own shared variables before the dynamic shared memory.
struct PtxKernel {
  void (*run)(const unsigned char* parameters, char* shared, uint32_t dynamic_shared);
  uint32_t static_shared;
};
const PtxKernel* ptx_kernel(const void* kernel, const char* name);  // reports that there is none

template <class... P, class... A>
cudaError_t launch(const char* name, void (*kernel)(P...), dim3 blocks, dim3 threads, size_t shared,
                   cudaStream_t stream, A&&... arguments) {
  struct Context {
    const PtxKernel* kernel;
    alignas(16) unsigned char parameters[4096];
  };
  Context c{ptx_kernel(reinterpret_cast<const void*>(kernel), name), {}};
  if (!c.kernel) return cudaPeekAtLastError();
  size_t at = 0;
  const auto pack = [&]<class T>(const T& a) {
    check_argument(a, name);
    at = (at + alignof(T) - 1) / alignof(T) * alignof(T);
    std::memcpy(c.parameters + at, &a, sizeof a);
    at += sizeof a;
  };
  (pack(std::remove_const_t<P>(static_cast<P>(std::forward<A>(arguments)))), ...);
  enqueue(stream, [=]() mutable {
    run_grid(
        [](void* p) {
          auto* context = static_cast<Context*>(p);
          context->kernel->run(context->parameters, static_cast<char*>(dynamic_shared()),
                               context->kernel->static_shared);
        },
        &c, sizeof c, blocks, threads, shared + c.kernel->static_shared, name);
  });
  return cudaPeekAtLastError();
}

#else

// Arguments are copied at the launch, as CUDA does; the kernel runs when its stream gets to it.
template <class... P, class... A>
cudaError_t launch(const char* name, void (*kernel)(P...), dim3 blocks, dim3 threads, size_t shared,
                   cudaStream_t stream, A&&... arguments) {
  struct Context {
    void (*kernel)(P...);
    std::tuple<std::remove_const_t<P>...> arguments;
  };
  Context c{kernel, {static_cast<P>(std::forward<A>(arguments))...}};
  std::apply([name](const auto&... a) { (check_argument(a, name), ...); }, c.arguments);
  enqueue(stream, [=]() mutable {
    run_grid(
        [](void* p) {
          auto* context = static_cast<Context*>(p);
          std::apply(context->kernel, context->arguments);
        },
        &c, sizeof c, blocks, threads, shared, name);
  });
  return cudaPeekAtLastError();
}

#endif

}  // namespace pt::emu
