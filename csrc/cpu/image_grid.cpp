// Sampling of images along a grid: which elements each point of the grid reads, with what weights,
// and their weighted sums.
//
// Points are worked on in blocks of a few hundred, one step for all points after the other, so
// that each step is a vector loop. 16-bit floats add up in float.
#include "core/parallel.h"
#include "cpu/image_args.h"
#include "cpu/reduce_lanes.h"
#include "ops/functors/grid.h"

namespace pt::PT_ISA {
namespace {

constexpr int64_t kBlock = 128;  // points
constexpr int kMostTaps = 4;     // on an axis
using namespace grid_modes;
using grid::reflect;

int64_t min64(int64_t a, int64_t b) { return a < b ? a : b; }

// Places on one axis for n points; slope is how fast they move with the grid's coordinate.
template <class L>
__attribute__((noinline)) void find_places(const L* __restrict grid, int64_t stride, int64_t n,
                                           const GridArgs& a, int64_t size, L* __restrict x,
                                           L* __restrict slope) {
  const L s = static_cast<L>(size), last = static_cast<L>(size - 1);
  const L m = a.align_corners ? last / 2 : s / 2;
  for (int64_t p = 0; p < n; ++p) {
    const L g = grid[p * stride];
    x[p] = a.align_corners ? (g + 1) / 2 * last : ((g + 1) * s - 1) / 2;
    slope[p] = m;
  }
  if (a.mode == kBicubic || a.padding == kZeros) return;
  if (a.padding == kReflection) {
    const L low = a.align_corners ? L(0) : L(-0.5), span = a.align_corners ? last : s;
    for (int64_t p = 0; p < n && span != 0; ++p) slope[p] *= reflect(x[p], low, span);
  }
  for (int64_t p = 0; p < n; ++p) {
    const bool inside = x[p] > 0 && x[p] < last;
    x[p] = x[p] > 0 ? (x[p] < last ? x[p] : last) : 0;  // 0 also for NaN
    slope[p] = inside ? slope[p] : 0;
  }
}

// x becomes the first tap; t the distance of the place from the tap the weights count from.
template <class L>
__attribute__((noinline)) void split_places(int64_t n, int mode, L* __restrict x, L* __restrict t) {
  for (int64_t p = 0; p < n; ++p) {
    const L whole = mode == kNearest ? math::round_even(x[p]) : math::floor(x[p]);
    t[p] = x[p] - whole;
    x[p] = mode == kBicubic ? whole - 1 : whole;
  }
}

// The element of tap k of each point on an axis; -1 for none.
template <bool Mirrors, class L>
__attribute__((noinline)) void find_elements(const L* __restrict first, int64_t n, int k,
                                             const GridArgs& a, int64_t size,
                                             int32_t* __restrict element) {
  const L last = static_cast<L>(size - 1), step = static_cast<L>(k);
  const L low = a.align_corners ? L(0) : L(-0.5);
  const L span = a.align_corners ? last : static_cast<L>(size);
  const bool zeros = a.padding == kZeros;
  for (int64_t p = 0; p < n; ++p) {
    L x = first[p] + step;
    if constexpr (Mirrors) reflect(x, low, span);
    const L from_low = x > 0 ? x : L(0);  // 0 also for NaN
    const L near = from_low < last ? from_low : last;
    // Selects, and no branches: the loop has to become vectors.
    const L chosen = (x == near) | !zeros ? near : L(-1);
    element[p] = static_cast<int32_t>(chosen);
  }
}

// The derivative of order `order` of c[0] + c[1] t + c[2] t^2 + c[3] t^3, times slope^order.
template <class L>
__attribute__((noinline)) void find_weights(const L* c, const L* __restrict t,
                                            const L* __restrict slope, int64_t n, int order,
                                            L* __restrict weight) {
  L d[4] = {c[0], c[1], c[2], c[3]};
  for (int k = 0; k < order; ++k) {
    for (int i = 0; i < 3; ++i) d[i] = d[i + 1] * static_cast<L>(i + 1);
    d[3] = 0;
  }
  for (int64_t p = 0; p < n; ++p) weight[p] = ((d[3] * t[p] + d[2]) * t[p] + d[1]) * t[p] + d[0];
  for (int k = 0; k < order; ++k) {
    for (int64_t p = 0; p < n; ++p) weight[p] *= slope[p];
  }
}

template <class L>
struct Coefficients {
  static constexpr L linear[2][4] = {{1, -1, 0, 0}, {0, 1, 0, 0}};
  static constexpr L nearest[4] = {1, 0, 0, 0};
  // Cubic convolution with a = -0.75, by the distance from the second of four taps.
  static constexpr L cubic[4][4] = {{0, L(-0.75), L(1.5), L(-0.75)},
                                    {1, 0, L(-2.25), L(1.25)},
                                    {0, L(0.75), L(1.5), L(-1.25)},
                                    {0, 0, L(-0.75), L(0.75)}};
};

// Elements and weights on each axis for a block of points.
template <class L>
struct Block {
  int64_t n;
  L weight[3][kMostTaps][kBlock];
  int32_t element[3][kMostTaps][kBlock];

