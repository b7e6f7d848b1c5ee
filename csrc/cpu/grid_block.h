// A block of points of a grid: which elements of a plane each of them reads, with what weights.
// Used by cpu/image_grid*.cpp.
//
// Every step is a loop over all points of the block without branches, so that it becomes vector
// code; blocks are filled up to whole vectors.
#pragma once

#include "core/parallel.h"
#include "cpu/gather.h"
#include "cpu/image_args.h"
#include "ops/functors/grid.h"

namespace pt::PT_ISA {

constexpr int64_t kBlockPoints = 256;
constexpr int64_t kVectorPoints = 16;  // blocks are filled up to a multiple: lanes of any vector
constexpr int kAxisTaps = 4;           // at most
constexpr int kMostTaps = 16;          // of a point

// The number of taps on an axis stands for the mode.
constexpr int kNearestTaps = 1, kLinearTaps = 2, kCubicTaps = 4;

// Taps weigh c[0] + c[1] t + c[2] t^2 + c[3] t^3, where t is the point's distance from the element
// that weights count from, or a derivative of that.
template <class L>
struct Polynomials {
  L c[kAxisTaps][4];
};

template <class L>
inline Polynomials<L> weight_polynomials(int axis_taps, int order) {
  // Cubic convolution with a = -0.75, by the distance from the second of four taps.
  static constexpr L kNearest[1][4] = {{1, 0, 0, 0}};
  static constexpr L kLinear[2][4] = {{1, -1, 0, 0}, {0, 1, 0, 0}};
  static constexpr L kCubic[4][4] = {{0, L(-0.75), L(1.5), L(-0.75)},
                                     {1, 0, L(-2.25), L(1.25)},
                                     {0, L(0.75), L(1.5), L(-1.25)},
                                     {0, 0, L(-0.75), L(0.75)}};
  const auto* from = axis_taps == kNearestTaps  ? kNearest
                     : axis_taps == kLinearTaps ? kLinear
                                                : kCubic;
  Polynomials<L> r;
  for (int k = 0; k < axis_taps; ++k) {
    for (int i = 0; i < 4; ++i) r.c[k][i] = from[k][i];
    for (int o = 0; o < order; ++o) {
      for (int i = 0; i < 3; ++i) r.c[k][i] = r.c[k][i + 1] * static_cast<L>(i + 1);
      r.c[k][3] = 0;
    }
  }
  return r;
}

// What the points of a block read on one axis.
template <class L>
struct BlockAxis {
  alignas(64) L weight[kAxisTaps][kBlockPoints];
  alignas(64) int32_t element[kAxisTaps][kBlockPoints];  // -1 for none
  alignas(64) L distance[kBlockPoints];                  // t
  alignas(64) L slope[kBlockPoints];  // how fast the place moves with the grid's coordinate
};

template <class L, int kTaps, int kPadding>
__attribute__((noinline)) void fill_axis(const L* __restrict grid, int64_t n, const GridArgs& a,
                                         int d, BlockAxis<L>& __restrict out) {
  using namespace grid_modes;
  if (n % kVectorPoints != 0) __builtin_unreachable();  // no loop for a remainder
  const bool align = a.align_corners;
  const L size = static_cast<L>(a.size[d]), last = static_cast<L>(a.size[d] - 1);
  const L scale = align ? last / 2 : size / 2, shift = align ? L(0) : L(-0.5);
  const L low = shift;
  // Where the axis is a single point nothing moves, and any span will do.
  const L span = !align ? size : last != 0 ? last : L(1);
  const Polynomials<L> p = weight_polynomials<L>(kTaps, 0);
  for (int64_t i = 0; i < n; ++i) {
    L x = (grid[i] + 1) * scale + shift, slope = scale;
    if constexpr (kTaps != kCubicTaps && kPadding != kZeros) {
      if constexpr (kPadding == kReflection) slope *= grid::reflect(x, low, span);
      const bool inside = (x > 0) & (x < last);
      const L from_low = x > 0 ? x : L(0);  // 0 also for NaN
      x = from_low < last ? from_low : last;
      slope = inside ? slope : L(0);
    }
    const L whole = kTaps == kNearestTaps ? math::round_even(x) : math::floor(x);
    const L t = x - whole, first = kTaps == kCubicTaps ? whole - 1 : whole;
    out.distance[i] = t;
    out.slope[i] = slope;
#pragma GCC unroll 4
    for (int k = 0; k < kTaps; ++k) {
      const L* c = p.c[k];
      if constexpr (kTaps == kNearestTaps) {
        out.weight[k][i] = 1;
      } else if constexpr (kTaps == kLinearTaps) {
        out.weight[k][i] = k == 0 ? 1 - t : t;
      } else {
        out.weight[k][i] = ((c[3] * t + c[2]) * t + c[1]) * t + c[0];
      }
      L e = first + static_cast<L>(k);
      if constexpr (kTaps == kCubicTaps && kPadding == kReflection) grid::reflect(e, low, span);
      const L from_low = e > 0 ? e : L(0);  // 0 also for NaN
      const L near = from_low < last ? from_low : last;
      // Selects, and no branches: the loop has to become vectors.
      const L chosen = (e == near) | (kPadding != kZeros) ? near : L(-1);
      out.element[k][i] = static_cast<int32_t>(chosen);
    }
  }
}

template <class L>
struct Block {
  int64_t n = 0;  // points, a whole number of vectors
  BlockAxis<L> axis[3];

