// Transposes of matrices in vectors: weights and their gradients change their order by it.
#pragma once

#include "core/parallel.h"
#include "cpu/conv/lanes.h"
#include "cpu/gemm/pack.h"

namespace pt::PT_ISA::conv {

// Row i of the result, to(i)[j] = from[j * from_pitch + i], for rows x columns of it, both up to
// kLanes. Rows whose place is null are left out.
template <class T, class F>
PT_GEMM_INLINE void transpose_block(const T* from, int64_t from_pitch, int rows, int columns,
                                    F&& to) {
  constexpr int kL = kLanes<T>;
  Vec<T> r[kL];
  if (rows == kL && columns == kL) {
    PT_GEMM_UNROLL for (int j = 0; j < kL; j++) r[j] = load(from + j * from_pitch);
    gemm::transpose<T>(r);
    PT_GEMM_UNROLL for (int i = 0; i < kL; i++) {
      if (T* row = to(i)) store(row, r[i]);
    }
    return;
  }
  PT_GEMM_UNROLL for (int j = 0; j < kL; j++) {
    r[j] = Vec<T>{};
    if (j < columns) r[j] = load_n(from + j * from_pitch, rows);
  }
  gemm::transpose<T>(r);
  PT_GEMM_UNROLL for (int i = 0; i < kL; i++) {
    if (i >= rows) break;
    if (T* row = to(i)) store_n(row, r[i], columns);
  }
}

// The transpose of a dense matrix of rows x columns, its row i at to(i). kBlocks blocks of columns
// side by side: several read more of each line of memory, one writes the fewest rows at a time.
template <int kBlocks, class T, class F>
void transpose_rows(const T* from, int64_t rows, int64_t columns, F&& to) {
  constexpr int64_t kL = kLanes<T>, kStripe = kBlocks * kL;
  const int64_t stripes = gemm::divide_up(columns, kStripe);
  const int64_t grain = gemm::max_of(1, 65536 / (rows * kStripe));
  parallel_for(0, stripes, grain, [&](int64_t begin, int64_t end) {
    for (int64_t s = begin * kStripe; s < end * kStripe; s += kStripe) {
      const int64_t stop = gemm::min_of(columns, s + kStripe);
      T* places[kStripe];
      for (int64_t i = s; i < stop; i++) places[i - s] = to(i);
      for (int64_t j = 0; j < rows; j += kL) {
        const int count = static_cast<int>(gemm::min_of(kL, rows - j));
        for (int64_t i = s; i < stop; i += kL) {
          T* const* rows_of_block = places + (i - s);
          transpose_block(
              from + j * columns + i, columns, static_cast<int>(gemm::min_of(kL, stop - i)), count,
              [&](int64_t r) { return rows_of_block[r] ? rows_of_block[r] + j : nullptr; });
        }
      }
    }
  });
}

// to = from^T
template <class T>
void transpose_matrix(const T* from, int64_t rows, int64_t columns, T* to) {
  transpose_rows<1>(from, rows, columns, [&](int64_t i) { return to + i * rows; });
}

}  // namespace pt::PT_ISA::conv
