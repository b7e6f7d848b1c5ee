// How a matrix product is cut into tiles and pieces of k, and what becomes of its sums. Shared by
// the kernels of gemm.cu and gemm/tensor_core.h.
#pragma once

#include "cpu/gemm_args.h"
#include "cuda/reduce/frame.h"

namespace pt::cuda {

struct GemmPlan {
  GemmArgs g;
  int64_t tiles_m, tiles_n;
  int64_t piece, pieces;           // several pieces of k are added by another kernel
  void* partial;                   // [pieces, batch, m, n] of the type of the sums
  bool a_packs, b_packs, c_packs;  // 16 bytes (of C: four elements) are neighbours and aligned
};

struct GemmUnit {
  int64_t m0, n0, batch, piece;
  int64_t begin;  // of k
  int terms;
};

// Blocks that run at the same time read few rows and few columns: bands of eight tiles of rows.
template <class Math>
PT_DEVICE GemmUnit gemm_unit(const GemmPlan& p, int64_t unit) {
  constexpr int64_t kBand = 8;
  const int64_t per_batch = p.tiles_m * p.tiles_n;
  const int64_t tile = unit % per_batch, rest = unit / per_batch;
  const int64_t band = tile / (kBand * p.tiles_n), in_band = tile - band * kBand * p.tiles_n;
  const int64_t left = p.tiles_m - band * kBand, rows = left < kBand ? left : kBand;
  GemmUnit u;
  u.m0 = (band * kBand + in_band % rows) * Math::kRows;
  u.n0 = in_band / rows * Math::kColumns;
  u.batch = rest % p.g.batch;
  u.piece = rest / p.g.batch;
  u.begin = u.piece * p.piece;
  u.terms = static_cast<int>(p.g.k - u.begin < p.piece ? p.g.k - u.begin : p.piece);
  return u;
}

template <class S>
PT_DEVICE S fused(S x, S y, S z) {
  if constexpr (sizeof(S) == 4) {
    return fmaf(x, y, z);
  } else {
    return fma(x, y, z);
  }
}

// What GemmArgs says of a sum of products, in operations that no compiler joins differently.
template <class T, class S>
PT_DEVICE void finish_element(const GemmArgs& g, int64_t batch, int64_t m, int64_t n, S sum) {
  T* out = static_cast<T*>(g.c) + batch * g.c_batch + m * g.c_row + n * g.c_col;
  const S before = g.beta != 0 ? static_cast<S>(g.beta) * static_cast<S>(*out) : S(0);
  S v = fused(static_cast<S>(g.alpha), sum, before);
  if (g.bias || g.scale) {
    const int64_t at = m * g.bias_row + n * g.bias_col;
    const S bias = g.bias ? static_cast<S>(static_cast<const T*>(g.bias)[at]) : S(0);
    v = g.scale ? fused(static_cast<S>(static_cast<const T*>(g.scale)[at]), v, bias) : v + bias;
  }
  if (g.residual)
    v += static_cast<S>(
        static_cast<const T*>(g.residual)[batch * g.c_batch + m * g.c_row + n * g.c_col]);
  const S least = static_cast<S>(g.least), most = static_cast<S>(g.most);
  v = v < least ? least : v > most ? most : v;
  put<T>(out, 0, v);
}

// For finish_tile.
template <class T, class S>
struct GemmFinish {
  const GemmPlan& p;
  const GemmUnit& u;

  PT_DEVICE void operator()(int row, int column, const Pack<S, 4>& sums) const {
    const GemmArgs& g = p.g;
    const int64_t m = u.m0 + row, n = u.n0 + column;
    if (m >= g.m || n >= g.n) return;
    const int64_t left = g.n - n;
    if (p.pieces > 1) {
      S* to = static_cast<S*>(p.partial) + ((u.piece * g.batch + u.batch) * g.m + m) * g.n + n;
      if (g.n % 4 == 0) {
        *reinterpret_cast<Pack<S, 4>*>(to) = sums;
      } else {
        PT_UNROLL
        for (int j = 0; j < 4; ++j)
          if (j < left) to[j] = sums.v[j];
      }
      return;
    }
    if (p.c_packs && plain(g)) {
      Pack<T, 4> out;
      PT_UNROLL
      for (int j = 0; j < 4; ++j) {
        S v = static_cast<S>(g.alpha) * sums.v[j];
        if (g.bias)
          v += static_cast<S>(static_cast<const T*>(g.bias)[m * g.bias_row + (n + j) * g.bias_col]);
        put<T>(&out, j, v);
      }
      T* to = static_cast<T*>(g.c) + u.batch * g.c_batch + m * g.c_row + n;
      *reinterpret_cast<Pack<T, 4>*>(to) = out;
      return;
    }
    PT_UNROLL
    for (int j = 0; j < 4; ++j)
      if (j < left) finish_element<T, S>(g, u.batch, m, n + j, sums.v[j]);
  }