  template <int kTaps>
  void fill_axes(const GridArgs& a, const L (*x)[kBlockPoints]) {
    using namespace grid_modes;
    const auto fill = a.padding == kZeros    ? &fill_axis<L, kTaps, kZeros>
                      : a.padding == kBorder ? &fill_axis<L, kTaps, kBorder>
                                             : &fill_axis<L, kTaps, kReflection>;
    for (int d = 0; d < a.dims; ++d) fill(x[d], n, a, d, axis[d]);
  }

  // Points `first` to `first + count` of a batch element.
  void fill(const GridArgs& a, int64_t batch, int64_t first, int64_t count) {
    const L* __restrict grid = static_cast<const L*>(a.grid) + (batch * a.points + first) * a.dims;
    alignas(64) L x[3][kBlockPoints];
    if (a.dims == 2) {
      for (int64_t i = 0; i < count; ++i) x[0][i] = grid[2 * i], x[1][i] = grid[2 * i + 1];
    } else {
      for (int64_t i = 0; i < count; ++i) {
        x[0][i] = grid[3 * i];
        x[1][i] = grid[3 * i + 1];
        x[2][i] = grid[3 * i + 2];
      }
    }
    n = count;
    for (; n % kVectorPoints != 0; ++n) {
      for (int d = 0; d < a.dims; ++d) x[d][n] = 0;
    }
    if (a.axis_taps == kNearestTaps) return fill_axes<kNearestTaps>(a, x);
    if (a.axis_taps == kLinearTaps) return fill_axes<kLinearTaps>(a, x);
    fill_axes<kCubicTaps>(a, x);
  }

  // Weights of axis d become their derivatives of the given order.
  __attribute__((noinline)) void differentiate(const GridArgs& a, int d, int order) {
    const Polynomials<L> p = weight_polynomials<L>(a.axis_taps, order);
    BlockAxis<L>& __restrict to = axis[d];
    for (int k = 0; k < a.axis_taps; ++k) {
      const L* c = p.c[k];
      for (int64_t i = 0; i < n; ++i) {
        const L t = to.distance[i];
        to.weight[k][i] = ((c[3] * t + c[2]) * t + c[1]) * t + c[0];
      }
      for (int o = 0; o < order; ++o) {
        for (int64_t i = 0; i < n; ++i) to.weight[k][i] *= to.slope[i];
      }
    }
  }

  // Tap number k of all: its weights and places in the plane, -1 for none. Either may be null.
  __attribute__((noinline)) void combine(const GridArgs& a, int64_t k, L* __restrict w,
                                         int32_t* __restrict place) const {
    if (n % kVectorPoints != 0) __builtin_unreachable();
    const int64_t taps = a.axis_taps;
    const int64_t kx = k % taps, ky = k / taps % taps, kz = k / taps / taps;
    const int32_t width = static_cast<int32_t>(a.size[0]), height = static_cast<int32_t>(a.size[1]);
    const int32_t* __restrict ex = axis[0].element[kx], * __restrict ey = axis[1].element[ky];
    const L* __restrict wx = axis[0].weight[kx], * __restrict wy = axis[1].weight[ky];
    if (a.dims == 3) {
      const int32_t* __restrict ez = axis[2].element[kz];
      const L* __restrict wz = axis[2].weight[kz];
      // As in PyTorch the weights of points that are no numbers count in two dimensions only.
      for (int64_t i = 0; w && i < n; ++i) {
        const L product = wx[i] * wy[i] * wz[i];
        w[i] = (ex[i] | ey[i] | ez[i]) < 0 ? L(0) : product;
      }
      for (int64_t i = 0; place && i < n; ++i) {
        const int32_t at = (ez[i] * height + ey[i]) * width + ex[i];
        place[i] = (ex[i] | ey[i] | ez[i]) < 0 ? -1 : at;
      }
      return;
    }
    for (int64_t i = 0; w && i < n; ++i) w[i] = wx[i] * wy[i];
    for (int64_t i = 0; place && i < n; ++i) {
      const int32_t at = ey[i] * width + ex[i];
      place[i] = (ex[i] | ey[i]) < 0 ? -1 : at;
    }
  }
};

// f(batch, first point, points) for all blocks; `work` is what a point costs, in products.
template <class F>
void each_block(const GridArgs& a, int64_t work, F f) {
  constexpr int64_t unit = 65536;  // products worth handing to a thread
  const int64_t blocks = (a.points + kBlockPoints - 1) / kBlockPoints;
  parallel_for(0, a.batch * blocks, 1 + unit / (kBlockPoints * work),
               [&](int64_t begin, int64_t end) {
                 for (int64_t u = begin; u < end; ++u) {
                   const int64_t first = u % blocks * kBlockPoints, rest = a.points - first;
                   f(u / blocks, first, rest < kBlockPoints ? rest : kBlockPoints);
                 }
               });
}

}  // namespace pt::PT_ISA
