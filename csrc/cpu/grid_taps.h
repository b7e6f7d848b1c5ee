// Weights and places of all taps of a block of points, in the arrangement that planes are read in.
// Used by cpu/image_grid*.cpp.
#pragma once

#include "cpu/grid_block.h"

namespace pt::PT_ISA {

// Taps of pairs: the element at a place and the one after it. Where only one of a point's two
// exists, it is paired with the neighbour that the row has, which does not count.
template <class L>
__attribute__((noinline)) void pair_up(const GridArgs& a, const Block<L>& block,
                                       L (*__restrict weight)[kBlockPoints],
                                       int32_t (*__restrict place)[kBlockPoints]) {
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
      weight[2 * row][i] = first * y.weight[row][i];
      weight[2 * row + 1][i] = second * y.weight[row][i];
      place[row][i] = (line | at) < 0 ? -1 : line * width + at;
    }
    place[2][i] = (e0 == at) | (e1 == at) ? -1 : 0;
    place[3][i] = (e0 == at + 1) | (e1 == at + 1) ? -1 : 0;
  }
}

// Whether planes of T are read in pairs.
template <class T>
inline bool reads_pairs(const GridArgs& a) {
  return kGathersPairs<T> && a.dims == 2 && a.axis_taps == kLinearTaps && a.size[0] >= 2;
}

// How a point's taps are read.
template <bool kPairs, int kTaps>
struct Reading {};

// f(Reading) for the call's; each must return the same type.
template <class T, class F>
inline auto with_reading(const GridArgs& a, F f) {
  if (reads_pairs<T>(a)) return f(Reading<kGathersPairs<T>, 4>{});
  if (a.taps == 1) return f(Reading<false, 1>{});
  if (a.taps == 4) return f(Reading<false, 4>{});
  if (a.taps == 8) return f(Reading<false, 8>{});
  return f(Reading<false, 16>{});
}

template <class L>
struct Taps {
  alignas(64) L weight[kMostTaps][kBlockPoints];
  // In pairs: the places of both rows, then masks of the first and the second elements.
  alignas(64) int32_t place[kMostTaps][kBlockPoints];

  void fill(const GridArgs& a, const Block<L>& block, bool pairs) {
    if (pairs) return pair_up(a, block, weight, place);
    for (int64_t k = 0; k < a.taps; ++k) block.combine(a, k, weight[k], place[k]);
  }

  // The elements of points i, i + 1, ... that exist, zeros for the others.
  template <bool kPairs, int kTaps, class T>
  void gather_all(const T* in, int64_t i, Vec<L>* v) const {
    if constexpr (kPairs) {
#pragma GCC unroll 2
      for (int row = 0; row < 2; ++row) {
        const Pairs<L> p = gather_pairs(in, load_places<L>(place[row] + i));
        v[2 * row] = masked(p.first, place[2] + i);
        v[2 * row + 1] = masked(p.second, place[3] + i);
      }
    } else {
#pragma GCC unroll 16
      for (int k = 0; k < kTaps; ++k) v[k] = gather<L>(in, load_places<L>(place[k] + i));
    }
  }

 private:
  static Vec<L> masked(Vec<L> v, const int32_t* mask) {
    return reinterpret_cast<Vec<L>>(reinterpret_cast<Places<L>>(v) & load_places<L>(mask));
  }
};

}  // namespace pt::PT_ISA
