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

// to = from^T for a dense matrix of rows x columns.
template <class T>
void transpose_matrix(const T* from, int64_t rows, int64_t columns, T* to) {
  constexpr int64_t kL = kLanes<T>;
  const int64_t blocks = gemm::divide_up(columns, kL);
  const int64_t grain = gemm::max_of(1, 65536 / (rows * kL));
  parallel_for(0, blocks, grain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin * kL; i < gemm::min_of(end * kL, columns); i += kL) {
      const int width = static_cast<int>(gemm::min_of(kL, columns - i));
      for (int64_t j = 0; j < rows; j += kL) {
        transpose_block(from + j * columns + i, columns, to + i * rows + j, rows, width,
                        static_cast<int>(gemm::min_of(kL, rows - j)));
      }
    }
  });
}

}  // namespace pt::PT_ISA::conv
