// Rejection samplers and the slopes of their samples. A thread takes an element, whose counter
// gives it as many words as it needs.
#include "cuda/args/random_args.h"
#include "cuda/random/philox.h"
#include "cuda/reduce/frame.h"
#include "ops/functors/rejection.h"
#include "ops/functors/reparameter.h"

namespace pt::cuda {
namespace {

constexpr int kThreads = 128;

struct Source {
  uint64_t seed, counter;
  uint32_t turn = 0;
  double second = 0;
  bool has_second = false;

  PT_DEVICE double uniform() {
    if (has_second) {
      has_second = false;
      return second;
    }
    const Words w = philox(seed, counter, turn++);
    second = Draw<double>::unit(w, 1);
    has_second = true;
    return Draw<double>::unit(w, 0);
  }
  // By Box and Muller; the second of a pair is left.
  PT_DEVICE double normal() {
    const Words w = philox(seed, counter, turn++);
    return ::sqrt(-2 * ::log(Draw<double>::open(w, 0))) *
           ::cos(6.283185307179586 * Draw<double>::unit(w, 1));
  }
};

template <class T>
PT_DEVICE T sample_at(const DeviceRejection& a, RejectionKind kind, const DrawKey& key, int64_t i) {
  namespace rejection = pt::device::rejection;
  Source source{key.seed, key.counter + static_cast<uint64_t>(i)};
  const T x = static_cast<const T*>(a.a)[i];
  if (kind == RejectionKind::kPoisson)
    return static_cast<T>(rejection::sample_poisson(source, static_cast<double>(x)));
  if (kind == RejectionKind::kBinomial)
    return rejection::sample_binomial(source, x, static_cast<const T*>(a.b)[i]);
  const T sample = static_cast<T>(rejection::sample_gamma(source, x));
  constexpr T least = pt::device::FloatLayout<T>::kMinNormal;
  return sample < least ? least : sample;
}

template <class T, RejectionKind kKind>
__global__ void __launch_bounds__(kThreads) sample_kernel(DeviceRejection a) {
  const DrawKey key = resolved(a.key);
  const int64_t step = int64_t{gridDim.x} * blockDim.x;
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < a.n; i += step)
    static_cast<T*>(a.out)[i] = sample_at<T>(a, kKind, key, i);
}

template <class T>
void sample(const DeviceRejection& a) {
  if (a.n == 0) return;
  const unsigned blocks = blocks_for(a.n, kThreads);
  if (a.kind == RejectionKind::kPoisson) {
    PT_LAUNCH((sample_kernel<T, RejectionKind::kPoisson>), blocks, kThreads, 0, a);
  } else if (a.kind == RejectionKind::kBinomial) {
    PT_LAUNCH((sample_kernel<T, RejectionKind::kBinomial>), blocks, kThreads, 0, a);
  } else {
    PT_LAUNCH((sample_kernel<T, RejectionKind::kGamma>), blocks, kThreads, 0, a);
  }
}

template <class T, bool kBeta>
__global__ void __launch_bounds__(kThreads) slope_kernel(DeviceSampleSlope a) {
  namespace slopes = pt::device::reparameter;
  const int64_t step = int64_t{gridDim.x} * blockDim.x;
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < a.n; i += step) {
    const auto first = static_cast<double>(static_cast<const T*>(a.a)[i]);
    const auto second = static_cast<double>(static_cast<const T*>(a.b)[i]);
    double slope;
    if constexpr (kBeta) {
      const auto total = static_cast<double>(static_cast<const T*>(a.c)[i]);
      slope = slopes::beta_slope(second, total - second, first);
    } else {
      slope = slopes::gamma_slope(first, second);
    }
    static_cast<T*>(a.out)[i] = static_cast<T>(slope);
  }
}

template <class T>
void slope(const DeviceSampleSlope& a) {
  if (a.n == 0) return;
  const unsigned blocks = blocks_for(a.n, kThreads);
  if (a.c) {
    PT_LAUNCH((slope_kernel<T, true>), blocks, kThreads, 0, a);
  } else {
    PT_LAUNCH((slope_kernel<T, false>), blocks, kThreads, 0, a);
  }
}

const KernelEntry kEntries[] = {{"device_rejection", {PT_REAL_SLOTS(sample)}},
                                {"device_sample_slope", {PT_REAL_SLOTS(slope)}}};
PT_REGISTER_DEVICE_KERNELS(kEntries)

}  // namespace
}  // namespace pt::cuda