  void fill(const GridArgs& a, const L* grid, int64_t count) {
    n = count;
    L x[kBlock], t[kBlock], slope[kBlock];
    for (int d = 0; d < a.dims; ++d) {
      find_places(grid + d, int64_t{a.dims}, n, a, a.size[d], x, slope);
      split_places(n, a.mode, x, t);
      for (int k = 0; k < a.axis_taps; ++k) {
        const L* c = a.mode == kNearest    ? Coefficients<L>::nearest
                     : a.mode == kBilinear ? Coefficients<L>::linear[k]
                                           : Coefficients<L>::cubic[k];
        find_weights(c, t, slope, n, a.order[d], weight[d][k]);
        const L span = static_cast<L>(a.align_corners ? a.size[d] - 1 : a.size[d]);
        if (a.mode == kBicubic && a.padding == kReflection && span != 0) {
          find_elements<true>(x, n, k, a, a.size[d], element[d][k]);
        } else {
          find_elements<false>(x, n, k, a, a.size[d], element[d][k]);
        }
      }
    }
  }
  // Tap number k of all: its weights and places in the plane.
  __attribute__((noinline)) void combine(const GridArgs& a, int64_t k, L* __restrict w,
                                         int32_t* __restrict place) const {
    const int64_t taps = a.axis_taps;
    const int64_t kx = k % taps, ky = k / taps % taps, kz = k / taps / taps;
    const int32_t width = static_cast<int32_t>(a.size[0]), height = static_cast<int32_t>(a.size[1]);
    const int32_t *ex = element[0][kx], *ey = element[1][ky], *ez = element[2][kz];
    const L *wx = weight[0][kx], *wy = weight[1][ky], *wz = weight[2][kz];
    if (a.dims == 3) {
      for (int64_t p = 0; p < n; ++p) {
        w[p] = wx[p] * wy[p] * wz[p];
        const int32_t at = (ez[p] * height + ey[p]) * width + ex[p];
        place[p] = (ex[p] | ey[p] | ez[p]) < 0 ? -1 : at;
      }
      return;
    }
    for (int64_t p = 0; p < n; ++p) {
      w[p] = wx[p] * wy[p];
      const int32_t at = ey[p] * width + ex[p];
      place[p] = (ex[p] | ey[p]) < 0 ? -1 : at;
    }
  }
};

template <class F>
void each_block(const GridArgs& a, int64_t grain, F f) {
  const int64_t blocks = (a.points + kBlock - 1) / kBlock;
  parallel_for(0, a.batch * blocks, grain, [&](int64_t begin, int64_t end) {
    for (int64_t u = begin; u < end; ++u) {
      const int64_t first = u % blocks * kBlock;
      f(u / blocks, first, min64(kBlock, a.points - first));
    }
  });
}

// Weights and places as tensors.
template <class L>
void grid_taps(const GridArgs& a) {
  each_block(a, 16, [&](int64_t batch, int64_t first, int64_t n) {
    Block<L> block;
    block.fill(a, static_cast<const L*>(a.grid) + (batch * a.points + first) * a.dims, n);
    L w[kBlock];
    int32_t place[kBlock];
    for (int64_t k = 0; k < a.taps; ++k) {
      block.combine(a, k, w, place);
      const int64_t at = (batch * a.taps + k) * a.points + first;
      if (a.weights) __builtin_memcpy(static_cast<L*>(a.weights) + at, w, n * sizeof(L));
      if (a.places) __builtin_memcpy(a.places + at, place, n * sizeof(int32_t));
    }
  });
}

// sum[p] += weight[p] * in[place[p]] for the places that exist.
template <class L, class T>
__attribute__((noinline)) void add_tap(const T* __restrict in, const L* __restrict weight,
                                       const int32_t* __restrict place, int64_t n,
                                       L* __restrict sum) {
  for (int64_t p = 0; p < n; ++p) {
    const int32_t at = place[p] < 0 ? 0 : place[p];
    const L product = weight[p] * widen<L>(in[at]);
    sum[p] += place[p] < 0 ? L(0) : product;
  }
}

// The sampled values at once, without tensors of weights and places.
template <class T>
void grid_sample(const GridArgs& a) {
  using L = Compute<T>;
  const int64_t grain = 1 + 64 / (a.channels + 1);
  each_block(a, grain, [&](int64_t batch, int64_t first, int64_t n) {
    Block<L> block;
    block.fill(a, static_cast<const L*>(a.grid) + (batch * a.points + first) * a.dims, n);
    L w[64][kBlock], sum[kBlock];
    int32_t place[64][kBlock];
    for (int64_t k = 0; k < a.taps; ++k) block.combine(a, k, w[k], place[k]);
    for (int64_t c = 0; c < a.channels; ++c) {
      const int64_t plane = batch * a.channels + c;
      for (int64_t p = 0; p < n; ++p) sum[p] = 0;
      for (int64_t k = 0; k < a.taps; ++k)
        add_tap(static_cast<const T*>(a.in) + plane * a.in_size, w[k], place[k], n, sum);
      narrow_block(sum, static_cast<T*>(a.out) + plane * a.points + first, n);
    }
  });
}

const KernelEntry kEntries[] = {
    {"grid_taps",
     {nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr,
      PT_FN(&grid_taps<float>), PT_FN(&grid_taps<double>)}},
    {"grid_sample",
     {nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, PT_FN(&grid_sample<Half>),
      PT_FN(&grid_sample<BFloat16>), PT_FN(&grid_sample<float>), PT_FN(&grid_sample<double>)}},
};

}  // namespace
PT_REGISTER_KERNELS(kEntries)
}  // namespace pt::PT_ISA
