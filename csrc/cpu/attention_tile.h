// A tile of the score matrix: some rows of queries by some keys. Used by attention_forward.cpp and
// attention_backward.cpp.
#pragma once

#include "core/parallel.h"
#include "cpu/attention_args.h"
#include "cpu/gemm/pack.h"
#include "cpu/gemm/problem.h"
#include "ops/functors/math.h"

namespace pt::PT_ISA::attention {

using gemm::divide_up;
using gemm::max_of;
using gemm::min_of;
using gemm::round_up;
using gemm::Vec;

template <class T>
inline constexpr int kColumns = gemm::Blocks<T>::kColumns;
template <class T>
inline constexpr T kNothing = -__builtin_inf();

// The matrix of a batch and head, from a row on.
template <class T>
inline T* matrix(const AttentionOperand& x, int64_t batch, int64_t head, int64_t row = 0) {
  return static_cast<T*>(x.data) + batch * x.batch + head * x.head + row * x.row;
}

// Room between rows that are read side by side: not a multiple of a cache set's period.
inline int64_t pitch_of(int64_t columns) {
  const int64_t pitch = round_up(columns, 16) + 16;
  return pitch % 256 == 0 ? pitch + 16 : pitch;
}

// to = factor * from, row by row.
template <class T>
inline void copy_rows(const T* from, int64_t from_row, int64_t rows, int64_t n, T factor, T* to,
                      int64_t to_row) {
  for (int64_t i = 0; i < rows; i++) {
    const T* x = from + i * from_row;
    T* y = to + i * to_row;
    for (int64_t j = 0; j < n; j++) y[j] = factor * x[j];
  }
}

// How B lies in memory: panels of kColumns columns, `panel` elements apart, rows `row` apart.
template <class T>
struct Right {
  const T* b;
  int64_t row, panel;
  static Right packed(const T* b, int64_t depth) { return {b, kColumns<T>, depth * kColumns<T>}; }
  static Right in_rows(const T* b, int64_t row) { return {b, row, kColumns<T>}; }
};

// c[m, n] = (or +=) A[m, depth] @ B[depth, n]. `whole` says that all panels of C and B may be used
// to their full width.
template <class T>
inline void multiply(gemm::ALayout layout, const T* a, int64_t a_stride, int64_t m, int64_t depth,
                     Right<T> right, int64_t n, T* c, int64_t c_row, bool add, bool whole) {
  constexpr int64_t most = gemm::Blocks<T>::kRows;
  const int64_t row = layout == gemm::kByRow ? a_stride : 1;
  for (int64_t i = 0, rows; i < m; i += rows) {
    rows = m - i;
    if (rows > most) rows = rows >= 2 * most ? most : (rows + 1) / 2;
    for (int64_t j = 0, q = 0; j < n; j += kColumns<T>, q++) {
      const int width = whole ? kColumns<T> : static_cast<int>(min_of<int64_t>(kColumns<T>, n - j));
      const auto kernel = gemm::kernel_table<T>().get(layout, static_cast<int>(rows), width);
      kernel(depth, a + i * row, a_stride, right.b + q * right.panel, right.row, 8 * right.row,
             c + i * c_row + j, c_row, width, add);
    }
  }
}

// Where mask and causality leave nothing, scores become -inf; a mask of numbers is added. x are
// the scores of a row and of n keys from `key` on, padded to whole panels.
template <class T>
inline void apply_mask(const AttentionArgs& a, int64_t batch, int64_t head, int64_t row,
                       int64_t key, int64_t n, T* x) {
  const AttentionOperand& m = a.mask;
  if (m.data) {
    const int64_t at = batch * m.batch + head * m.head + row * m.row + key * m.column;
    if (a.mask_is_bool) {
      const bool* mask = static_cast<const bool*>(m.data) + at;
      for (int64_t j = 0; j < n; j++) x[j] = mask[j * m.column] ? x[j] : kNothing<T>;
    } else {
      const T* mask = static_cast<const T*>(m.data) + at;
      if (m.column == 1) {
        for (int64_t j = 0; j < n; j++) x[j] += mask[j];
      } else {
        for (int64_t j = 0; j < n; j++) x[j] += mask[j * m.column];
      }
    }
  }
  const int64_t visible = a.causal ? min_of(n, max_of(0, row + 1 - key)) : n;
  for (int64_t j = visible; j < round_up(n, kColumns<T>); j++) x[j] = kNothing<T>;
}

// Keys from `key` on that some of the rows before `end` attend to, at most n.
inline int64_t visible_keys(const AttentionArgs& a, int64_t end, int64_t key, int64_t n) {
  return a.causal ? min_of(n, max_of(0, end - key)) : n;
}

}  // namespace pt::PT_ISA::attention
