// Tiles of attention: a block of 128 threads works on 32 rows and 32 columns at a time, four
// threads to a row. Used by the forward and the backward kernels of this folder.
#pragma once

#include "cpu/attention_args.h"
#include "cuda/reduce/frame.h"
#include "ops/functors/math.h"

namespace pt::cuda::attention {

inline constexpr int kTile = 32, kThreads = 128, kOwn = 8;
inline constexpr int kParts = 4;  // tiles of columns that a block sums up
inline constexpr int64_t kColumns = kTile * kParts;
#define PT_NOTHING (-static_cast<T>(INFINITY))

template <class T>
using Sums = T[kParts][kOwn];
template <class T>
using Shared = T[kTile][kTile + 1];

// The row of this thread in a tile, and its j-th column.
PT_DEVICE int own_row() { return static_cast<int>(threadIdx.x) / 4; }
PT_DEVICE int own_column(int j) { return static_cast<int>(threadIdx.x) % 4 + 4 * j; }

// Rows of one head, from `first` on: `count` of them exist.
template <class T>
struct Rows {
  const T* data;
  int64_t stride, count;
};
template <class T>
PT_DEVICE Rows<T> rows_at(const AttentionOperand& o, int64_t batch, int64_t head, int64_t first,
                          int64_t rows) {
  return {static_cast<const T*>(o.data) + batch * o.batch + head * o.head + first * o.row, o.row,
          rows - first};
}
template <class T>
PT_DEVICE void load(Rows<T> r, int64_t column, int64_t columns, Shared<T>& to) {
  for (int e = static_cast<int>(threadIdx.x); e < kTile * kTile; e += kThreads) {
    const int row = e / kTile, c = e % kTile;
    const bool inside = row < r.count && column + c < columns;
    to[row][c] = inside ? r.data[row * r.stride + column + c] : T(0);
  }
}

// sums[j] = (row of a) . (row own_column(j) of b)
template <class T>
PT_DEVICE void dot_rows(Rows<T> a, Rows<T> b, int64_t size, T (&sums)[kOwn]) {
  PT_SHARED(T, left, [kTile][kTile + 1]);
  PT_SHARED(T, right, [kTile][kTile + 1]);
  PT_UNROLL
  for (int j = 0; j < kOwn; ++j) sums[j] = 0;
  if (size == 0) __syncthreads();  // what the caller wrote last has been read after this
  for (int64_t d = 0; d < size; d += kTile) {
    __syncthreads();
    load(a, d, size, left);
    load(b, d, size, right);
    __syncthreads();
    for (int i = 0; i < kTile; ++i) {
      const T x = left[own_row()][i];
      PT_UNROLL
      for (int j = 0; j < kOwn; ++j) sums[j] += x * right[own_column(j)][i];
    }
  }
}

// sums[.][j] += (row of factors) @ (rows of v), columns [first, first + kColumns).
template <class T>
PT_DEVICE void add_rows(const Shared<T>& factors, Rows<T> v, int64_t first, int64_t columns,
                        Sums<T>& sums) {
  PT_SHARED(T, part, [kTile][kTile + 1]);
  PT_UNROLL
  for (int p = 0; p < kParts; ++p) {
    const int64_t column = first + p * kTile;
    if (column >= columns) continue;
    __syncthreads();
    load(v, column, columns, part);
    __syncthreads();
    for (int i = 0; i < kTile; ++i) {
      const T x = factors[own_row()][i];
      PT_UNROLL
      for (int j = 0; j < kOwn; ++j) sums[p][j] += x * part[i][own_column(j)];
    }
  }
}

template <class T>
PT_DEVICE void store(const Sums<T>& sums, T factor, const AttentionOperand& o, int64_t batch,
                     int64_t head, int64_t row, int64_t first, int64_t columns) {
  T* to = static_cast<T*>(o.data) + batch * o.batch + head * o.head + row * o.row;
  PT_UNROLL
  for (int p = 0; p < kParts; ++p) {
    PT_UNROLL
    for (int j = 0; j < kOwn; ++j) {
      const int64_t c = first + p * kTile + own_column(j);
      if (c < columns) to[c] = sums[p][j] * factor;
    }
  }
}

// The score of a row and a key from their dot product.
template <class T>
PT_DEVICE T score(const AttentionArgs& a, int64_t batch, int64_t head, int64_t row, int64_t key,
                  T dot) {
  if (row >= a.rows || key >= a.keys || (a.causal && key > row)) return PT_NOTHING;
  const T s = a.size ? dot * static_cast<T>(a.scale) : T(0);  // the default scale is infinite then
  if (!a.mask.data) return s;
  const int64_t at =
      batch * a.mask.batch + head * a.mask.head + row * a.mask.row + key * a.mask.column;
  if (a.mask_is_bool) return static_cast<const bool*>(a.mask.data)[at] ? s : PT_NOTHING;
  return s + static_cast<const T*>(a.mask.data)[at];
}

inline int64_t tiles_of(int64_t n) { return (n + kTile - 1) / kTile; }
inline int64_t parts_of(int64_t n) { return (n + kColumns - 1) / kColumns; }

// Where a block's unit of work lies: parts vary fastest.
struct Unit {
  int64_t batch, head, tile, first;
  PT_DEVICE Unit(int64_t unit, int64_t parts, int64_t tiles, int64_t heads)
      : batch(unit / parts / tiles / heads),
        head(unit / parts / tiles % heads),
        tile(unit / parts % tiles),
        first(unit % parts * kColumns) {}
};

inline unsigned grid_of(int64_t units) {
  return static_cast<unsigned>(units < (1 << 30) ? units : 1 << 30);
}

}  // namespace pt::cuda::attention
