// Reading and writing the class of each line: negative log likelihoods.
#include "cuda/args/loss_args.h"
#include "cuda/index/bounds.h"
#include "cuda/reduce/frame.h"

namespace pt::cuda {
namespace {

constexpr int kThreads = 256;

// Whether line u counts.
PT_DEVICE bool counts(const DevicePicks& a, int64_t c, Bounds report) {
  if (c == a.ignored) return false;
  if (c >= 0 && c < a.n) return true;
  report_bounds(report, c, a.n, 1, false);
  return false;
}
PT_DEVICE int64_t place_of(const DevicePicks& a, int64_t u, int64_t c) {
  return u / a.inner * a.strides.outer + u % a.inner * a.strides.inner + c * a.strides.n;
}

template <class T>
__global__ void __launch_bounds__(kThreads) pick_kernel(DevicePicks a, Bounds report) {
  const int64_t step = int64_t{gridDim.x} * blockDim.x;
  PT_UNROLL_BY(1)
  for (int64_t u = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; u < a.outer * a.inner;
       u += step) {
    const int64_t c = a.classes[u];
    double loss = 0, weight = 0;
    if (counts(a, c, report)) {
      weight = a.weight ? a.weight[c] : 1;
      const auto x = static_cast<Compute<T>>(static_cast<const T*>(a.in)[place_of(a, u, c)]);
      loss = 0 - static_cast<double>(x) * weight;
    }
    a.losses[u] = loss;
    a.weights[u] = weight;
  }
}
template <class T>
void pick(const DevicePicks& a) {
  if (a.outer * a.inner == 0) return;
  PT_LAUNCH((pick_kernel<T>), blocks_for(a.outer * a.inner, kThreads), kThreads, 0, a,
            bounds_report());
}

template <class T>
__global__ void __launch_bounds__(kThreads) place_kernel(DevicePicks a, Bounds report) {
  const int64_t step = int64_t{gridDim.x} * blockDim.x;
  const double scale = a.divisor ? -1 / *a.divisor : -1;
  PT_UNROLL_BY(1)
  for (int64_t u = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; u < a.outer * a.inner;
       u += step) {
    const int64_t c = a.classes[u];
    if (!counts(a, c, report)) continue;
    const double factor = (a.weight ? a.weight[c] : 1) * scale;
    const auto g = static_cast<Compute<T>>(static_cast<const T*>(a.grad)[a.single ? 0 : u]);
    put<T>(a.out, place_of(a, u, c), static_cast<Compute<T>>(static_cast<double>(g) * factor));
  }
}
template <class T>
void place(const DevicePicks& a) {
  if (a.outer * a.inner == 0) return;
  PT_LAUNCH((place_kernel<T>), blocks_for(a.outer * a.inner, kThreads), kThreads, 0, a,
            bounds_report());
}

const KernelEntry kEntries[] = {
    {"device_pick", {PT_FLOAT_SLOTS(pick)}},
    {"device_place", {PT_FLOAT_SLOTS(place)}},
};
PT_REGISTER_DEVICE_KERNELS(kEntries)

}  // namespace
}  // namespace pt::cuda
