// The side of the faults that test_faults.py calls with ctypes. See harness.h.
#include "harness.h"

#include <cmath>
#include <cstdio>
#include <cstring>

namespace pt::cuda {
cudaStream_t current_stream() { return chosen_stream; }
void note(cudaError_t) {}
unsigned blocks_for(int64_t work, int threads) {
  return static_cast<unsigned>((work + threads - 1) / threads);
}
}  // namespace pt::cuda

namespace pt::faults {

namespace {
FaultList* first = nullptr;
}
void add(FaultList* list) {
  list->next = first;
  first = list;
}

}  // namespace pt::faults

using namespace pt::faults;  // NOLINT

#define PT_EXPORT __attribute__((visibility("default")))
extern "C" {

// Their names, one a line.
PT_EXPORT int fault_names(char* text, int bytes) {
  int n = 0;
  for (FaultList* l = first; l; l = l->next)
    for (int i = 0; i < l->count; ++i)
      n += std::snprintf(text + n, static_cast<size_t>(bytes - n), "%s\n", l->faults[i].name);
  return n;
}

// Runs one, and gives the bits of y, of x behind it, and what the emulator reports.
PT_EXPORT int fault_run(const char* name, int faulty, float* result, char* text, int bytes) {
  const Fault* found = nullptr;
  for (FaultList* l = first; l; l = l->next)
    for (int i = 0; i < l->count; ++i)
      if (std::strcmp(l->faults[i].name, name) == 0) found = &l->faults[i];
  if (!found) return 1;
  float numbers[kCount];
  for (int i = 0; i < kCount; ++i) numbers[i] = std::sin(static_cast<float>(i)) + 2;
  void *x = nullptr, *y = nullptr;
  cudaMalloc(&x, sizeof numbers);
  cudaMalloc(&y, sizeof numbers);
  cudaMemcpyAsync(x, numbers, sizeof numbers, cudaMemcpyHostToDevice, nullptr);
  cudaDeviceSynchronize();
  (faulty ? found->faulty : found->sound)(static_cast<float*>(x), static_cast<float*>(y));
  cudaDeviceSynchronize();
  const cudaError_t status = cudaGetLastError();
  std::snprintf(text, static_cast<size_t>(bytes), "%s",
                status == cudaSuccess ? "" : cudaGetErrorString(status));
  cudaMemcpyAsync(result, y, sizeof numbers, cudaMemcpyDeviceToHost, nullptr);
  cudaMemcpyAsync(result + kCount, x, sizeof numbers, cudaMemcpyDeviceToHost, nullptr);
  cudaDeviceSynchronize();
  return 0;
}
}
