// Sampling of images along a grid: what each point reads and with what weights, and the sums. A
// thread takes a point; the arithmetic is that of cpu/image_grid.cpp.
#include "cpu/image_args.h"
#include "cuda/reduce/frame.h"
#include "ops/functors/grid.h"

namespace pt::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int64_t kChannels = 16;  // that a thread sums up for a point
using namespace grid_modes;
using device::grid::reflect;
namespace math = device::math;

// Tap k of kTaps at distance t from the tap that weights count from; the derivative of the order.
template <class L, int kTaps>
PT_DEVICE L weight_of(int k, L t, int order) {
  L a = 1, b = 0, c = 0, d = 0;  // a + b t + c t^2 + d t^3
  if constexpr (kTaps == 2) {
    a = k == 0 ? L(1) : L(0);
    b = k == 0 ? L(-1) : L(1);
  } else if constexpr (kTaps == 4) {  // cubic convolution with -0.75
    a = k == 1 ? L(1) : L(0);
    b = k == 0 ? L(-0.75) : k == 2 ? L(0.75) : L(0);
    c = k == 0 || k == 2 ? L(1.5) : k == 1 ? L(-2.25) : L(-0.75);
    d = k == 0 ? L(-0.75) : k == 1 ? L(1.25) : k == 2 ? L(-1.25) : L(0.75);
  }
  for (int n = 0; n < order; ++n) {
    a = b;
    b = 2 * c;
    c = 3 * d;
    d = 0;
  }
  return ((d * t + c) * t + b) * t + a;
}

// The elements (-1: none) and weights of one coordinate.
template <class L, int kTaps>
struct Axis {
  L weight[kTaps];
  int32_t element[kTaps];

  PT_DEVICE void fill(const GridArgs& a, int d, L g) {
    const int64_t size = a.size[d];
    const L s = static_cast<L>(size), last = static_cast<L>(size - 1);
    const L low = a.align_corners ? L(0) : L(-0.5), span = a.align_corners ? last : s;
    L x = a.align_corners ? (g + 1) / 2 * last : ((g + 1) * s - 1) / 2;
    L slope = a.align_corners ? last / 2 : s / 2;
    if (a.mode != kBicubic && a.padding != kZeros) {
      if (a.padding == kReflection && span != 0) slope *= reflect(x, low, span);
      const bool inside = x > 0 && x < last;
      x = x > 0 ? (x < last ? x : last) : L(0);  // 0 also for NaN
      slope = inside ? slope : L(0);
    }
    const L whole = a.mode == kNearest ? math::round_even(x) : math::floor(x);
    const L t = x - whole, first = a.mode == kBicubic ? whole - 1 : whole;
    const bool mirrors = a.mode == kBicubic && a.padding == kReflection && span != 0;
    PT_UNROLL
    for (int k = 0; k < kTaps; ++k) {
      L w = weight_of<L, kTaps>(k, t, a.order[d]);
      for (int n = 0; n < a.order[d]; ++n) w *= slope;
      weight[k] = w;
      L at = first + static_cast<L>(k);
      if (mirrors) reflect(at, low, span);
      const L from_low = at > 0 ? at : L(0);  // 0 also for NaN
      const L near = from_low < last ? from_low : last;
      element[k] = at == near || a.padding != kZeros ? static_cast<int32_t>(near) : -1;
    }
  }
};

// f(tap, weight, place or -1) for all taps of a point.
template <class L, int kDims, int kTaps, class F>
PT_DEVICE void each_tap(const GridArgs& a, int64_t point, F f) {
  const L* grid = static_cast<const L*>(a.grid) + point * kDims;
  const int32_t width = static_cast<int32_t>(a.size[0]);
  Axis<L, kTaps> x, y;
  x.fill(a, 0, grid[0]);
  y.fill(a, 1, grid[1]);
  if constexpr (kDims == 2) {
    PT_UNROLL
    for (int j = 0; j < kTaps; ++j) {
      PT_UNROLL
      for (int i = 0; i < kTaps; ++i) {
        const bool outside = (x.element[i] | y.element[j]) < 0;
        f(j * kTaps + i, x.weight[i] * y.weight[j],
          outside ? -1 : y.element[j] * width + x.element[i]);
      }
    }
  } else {
    const int32_t height = static_cast<int32_t>(a.size[1]);
    Axis<L, kTaps> z;
    z.fill(a, 2, grid[2]);
    PT_UNROLL
    for (int h = 0; h < kTaps; ++h) {
      PT_UNROLL
      for (int j = 0; j < kTaps; ++j) {
        PT_UNROLL
        for (int i = 0; i < kTaps; ++i) {
          const bool outside = (x.element[i] | y.element[j] | z.element[h]) < 0;
          f((h * kTaps + j) * kTaps + i, x.weight[i] * y.weight[j] * z.weight[h],
            outside ? -1 : (z.element[h] * height + y.element[j]) * width + x.element[i]);
        }
      }
    }
  }
}

