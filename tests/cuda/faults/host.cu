// Faults of the code that launches: sizes, streams without events, memory of the host that changes
// while a copy is under way.
#include <cstring>

#include "harness.h"

namespace pt::faults {
namespace {

constexpr size_t kBytes = kCount * sizeof(float);

__global__ void __launch_bounds__(256) double_kernel(const float* x, float* y) {
  const unsigned i = threadIdx.x + threadIdx.y;
  if (i < kCount && blockIdx.x == 0 && blockIdx.y == 0) y[i] = x[i] * 2;
}

void launch(dim3 blocks, dim3 threads, size_t shared, float* x, float* y) {
  PT_LAUNCH(double_kernel, blocks, threads, shared, x, y);
}
template <bool kFaulty>
void no_blocks(float* x, float* y) {
  launch(kFaulty ? 0 : 1, 256, 0, x, y);
}
template <bool kFaulty>
void block_too_large(float* x, float* y) {
  launch(1, kFaulty ? 2048 : 256, 0, x, y);
}
template <bool kFaulty>
void grid_too_high(float* x, float* y) {
  launch(dim3(1, kFaulty ? 70000 : 2), 256, 0, x, y);
}
template <bool kFaulty>
void shared_too_large(float* x, float* y) {
  launch(1, 256, kFaulty ? 300 << 10 : 48 << 10, x, y);
}

struct TwoStreams {
  cudaStream_t first = nullptr, second = nullptr;
  TwoStreams() {
    cudaStreamCreateWithPriority(&first, cudaStreamNonBlocking, 0);
    cudaStreamCreateWithPriority(&second, cudaStreamNonBlocking, 0);
  }
};
TwoStreams& streams() {
  static TwoStreams both;
  return both;
}
void on(cudaStream_t s, const float* x, float* y) {
  cuda::chosen_stream = s;
  PT_LAUNCH(double_kernel, 1, 256, 0, x, y);
  cuda::chosen_stream = nullptr;
}

// What one stream makes is read by another.
template <bool kFaulty>
void event_missing(float* x, float* y) {
  auto [a, b] = streams();
  void* between = nullptr;
  cudaMalloc(&between, kBytes);
  cudaMemsetAsync(between, 0, kBytes, nullptr);
  cudaDeviceSynchronize();
  on(a, x, static_cast<float*>(between));
  if (!kFaulty) {
    cudaEvent_t done;
    cudaEventCreateWithFlags(&done, cudaEventDisableTiming);
    cudaEventRecord(done, a);
    cudaStreamWaitEvent(b, done, 0);
  }
  on(b, static_cast<float*>(between), y);
  cudaStreamSynchronize(b);
}

// The event is recorded before what it should stand for.
template <bool kFaulty>
void event_too_early(float* x, float* y) {
  auto [a, b] = streams();
  void* between = nullptr;
  cudaMalloc(&between, kBytes);
  cudaMemsetAsync(between, 0, kBytes, nullptr);
  cudaDeviceSynchronize();
  cudaEvent_t done;
  cudaEventCreateWithFlags(&done, cudaEventDisableTiming);
  if (kFaulty) cudaEventRecord(done, a);
  on(a, x, static_cast<float*>(between));
  if (!kFaulty) cudaEventRecord(done, a);
  cudaStreamWaitEvent(b, done, 0);
  on(b, static_cast<float*>(between), y);
  cudaStreamSynchronize(b);
}

// What one stream still reads is overwritten by another.
template <bool kFaulty>
void overwritten_while_read(float* x, float* y) {
  auto [a, b] = streams();
  on(a, x, y);
  if (!kFaulty) cudaStreamSynchronize(a);
  cudaMemsetAsync(x, 0, kBytes, b);
  cudaStreamSynchronize(b);
}

template <bool kFaulty>
void pinned_changed_too_early(float*, float* y) {
  void* memory = nullptr;
  cudaMallocHost(&memory, kBytes);
  std::memset(memory, 0, kBytes);
  cudaMemcpyAsync(y, memory, kBytes, cudaMemcpyHostToDevice, nullptr);
  if (!kFaulty) cudaDeviceSynchronize();
  std::memset(memory, 1, kBytes);
  cudaDeviceSynchronize();
  cudaFreeHost(memory);
}

template <bool kFaulty>
void pinned_read_too_early(float* x, float* y) {
  void* memory = nullptr;
  cudaMallocHost(&memory, kBytes);
  std::memset(memory, 0, kBytes);
  cudaMemcpyAsync(memory, x, kBytes, cudaMemcpyDeviceToHost, nullptr);
  if (!kFaulty) cudaDeviceSynchronize();
  const int seen = static_cast<float*>(memory)[3] > 0;
  cudaMemsetAsync(y, seen, kBytes, nullptr);
  cudaDeviceSynchronize();
  cudaFreeHost(memory);
}

PT_FAULTS(PT_FAULT(no_blocks), PT_FAULT(block_too_large), PT_FAULT(grid_too_high),
          PT_FAULT(shared_too_large), PT_FAULT(event_missing), PT_FAULT(event_too_early),
          PT_FAULT(overwritten_while_read), PT_FAULT(pinned_changed_too_early),
          PT_FAULT(pinned_read_too_early))

}  // namespace
}  // namespace pt::faults
