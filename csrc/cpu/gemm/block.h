// The blocked product of one tile of C on one thread, and when to pack its operands.
//
// Loops, after Goto and van de Geijn, "Anatomy of high-performance matrix multiplication" (2008),
// with the cache levels of A and B exchanged: block of depth k (B block in the L2 cache), then
// panel of rows (A panel in L1), then panel of columns. The driver chooses tiles no wider than
// block_columns(). Small operands are read in place.
#pragma once

#include <type_traits>

#include "cpu/gemm/finish.h"
#include "cpu/gemm/pack.h"

namespace pt::PT_ISA::gemm {

// Rows this many bytes apart share a cache set, so few of them stay in the cache together.
inline constexpr int64_t kSetPeriod = 4096;

template <class T>
bool rows_collide(int64_t stride, int64_t count) {
  return count > 8 && stride * static_cast<int64_t>(sizeof(T)) % kSetPeriod == 0;
}

// Size of the next block of `left`: at most `most`, the last two of about the same size.
PT_GEMM_INLINE int64_t next_block(int64_t left, int64_t most) {
  if (left >= 2 * most || left <= most) return min_of(left, most);
  return min_of(round_up(divide_up(left, 2), 16), most);
}

// How a tile is computed; the same for all tiles of a product, as it decides the rounding.
struct BlockPlan {
  int64_t depth;
  bool pack_b;
};

template <class T>
BlockPlan plan_block(const Problem<T>& p) {
  using S = AccumulatorOf<T>;
  constexpr int64_t kSmallBlock = 128 * 1024, kStreamFrom = 256 * 1024;
  using B = Blocks<S>;
  constexpr int64_t kSize = sizeof(S);
  if (!std::is_same_v<T, S> || p.b_col != 1) return {B::kDepth, true};
  if (p.m <= kStreamRows && p.k * p.n * kSize > kStreamFrom) return {kStreamDepth, false};
  const int64_t block = min_of<int64_t>(p.k, B::kDepth) * p.n * kSize;
  const bool few_rows = p.m <= 3 * B::kRows && !rows_collide<T>(p.b_row, p.k);
  return {B::kDepth, !(few_rows || block <= kSmallBlock)};
}

// Whether A is better copied than read in place. Does not change results.
template <class T>
bool pack_a_first(const Problem<T>& p) {
  using B = Blocks<AccumulatorOf<T>>;
  if (!std::is_same_v<T, AccumulatorOf<T>>) return true;
  if (p.a_col == 1) return rows_collide<T>(p.a_row, p.m);
  if (p.a_row != 1) return true;
  return p.k > 128 && p.n > 2 * B::kColumns;
}

template <class T>
void run_block(const Problem<T>& p, const BlockPlan& plan) {
  using S = AccumulatorOf<T>;
  using B = Blocks<S>;
  constexpr int kRows = B::kRows, kColumns = B::kColumns;
  constexpr bool kConvert = !std::is_same_v<T, S>;
  const KernelTable<S>& kernels = kernel_table<S>();

  // Where kernels put their sums: into C, or into scratch if C has another type or layout.
  const bool in_place = !kConvert && p.c_col == 1;
  S* c = in_place ? reinterpret_cast<S*>(p.c) : scratch_c.get<S>(p.m * p.n);
  const int64_t c_row = in_place ? p.c_row : p.n;

  const bool pack_a = pack_a_first(p);
  S* packed_a = nullptr;
  if (pack_a) packed_a = scratch_a.get<S>(B::kPanelGroup * kRows * B::kPanelPitch);
  S* packed_b = nullptr;
  if (plan.pack_b) {
    packed_b = scratch_b.get<S>((p.n + kColumns) * min_of<int64_t>(p.k, plan.depth));
  }
  alignas(64) S tile[kRows * kColumns];

  for (int64_t k0 = 0, depth; k0 < p.k; k0 += depth) {
    depth = next_block(p.k - k0, plan.depth);
    const bool first = k0 == 0, last = k0 + depth == p.k;
    const S beta = first ? p.beta : S(1);
    const bool add = !first || (in_place && p.beta == S(1));
    const bool plain = !in_place || (p.alpha == S(1) && (add || p.beta == S(0)) &&
                                     !(last && (p.bias || p.relu)));
    const T* b = p.b + k0 * p.b_row;
    if (plan.pack_b) pack_b(b, p.b_row, p.b_col, depth, p.n, packed_b);

    int64_t group_begin = 0, group_end = 0;  // rows of A that are packed by columns
    for (int64_t i = 0, rows; i < p.m; i += rows) {
      rows = p.m - i;
      if (rows > kRows) rows = rows >= 2 * kRows ? kRows : (rows + 1) / 2;
      const T* a_from = p.a + i * p.a_row + k0 * p.a_col;
      const S* a;
      int64_t a_stride;
      ALayout layout = kByRow;
      if (!pack_a) {
        a = reinterpret_cast<const S*>(a_from);
        if (p.a_col != 1) layout = kByColumn;
        a_stride = p.a_col == 1 ? p.a_row : p.a_col;
      } else if (p.a_col == 1) {
        pack_rows(a_from, p.a_row, rows, depth, packed_a, B::kPanelPitch);
        a = packed_a;
        a_stride = B::kPanelPitch;
      } else {
        if (i == group_end) {
          group_begin = i;
          if (p.a_row == 1 && p.m - i > B::kPanelGroup * kRows + kRows) {
            pack_column_panels(a_from, p.a_col, depth, packed_a);
            group_end = i + B::kPanelGroup * kRows;
          } else {
            pack_columns(a_from, p.a_row, p.a_col, static_cast<int>(rows), depth, packed_a);
            group_end = i + rows;
          }
        }
        a = packed_a + (i - group_begin) * depth;
        a_stride = kRows;
        layout = kByColumn;
      }
      int64_t step;
      for (int64_t j = 0; j < p.n; j += step) {
        int64_t columns = min_of<int64_t>(kColumns, p.n - j);
        if (!plan.pack_b && plain) {
          const int64_t wide = KernelTable<S>::wide_vectors(static_cast<int>(rows)) * kLanes<S>;
          if (p.n - j >= wide) columns = wide;
        }
        step = columns;
        const int n = static_cast<int>(columns);
        const MicroKernel<S> kernel = kernels.get(layout, static_cast<int>(rows), n);
        const S* bp = plan.pack_b ? packed_b + j * depth : reinterpret_cast<const S*>(b) + j;
        const int64_t b_stride = plan.pack_b ? kColumns : p.b_row;
        // Streamed rows are prefetched for the next pass over the strip, others a few rows ahead.
        const int64_t b_ahead = b_stride * (plan.depth == kStreamDepth ? kStreamDepth : 8);
        if (plain) {
          kernel(depth, a, a_stride, bp, b_stride, b_ahead, c + i * c_row + j, c_row, n, add);
        } else {
          kernel(depth, a, a_stride, bp, b_stride, b_ahead, tile, kColumns, n, false);
          finish(p.tile(i, rows, j, columns), tile, kColumns, beta, last);
        }
      }
    }
  }
  if (!in_place) finish(p, c, c_row, p.beta, true);
}

}  // namespace pt::PT_ISA::gemm
