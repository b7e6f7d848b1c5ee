// Copies blocks of A and B into the order in which the micro-kernel reads them.
//
// Takes any strides (transposed, expanded, negative) and converts half precision to float.
// Used by block.h and dot.h only.
#pragma once

#include "cpu/gemm/micro_kernel.h"

namespace pt::PT_ISA::gemm {

// to[i * to_pitch + j] = from[j * from_pitch + i] for a square of kLanes, or its first
// `rows` x `columns` (of the result); the result's other columns are set to zero.
template <class T, class S>
PT_GEMM_INLINE void transpose_square(const T* from, int64_t from_pitch, S* to, int64_t to_pitch,
                                     int rows, int columns) {
  constexpr int kL = kLanes<S>;
  Vec<S> r[kL];
  if (rows == kL && columns == kL) {
    PT_GEMM_UNROLL for (int j = 0; j < kL; j++) r[j] = load(from + j * from_pitch);
    transpose<S>(r);
    PT_GEMM_UNROLL for (int i = 0; i < kL; i++) store(to + i * to_pitch, r[i]);
    return;
  }
  PT_GEMM_UNROLL for (int j = 0; j < kL; j++) {
    r[j] = Vec<S>{};
    if (j < columns) r[j] = load_n(from + j * from_pitch, rows);
  }
  transpose<S>(r);
  PT_GEMM_UNROLL for (int i = 0; i < kL; i++) {
    if (i < rows) store(to + i * to_pitch, r[i]);
  }
}

// Packs B[k, n] into panels of kColumns columns, panel after panel, each [k][kColumns] and padded
// with zeros.
template <class T, class S>
void pack_b(const T* b, int64_t b_row, int64_t b_col, int64_t k, int64_t n, S* to) {
  constexpr int kL = kLanes<S>, kColumns = Blocks<S>::kColumns;
  if (b_col == 1) {
    constexpr int kAhead = 4;
    const int64_t whole = n / kColumns * kColumns;
    for (int64_t p = 0; p < k; p++) {  // whole rows at a time: memory is read in order
      const T* from = b + p * b_row;
      S* out = to + p * kColumns;
      int64_t j = 0;
      for (; j < whole; j += kColumns, out += kColumns * k) {
        PT_GEMM_UNROLL for (int v = 0; v < kColumns; v += kL) {
          __builtin_prefetch(from + kAhead * b_row + j + v);
          store(out + v, load(from + j + v));
        }
      }
      if (j < n) {
        PT_GEMM_UNROLL for (int v = 0; v < kColumns; v += kL) {
          const int64_t left = n - j - v;
          const int count = left <= 0 ? 0 : static_cast<int>(min_of<int64_t>(kL, left));
          store(out + v, count ? load_n(from + j + v, count) : Vec<S>{});
        }
      }
    }
    return;
  }
  for (int64_t j = 0; j < n; j += kColumns, to += kColumns * k) {
    const T* from = b + j * b_col;
    for (int v = 0; v < kColumns; v += kL) {
      const int64_t left = n - j - v;
      const int columns = left <= 0 ? 0 : static_cast<int>(min_of<int64_t>(kL, left));
      if (b_row == 1) {
        for (int64_t p = 0; p < k; p += kL) {
          transpose_square(from + v * b_col + p, b_col, to + p * kColumns + v, kColumns,
                           static_cast<int>(min_of<int64_t>(kL, k - p)), columns);
        }
      } else {
        for (int64_t p = 0; p < k; p++) {
          S* out = to + p * kColumns + v;
          for (int c = 0; c < kL; c++) {
            out[c] = c < columns ? static_cast<S>(from[p * b_row + (v + c) * b_col]) : S(0);
          }
        }
      }
    }
  }
}

// Packs a panel of A by rows: row i at to + i * pitch.
template <class T, class S>
PT_GEMM_INLINE void pack_rows(const T* a, int64_t a_row, int64_t rows, int64_t k, S* to,
                              int64_t pitch) {
  constexpr int kL = kLanes<S>;
  for (int64_t i = 0; i < rows; i++) {
    const T* from = a + i * a_row;
    S* out = to + i * pitch;
    int64_t p = 0;
    for (; p + kL <= k; p += kL) store(out + p, load(from + p));
    if (p < k) store_n(out + p, load_n(from + p, static_cast<int>(k - p)), static_cast<int>(k - p));
  }
}

// Packs kPanelGroup panels of a transposed A (rows have stride 1), one after the other, each
// [k][kRows]: A(i, p) of panel q at to[(q * k + p) * kRows + i]. Several at once use whole cache
// lines of A. Needs kRows more rows than it packs: whole vectors are copied, and what runs over
// the end of a row of a panel is overwritten by its next row.
template <class T, class S>
void pack_column_panels(const T* a, int64_t a_col, int64_t k, S* to) {
  constexpr int kL = kLanes<S>, kRows = Blocks<S>::kRows, kTail = (kRows - 1) % kL + 1;
  constexpr int kAhead = 16, kLine = 64 / static_cast<int>(sizeof(T));
  for (int64_t p = 0; p < k; p++) {
    const T* from = a + p * a_col;
    S* out = to + p * kRows;
    PT_GEMM_UNROLL for (int q = 0; q < Blocks<S>::kPanelGroup * kRows; q += kLine) {
      __builtin_prefetch(from + kAhead * a_col + q);
    }
    PT_GEMM_UNROLL for (int q = 0; q < Blocks<S>::kPanelGroup; q++) {
      PT_GEMM_UNROLL for (int v = 0; v < kRows; v += kL) {
        if (v + kL <= kRows || p + 1 < k) {
          store(out + v, load(from + v));
        } else {
          store_n(out + v, load_n(from + v, kTail), kTail);
        }
      }
      from += kRows;
      out += kRows * k;
    }
  }
}

// Packs one panel of A with any strides by columns.
template <class T, class S>
void pack_columns(const T* a, int64_t a_row, int64_t a_col, int rows, int64_t k, S* to) {
  constexpr int kL = kLanes<S>, kRows = Blocks<S>::kRows;
  for (int64_t p = 0; p < k; p++) {
    const T* from = a + p * a_col;
    S* out = to + p * kRows;
    if (a_row == 1) {
      PT_GEMM_UNROLL for (int v = 0; v < kRows; v += kL) {
        const int count = min_of(kL, rows - v);
        if (count > 0) store_n(out + v, load_n(from + v, count), count);
      }
    } else {
      for (int i = 0; i < rows; i++) out[i] = static_cast<S>(from[i * a_row]);
    }
  }
}

}  // namespace pt::PT_ISA::gemm
