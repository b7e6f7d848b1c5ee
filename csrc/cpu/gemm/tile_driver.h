// The matrix product on the bfloat16 units: blocks, tasks for the threads, and what becomes of
// sums.
//
// A block of B, all of its depth up to kDepth, is packed once and stays in the L2 cache; panels of
// 32 rows of A pass by, kStretch deep at a time, so that a stretch of a panel stays in L1. Sums are
// float32 and are rounded once. The places where sums are cut follow from the depth alone.
#pragma once

#include "core/parallel.h"
#include "cpu/bfloat16_unit.h"
#include "cpu/gemm/driver.h"
#include "cpu/gemm/tile_pack.h"

#if defined(PT_ISA_IS_AVX512)

namespace pt::PT_ISA::gemm {

inline constexpr int64_t kTileBlockDepth = 2048;  // of B, packed
inline constexpr int64_t kStretch = 512;
inline constexpr int64_t kMostRowsOfSums = 512;  // where the sums of several blocks are kept

inline constexpr Scratch scratch_tile_a{ScratchUse::kTileA}, scratch_tile_b{ScratchUse::kTileB},
    scratch_tile_c{ScratchUse::kTileC};

PT_GEMM_INLINE void store_32(BFloat16* c, __m512 low, __m512 high, int64_t n) {
  const __m512i v = narrow(low, high);
  n >= kBlock ? _mm512_storeu_si512(c, v) : _mm512_mask_storeu_epi16(c, mask_of(n), v);
}
PT_GEMM_INLINE void store_32(float* c, __m512 low, __m512 high, int64_t n) {
  const uint32_t mask = mask_of(n);
  _mm512_mask_storeu_ps(c, static_cast<__mmask16>(mask & 0xffffu), low);
  _mm512_mask_storeu_ps(c + 16, static_cast<__mmask16>(mask >> 16), high);
}
PT_GEMM_INLINE void load_floats(const float* p, int64_t n, __m512* low, __m512* high) {
  const uint32_t mask = mask_of(n);
  *low = _mm512_maskz_loadu_ps(static_cast<__mmask16>(mask & 0xffffu), p);
  *high = _mm512_maskz_loadu_ps(static_cast<__mmask16>(mask >> 16), p + 16);
}
PT_GEMM_INLINE void load_floats(const BFloat16* p, int64_t n, __m512* low, __m512* high) {
  BFloat16 numbers[kBlock];
  _mm512_storeu_si512(numbers, load_32(p, n));
  *low = (__m512)load(numbers);
  *high = (__m512)load(numbers + kTileRows);
}

// The transpose of a block of at most 32 x 32 sums, rows 32 floats apart.
PT_GEMM_INLINE void transpose_sums(const float* sums, int64_t pitch, int64_t rows, int64_t columns,
                                   float* to) {
  for (int64_t i = 0; i < rows; i += kTileRows) {
    for (int64_t j = 0; j < columns; j += kTileRows) {
      Vec<float> r[kTileRows];
      PT_GEMM_UNROLL for (int l = 0; l < kTileRows; l++) r[l] = load(sums + (i + l) * pitch + j);
      transpose<float>(r);
      PT_GEMM_UNROLL for (int l = 0; l < kTileRows; l++) store(to + (j + l) * kBlock + i, r[l]);
    }
  }
}

// v between two limits; NaN stays NaN.
PT_GEMM_INLINE __m512 limited(__m512 v, float least, float most) {
  const Vec<float> low = broadcast(least), high = broadcast(most);
  Vec<float> x = (Vec<float>)v;
  x = x < low ? low : x;
  return (__m512)(x > high ? high : x);
}

// Writes the finished sums of at most 32 x 32 results: plain ones here, the others in finish().
template <class T>
void write_sums(const Problem<T>& p, int64_t i, int64_t rows, int64_t j, int64_t columns,
                const float* sums, int64_t pitch) {
  if (p.c_row == 1 && p.c_col != 1) {
    alignas(64) float transposed[kBlock * kBlock];
    transpose_sums(sums, pitch, rows, columns, transposed);
    write_sums(p.transposed(), j, columns, i, rows, transposed, kBlock);
    return;
  }
  const bool plain = p.alpha == 1.0f && p.beta == 0.0f && p.c_col == 1 && !p.scale && !p.residual;
  if (!plain || (p.bias && p.bias_col != 1 && p.bias_row != 1)) {
    finish(p.tile(i, rows, j, columns), sums, pitch, p.beta, true);
    return;
  }
  __m512 low_bias = {}, high_bias = {};
  if (p.bias && p.bias_col == 1) load_floats(p.bias + j, columns, &low_bias, &high_bias);
  const bool row_bias = p.bias && p.bias_col != 1;
  T* c = p.c + i * p.c_row + j;
  for (int64_t r = 0; r < rows; r++, c += p.c_row, sums += pitch) {
    if (row_bias) {
      low_bias = high_bias = _mm512_set1_ps(static_cast<float>(p.bias[i + r]));
    }
    __m512 low = _mm512_loadu_ps(sums) + low_bias, high = _mm512_loadu_ps(sums + 16) + high_bias;
    low = limited(low, p.least, p.most), high = limited(high, p.least, p.most);
    store_32(c, low, high, columns);
  }
}

// Rows of A that tiles can be loaded from without packing. Rows that share a cache set are better
// packed if they are read more than once.
template <bool kTiles, class T>
bool read_in_place(const Problem<T>& p, int64_t rows, int64_t depth) {
  if (!kTiles || !std::is_same_v<T, BFloat16> || p.a_col != 1) return false;
  if (rows % kTileRows != 0 || depth % kTileDepth != 0) return false;
  return p.n <= 2 * kBlock;
}

// One tile of C on one thread.
template <bool kTiles, int kParts, class T>
void run_tile_block(const Problem<T>& p, int64_t width) {
  float* kept = nullptr;  // sums of blocks of depth before the last
  if (p.k > kTileBlockDepth) kept = scratch_tile_c.get<float>(round_up(p.m, kBlock) * width);
  const int64_t most = round_up(min_of(p.k, kTileBlockDepth), kTileDepth);
  // Loading sums again costs parts more than reading A from the L2 cache.
  constexpr int64_t kStretchOfParts = kParts > 1 ? kTileBlockDepth : kStretch;
  constexpr int64_t kLowOfA = kBlock * (kStretchOfParts + kTileDepth);
  const int64_t low_of_b = width * most;
  uint16_t* packed_b = scratch_tile_b.get<uint16_t>(kParts * low_of_b);
  uint16_t* packed_a = scratch_tile_a.get<uint16_t>(kParts * kLowOfA);
  float* strip = scratch_c.get<float>(kBlock * width);
  for (int64_t j0 = 0; j0 < p.n; j0 += width) {
    const int64_t columns = min_of(width, p.n - j0);
    for (int64_t k0 = 0, depth; k0 < p.k; k0 += depth) {
      depth = next_block(p.k - k0, kTileBlockDepth);
      const int64_t panel = kBlock * round_up(depth, kTileDepth);
      pack_panels<true, kParts>(
          Lines<T>{p.b + k0 * p.b_row + j0 * p.b_col, p.b_col, p.b_row, columns, depth}, panel,
          packed_b, low_of_b);
      const bool last_block = k0 + depth == p.k;
      for (int64_t i = 0; i < p.m; i += kBlock) {
        const int64_t rows = min_of<int64_t>(kBlock, p.m - i);
        float* sums = kept ? kept + i * width : strip;
        for (int64_t k = 0, stretch; k < depth; k += stretch) {
          stretch = min_of(kStretchOfParts, depth - k);
          const int64_t steps = divide_up(stretch, kTileDepth);
          const T* from = p.a + i * p.a_row + (k0 + k) * p.a_col;
          TileOperand a{packed_a, kTileDepth, kTileSize, 2 * kTileSize, kLowOfA};
          if (read_in_place<kTiles>(p, rows, stretch)) {
            a = {reinterpret_cast<const uint16_t*>(from), p.a_row, kTileRows * p.a_row, kTileDepth};
          } else {
            pack_panels<false, kParts>(Lines<T>{from, p.a_row, p.a_col, rows, stretch}, 0, packed_a,
                                       kLowOfA);
          }
          const bool add = k0 > 0 || k > 0, last = last_block && k + stretch == depth;
          for (int64_t j = 0; j < columns; j += kBlock) {
            const int64_t n = min_of<int64_t>(kBlock, columns - j);
            const TileOperand b{packed_b + j / kBlock * panel + k / kTileDepth * 2 * kTileSize,
                                kTileDepth, kTileSize, 2 * kTileSize, low_of_b};
            // Sums that wait for nothing need no place of their own.
            float* to = last && !add ? strip : sums + j;
            const int64_t pitch = last && !add ? kBlock : width;
            multiply_block<kTiles, kParts>({steps, kNoJump, 1}, a, rows > kTileRows ? 2 : 1, b,
                                           n > kTileRows ? 2 : 1, to, pitch, add);
            if (last) write_sums(p, i, rows, j0 + j, n, to, pitch);
          }
        }
      }
    }
  }
}

// Columns of B that are packed together: half of the L2 cache.
PT_GEMM_INLINE int64_t tile_width(int64_t m, int64_t n, int64_t k, int64_t parts) {
  if (m <= 2 * kBlock) return min_of<int64_t>(round_up(n, kBlock), 4 * kBlock);  // used once
  const int64_t fits = block_columns(3 * parts * min_of(k, kTileBlockDepth), kBlock);
  return min_of(round_up(n, kBlock), fits);
}

template <bool kTiles, int kParts, class T>
bool run_on_units(const GemmArgs& args, const Problem<T>& p, bool transposed) {
  constexpr int64_t kSerial = 6'000'000;  // flops, with packing: less than 10 us on one thread
  const int64_t work = args.batch * (2 * p.m * p.n * p.k + 64 * (p.m + p.n) * p.k + 32 * p.m * p.n);
  const int64_t useful = max_of(1, 2 * work / kSerial);
  const int64_t threads = work < kSerial ? 1 : min_of<int64_t>(get_num_threads(), useful);
  // Cuts of rows cost packing B again, cuts of columns packing A again.
  int64_t tile_m = p.k > kTileBlockDepth ? min_of(p.m, kMostRowsOfSums) : p.m, tile_n = p.n;
  if (threads > 1 && args.batch < 2 * threads) {
    double best = 1e300;
    const int64_t fewest = divide_up(p.m, tile_m);
    for (int64_t cuts_n = 1; cuts_n <= 2 * threads; cuts_n++) {
      for (int64_t rounds = 0; rounds <= 4; rounds++) {
        const int64_t cuts_m = max_of(fewest, divide_up(rounds * threads, cuts_n));
        const int64_t m = round_up(divide_up(p.m, cuts_m), kBlock);
        const int64_t n = round_up(divide_up(p.n, cuts_n), kBlock);
        const int64_t tiles = divide_up(p.m, m) * divide_up(p.n, n) * args.batch;
        const double cost = static_cast<double>(divide_up(tiles, threads)) *
                            static_cast<double>((m + 24) * (n + 32));
        if (cost < best) best = cost, tile_m = m, tile_n = n;
      }
    }
  }
  const int64_t width = tile_width(tile_m, tile_n, p.k, kParts);
  const int64_t tiles_m = divide_up(p.m, tile_m), tiles_n = divide_up(p.n, tile_n);
  const int64_t tiles = tiles_m * tiles_n, tasks = args.batch * tiles;
  const auto run_tasks = [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; task++) {
      const int64_t index = task / tiles, cell = task % tiles;
      const int64_t i = cell % tiles_m * tile_m, j = cell / tiles_m * tile_n;
      Problem<T> tile = p.tile(i, min_of(tile_m, p.m - i), j, min_of(tile_n, p.n - j));
      tile.a += index * (transposed ? args.b_batch : args.a_batch);
      tile.b += index * (transposed ? args.a_batch : args.b_batch);
      tile.c += index * args.c_batch;
      run_tile_block<kTiles, kParts>(tile, width);
    }
  };
  InfinityWatch watch;
  const auto run_chunk = [&](int64_t begin, int64_t end) {
    const InfinityWatch::Share share(watch);
    if constexpr (kTiles) {
      const TileSession session;
      run_tasks(begin, end);
    } else {
      run_tasks(begin, end);
    }
  };
  if (threads == 1) {
    run_chunk(0, tasks);
  } else {
    const int64_t fair = max_of(1, tasks / (4 * threads));
    parallel_for(0, tasks, min_of(fair, divide_up(kSerial / 4 * tasks, work)), run_chunk);
  }
  return !watch.met();
}

