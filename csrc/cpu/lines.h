// Lines of elements in buffers of whole vectors, their maximum, exponentials and sums; blocks of
// short lines laid side by side. Shared by the softmax and loss kernels.
#pragma once

#include "core/parallel.h"
#include "cpu/reduce_lanes.h"
#include "cpu/scan_args.h"
#include "ops/functors/math.h"

namespace pt::PT_ISA::lines {

inline constexpr int64_t kUnit = 16384;          // elements worth handing to a thread
inline constexpr int64_t kBlock = 4096;          // elements in a buffer
inline constexpr int64_t kTile = 256;            // most lines side by side
inline constexpr int64_t kTileElements = 65536;  // of a tile, to stay in the L2 cache
inline constexpr int64_t kRows = 16;             // added up in one go, for accuracy
inline constexpr int64_t kShortLine = 48;        // shorter lines are worked on side by side
inline constexpr int64_t kMostTransposed =
    256;  // as many elements of a line fit a transposed block

inline int64_t min64(int64_t a, int64_t b) { return a < b ? a : b; }
inline int64_t max64(int64_t a, int64_t b) { return a > b ? a : b; }
inline int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

// ---- blocks in a buffer, padded to whole vectors ----

template <class L>
int64_t padded(int64_t n) {
  return ceil_div(n, kLanes<L>) * kLanes<L>;
}

template <class L, class T>
__attribute__((noinline)) void load_line(const T* in, int64_t stride, int64_t n, L pad, L* x) {
  if (stride == 1) {
    constexpr int lanes = kLanes<L>;
    int64_t i = 0;
    for (; i + lanes <= n; i += lanes) store(x + i, load<L>(in + i));
    if (i < n) {
      L tail[lanes];
      for (int j = 0; j < lanes; ++j) tail[j] = pad;
      for (int64_t j = i; j < n; ++j) tail[j - i] = widen<L>(in[j]);
      store(x + i, load<L>(tail));
    }
    return;
  }
  for (int64_t i = 0; i < n; ++i) x[i] = widen<L>(in[i * stride]);
  for (int64_t i = n; i < padded<L>(n); ++i) x[i] = pad;
}

template <class T, class L>
void store_line(const L* x, int64_t n, T* out, int64_t stride) {
  if (stride == 1) return narrow_block(x, out, n);
  for (int64_t i = 0; i < n; ++i) out[i * stride] = narrow<T>(x[i]);
}

// A row of elements as values of L: the row itself where it has that type.
template <class L, class T>
const L* row_values(const T* in, int64_t n, L* buffer) {
  if constexpr (kSame<T, L>) {
    return in;
  } else {
    widen_block(in, buffer, n);
    return buffer;
  }
}

// total += part; part = 0.
template <class L>
void move_sum(L* __restrict part, L* __restrict total, int64_t n) {
  for (int64_t j = 0; j < n; ++j) total[j] += part[j], part[j] = 0;
}

// The largest element; NaNs do not count (they come back through the exponentials).
template <class L>
L largest(const L* x, int64_t n) {
  constexpr int lanes = kLanes<L>;
  const auto larger = [](Vec<L> a, Vec<L> b) { return b > a ? b : a; };
  Vec<L> v = splat(Limits<L>::lowest), w = v;
  int64_t i = 0;
  for (; i + 2 * lanes <= n; i += 2 * lanes) {
    v = larger(v, load<L>(x + i)), w = larger(w, load<L>(x + i + lanes));
  }
  for (; i < n; i += lanes) v = larger(v, load<L>(x + i));
  return across<L>(larger(v, w), larger);
}

// The sum of term(i), the vector at i. A lane takes part in at most 16 additions before the lanes
// are collected in double.
template <class L, class F>
double sum(int64_t n, F term) {
  constexpr int lanes = kLanes<L>;
  double total = 0;
  for (int64_t first = 0; first < n; first += 32 * lanes) {
    const int64_t end = min64(n, first + 32 * lanes);
    Vec<L> v{}, w{};
    int64_t i = first;
    for (; i + 2 * lanes <= end; i += 2 * lanes) v += term(i), w += term(i + lanes);
    if (i < end) v += term(i);
    total += across<L>(v + w, [](Vec<L> a, Vec<L> b) { return a + b; });
  }
  return total;
}

// e = exp(x - max); the sum of e.
template <class L>
__attribute__((noinline)) double exponentials(const L* x, int64_t n, L max, L* e) {
  constexpr int lanes = kLanes<L>;
  for (int64_t i = 0; i < n; i += lanes) {
    for (int j = 0; j < lanes; ++j) e[i + j] = math::exp_nonpositive(x[i + j] - max);
  }
  return sum<L>(n, [e](int64_t i) { return load<L>(e + i); });
}

// m: the largest element so far, s: the sum of exp(x - m).
struct LogSum {
  double m = -__builtin_inf(), s = 0;
  void append(double m2, double s2) {
    const double top = m2 > m ? m2 : m;
    s = scaled(m, s, top) + scaled(m2, s2, top);
    m = top;
  }
  static double scaled(double m, double s, double top) {
    return m == top || s != s ? s : s == 0 ? 0 : s * __builtin_exp(m - top);
  }
};

// ---- short or scattered lines side by side ----

// Where line number u of [outer, inner] starts, for `count` lines from u on.
inline void line_offsets(const LineStrides& s, int64_t inner, int64_t u, int64_t count,
                         int64_t* offsets) {
  int64_t o = u / inner, i = u % inner;
  for (int64_t j = 0; j < count; ++j) {
    offsets[j] = o * s.outer + i * s.inner;
    if (++i == inner) i = 0, ++o;
  }
}

// x[k * pitch + j] = element k of line j; columns count .. pitch are 0.
template <class T, class L>
__attribute__((noinline)) void load_transposed(const T* in, const int64_t* offsets, int64_t stride,
                                               int64_t n, int64_t count, int64_t pitch, L* x) {
  if (stride == 1) {
    for (int64_t j = 0; j < count; ++j) {
      const T* p = in + offsets[j];
      for (int64_t k = 0; k < n; ++k) x[k * pitch + j] = widen<L>(p[k]);
    }
  } else {
    for (int64_t k = 0; k < n; ++k) {
      const T* p = in + k * stride;
      for (int64_t j = 0; j < count; ++j) x[k * pitch + j] = widen<L>(p[offsets[j]]);
    }
  }
  for (int64_t k = 0; k < n; ++k) {
    for (int64_t j = count; j < pitch; ++j) x[k * pitch + j] = 0;
  }
}

template <class T, class L>
__attribute__((noinline)) void store_transposed(const L* x, int64_t pitch, int64_t n, int64_t count,
                                                T* out, const int64_t* offsets, int64_t stride) {
  if (stride == 1) {
    for (int64_t j = 0; j < count; ++j) {
      T* p = out + offsets[j];
      for (int64_t k = 0; k < n; ++k) p[k] = narrow<T>(x[k * pitch + j]);
    }
  } else {
    for (int64_t k = 0; k < n; ++k) {
      T* p = out + k * stride;
      for (int64_t j = 0; j < count; ++j) p[offsets[j]] = narrow<T>(x[k * pitch + j]);
    }
  }
}

// ---- the walk over lines side by side ----

// Calls tile(o, first column, width) for the tiles of lines that lie side by side.
template <class F>
void walk_tiles(int64_t outer, int64_t n, int64_t inner, F tile) {
  const int64_t most = max64(64, min64(kTile, kTileElements / max64(1, n) / 64 * 64));
  const int64_t even = padded<float>(ceil_div(inner, ceil_div(inner, most)));
  const int64_t tiles = ceil_div(inner, even);
  parallel_for(0, outer * tiles, max64(1, kUnit / (n * min64(even, inner))),
               [&](int64_t begin, int64_t end) {
                 for (int64_t u = begin; u < end; ++u) {
                   const int64_t c = u % tiles * even;
                   tile(u / tiles, c, min64(even, inner - c));
                 }
               });
}

// Short or scattered lines: several of them become the columns of a block in a buffer.
template <class F>
void walk_transposed(int64_t lines, int64_t n, F block) {
  const int64_t width = min64(kTile, kBlock / n / 16 * 16);
  const int64_t blocks = ceil_div(lines, width);
  parallel_for(0, blocks, max64(1, kUnit / (n * width)), [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; ++b) block(b * width, min64(width, lines - b * width));
  });
}

inline bool transposes(int64_t lines, int64_t n, int64_t most) { return n <= most && lines >= 8; }

}  // namespace pt::PT_ISA::lines
