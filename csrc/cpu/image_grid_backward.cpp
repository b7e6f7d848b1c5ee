// The gradients of sampling along a grid: for the planes, products are added at the places that
// were read, point by point; for the grid, each element read is multiplied by the gradient, summed
// over the channels and weighed by the derivatives of its weight. 16-bit floats add up in float.
#include <new>

#include "cpu/grid_taps.h"

namespace pt::PT_ISA {
namespace {

constexpr int kTogether = 4;  // channels whose additions alternate, so that none waits for another

// sum[c][place] += weight * grad[c] for all taps of n points.
template <int kTaps, int kChannels, class L>
__attribute__((noinline)) void add_points(const Taps<L>& taps, const L (*grad)[kBlockPoints],
                                          int64_t n, L* const* sums) {
  for (int64_t i = 0; i < n; ++i) {
#pragma GCC unroll 4
    for (int k = 0; k < kTaps; ++k) {
      const int32_t at = taps.place[k][i];
      if (at < 0) continue;
      const L w = taps.weight[k][i];
#pragma GCC unroll 4
      for (int c = 0; c < kChannels; ++c) sums[c][at] += w * grad[c][i];
    }
  }
}

// Channels first .. first + count of a batch element.
template <int kTaps, class T>
void add_planes(const GridArgs& a, int64_t batch, int64_t first, int64_t count) {
  using L = Compute<T>;
  const int64_t plane = batch * a.channels + first;
  T* out = static_cast<T*>(a.grad_in) + plane * a.in_size;
  L* own = nullptr;
  if constexpr (kIsHalf<T>)
    own = static_cast<L*>(::operator new(static_cast<size_t>(count * a.in_size) * sizeof(L)));
  L* sum;
  if constexpr (kIsHalf<T>) {
    sum = own;
  } else {
    sum = out;
  }
  for (int64_t i = 0; i < count * a.in_size; ++i) sum[i] = 0;
  Block<L> block;
  Taps<L> taps;
  L grad[kTogether][kBlockPoints];
  for (int64_t p = 0; p < a.points; p += kBlockPoints) {
    const int64_t n = a.points - p < kBlockPoints ? a.points - p : kBlockPoints;
    block.fill(a, batch, p, n);
    taps.fill(a, block, false);
    for (int64_t c = 0; c < count; c += kTogether) {
      const int64_t some = count - c < kTogether ? count - c : kTogether;
      L* sums[kTogether];
      for (int64_t j = 0; j < some; ++j) {
        const T* from = static_cast<const T*>(a.grad) + (plane + c + j) * a.points + p;
        widen_block(from, grad[j], n);
        sums[j] = sum + (c + j) * a.in_size;
      }
      const auto add = some == 1   ? &add_points<kTaps, 1, L>
                       : some == 2 ? &add_points<kTaps, 2, L>
                       : some == 3 ? &add_points<kTaps, 3, L>
                                   : &add_points<kTaps, 4, L>;
      add(taps, grad, n, sums);
    }
  }
  if constexpr (kIsHalf<T>) narrow_block(sum, out, count * a.in_size);
  ::operator delete(own);
}

template <class T>
void find_grad_in(const GridArgs& a) {
  const auto add = a.taps == 1   ? &add_planes<1, T>
                   : a.taps == 4 ? &add_planes<4, T>
                   : a.taps == 8 ? &add_planes<8, T>
                                 : &add_planes<16, T>;
  // Weights are found once for a group of channels; there should be work for all threads.
  const int64_t planes = a.batch * a.channels;
  const int64_t group = planes >= 64 ? 2 * kTogether : planes >= 8 ? kTogether : 1;
  const int64_t groups = (a.channels + group - 1) / group;
  const int64_t work = (a.taps * a.points + a.in_size) * group;
  parallel_for(0, a.batch * groups, 1 + 16384 / (work + 1), [&](int64_t begin, int64_t end) {
    for (int64_t u = begin; u < end; ++u) {
      const int64_t first = u % groups * group, rest = a.channels - first;
      add(a, u / groups, first, rest < group ? rest : group);
    }
  });
}

// dot[k] += grad * the elements read.
template <bool kPairs, int kTaps, class L, class T>
__attribute__((noinline)) void dot_plane(const T* __restrict in, const Taps<L>& taps,
                                         const L* __restrict grad, int64_t n,
                                         L (*__restrict dot)[kBlockPoints]) {
  for (int64_t i = 0; i < n; i += kLanes<L>) {
    Vec<L> v[kTaps];
    taps.template gather_all<kPairs, kTaps>(in, i, v);
    const Vec<L> g = load<L>(grad + i);
#pragma GCC unroll 16
    for (int k = 0; k < kTaps; ++k) store(dot[k] + i, load<L>(dot[k] + i) + g * v[k]);
  }
}

template <class T>
void find_grad_grid(const GridArgs& a) {
  using L = Compute<T>;
  if (a.axis_taps == kNearestTaps) {  // steps have no slope
    const int64_t n = a.batch * a.points * a.dims;
    for (int64_t i = 0; i < n; ++i) static_cast<L*>(a.grad_grid)[i] = 0;
    return;
  }
  const bool pairs = reads_pairs<T>(a);
  const auto plane = with_reading<T>(a, []<bool kPairs, int kTaps>(Reading<kPairs, kTaps>) {
    return &dot_plane<kPairs, kTaps, L, T>;
  });
  each_block(a, 16 + 2 * a.taps * a.channels, [&](int64_t batch, int64_t first, int64_t n) {
    Block<L> block;
    Taps<L> taps;
    alignas(64) L dot[kMostTaps][kBlockPoints], grad[kBlockPoints], sum[kBlockPoints];
    block.fill(a, batch, first, n);
    taps.fill(a, block, pairs);
    for (int64_t k = 0; k < a.taps; ++k) {
      for (int64_t i = 0; i < block.n; ++i) dot[k][i] = 0;
    }
    for (int64_t i = n; i < block.n; ++i) grad[i] = 0;
    for (int64_t c = batch * a.channels; c < (batch + 1) * a.channels; ++c) {
      widen_block(static_cast<const T*>(a.grad) + c * a.points + first, grad, n);
      plane(static_cast<const T*>(a.in) + c * a.in_size, taps, grad, block.n, dot);
    }
    L* out = static_cast<L*>(a.grad_grid) + (batch * a.points + first) * a.dims;
    for (int d = 0; d < a.dims; ++d) {
      block.differentiate(a, d, 1);
      taps.fill(a, block, pairs);
      block.differentiate(a, d, 0);
      for (int64_t i = 0; i < block.n; ++i) sum[i] = 0;
      for (int64_t k = 0; k < a.taps; ++k) {
        for (int64_t i = 0; i < block.n; ++i) sum[i] += taps.weight[k][i] * dot[k][i];
      }
      for (int64_t i = 0; i < n; ++i) out[i * a.dims + d] = sum[i];
    }
  });
}

template <class T>
void grid_sample_backward(const GridArgs& a) {
  if (a.grad_in) find_grad_in<T>(a);
  if (a.grad_grid) find_grad_grid<T>(a);
}

const KernelEntry kEntries[] = {
    {"grid_sample_backward",
     {nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, PT_FN(&grid_sample_backward<Half>),
      PT_FN(&grid_sample_backward<BFloat16>), PT_FN(&grid_sample_backward<float>),
      PT_FN(&grid_sample_backward<double>)}},
};

}  // namespace
PT_REGISTER_KERNELS(kEntries)
}  // namespace pt::PT_ISA
