// From GemmArgs to tiles: orientation, choice of path, cut into tasks for the threads.
//
// The path, the depth of blocks and the cut along k follow from the shape and the strides alone;
// only the borders of tiles, and whether the blocks of depth are computed at the same time, follow
// the number of threads, and no element's sum depends on those.
#pragma once

#include "core/parallel.h"
#include "cpu/gemm/block.h"
#include "cpu/gemm/depth_split.h"
#include "cpu/gemm/dot.h"

namespace pt::PT_ISA::gemm {

inline constexpr int64_t kFewRows = 32;
inline constexpr int64_t kSerialWork = 1'500'000;  // less than 10 us on one thread
inline constexpr int64_t kShortWork = 400'000;  // from here on a second thread helps if it is near
inline constexpr int64_t kTaskWork = 2'000'000;
inline constexpr int64_t kTinyProduct = 40 * 40 * 40;
inline constexpr int64_t kPackCost = 16;  // packing a row or column, in rows of multiply-adds
inline constexpr int64_t kTurnCost = 16;  // what transposing B costs beside

// Work in the unit of one flop in registers; an element of memory counts as 16.
PT_GEMM_INLINE int64_t work_of(int64_t m, int64_t n, int64_t k) {
  return 2 * m * n * k + 16 * (n + m) * k;
}

// How many threads the work is worth.
PT_GEMM_INLINE int64_t threads_for(int64_t work) {
  const int64_t useful = work >= kSerialWork                      ? 2 * work / kSerialWork
                         : work >= kShortWork && worker_is_near() ? 2
                                                                  : 1;
  return min_of<int64_t>(get_num_threads(), useful);
}

// Adding up the lanes of a dot product costs as much as many multiply-adds, and packing B is shared
// by the rows: the shorter the sums, the fewer the rows for which dot products are the quicker way.
template <class T>
bool dot_fits(const Problem<T>& p) {
  constexpr int kL = kLanes<AccumulatorOf<T>>;
  const int64_t most = min_of<int64_t>(24, 7 + p.k / (4 * kL));
  return p.m <= most && p.b_row == 1 && (p.b_col != 1 || p.n == 1) &&
         p.k >= (p.m == 1 ? 2 : 8) * kL;
}

template <class T>
bool has_own_path(const Problem<T>& p) {
  if (dot_fits(p)) return true;
  return p.b_col == 1 && (p.m == 1 || (p.m <= kFewRows && !plan_block(p).pack_b));
}

// Products of few columns are computed transposed, those of few rows as they are.
template <class T>
bool should_transpose(const Problem<T>& p) {
  const bool as_is = p.c_col == 1 || p.c_row != 1;
  if (p.m > kFewRows && p.n > kFewRows) return !as_is;
  const Problem<T> q = p.transposed();
  const bool p_own = has_own_path(p), q_own = has_own_path(q);
  if (p_own && q_own) return q.m < p.m || (q.m == p.m && !as_is);
  if (q_own && p.n < p.m) return true;
  if (p_own && p.m < p.n) return false;
  return !as_is;
}

struct Plan {
  bool dot;
  BlockPlan block;
  int64_t tile_m, tile_n;
};

// Tiles of about equal work for each thread, each no wider than a block of B: tries cuts of the
// columns, each with the cuts of the rows that make one to three rounds of tiles. The cost of a
// tile is its multiply-adds plus packing its sides, about as much as kPackCost more of each.
template <class T>
void cut_blocked(const Problem<T>& p, int64_t threads, Plan* plan) {
  using S = AccumulatorOf<T>;
  using B = Blocks<S>;
  const bool in_place = std::is_same_v<T, S> && p.c_col == 1;
  const int64_t most_m = in_place ? p.m : min_of<int64_t>(p.m, 36 * B::kRows);
  const int64_t width = B::kDepth * static_cast<int64_t>(sizeof(S));
  const int64_t most_n = block_columns(width, B::kColumns);
  const int64_t fewest_m = divide_up(p.m, most_m), fewest_n = divide_up(p.n, most_n);
  plan->tile_m = round_up(divide_up(p.m, fewest_m), B::kRows);
  plan->tile_n = round_up(divide_up(p.n, fewest_n), B::kColumns);
  if (threads == 1) return;
  const int64_t pack_b_cost = p.b_col == 1 ? kPackCost : kPackCost + kTurnCost;
  double best = 1e300;
  for (int64_t cuts_n = fewest_n; cuts_n <= fewest_n + threads; cuts_n++) {
    for (int64_t rounds = 0; rounds <= 3; rounds++) {
      const int64_t cuts_m = max_of(fewest_m, divide_up(rounds * threads, cuts_n));
      int64_t tile_m = divide_up(p.m, cuts_m);
      if (tile_m > 8 * B::kRows) tile_m = round_up(tile_m, B::kRows);
      const int64_t tile_n = round_up(divide_up(p.n, cuts_n), B::kColumns);
      const int64_t tiles = divide_up(p.m, tile_m) * divide_up(p.n, tile_n);
      const double cost = static_cast<double>(divide_up(tiles, threads)) *
                          static_cast<double>((tile_m + pack_b_cost) * (tile_n + kPackCost));
      if (cost < best) {
        best = cost;
        plan->tile_m = tile_m;
        plan->tile_n = tile_n;
      }
    }
  }
}

// Whether the blocks of depth are the better pieces for the threads than the tiles of `plan`. A
// sum of another thread costs as much to fetch and add as kAddCost multiply-adds.
template <class T>
bool should_split_depth(const Problem<T>& p, const Plan& plan, int64_t threads) {
  constexpr int64_t kAddCost = 32;
  if (plan.dot || !std::is_same_v<T, AccumulatorOf<T>> || p.c_col != 1) return false;
  const int64_t blocks = count_blocks(p.k, plan.block.depth);
  if (plan.block.depth == kStreamDepth || blocks < threads) return false;
  const int64_t tiles = divide_up(p.m, plan.tile_m) * divide_up(p.n, plan.tile_n);
  const int64_t by_tiles =
      divide_up(tiles, threads) * p.k * (plan.tile_m + kPackCost) * (plan.tile_n + kPackCost);
  const int64_t columns = round_up(p.n, Blocks<AccumulatorOf<T>>::kColumns);
  const int64_t by_depth = divide_up(blocks, threads) * divide_up(p.k, blocks) * (p.m + kPackCost) *
                               (columns + kPackCost) +
                           (blocks - 1) * p.m * p.n * kAddCost;
  return by_depth < by_tiles;
}

// Whether the B of a batch comes from memory or from the last cache: panels of few rows would each
// wait for it anew if it was not copied.
template <class T>
bool b_is_far(const Problem<T>& p, const GemmArgs& g) {
  return g.batch * p.k * p.n * static_cast<int64_t>(sizeof(T)) > kBeyondCache;
}

template <class T>
Plan make_plan(const Problem<T>& p, int64_t threads, bool far) {
  using B = Blocks<AccumulatorOf<T>>;
  Plan plan{dot_fits(p), plan_block(p), p.m, p.n};
  if (plan.dot) {
    constexpr int64_t kGroup = 24;  // a multiple of the columns of every dot_block
    const int64_t enough = divide_up(kTaskWork, work_of(p.m, 1, p.k));
    plan.tile_n = round_up(max_of(divide_up(p.n, 4 * threads), min_of(enough, p.n)), kGroup);
  } else if (!plan.block.pack_b && plan.block.depth == kStreamDepth) {
    // A strip of C stays in the L1 cache while rows of B pass by.
    const int64_t strip = max_of(256, min_of<int64_t>(4096, 32768 / p.m / 256 * 256));
    plan.tile_n = min_of(strip, round_up(divide_up(p.n, threads), 8 * B::kColumns));
  } else {
    cut_blocked(p, threads, &plan);
    plan_columns(p, plan.tile_m, plan.tile_n, far, &plan.block);
  }
  return plan;
}

template <class T>
void run_tile(const Problem<T>& p, const Plan& plan) {
  if (plan.dot) {
    run_dot(p);
  } else {
    run_block(p, plan.block);
  }
}

template <class T>
void run(const GemmArgs& args);

// Few results of long sums: the sums are cut at fixed places and added up in order.
template <class T>
void run_long_sums(const Problem<T>& p) {
  constexpr int64_t kShortest = 2048, kMostParts = 64;
  const int64_t part = max_of(kShortest, round_up(divide_up(p.k, kMostParts), 64));
  const int64_t parts = divide_up(p.k, part), full = p.k / part;
  T* sums = scratch_partial.get<T>(parts * p.m * p.n);
  GemmArgs g;
  g.m = p.m, g.n = p.n, g.k = part;
  g.a = p.a, g.a_row = p.a_row, g.a_col = p.a_col, g.a_batch = part * p.a_col;
  g.b = p.b, g.b_row = p.b_row, g.b_col = p.b_col, g.b_batch = part * p.b_row;
  g.c = sums, g.c_row = p.n, g.c_col = 1, g.c_batch = p.m * p.n;
  g.batch = full;
  run<T>(g);
  if (parts > full) {
    g.batch = 1;
    g.k = p.k - full * part;
    g.a = p.a + full * g.a_batch;
    g.b = p.b + full * g.b_batch;
    g.c = sums + full * g.c_batch;
    run<T>(g);
  }
  for (int64_t q = 1; q < parts; q++) {
    const T* from = sums + q * p.m * p.n;
    for (int64_t i = 0; i < p.m * p.n; i++) sums[i] += from[i];
  }
  finish(p, sums, p.n, p.beta, true);
}

template <class T>
void run_batch(const GemmArgs& args, const Problem<T>& whole, bool transposed) {
  const int64_t batch = args.batch;
  const int64_t work = batch * work_of(whole.m, whole.n, whole.k);
  const int64_t threads = threads_for(work);
  const Plan plan = make_plan(whole, batch >= 2 * threads ? 1 : threads, b_is_far(whole, args));
  if constexpr (std::is_same_v<T, AccumulatorOf<T>>) {
    if (batch == 1 && threads > 1 && should_split_depth(whole, plan, threads)) {
      run_depth_split(whole, plan.block);
      return;
    }
  }
  const int64_t tiles_m = divide_up(whole.m, plan.tile_m);
  const int64_t tiles_n = divide_up(whole.n, plan.tile_n);
  const int64_t tiles = tiles_m * tiles_n, tasks = batch * tiles;

  const auto run_tasks = [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; task++) {
      const int64_t index = task / tiles, cell = task % tiles;
      const int64_t i = cell % tiles_m * plan.tile_m, j = cell / tiles_m * plan.tile_n;
      Problem<T> p =
          whole.tile(i, min_of(plan.tile_m, whole.m - i), j, min_of(plan.tile_n, whole.n - j));
      p.a += index * (transposed ? args.b_batch : args.a_batch);
      p.b += index * (transposed ? args.a_batch : args.b_batch);
      p.c += index * args.c_batch;
      if (p.residual) p.residual += index * args.c_batch;
      run_tile(p, plan);
    }
  };
  if (threads == 1) {
    run_tasks(0, tasks);
  } else {
    // A few tasks at a time if they are small, but enough chunks to keep the threads level.
    const int64_t fair = max_of(1, tasks / (4 * threads));
    parallel_for(0, tasks, min_of(fair, divide_up(kTaskWork * tasks, work)), run_tasks);
  }
}

