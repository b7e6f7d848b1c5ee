// Sampling of images along a grid: which elements each point of the grid reads, with what weights,
// and their weighted sums. 16-bit floats add up in float.
#include "cpu/grid_taps.h"

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
template <bool kPairs, int kTaps, class L, class T>
__attribute__((noinline)) void sample_plane(const T* __restrict in, const Taps<L>& taps, int64_t n,
                                            T* __restrict out) {
  for (int64_t i = 0; i < n; i += kLanes<L>) {
    Vec<L> v[kTaps], sum = {};
    taps.template gather_all<kPairs, kTaps>(in, i, v);
#pragma GCC unroll 16
    for (int k = 0; k < kTaps; ++k) sum += load<L>(taps.weight[k] + i) * v[k];
    put<L>(sum, i, n, out);
  }
}

template <class T>
void grid_sample(const GridArgs& a) {
  using L = Compute<T>;
  const bool pairs = reads_pairs<T>(a);
  const auto plane = with_reading<T>(a, []<bool kPairs, int kTaps>(Reading<kPairs, kTaps>) {
    return &sample_plane<kPairs, kTaps, L, T>;
  });
  each_block(a, 8 + 2 * a.taps * a.channels, [&](int64_t batch, int64_t first, int64_t n) {
    Block<L> block;
    Taps<L> taps;
    block.fill(a, batch, first, n);
    taps.fill(a, block, pairs);
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
