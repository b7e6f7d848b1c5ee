// Transposes of matrices in vectors: weights and their gradients change their order by it.
#pragma once

#include "core/parallel.h"
#include "cpu/conv/lanes.h"
#include "cpu/gemm/pack.h"

namespace pt::PT_ISA::conv {

// to[i * to_pitch + j] = from[j * from_pitch + i] for rows x columns of `to`, both up to kLanes.
template <class T>
PT_GEMM_INLINE void transpose_block(const T* from, int64_t from_pitch, T* to, int64_t to_pitch,
                                    int rows, int columns) {
  constexpr int kL = kLanes<T>;
  if (rows == kL && columns == kL) {
    gemm::transpose_square(from, from_pitch, to, to_pitch, rows, columns);
    return;
  }
  Vec<T> r[kL];
  PT_GEMM_UNROLL for (int j = 0; j < kL; j++) {
    r[j] = Vec<T>{};
    if (j < columns) r[j] = load_n(from + j * from_pitch, rows);
  }
  gemm::transpose<T>(r);
  PT_GEMM_UNROLL for (int i = 0; i < kL; i++) {
    if (i < rows) store_n(to + i * to_pitch, r[i], columns);
  }
}

// to = from^T for a dense matrix of rows x columns. Several blocks side by side make use of whole
// pages and of the lines that the machine fetches in pairs.
template <class T>
void transpose_matrix(const T* from, int64_t rows, int64_t columns, T* to) {
  constexpr int64_t kL = kLanes<T>, kStripe = 4 * kL;
  const int64_t stripes = gemm::divide_up(columns, kStripe);
  const int64_t grain = gemm::max_of(1, 65536 / (rows * kStripe));
  parallel_for(0, stripes, grain, [&](int64_t begin, int64_t end) {
    for (int64_t s = begin * kStripe; s < end * kStripe; s += kStripe) {
      const int64_t stop = gemm::min_of(columns, s + kStripe);
      for (int64_t j = 0; j < rows; j += kL) {
        const int count = static_cast<int>(gemm::min_of(kL, rows - j));
        for (int64_t i = s; i < stop; i += kL) {
          if (j + 2 * kL <= rows) {
            PT_GEMM_UNROLL for (int r = 0; r < kL; r++) {
              __builtin_prefetch(from + (j + kL + r) * columns + i);
            }
          }
          const int width = static_cast<int>(gemm::min_of(kL, stop - i));
          transpose_block(from + j * columns + i, columns, to + i * rows + j, rows, width, count);
        }
      }
    }
  });
}

}  // namespace pt::PT_ISA::conv