  // What most products are: nothing but a bias. Multiplying by alpha = 1 first changes no bit.
  PT_DEVICE static bool plain(const GemmArgs& g) {
    return g.alpha == 1 && g.beta == 0 && !g.scale && !g.residual && g.least == -__builtin_inf() &&
           g.most == __builtin_inf();
  }
};

template <class T, class S>
__global__ void __launch_bounds__(256) merge_gemm_kernel(GemmPlan p) {
  const int64_t all = p.g.batch * p.g.m * p.g.n, step = int64_t{gridDim.x} * blockDim.x;
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < all; i += step) {
    double sum = 0;
    for (int64_t piece = 0; piece < p.pieces; ++piece)
      sum += static_cast<double>(static_cast<const S*>(p.partial)[piece * all + i]);
    const int64_t line = i / p.g.n;
    finish_element<T, S>(p.g, line / p.g.m, line % p.g.m, i % p.g.n, static_cast<S>(sum));
  }
}

// Whether 16 bytes along the direction with step 1 may be read at once wherever tiles begin.
template <class T>
bool operand_packs(const void* p, int64_t along, int64_t across, int64_t batch) {
  constexpr int64_t kPer = 16 / sizeof(T);
  return along == 1 && aligned(p, 16) && across % kPer == 0 && batch % kPer == 0;
}

// How k is cut where there are too few tiles for a large device: from the sizes alone.
inline void cut_k(GemmPlan& p, int64_t slice) {
  constexpr int64_t kBlocks = 256, kLeast = 256, kMost = 1 << 30;
  const int64_t tiles = p.tiles_m * p.tiles_n * p.g.batch, possible = p.g.k / kLeast;
  int64_t pieces = p.g.k / kMost + 1;
  if (tiles > 0 && tiles <= kBlocks / 2) {
    const int64_t wanted = kBlocks / tiles, more = wanted < possible ? wanted : possible;
    pieces = more > pieces ? more : pieces;
  }
  const int64_t piece = (p.g.k + pieces - 1) / pieces;
  p.piece = (piece + slice - 1) / slice * slice;
  p.pieces = p.piece ? (p.g.k + p.piece - 1) / p.piece : 1;
  if (p.pieces < 1) p.pieces = 1;
}

template <class Math>
GemmPlan gemm_plan(const GemmArgs& g, int64_t slice) {
  GemmPlan p{};
  p.g = g;
  p.tiles_m = (g.m + Math::kRows - 1) / Math::kRows;
  p.tiles_n = (g.n + Math::kColumns - 1) / Math::kColumns;
  cut_k(p, slice);
  return p;
}

// Whether tiles of 128 x 128 keep a large device busy.
inline bool enough_large_tiles(const GemmArgs& g) {
  return g.m > 64 && g.n > 64 && (g.m + 127) / 128 * ((g.n + 127) / 128) * g.batch >= 128;
}

// Calls launch(plan, blocks), and then adds up the pieces. T is C's type, S that of the sums.
template <class T, class S, class Launch>
void run_gemm(GemmPlan p, const Launch& launch) {
  const GemmArgs& g = p.g;
  const int64_t units = p.tiles_m * p.tiles_n * g.batch * p.pieces, elements = g.batch * g.m * g.n;
  if (units == 0) return;
  p.c_packs = g.c_col == 1 && g.c_row % 4 == 0 && g.c_batch % 4 == 0 && g.n % 4 == 0 &&
              aligned(g.c, sizeof(T) * 4);
  const Scratch partial(p.pieces > 1 ? sizeof(S) * static_cast<size_t>(p.pieces * elements) : 0);
  if (p.pieces > 1 && !partial) return;
  p.partial = partial.as<void>();
  launch(p, static_cast<unsigned>(units < (1 << 30) ? units : 1 << 30));
  if (p.pieces > 1) PT_LAUNCH((merge_gemm_kernel<T, S>), blocks_for(elements, 256), 256, 0, p);
}

}  // namespace pt::cuda
