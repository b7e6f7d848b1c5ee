// The one-dimensional transforms of Winograd's minimal filtering F(m, 3), for m = 2 and 4.
//
// Lavin and Gray, "Fast algorithms for convolutional neural networks" (2015): with A, B, G of the
// paper, the m results of a tile of m + 2 inputs d under a filter g are A^T [(G g) * (B^T d)]. Two
// dimensions apply each transform to columns, then to rows. F(2, 3) is as exact as direct sums;
// F(4, 3) loses about a decimal digit. Vectors hold the same element of kLanes tiles.
#pragma once

#include "cpu/conv/lanes.h"

namespace pt::PT_ISA::conv {

template <int kTile>
struct Minimal;

template <>
struct Minimal<2> {
  static constexpr int kInputs = 4;
  using V = Vec<float>;
  // o = B^T d, elements `step` apart.
  static PT_GEMM_INLINE void input(const V* d, int step, V* o, int o_step) {
    const V d0 = d[0], d1 = d[step], d2 = d[2 * step], d3 = d[3 * step];
    o[0] = d0 - d2;
    o[o_step] = d1 + d2;
    o[2 * o_step] = d2 - d1;
    o[3 * o_step] = d1 - d3;
  }
  // o = A^T m
  static PT_GEMM_INLINE void output(const V* m, int step, V* o, int o_step) {
    const V sum = m[step] + m[2 * step], difference = m[step] - m[2 * step];
    o[0] = m[0] + sum;
    o[o_step] = difference - m[3 * step];
  }
  // o = G g
  static PT_GEMM_INLINE void weight(const V* g, int step, V* o, int o_step) {
    const V outer = 0.5f * (g[0] + g[2 * step]), middle = 0.5f * g[step];
    o[0] = g[0];
    o[o_step] = outer + middle;
    o[2 * o_step] = outer - middle;
    o[3 * o_step] = g[2 * step];
  }
};

template <>
struct Minimal<4> {
  static constexpr int kInputs = 6;
  using V = Vec<float>;
  static PT_GEMM_INLINE void input(const V* d, int step, V* o, int o_step) {
    const V d0 = d[0], d1 = d[step], d2 = d[2 * step], d3 = d[3 * step], d4 = d[4 * step];
    const V a = d4 - 4.f * d2, b = d3 - 4.f * d1, c = d4 - d2, e = 2.f * (d3 - d1);
    o[0] = 4.f * d0 - 5.f * d2 + d4;
    o[o_step] = a + b;
    o[2 * o_step] = a - b;
    o[3 * o_step] = c + e;
    o[4 * o_step] = c - e;
    o[5 * o_step] = 4.f * d1 - 5.f * d3 + d[5 * step];
  }
  static PT_GEMM_INLINE void output(const V* m, int step, V* o, int o_step) {
    const V a = m[step] + m[2 * step], b = m[step] - m[2 * step];
    const V c = m[3 * step] + m[4 * step], d = m[3 * step] - m[4 * step];
    o[0] = m[0] + a + c;
    o[o_step] = b + 2.f * d;
    o[2 * o_step] = a + 4.f * c;
    o[3 * o_step] = b + 8.f * d + m[5 * step];
  }
  static PT_GEMM_INLINE void weight(const V* g, int step, V* o, int o_step) {
    const V outer = (-1.f / 6) * (g[0] + g[2 * step]), middle = (1.f / 6) * g[step];
    const V wide = (1.f / 24) * g[0] + (1.f / 6) * g[2 * step], narrow = (1.f / 12) * g[step];
    o[0] = 0.25f * g[0];
    o[o_step] = outer - middle;
    o[2 * o_step] = outer + middle;
    o[3 * o_step] = wide + narrow;
    o[4 * o_step] = wide - narrow;
    o[5 * o_step] = g[2 * step];
  }
};

// The transform of both dimensions: from rows x rows elements to columns x columns.
template <int kFrom, int kTo, class F>
PT_GEMM_INLINE void both_ways(const Vec<float>* from, Vec<float>* to, F transform) {
  Vec<float> half[kTo * kFrom];
  PT_GEMM_UNROLL for (int c = 0; c < kFrom; c++) transform(from + c, kFrom, half + c, kFrom);
  PT_GEMM_UNROLL for (int r = 0; r < kTo; r++) transform(half + r * kFrom, 1, to + r * kTo, 1);
}

// The inverse: vectors of the m columns of tiles become rows of pixels.
template <int kTile>
PT_GEMM_INLINE void put_together(const Vec<float>* v, Vec<float>* out) {
  const gemm::LanesOf<float> lanes{};
  const auto low = [&](Vec<float> a, Vec<float> b) { return gemm::zip_low<float>(a, b, lanes); };
  const auto high = [&](Vec<float> a, Vec<float> b) { return gemm::zip_high<float>(a, b, lanes); };
  if constexpr (kTile == 2) {
    out[0] = low(v[0], v[1]);
    out[1] = high(v[0], v[1]);
  } else {
    const Vec<float> a0 = low(v[0], v[2]), a1 = high(v[0], v[2]);
    const Vec<float> b0 = low(v[1], v[3]), b1 = high(v[1], v[3]);
    out[0] = low(a0, b0);
    out[1] = high(a0, b0);
    out[2] = low(a1, b1);
    out[3] = high(a1, b1);
  }
}

}  // namespace pt::PT_ISA::conv