template <class L, int kDims, int kTaps>
__global__ void __launch_bounds__(kThreads, 1) taps_kernel(GridArgs a) {
  const int64_t step = int64_t{gridDim.x} * blockDim.x, count = a.batch * a.points;
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < count; i += step) {
    const int64_t first = i / a.points * a.taps * a.points + i % a.points;
    each_tap<L, kDims, kTaps>(a, i, [&](int k, L weight, int32_t place) {
      const int64_t at = first + k * a.points;
      if (a.weights) static_cast<L*>(a.weights)[at] = weight;
      if (a.places) a.places[at] = place;
    });
  }
}

template <class T, int kDims, int kTaps>
__global__ void __launch_bounds__(kThreads, 1) sample_kernel(GridArgs a, int64_t groups) {
  using L = Compute<T>;
  const int64_t step = int64_t{gridDim.x} * blockDim.x, count = a.batch * groups * a.points;
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < count; i += step) {
    const int64_t point = i % a.points, group = i / a.points % groups;
    const int64_t batch = i / a.points / groups, first = group * kChannels;
    L weight[kDims == 2 ? kTaps * kTaps : kTaps * kTaps * kTaps];
    int32_t place[kDims == 2 ? kTaps * kTaps : kTaps * kTaps * kTaps];
    each_tap<L, kDims, kTaps>(a, batch * a.points + point, [&](int k, L w, int32_t p) {
      weight[k] = w;
      place[k] = p;
    });
    const int64_t last = first + kChannels < a.channels ? first + kChannels : a.channels;
    for (int64_t c = first; c < last; ++c) {
      const int64_t plane = batch * a.channels + c;
      const T* in = static_cast<const T*>(a.in) + plane * a.in_size;
      L sum = 0;
      PT_UNROLL
      for (int k = 0; k < (kDims == 2 ? kTaps * kTaps : kTaps * kTaps * kTaps); ++k)
        if (place[k] >= 0) sum += weight[k] * static_cast<L>(in[place[k]]);
      put<T>(a.out, plane * a.points + point, sum);
    }
  }
}

template <class L, int kDims, int kTaps>
void launch_taps(const GridArgs& a) {
  PT_LAUNCH((taps_kernel<L, kDims, kTaps>), blocks_for(a.batch * a.points, kThreads), kThreads, 0,
            a);
}
template <class T, int kDims, int kTaps>
void launch_sample(const GridArgs& a) {
  const int64_t groups = (a.channels + kChannels - 1) / kChannels;
  PT_LAUNCH((sample_kernel<T, kDims, kTaps>), blocks_for(a.batch * groups * a.points, kThreads),
            kThreads, 0, a, groups);
}

template <class L>
void taps(const GridArgs& a) {
  if (a.axis_taps == 1) return a.dims == 2 ? launch_taps<L, 2, 1>(a) : launch_taps<L, 3, 1>(a);
  if (a.axis_taps == 2) return a.dims == 2 ? launch_taps<L, 2, 2>(a) : launch_taps<L, 3, 2>(a);
  return a.dims == 2 ? launch_taps<L, 2, 4>(a) : launch_taps<L, 3, 4>(a);
}
template <class T>
void grid_sample(const GridArgs& a) {
  if (a.axis_taps == 1) return a.dims == 2 ? launch_sample<T, 2, 1>(a) : launch_sample<T, 3, 1>(a);
  if (a.axis_taps == 2) return a.dims == 2 ? launch_sample<T, 2, 2>(a) : launch_sample<T, 3, 2>(a);
  if (a.dims == 2) return launch_sample<T, 2, 4>(a);
  note(cudaErrorInvalidValue);  // the op refuses it
}

const KernelEntry kEntries[] = {
    {"grid_taps", {PT_REAL_SLOTS(taps)}},
    {"grid_sample", {PT_FLOAT_SLOTS(grid_sample)}},
};
PT_REGISTER_DEVICE_KERNELS(kEntries)

}  // namespace
}  // namespace pt::cuda