// A batch that shares B is one product of more rows, if the rows of A and C follow one pattern.
PT_GEMM_INLINE GemmArgs merge_batch(GemmArgs g) {
  if (g.batch == 1 || g.b_batch != 0 || ((g.bias || g.scale) && g.bias_row != 0)) return g;
  if (g.m == 1) g.a_row = g.a_batch, g.c_row = g.c_batch;
  if (g.a_batch != g.m * g.a_row || g.c_batch != g.m * g.c_row) return g;
  g.m *= g.batch;
  g.batch = 1;
  return g;
}

// The kernel for storage type T.
template <class T>
void run(const GemmArgs& args) {
  using S = AccumulatorOf<T>;
  constexpr int64_t kFewResults = 16384, kFewColumns = 256, kLongSum = 4096;
  if (args.m <= 0 || args.n <= 0 || args.batch <= 0) return;
  const GemmArgs g = args.batch > 1 ? merge_batch(args) : args;
  Problem<T> p(g);
  if (p.k <= 0) {
    p.k = 1;  // A single product of zeros; finish() needs a row of sums, not A and B.
    p.alpha = 0;
    S* zeros = scratch_c.get<S>(p.n);
    for (int64_t j = 0; j < p.n; j++) zeros[j] = S(0);
    for (int64_t q = 0; q < g.batch; q++, p.c += g.c_batch) {
      finish(p, zeros, 0, p.beta, true);
      if (p.residual) p.residual += g.c_batch;
    }
    return;
  }
  const bool transpose = should_transpose(p);
  if (transpose) p = p.transposed();
  if (g.batch == 1 && p.m * p.n * p.k <= kTinyProduct) {
    run_tile(p, Plan{dot_fits(p), plan_block(p), p.m, p.n});
    return;
  }
  if constexpr (std::is_same_v<T, S>) {
    if (g.batch == 1 && p.k >= kLongSum && p.m <= kFewColumns && p.n <= kFewColumns &&
        p.m * p.n <= kFewResults) {
      run_long_sums(p);
      return;
    }
  }
  run_batch(g, p, transpose);
}

}  // namespace pt::PT_ISA::gemm
