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
    if constexpr (kSame<T, L>) {
      if (i + lanes <= n) {
        store(out + i, sum);
        continue;
      }
    }
    L values[lanes];
    store(values, sum);
    narrow_block(values, out + i, n - i < lanes ? n - i : lanes);
  }
}

template <class T>
void grid_sample(const GridArgs& a) {
  using L = Compute<T>;
  const auto plane = a.taps == 1    ? &sample_plane<1, L, T>
                     : a.taps == 4  ? &sample_plane<4, L, T>
                     : a.taps == 8  ? &sample_plane<8, L, T>
                                    : &sample_plane<16, L, T>;
  each_block(a, 8 + 2 * a.taps * a.channels, [&](int64_t batch, int64_t first, int64_t n) {
    Block<L> block;
    Taps<L> taps;
    block.fill(a, batch, first, n);
    for (int64_t k = 0; k < a.taps; ++k) block.combine(a, k, taps.weight[k], taps.place[k]);
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
