// The blocked product of one tile of C on one thread, and when to pack its operands.
//
// Loops, after Goto and van de Geijn, "Anatomy of high-performance matrix multiplication" (2008),
// with the cache levels of A and B exchanged: block of depth k (B block in the L2 cache), then
// panel of rows (A panel in L1), then panel of columns. The driver chooses tiles no wider than
// block_columns(). Small operands are read in place; where B would be copied only to be used a few
// times, the two inner loops change places (strips of B in L2, all of A in L2).
#pragma once

#include <type_traits>

#include "cpu/gemm/few_columns.h"
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

// How a tile is computed. The depth is the same for all tiles of a product, as it decides the
// rounding; packing does not.
struct BlockPlan {
  int64_t depth;
  bool pack_b;
  bool strips;
  int few;  // columns at the end that FewColumns computes
};

// Whether a tile of m rows and n columns can be computed strip by strip of columns instead of
// packing B: where A, B and C come from the caches, for a strip takes few bytes of each of their
// rows.
template <class T>
bool strips_fit(const Problem<T>& p, int64_t m, int64_t n) {
  using S = AccumulatorOf<T>;
  using B = Blocks<S>;
  const int64_t most = 2 * B::kReadInPlace / static_cast<int64_t>(sizeof(S));
  return std::is_same_v<T, S> && p.a_col == 1 && p.b_col == 1 && m >= 4 * B::kRows &&
         p.k >= B::kDepth / 4 && m * min_of<int64_t>(p.k, B::kDepth) <= most && m * n <= most &&
         p.k * n <= 2 * most && !rows_collide<T>(p.b_row, p.k);
}

// Whether B is better copied than read in place by a tile of m rows: copying pays when many panels
// of rows read the copy, and when B is spread over more than a part of the L2 cache.
template <class T>
bool pack_b_first(const Problem<T>& p, int64_t m) {
  using S = AccumulatorOf<T>;
  using B = Blocks<S>;
  if (!std::is_same_v<T, S> || p.b_col != 1) return true;
  if (rows_collide<T>(p.b_row, p.k)) return m > 3 * B::kRows;
  const int64_t bytes = min_of<int64_t>(p.k, B::kDepth) * p.n * static_cast<int64_t>(sizeof(S));
  return m > 8 * B::kRows && bytes > B::kReadInPlace;
}

// How tiles of m rows and n columns meet B: `far` says that it comes from memory.
template <class T>
void plan_columns(const Problem<T>& p, int64_t m, int64_t n, bool far, BlockPlan* plan) {
  const bool pack = pack_b_first(p, m);
  plan->strips = pack && !far && strips_fit(p, m, n);
  plan->pack_b = (pack && !plan->strips) || (far && p.b_col == 1);
}

template <class T>
BlockPlan plan_block(const Problem<T>& p) {
  using S = AccumulatorOf<T>;
  constexpr int64_t kStreamFrom = 256 * 1024;
  // Several rows of short sums are better kept in registers than added to C piece by piece.
  const bool short_sums = p.m >= kStreamRows / 2 && p.k <= 8 * kStreamDepth;
  if (std::is_same_v<T, S> && p.b_col == 1 && p.m <= kStreamRows && !short_sums &&
      p.k * p.n * static_cast<int64_t>(sizeof(S)) > kStreamFrom) {
    return {kStreamDepth, false, false, 0};
  }
  BlockPlan plan{Blocks<S>::kDepth, false, false, FewColumns<S>::count_of(p.m, p.n, p.k)};
  plan_columns(p, p.m, p.n, false, &plan);
  return plan;
}

// Whether A is better copied than read in place. Does not change results.
template <class T>
bool pack_a_first(const Problem<T>& p) {
  using B = Blocks<AccumulatorOf<T>>;
  if (!std::is_same_v<T, AccumulatorOf<T>>) return true;
  if (p.a_col == 1) return rows_collide<T>(p.a_row, p.m);
  if (p.a_row != 1) return true;
  return p.k > 128 && p.n > B::kColumns;
}

// Hands out the panels of A of one block of depth, packed or in place.
template <class T>
class PanelsOfA {
 public:
  using S = AccumulatorOf<T>;
  using B = Blocks<S>;
  struct Panel {
    const S* a;
    int64_t stride;
    ALayout layout;
  };

  // All rows are kept if `whole`, which takes an A of contiguous rows.
  explicit PanelsOfA(const Problem<T>& p, bool whole = false)
      : p_(p), pack_(pack_a_first(p)), whole_(whole) {
    const int64_t rows = whole ? p.m : B::kPanelGroup * B::kRows;
    if (pack_) packed_ = scratch_a.get<S>(rows * B::kPanelPitch);
  }

