// Sampling of images along a grid: which elements each point of the grid reads, with what weights,
// and their weighted sums. 16-bit floats add up in float.
#include "cpu/grid_block.h"

namespace pt::PT_ISA {
namespace {

// Weights and places as tensors.
template <class L>
void grid_taps(const GridArgs& a) {
  each_block(a, 8 + 2 * a.taps, [&](int64_t batch, int64_t first, int64_t n) {
    Block<L> block;
    block.fill(a, batch, first, n);
    for (int d = 0; d < a.dims; ++d) {
      if (a.order[d] > 0) block.differentiate(a, d, a.order[d]);
    }
    L w[kBlockPoints];
    int32_t place[kBlockPoints];
    for (int64_t k = 0; k < a.taps; ++k) {
      block.combine(a, k, a.weights ? w : nullptr, a.places ? place : nullptr);
      const int64_t at = (batch * a.taps + k) * a.points + first;
      if (a.weights) __builtin_memcpy(static_cast<L*>(a.weights) + at, w, n * sizeof(L));
      if (a.places) __builtin_memcpy(a.places + at, place, n * sizeof(int32_t));
    }
  });
}

template <class L>
struct Taps {
  alignas(64) L weight[kMostTaps][kBlockPoints];
  alignas(64) int32_t place[kMostTaps][kBlockPoints];
};

template <class L>
inline Vec<L> masked(Vec<L> v, const int32_t* mask) {
  return reinterpret_cast<Vec<L>>(reinterpret_cast<Places<L>>(v) & load_places<L>(mask));
}

// out[i ..] = values, as far as there are n.
template <class L, class T>
inline void put(Vec<L> v, int64_t i, int64_t n, T* out) {
  constexpr int lanes = kLanes<L>;
  if constexpr (kSame<T, L>) {
    if (i + lanes <= n) return store(out + i, v);
  }
  L values[lanes];
  store(values, v);
  narrow_block(values, out + i, n - i < lanes ? n - i : lanes);
}

// The weighted sums of a plane's elements for n points.
template <int kTaps, class L, class T>
__attribute__((noinline)) void sample_plane(const T* __restrict in, const Taps<L>& taps, int64_t n,
                                            T* __restrict out) {
  constexpr int lanes = kLanes<L>;
  for (int64_t i = 0; i < n; i += lanes) {
    Vec<L> sum = {};
#pragma GCC unroll 16
    for (int k = 0; k < kTaps; ++k) {
      sum += load<L>(taps.weight[k] + i) * gather<L>(in, load_places<L>(taps.place[k] + i));
    }
    put<L>(sum, i, n, out);
  }
}

// The same for linear taps in two dimensions where a row's two elements are read at once. The
// places of both rows are followed by masks of the elements that exist; see pair_up.
template <class L, class T>
__attribute__((noinline)) void sample_pairs(const T* __restrict in, const Taps<L>& taps, int64_t n,
                                            T* __restrict out) {
  constexpr int lanes = kLanes<L>;
  for (int64_t i = 0; i < n; i += lanes) {
    Vec<L> sum = {};
#pragma GCC unroll 2
    for (int row = 0; row < 2; ++row) {
      const Pairs<L> v = gather_pairs(in, load_places<L>(taps.place[row] + i));
      sum += load<L>(taps.weight[2 * row] + i) * masked<L>(v.first, taps.place[2] + i);
      sum += load<L>(taps.weight[2 * row + 1] + i) * masked<L>(v.second, taps.place[3] + i);
    }
    put<L>(sum, i, n, out);
  }
}

// Taps of pairs: the element at a place and the one after it. Where only one of a point's two
// exists, it is paired with the neighbour that the row has, which does not count.
template <class L>
__attribute__((noinline)) void pair_up(const GridArgs& a, const Block<L>& block,
                                       Taps<L>& __restrict taps) {
  const auto& __restrict x = block.axis[0];
  const auto& __restrict y = block.axis[1];
  const int32_t width = static_cast<int32_t>(a.size[0]), last = width - 2;
  const int64_t n = block.n;
  if (n % kVectorPoints != 0) __builtin_unreachable();
  for (int64_t i = 0; i < n; ++i) {
    const int32_t e0 = x.element[0][i], e1 = x.element[1][i], e = e0 < 0 ? e1 : e0;
    const int32_t at = e < last ? e : last;
    const L w0 = x.weight[0][i], w1 = x.weight[1][i];
    const L first = (e0 == at ? w0 : L(0)) + (e1 == at ? w1 : L(0));
    const L second = (e0 == at + 1 ? w0 : L(0)) + (e1 == at + 1 ? w1 : L(0));
#pragma GCC unroll 2
    for (int row = 0; row < 2; ++row) {
      const int32_t line = y.element[row][i];
      taps.weight[2 * row][i] = first * y.weight[row][i];
      taps.weight[2 * row + 1][i] = second * y.weight[row][i];
      taps.place[row][i] = (line | at) < 0 ? -1 : line * width + at;
    }
    taps.place[2][i] = (e0 == at) | (e1 == at) ? -1 : 0;
    taps.place[3][i] = (e0 == at + 1) | (e1 == at + 1) ? -1 : 0;
  }
}

template <class T>
void grid_sample(const GridArgs& a) {
  using L = Compute<T>;
  auto plane = a.taps == 1   ? &sample_plane<1, L, T>
               : a.taps == 4 ? &sample_plane<4, L, T>
               : a.taps == 8 ? &sample_plane<8, L, T>
                             : &sample_plane<16, L, T>;
  bool pairs = false;
  if constexpr (kGathersPairs<T>) {
    pairs = a.taps == 4 && a.size[0] >= 2;
    if (pairs) plane = &sample_pairs<L, T>;
  }
  each_block(a, 8 + 2 * a.taps * a.channels, [&](int64_t batch, int64_t first, int64_t n) {
    Block<L> block;
    Taps<L> taps;
    block.fill(a, batch, first, n);
    if (pairs) {
      pair_up(a, block, taps);
    } else {
      for (int64_t k = 0; k < a.taps; ++k) block.combine(a, k, taps.weight[k], taps.place[k]);
    }
    for (int64_t c = batch * a.channels; c < (batch + 1) * a.channels; ++c) {
      plane(static_cast<const T*>(a.in) + c * a.in_size, taps, n,
            static_cast<T*>(a.out) + c * a.points + first);
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
