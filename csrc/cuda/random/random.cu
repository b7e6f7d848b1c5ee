// Random fills and dropout. A thread takes a counter and makes the two or four elements of it.
#include "cuda/args/random_args.h"
#include "cuda/elementary.h"
#include "cuda/index/bounds.h"
#include "cuda/random/philox.h"
#include "cuda/reduce/frame.h"

namespace pt::cuda {
namespace {

constexpr int kThreads = 256;

// The elements of counter i, of type V: f(words, k) is the k-th.
template <class T, class V, class F>
PT_DEVICE void fill_each(const DeviceRandom& a, F f) {
  constexpr int kEach = 4 / Draw<V>::kWords;
  const DrawKey key = resolved(a.key);
  const int64_t step = int64_t{gridDim.x} * blockDim.x, counters = (a.n + kEach - 1) / kEach;
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < counters; i += step) {
    const Words w = philox(key.seed, key.counter + static_cast<uint64_t>(i));
    PT_UNROLL
    for (int k = 0; k < kEach; ++k)
      if (i * kEach + k < a.n) put<T>(a.out, i * kEach + k, f(w, k));
  }
}

template <class T>
__global__ void __launch_bounds__(kThreads) uniform_kernel(DeviceRandom a) {
  using V = Compute<T>;
  const V from = static_cast<V>(a.a), to = static_cast<V>(a.b);
  fill_each<T, V>(a, [=](const Words& w, int k) {
    V v = from + Draw<V>::unit(w, k) * (to - from);
    if constexpr (sizeof(T) == 2) v = static_cast<V>(T(v));
    return v < to ? v : from;  // rounding must not reach the end
  });
}

// Pairs by Box and Muller: the first of two draws gives the radius, the second the angle.
template <class T>
__global__ void __launch_bounds__(kThreads) normal_kernel(DeviceRandom a) {
  using V = Compute<T>;
  const V mean = static_cast<V>(a.a), deviation = static_cast<V>(a.b);
  constexpr int kEach = 4 / Draw<V>::kWords;
  const DrawKey key = resolved(a.key);
  const int64_t step = int64_t{gridDim.x} * blockDim.x, counters = (a.n + kEach - 1) / kEach;
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < counters; i += step) {
    const Words w = philox(key.seed, key.counter + static_cast<uint64_t>(i));
    PT_UNROLL
    for (int k = 0; k < kEach; k += 2) {
      const int64_t at = i * kEach + k;
      const V radius = sqrt_of(V(-2) * log_of(Draw<V>::open(w, k))) * deviation;
      const V angle = V(6.283185307179586) * Draw<V>::unit(w, k + 1);
      if (at < a.n) put<T>(a.out, at, mean + radius * cos_of(angle));
      if (at + 1 < a.n) put<T>(a.out, at + 1, mean + radius * sin_of(angle));
    }
  }
}

template <class T>
__global__ void __launch_bounds__(kThreads) exponential_kernel(DeviceRandom a) {
  using V = Compute<T>;
  const V scale = static_cast<V>(-1 / a.a);
  fill_each<T, V>(a, [=](const Words& w, int k) { return scale * log_of(Draw<V>::open(w, k)); });
}
template <class T>
__global__ void __launch_bounds__(kThreads) cauchy_kernel(DeviceRandom a) {
  using V = Compute<T>;
  const V median = static_cast<V>(a.a), scale = static_cast<V>(a.b);
  fill_each<T, V>(a, [=](const Words& w, int k) {
    return median + scale * tan_of(V(3.141592653589793) * (Draw<V>::open(w, k) - V(0.5)));
  });
}
// Computed in double: the numbers get large where p is small.
template <class T>
__global__ void __launch_bounds__(kThreads) geometric_kernel(DeviceRandom a) {
  const double scale = 1 / ::log1p(-a.a);
  fill_each<T, double>(a, [=](const Words& w, int k) {
    const double v = ::ceil(::log(Draw<double>::open(w, k)) * scale);
    return v < 1 ? 1.0 : v;
  });
}

