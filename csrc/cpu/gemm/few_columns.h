// The last columns of a product where they fill only a small part of a vector: sums whose lanes are
// the depth, or the rows, instead of vectors of columns that are mostly empty. An image of 7 x 7
// pixels has 49 columns; the last one alone would cost as much as 16.
//
// How many columns are treated so follows from the whole product, never from a tile, so that
// results do not depend on the cut. Used by block.h, gemm_mixed.cpp and the convolutions'
// product.h.
#pragma once

#include "cpu/gemm/pack.h"

namespace pt::PT_ISA::gemm {

template <class S>
class FewColumns {
 public:
  using B = Blocks<S>;
  static constexpr int kL = kLanes<S>;
  static constexpr int kMost = kL / 2;

  // How many of the last of n columns: none where a vector of them is well filled, or where too
  // few rows and too little depth meet the packed columns.
  static int count_of(int64_t m, int64_t n, int64_t k) {
    constexpr int64_t kFewestRows = 2 * B::kRows, kShortest = 4 * kL;
    const int rest = static_cast<int>(n % kL);
    constexpr bool kMasks = kVectorBytes > 16;  // partial vectors cost no more than whole ones
    return kMasks && rest <= kMost && m >= kFewestRows && k >= kShortest ? rest : 0;
  }

  // `columns` of B from b on, [depth][columns] with the given strides.
  template <class T>
  void pack(const T* b, int64_t b_row, int64_t b_col, int64_t depth, int columns) {
    depth_ = depth;
    columns_ = columns;
    for (int c = 0; c < columns; c++) {
      const T* from = b + c * b_col;
      S* to = packed_ + c * B::kPanelPitch;
      for (int64_t k = 0; k < depth; k++) to[k] = static_cast<S>(from[k * b_row]);
    }
  }

  // c[i, j] (+)= sums of the panel's rows and the packed columns.
  void multiply(const S* a, int64_t a_stride, ALayout layout, int rows, S* c, int64_t c_stride,
                bool add) const {
    S sums[B::kRows * kPitch];
    for (int j = 0; j < columns_;) {
      const int left = columns_ - j;
      const int count = left > 4 || left == 3 ? 3 : left >= 2 ? 2 : 1;
      if (count == 3) {
        run<3>(a, a_stride, layout, rows, j, sums);
      } else if (count == 2) {
        run<2>(a, a_stride, layout, rows, j, sums);
      } else {
        run<1>(a, a_stride, layout, rows, j, sums);
      }
      j += count;
    }
    for (int i = 0; i < rows; i++) {
      S* to = c + i * c_stride;
      const S* from = sums + i * kPitch;
      for (int j = 0; j < columns_; j++) to[j] = add ? to[j] + from[j] : from[j];
    }
  }

 private:
  static constexpr int kRowsAtOnce = B::kRows / 2;
  static constexpr int kPitch = kMost < 3 ? 3 : kMost;  // of a row of sums

  template <int kN>
  void run(const S* a, int64_t a_stride, ALayout layout, int rows, int j, S* sums) const {
    if (layout == kByColumn) return along_rows<kN>(a, a_stride, rows, j, sums);
    if (rows < kRowsAtOnce) {
      for (int i = 0; i < rows; i++) along_depth<1, kN>(a + i * a_stride, a_stride, i, j, sums);
      return;
    }
    for (int i = 0; i < rows; i += kRowsAtOnce) {
      if (i + kRowsAtOnce > rows) i = rows - kRowsAtOnce;  // some rows again, with the same sums
      along_depth<kRowsAtOnce, kN>(a + i * a_stride, a_stride, i, j, sums);
    }
  }

  // Dot products of kM rows, contiguous along k.
  template <int kM, int kN>
  void along_depth(const S* a, int64_t a_stride, int i, int j, S* sums) const {
    const S* x = packed_ + j * B::kPanelPitch;
    Vec<S> sum[kM * kN];
    PT_GEMM_UNROLL for (int q = 0; q < kM * kN; q++) sum[q] = Vec<S>{};
    const auto step = [&](auto&& get) __attribute__((always_inline)) {
      Vec<S> xv[kN];
      PT_GEMM_UNROLL for (int c = 0; c < kN; c++) xv[c] = get(x + c * B::kPanelPitch);
      PT_GEMM_UNROLL for (int r = 0; r < kM; r++) {
        const Vec<S> av = get(a + r * a_stride);
        PT_GEMM_UNROLL for (int c = 0; c < kN; c++) sum[r * kN + c] += av * xv[c];
      }
    };
    int64_t k = depth_;
    for (; k >= kL; k -= kL, a += kL, x += kL) {
      step([](const S* p) __attribute__((always_inline)) { return load(p); });
    }
    if (k > 0) {
      step([n = static_cast<int>(k)](const S* p)
               __attribute__((always_inline)) { return load_n(p, n); });
    }
    PT_GEMM_UNROLL for (int r = 0; r < kM; r++) {
      PT_GEMM_UNROLL for (int c = 0; c < kN; c++) {
        sums[(i + r) * kPitch + j + c] = sum_lanes<S>(sum[r * kN + c]);
      }
    }
  }

  // Rows in the lanes: A(i, k) at a[i + k * a_stride].
  template <int kN>
  void along_rows(const S* a, int64_t a_stride, int rows, int j, S* sums) const {
    constexpr int kV = (B::kRows + kL - 1) / kL, kTurns = 4;  // sums of every fourth k
    const S* x = packed_ + j * B::kPanelPitch;
    Vec<S> sum[kTurns][kV * kN];
    PT_GEMM_UNROLL for (int t = 0; t < kTurns; t++) {
      PT_GEMM_UNROLL for (int q = 0; q < kV * kN; q++) sum[t][q] = Vec<S>{};
    }
    int lanes[kV];
    PT_GEMM_UNROLL for (int v = 0; v < kV; v++) {
      const int left = rows - v * kL;
      lanes[v] = left < 0 ? 0 : min_of(left, kL);
    }
    const auto step = [&](int t) __attribute__((always_inline)) {
      PT_GEMM_UNROLL for (int v = 0; v < kV; v++) {
        const Vec<S> av = load_n(a + v * kL, lanes[v]);
        PT_GEMM_UNROLL for (int c = 0; c < kN; c++) {
          sum[t][v * kN + c] += av * broadcast<S>(x[c * B::kPanelPitch]);
        }
      }
      a += a_stride;
      x++;
    };
    int64_t k = depth_;
    for (; k >= kTurns; k -= kTurns) {
      PT_GEMM_UNROLL for (int t = 0; t < kTurns; t++) step(t);
    }
    for (; k > 0; k--) step(0);
    PT_GEMM_UNROLL for (int q = 0; q < kV * kN; q++) {
      const Vec<S> total = (sum[0][q] + sum[1][q]) + (sum[2][q] + sum[3][q]);
      const int first = q / kN * kL;
      for (int i = 0; i < lanes[q / kN]; i++) sums[(first + i) * kPitch + j + q % kN] = total[i];
    }
  }

  alignas(64) S packed_[kMost * B::kPanelPitch];
  int64_t depth_ = 0;
  int columns_ = 0;
};

}  // namespace pt::PT_ISA::gemm