  void begin(int64_t k0, int64_t depth) {
    k0_ = k0;
    depth_ = depth;
    group_begin_ = group_end_ = 0;
    if (pack_ && whole_) {
      pack_rows(p_.a + k0 * p_.a_col, p_.a_row, p_.m, depth, packed_, B::kPanelPitch);
    }
  }

  // Rows [i, i + rows); to be asked for in order, kRows at a time except near the end, unless all
  // are kept.
  Panel get(int64_t i, int64_t rows) {
    if (pack_ && whole_) return {packed_ + i * B::kPanelPitch, B::kPanelPitch, kByRow};
    const T* from = p_.a + i * p_.a_row + k0_ * p_.a_col;
    if (!pack_) {
      const S* a = reinterpret_cast<const S*>(from);
      return p_.a_col == 1 ? Panel{a, p_.a_row, kByRow} : Panel{a, p_.a_col, kByColumn};
    }
    if (p_.a_col == 1) {
      pack_rows(from, p_.a_row, rows, depth_, packed_, B::kPanelPitch);
      return {packed_, B::kPanelPitch, kByRow};
    }
    if (i == group_end_) {
      group_begin_ = i;
      if (p_.a_row == 1 && p_.m - i > (B::kPanelGroup + 1) * B::kRows) {
        pack_column_panels(from, p_.a_col, depth_, packed_);
        group_end_ = i + B::kPanelGroup * B::kRows;
      } else {
        pack_columns(from, p_.a_row, p_.a_col, static_cast<int>(rows), depth_, packed_);
        group_end_ = i + rows;
      }
    }
    return {packed_ + (i - group_begin_) * depth_, B::kRows, kByColumn};
  }

  // What the kernels fetch while they compute: the share `part` of `parts` of the panel that begins
  // at row i, or at row 0 of the next block of depth. Reading a panel stalls for want of it.
  PT_GEMM_INLINE Ahead ahead(int64_t i, int64_t part, int64_t parts) const {
    constexpr int64_t kInCache = 128 * 1024;
    if (!pack_ || p_.a_col != 1 || p_.m * p_.k * static_cast<int64_t>(sizeof(T)) < kInCache) {
      return {};
    }
    int64_t k0 = k0_, depth = depth_;
    if (i >= p_.m) {
      i = 0, k0 += depth;
      depth = min_of(p_.k - k0, depth_);
      if (depth <= 0) return {};
    }
    const int64_t rows = min_of<int64_t>(B::kRows, p_.m - i);
    const int64_t begin = rows * part / parts, share = divide_up(rows, parts);
    constexpr int64_t kSize = sizeof(T);
    Ahead next;
    next.at = reinterpret_cast<const char*>(p_.a + (i + begin) * p_.a_row + k0);
    next.count = divide_up(depth, share);
    next.step = share * kSize;
    next.jump = p_.a_row * kSize - next.count * next.step;
    return next;
  }

 private:
  const Problem<T>& p_;
  const bool pack_, whole_;
  S* packed_ = nullptr;
  int64_t k0_ = 0, depth_ = 0;
  int64_t group_begin_ = 0, group_end_ = 0;  // rows now in packed_, if packed by columns
};

// What is left of the rows, or the next panel of them: the last two are of about the same height.
template <class B>
PT_GEMM_INLINE int64_t next_panel(int64_t left) {
  if (left <= B::kRows) return left;
  return left >= 2 * B::kRows ? B::kRows : (left + 1) / 2;
}

