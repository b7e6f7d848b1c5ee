// Products of few rows with a B whose columns are contiguous in k (x @ weight.T, and matrix-vector
// products in either order): dot products along k, nothing of B packed.
//
// A block of kDotRows x kDotColumns sums of whole vectors is kept in registers; the lanes are
// added up at the end, in the same order for every block shape.
#pragma once

#include "cpu/gemm/block.h"

namespace pt::PT_ISA::gemm {

inline constexpr int64_t kBeyondCache = 8 << 20;  // bytes

// Whether B is so large that it comes from memory, and lies in one piece: then it is read from end
// to end, which memory is a little quicker at than at eight columns side by side, if vectors are
// wide enough that one sum keeps up.
template <class T>
bool streams_b(const Problem<T>& p) {
  constexpr int64_t kLine = 64;
  using S = AccumulatorOf<T>;
  return p.m == 1 && p.b_col == p.k && kLanes<S> * sizeof(S) >= kLine &&
         p.n * p.k * static_cast<int64_t>(sizeof(T)) >= kBeyondCache;
}

// Rows of A have stride 1 along k (packed by run_dot if need be).
template <class T, int kM, int kN, bool kStream = false>
void dot_block(const Problem<T>& p, const AccumulatorOf<T>* a, int64_t a_row, int64_t i,
               int64_t j) {
  using S = AccumulatorOf<T>;
  constexpr int kL = kLanes<S>;
  Vec<S> sum[kM * kN];
  PT_GEMM_UNROLL for (int q = 0; q < kM * kN; q++) sum[q] = Vec<S>{};
  const S* ap = a + i * a_row;
  const T* bp = p.b + j * p.b_col;
  int64_t k = p.k;
  for (; k >= kL; k -= kL, ap += kL, bp += kL) {
    if constexpr (kStream) {
      __builtin_prefetch(reinterpret_cast<const char*>(bp) + 2048, 0, 3);
      __builtin_prefetch(reinterpret_cast<const char*>(bp) + 16384, 0, 2);
    }
    Vec<S> av[kM];
    PT_GEMM_UNROLL for (int r = 0; r < kM; r++) av[r] = load(ap + r * a_row);
    PT_GEMM_UNROLL for (int c = 0; c < kN; c++) {
      const Vec<S> bv = load(bp + c * p.b_col);
      PT_GEMM_UNROLL for (int r = 0; r < kM; r++) sum[r * kN + c] += av[r] * bv;
    }
  }
  if (k > 0) {
    const int tail = static_cast<int>(k);
    Vec<S> av[kM];
    PT_GEMM_UNROLL for (int r = 0; r < kM; r++) av[r] = load_n(ap + r * a_row, tail);
    PT_GEMM_UNROLL for (int c = 0; c < kN; c++) {
      const Vec<S> bv = load_n(bp + c * p.b_col, tail);
      PT_GEMM_UNROLL for (int r = 0; r < kM; r++) sum[r * kN + c] += av[r] * bv;
    }
  }
  S total[kM * kN];
  constexpr int kFours = kM * kN / 4 * 4;
  PT_GEMM_UNROLL for (int q = 0; q < kFours; q += 4) sum_lanes_of_4<S>(sum + q, total + q);
  PT_GEMM_UNROLL for (int q = kFours; q < kM * kN; q++) total[q] = sum_lanes<S>(sum[q]);
  for (int r = 0; r < kM; r++) {
    for (int c = 0; c < kN; c++) finish_one(p, i + r, j + c, total[r * kN + c]);
  }
}

template <class T, int kN>
void dot_rows(const Problem<T>& p, const AccumulatorOf<T>* a, int64_t a_row, int64_t j) {
  constexpr int kM = Blocks<AccumulatorOf<T>>::kDotRows;
  int64_t i = 0;
  for (; i + kM <= p.m; i += kM) dot_block<T, kM, kN>(p, a, a_row, i, j);
  if constexpr (kM > 3) {
    if (p.m - i == 3) dot_block<T, 3, kN>(p, a, a_row, i, j);
  }
  if constexpr (kM > 2) {
    if (p.m - i == 2) dot_block<T, 2, kN>(p, a, a_row, i, j);
  }
  if (p.m - i == 1) dot_block<T, 1, kN>(p, a, a_row, i, j);
}

// Needs b_row == 1.
template <class T>
void run_dot(const Problem<T>& p) {
  using S = AccumulatorOf<T>;
  constexpr int kOneRowColumns = 8;
  const S* a = reinterpret_cast<const S*>(p.a);
  int64_t a_row = p.a_row;
  if (p.a_col != 1 || !std::is_same_v<T, S>) {
    S* packed = scratch_a.get<S>(p.m * p.k);
    for (int64_t i = 0; i < p.m; i++) {
      const T* from = p.a + i * p.a_row;
      for (int64_t k = 0; k < p.k; k++) packed[i * p.k + k] = static_cast<S>(from[k * p.a_col]);
    }
    a = packed;
    a_row = p.k;
  }
  constexpr int kColumns = Blocks<S>::kDotColumns;
  int64_t j = 0;
  if (streams_b(p)) {
    for (; j < p.n; j++) dot_block<T, 1, 1, true>(p, a, a_row, 0, j);
  } else if (p.m == 1) {
    for (; j + kOneRowColumns <= p.n; j += kOneRowColumns) {
      dot_block<T, 1, kOneRowColumns>(p, a, a_row, 0, j);
    }
  } else {
    for (; j + kColumns <= p.n; j += kColumns) dot_rows<T, kColumns>(p, a, a_row, j);
  }
  for (; j < p.n; j++) dot_rows<T, 1>(p, a, a_row, j);
}

}  // namespace pt::PT_ISA::gemm
