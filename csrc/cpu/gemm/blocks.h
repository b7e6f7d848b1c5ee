// Register tile and cache block sizes of the matrix product, one table per ISA.
//
// The loops (block.h) keep one panel of A, rows x depth, in the L1 cache, and one block of B,
// depth x columns, in the L2 cache. Depth decides how sums are cut, hence the rounding; columns
// do not, so only they follow the machine's cache size.
#pragma once

#include "cpu/gemm/vec.h"

namespace pt::PT_ISA::gemm {

template <class S>
struct Blocks {
#if defined(PT_ISA_IS_AVX512)
  static constexpr int kRows = 14;  // 14 x 2 sums, 2 columns of B, 1 broadcast: 31 of 32 registers
  static constexpr int kDotRows = 4, kDotColumns = 6;
  static constexpr int kReadInPlace = 512 * 1024;  // a smaller block of B is not packed
#elif defined(PT_ISA_IS_AVX2)
  static constexpr int kRows = 6;  // 12 sums of 16 registers
  static constexpr int kDotRows = 2, kDotColumns = 4;
  static constexpr int kReadInPlace = 128 * 1024;
#else
  static constexpr int kRows = 6;
  static constexpr int kDotRows = 2, kDotColumns = 4;
  static constexpr int kReadInPlace = 128 * 1024;
#endif
  static constexpr int kVectors = 2;
  static constexpr int kColumns = kVectors * kLanes<S>;
  static constexpr int kDepth = 2048 / static_cast<int>(sizeof(S));
  // Rows of a packed A panel start this far apart, so that they do not share cache sets.
  static constexpr int kPanelPitch = kDepth + 64 / static_cast<int>(sizeof(S));
  // Panels of a transposed A packed together, to use whole cache lines of it.
  static constexpr int kPanelGroup = 4;
};

// When B is read in place for few rows: this many rows of B are read side by side.
inline constexpr int kStreamDepth = 8;
inline constexpr int kStreamRows = 16;  // more rows of A than this are worth packing B for

// Columns of a block of B: what fits into most of the L2 cache.
int64_t block_columns(int64_t column_bytes, int64_t multiple);

}  // namespace pt::PT_ISA::gemm