// What the kernels of panel `part` of a strip fetch: a cache line of each row of the strip that
// begins at column j, or of the first one of the next block of depth.
template <class T>
PT_GEMM_INLINE Ahead next_strip(const Problem<T>& p, int64_t k0, int64_t depth, int64_t j,
                                int64_t columns, int64_t part) {
  constexpr int64_t kSize = sizeof(T), kLine = 64 / kSize;
  constexpr int64_t kLines = Blocks<AccumulatorOf<T>>::kColumns / kLine + 1;  // not aligned
  if (j >= columns) {
    j = 0, k0 += depth;
    if (k0 >= p.k) return {};
  }
  if (part >= kLines) return {};
  Ahead next;
  next.at = reinterpret_cast<const char*>(p.b + k0 * p.b_row + j + part * kLine);
  next.step = p.b_row * kSize;
  next.count = depth;
  return next;
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

  PanelsOfA<T> panels(p, plan.strips);
  using Panel = typename PanelsOfA<T>::Panel;
  S* packed_b = nullptr;
  if (plan.pack_b) {
    packed_b = scratch_b.get<S>((p.n + kColumns) * min_of<int64_t>(p.k, plan.depth));
  }
  const int64_t b_stride = plan.pack_b ? kColumns : p.b_row;
  // Streamed rows are prefetched for the next pass over the strip, others a few rows ahead.
  const int64_t b_ahead = b_stride * (plan.depth == kStreamDepth ? kStreamDepth : 8);
  // Only the last of the tiles of a product has such columns.
  const int few = p.n % kLanes<S> == 0 ? 0 : plan.few;
  const int64_t wide_n = p.n - few;
  FewColumns<S> few_columns;
  const int64_t parts = divide_up(wide_n, kColumns);
  alignas(64) S tile[kRows * kColumns];
  [[maybe_unused]] RowFinish<S> row_finish;
  if constexpr (!kConvert) row_finish = {p.scale, p.bias, p.residual, p.least, p.most};

  for (int64_t k0 = 0, depth; k0 < p.k; k0 += depth) {
    depth = next_block(p.k - k0, plan.depth);
    const bool first = k0 == 0, last = k0 + depth == p.k;
    const S beta = first ? p.beta : S(1);
    const bool add = !first || (in_place && p.beta == S(1));
    const bool in_c = !in_place || (p.alpha == S(1) && (add || p.beta == S(0)));
    const bool finishes = in_place && last && p.finishes();
    // Sums of the last block become results where they lie, while they are in the L1 cache.
    const bool by_row = finishes && in_c && p.finishes_by_row();
    const bool plain = in_c && (!finishes || by_row);
    const T* b = p.b + k0 * p.b_row;
    if (plan.pack_b) pack_b(b, p.b_row, p.b_col, depth, p.n, packed_b);
    if (few) few_columns.pack(b + wide_n * p.b_col, p.b_row, p.b_col, depth, few);
    panels.begin(k0, depth);

    const auto put = [&](int64_t i, int64_t rows, int64_t j, int64_t columns, auto&& multiply) {
      if (!plain) {
        multiply(tile, kColumns, false);
        finish(p.tile(i, rows, j, columns), tile, kColumns, beta, last);
        return;
      }
      S* const to = c + i * c_row + j;
      multiply(to, c_row, add);
      if constexpr (!kConvert) {
        if (by_row) {
          finish_rows(row_finish, i, to, c_row, static_cast<int>(rows), columns,
                      p.residual ? p.residual + i * c_row + j : nullptr, c_row);
        }
      }
    };
    // The results of a panel of A in columns [j, j + columns).
    const auto multiply_wide = [&](int64_t i, int64_t rows, const Panel& panel, int64_t j,
                                   int64_t columns, const Ahead& ahead) {
      const int m = static_cast<int>(rows), n = static_cast<int>(columns);
      const MicroKernel<S> kernel = kernels.get(panel.layout, m, n, ahead);
      const S* bp = plan.pack_b ? packed_b + j * depth : reinterpret_cast<const S*>(b) + j;
      put(i, rows, j, columns, [&](S* to, int64_t to_row, bool sum) {
        kernel(depth, panel.a, panel.stride, bp, b_stride, b_ahead, to, to_row, n, sum, ahead);
      });
    };
    const auto multiply_few = [&](int64_t i, int64_t rows, const Panel& panel) {
      if (!few) return;
      put(i, rows, wide_n, few, [&](S* to, int64_t to_row, bool sum) {
        few_columns.multiply(panel.a, panel.stride, panel.layout, static_cast<int>(rows), to,
                             to_row, sum);
      });
    };

    if (plan.strips) {
      for (int64_t j = 0; j < wide_n; j += kColumns) {
        const int64_t columns = min_of<int64_t>(kColumns, wide_n - j);
        for (int64_t i = 0, rows; i < p.m; i += rows) {
          rows = next_panel<B>(p.m - i);
          const Ahead ahead = next_strip(p, k0, depth, j + columns, wide_n, i / kRows);
          multiply_wide(i, rows, panels.get(i, rows), j, columns, ahead);
        }
      }
      for (int64_t i = 0, rows; few && i < p.m; i += rows) {
        rows = next_panel<B>(p.m - i);
        multiply_few(i, rows, panels.get(i, rows));
      }
      continue;
    }
    for (int64_t i = 0, rows; i < p.m; i += rows) {
      rows = next_panel<B>(p.m - i);
      const Panel panel = panels.get(i, rows);
      const bool may_widen = !plan.pack_b && plain;
      const int64_t wide =
          may_widen ? kernels.wide_vectors(static_cast<int>(rows)) * kLanes<S> : kColumns;
      for (int64_t j = 0, columns; j < wide_n; j += columns) {
        columns = wide_n - j >= wide ? wide : min_of<int64_t>(kColumns, wide_n - j);
        multiply_wide(i, rows, panel, j, columns, panels.ahead(i + rows, j / kColumns, parts));
      }
      multiply_few(i, rows, panel);
    }
  }
  if (!in_place) finish(p, c, c_row, p.beta, true);
}

}  // namespace pt::PT_ISA::gemm