// Which way round. A much larger operand should be A, read in place, if its lines lie contiguous,
// and B, packed without a transpose, if they lie side by side; else C is written along its rows.
template <class T>
bool transpose_for_units(const Problem<T>& p) {
  const int64_t small = min_of(p.m, p.n), large = max_of(p.m, p.n);
  if (small <= 2 * kBlock && large >= 4 * small) {
    return p.m >= p.n ? p.a_col != 1 && p.a_row == 1 : p.b_row == 1 && p.b_col != 1;
  }
  return p.c_col != 1 && p.c_row == 1;
}

// Computes the product if a unit does it faster than gemm::run<T>. From finite numbers in two
// parts, only tiles do.
template <class T, int kParts = 1>
bool run_units(const GemmArgs& args) {
  const BFloat16Unit unit = bfloat16_unit();
  // With infinities among the numbers all is computed anew, from a C that must not be lost.
  if (kParts > 1 && (unit != BFloat16Unit::kTiles || args.beta != 0)) return false;
  if (unit == BFloat16Unit::kNone || args.k <= 0 || args.m <= 0 || args.n <= 0 || args.batch <= 0) {
    return false;
  }
  const GemmArgs g = args.batch > 1 ? merge_batch(args) : args;
  Problem<T> p(g);
  const bool transposed = transpose_for_units(p);
  if (transposed) p = p.transposed();
  if (unit == BFloat16Unit::kTiles) return run_on_units<true, kParts>(g, p, transposed);
  if constexpr (kParts == 1) return run_on_units<false, 1>(g, p, transposed);
  return false;
}

}  // namespace pt::PT_ISA::gemm

#endif