template <class T>
__global__ void __launch_bounds__(kThreads) bernoulli_kernel(DeviceRandom a, Bounds report) {
  const DrawKey key = resolved(a.key);
  const int64_t step = int64_t{gridDim.x} * blockDim.x, counters = (a.n + 3) / 4;
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < counters; i += step) {
    const Words w = philox(key.seed, key.counter + static_cast<uint64_t>(i));
    PT_UNROLL
    for (int k = 0; k < 4; ++k) {
      const int64_t at = i * 4 + k;
      if (at >= a.n) break;
      const double p = a.probabilities ? a.probabilities[at] : a.a;
      if (!(p >= 0 && p <= 1)) report_number(report, OutOfBounds::kProbability);
      put<T>(a.out, at, static_cast<double>(w.w[k]) < p * 0x1p32 ? 1 : 0);
    }
  }
}

template <class T>
__global__ void __launch_bounds__(kThreads) integers_kernel(DeviceRandom a) {
  const int each = a.two_words ? 2 : 4;
  const DrawKey key = resolved(a.key);
  const int64_t step = int64_t{gridDim.x} * blockDim.x, counters = (a.n + each - 1) / each;
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < counters; i += step) {
    const Words w = philox(key.seed, key.counter + static_cast<uint64_t>(i));
    PT_UNROLL
    for (int k = 0; k < 4; ++k) {
      const int64_t at = i * each + k;
      if (k >= each || at >= a.n) break;
      uint64_t draw = w.w[k];
      if (a.two_words) draw = k == 0 ? joined(w.w[0], w.w[1]) : joined(w.w[2], w.w[3]);
      if (a.range != 0) draw %= a.range;
      const auto v = static_cast<int64_t>(static_cast<uint64_t>(a.base) + draw);
      if constexpr (kFloating<T>) {
        put<T>(a.out, at, static_cast<Compute<T>>(v));
      } else {
        put<T>(a.out, at, v);
      }
    }
  }
}

template <class T>
void random(const DeviceRandom& a) {
  if (a.n == 0) return;
  const unsigned blocks = blocks_for((a.n + 1) / 2, kThreads);
  if constexpr (kFloating<T>) {
    switch (a.kind) {
      case RandomKind::kUniform:
        PT_LAUNCH((uniform_kernel<T>), blocks, kThreads, 0, a);
        return;
      case RandomKind::kNormal:
        PT_LAUNCH((normal_kernel<T>), blocks, kThreads, 0, a);
        return;
      case RandomKind::kExponential:
        PT_LAUNCH((exponential_kernel<T>), blocks, kThreads, 0, a);
        return;
      case RandomKind::kCauchy:
        PT_LAUNCH((cauchy_kernel<T>), blocks, kThreads, 0, a);
        return;
      default:
        break;
    }
  }
  switch (a.kind) {
    case RandomKind::kGeometric:
      PT_LAUNCH((geometric_kernel<T>), blocks, kThreads, 0, a);
      return;
    case RandomKind::kBernoulli:
      PT_LAUNCH((bernoulli_kernel<T>), blocks, kThreads, 0, a, bounds_report());
      return;
    case RandomKind::kIntegers:
      PT_LAUNCH((integers_kernel<T>), blocks, kThreads, 0, a);
      return;
    default:
      note(cudaErrorInvalidValue);
  }
}

template <class T>
__global__ void __launch_bounds__(kThreads) dropout_kernel(DeviceDropout a) {
  using V = Compute<T>;
  const V scale = static_cast<V>(1 / a.keep);
  const double threshold = a.keep * 0x1p32;
  const DrawKey key = resolved(a.key);
  const int64_t step = int64_t{gridDim.x} * blockDim.x, counters = (a.n + 3) / 4;
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < counters; i += step) {
    const Words w = philox(key.seed, key.counter + static_cast<uint64_t>(i));
    PT_UNROLL
    for (int k = 0; k < 4; ++k) {
      const int64_t at = i * 4 + k;
      if (at >= a.n) break;
      const bool kept = static_cast<double>(w.w[k]) < threshold;
      const V x = a.x ? static_cast<V>(static_cast<const T*>(a.x)[at]) : V(1);
      put<T>(a.out, at, x * (kept ? scale : V(0)));
      if (a.mask) a.mask[at] = kept;
    }
  }
}
template <class T>
void dropout(const DeviceDropout& a) {
  if (a.n == 0) return;
  PT_LAUNCH((dropout_kernel<T>), blocks_for((a.n + 3) / 4, kThreads), kThreads, 0, a);
}

const KernelEntry kEntries[] = {
    {"device_random", {PT_ALL_SLOTS(random)}},
    {"device_dropout", {PT_FLOAT_SLOTS(dropout)}},
};
PT_REGISTER_DEVICE_KERNELS(kEntries)

}  // namespace
}  // namespace pt::cuda
