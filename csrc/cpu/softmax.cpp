// softmax and log_softmax along a dimension, and their gradients.
//
// A line that fits the L1 cache is read once into a buffer, where its maximum, its exponentials and
// their sum are made, and written once. A longer line is read twice: for the pair (maximum, sum),
// kept block by block ("online softmax", Milakov and Gimelshein 2018), and for the result; few
// long lines share their blocks among the threads. Lines that lie side by side are worked on as
// rows of a tile. 16-bit floats compute in float. Blocks are of fixed size and combined in order.
#include "cpu/softmax_args.h"

#include <new>

#include "core/parallel.h"
#include "cpu/reduce_lanes.h"
#include "ops/functors/math.h"

namespace pt::PT_ISA {
namespace {

constexpr int64_t kUnit = 16384;          // elements worth handing to a thread
constexpr int64_t kBlock = 4096;          // elements in a buffer
constexpr int64_t kTile = 256;            // most lines side by side
constexpr int64_t kTileElements = 65536;  // of a tile, to stay in the L2 cache
constexpr int64_t kRows = 16;             // added up in one go, for accuracy
constexpr int64_t kShortLine = 48;        // shorter lines are worked on side by side
constexpr int64_t kMostTransposed = 256;  // as many elements of a line fit a transposed block

int64_t min64(int64_t a, int64_t b) { return a < b ? a : b; }
int64_t max64(int64_t a, int64_t b) { return a > b ? a : b; }
int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

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

// ---- the walk over lines: whole, or in blocks ----

// Line is a kernel for one line: short(o, i); and for long ones Part (trivial), part(o, i, first,
// n) -> Part, Part::append, finish(o, i, first, n, Part).
template <class Line>
void walk_lines(const Line& line, int64_t outer, int64_t n, int64_t inner) {
  const int64_t lines = outer * inner;
  if (n <= kBlock) {
    parallel_for(0, lines, max64(1, kUnit / max64(1, n)), [&](int64_t begin, int64_t end) {
      for (int64_t u = begin; u < end; ++u) line.whole(u / inner, u % inner);
    });
    return;
  }
  using Part = typename Line::Part;
  const int64_t blocks = ceil_div(n, kBlock), group = kUnit / kBlock;
  const int64_t at_once = max64(1, min64(lines, 1024 / blocks));  // bounds the room for parts
  Part* parts = static_cast<Part*>(::operator new(at_once * blocks * sizeof(Part)));
  for (int64_t u0 = 0; u0 < lines; u0 += at_once) {
    const int64_t count = min64(at_once, lines - u0);
    parallel_for(0, count * blocks, group, [&](int64_t begin, int64_t end) {
      for (int64_t w = begin; w < end; ++w) {
        const int64_t u = u0 + w / blocks, first = w % blocks * kBlock;
        parts[w] = line.part(u / inner, u % inner, first, min64(kBlock, n - first));
      }
    });
    for (int64_t w = 0; w < count; ++w) {
      Part& total = parts[w * blocks];
      for (int64_t b = 1; b < blocks; ++b) line.append(total, parts[w * blocks + b]);
    }
    parallel_for(0, count * blocks, group, [&](int64_t begin, int64_t end) {
      for (int64_t w = begin; w < end; ++w) {
        const int64_t u = u0 + w / blocks, first = w % blocks * kBlock;
        line.finish(u / inner, u % inner, first, min64(kBlock, n - first),
                    parts[w / blocks * blocks]);
      }
    });
  }
  ::operator delete(parts);
}

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

bool transposes(int64_t lines, int64_t n, bool consecutive) {
  return n <= (consecutive ? kShortLine : kMostTransposed) && lines >= 8;
}

// Where line number u of [outer, inner] starts, for `count` lines from u on.
void line_offsets(const LineStrides& s, int64_t inner, int64_t u, int64_t count, int64_t* offsets) {
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

// ---- forward ----

template <class T, bool Log>
struct Forward {
  using L = Compute<T>;
  using Part = LogSum;
  const SoftmaxArgs& a;

  const T* input(int64_t o, int64_t i, int64_t k) const {
    return static_cast<const T*>(a.in) + o * a.in_stride.outer + i * a.in_stride.inner +
           k * a.in_stride.n;
  }
  T* output(int64_t o, int64_t i, int64_t k) const {
    return static_cast<T*>(a.out) + o * a.out_stride.outer + i * a.out_stride.inner +
           k * a.out_stride.n;
  }

  void whole(int64_t o, int64_t i) const {
    alignas(64) L x[kBlock], e[Log ? kBlock : 1];
    load_line(input(o, i, 0), a.in_stride.n, a.n, Limits<L>::lowest, x);
    const int64_t n = padded<L>(a.n);
    const L max = largest(x, n);
    const double total = exponentials(x, n, max, Log ? e : x);
    result(x, max, total);
    store_line(x, a.n, output(o, i, 0), a.out_stride.n);
  }

  Part part(int64_t o, int64_t i, int64_t first, int64_t count) const {
    alignas(64) L x[kBlock];
    load_line(input(o, i, first), a.in_stride.n, count, Limits<L>::lowest, x);
    const int64_t n = padded<L>(count);
    const L max = largest(x, n);
    // A block of -inf alone adds nothing; the line's NaN, if it is all there is, comes from finish.
    return {max, max == Limits<L>::lowest ? nothing(x, n) : exponentials(x, n, max, x)};
  }
  static void append(Part& t, const Part& u) { t.append(u.m, u.s); }

  void finish(int64_t o, int64_t i, int64_t first, int64_t count, const Part& t) const {
    alignas(64) L x[kBlock];
    load_line(input(o, i, first), a.in_stride.n, count, Limits<L>::lowest, x);
    const L max = static_cast<L>(t.m);
    if (!Log) exponentials(x, padded<L>(count), max, x);
    result(x, max, t.s, count);
    store_line(x, count, output(o, i, first), a.out_stride.n);
  }

  void tile(int64_t o, int64_t c, int64_t width) const {
    alignas(64) L x[kTile], max[kTile], total[kTile], part[kTile];
    const int64_t pitch = padded<L>(width);  // whole vectors: their last lanes are not used
    for (int64_t j = 0; j < pitch; ++j) x[j] = total[j] = part[j] = 0, max[j] = Limits<L>::lowest;
    for (int64_t k = 0; k < a.n; ++k) {
      const L* row = row_values(input(o, c, k), width, x);
      for (int64_t j = 0; j < width; ++j) max[j] = row[j] > max[j] ? row[j] : max[j];
    }
    for (int64_t k = 0; k < a.n; ++k) {
      widen_block(input(o, c, k), x, width);
      add_exponentials(x, max, part, pitch);
      if (k % kRows == kRows - 1 || k == a.n - 1) move_sum(part, total, pitch);
      // A 16-bit exponential would be rounded twice; it is made again below.
      if constexpr (!Log && kSame<T, L>) narrow_block(x, output(o, c, k), width);
    }
    for (int64_t j = 0; j < pitch; ++j) total[j] = Log ? math::log(total[j]) : 1 / total[j];
    for (int64_t k = 0; k < a.n; ++k) {
      T* out = output(o, c, k);
      if constexpr (!Log && kSame<T, L>) {
        for (int64_t j = 0; j < width; ++j) out[j] *= total[j];
      } else {
        const L* row = row_values(input(o, c, k), width, x);
        for (int64_t j = 0; j < width; ++j) x[j] = row[j] - max[j];
        if (Log) {
          for (int64_t j = 0; j < width; ++j) x[j] -= total[j];
        } else {
          for (int64_t j = 0; j < pitch; ++j) x[j] = math::exp_nonpositive(x[j]) * total[j];
        }
        narrow_block(x, out, width);
      }
    }
  }

  // Lines u .. u + count, through a buffer.
  void transposed(int64_t u, int64_t count) const {
    alignas(64) L x[kBlock], max[kTile], total[kTile], part[kTile], e[kTile];
    int64_t from[kTile], to[kTile];
    const int64_t pitch = padded<L>(count);
    line_offsets(a.in_stride, a.inner, u, count, from);
    line_offsets(a.out_stride, a.inner, u, count, to);
    load_transposed(static_cast<const T*>(a.in), from, a.in_stride.n, a.n, count, pitch, x);
    for (int64_t j = 0; j < pitch; ++j) max[j] = x[j], total[j] = part[j] = 0;
    for (int64_t k = 1; k < a.n; ++k) {
      const L* row = x + k * pitch;
      for (int64_t j = 0; j < pitch; ++j) max[j] = row[j] > max[j] ? row[j] : max[j];
    }
    for (int64_t k = 0; k < a.n; ++k) {
      L* row = x + k * pitch;
      if (Log) {
        for (int64_t j = 0; j < pitch; ++j) e[j] = row[j];
        add_exponentials(e, max, part, pitch);
      } else {
        add_exponentials(row, max, part, pitch);
      }
      if (k % kRows == kRows - 1 || k == a.n - 1) move_sum(part, total, pitch);
    }
    for (int64_t j = 0; j < pitch; ++j) total[j] = Log ? math::log(total[j]) : 1 / total[j];
    for (int64_t k = 0; k < a.n; ++k) {
      L* row = x + k * pitch;
      for (int64_t j = 0; j < pitch; ++j) {
        row[j] = Log ? (row[j] - max[j]) - total[j] : row[j] * total[j];
      }
    }
    store_transposed(x, pitch, a.n, count, static_cast<T*>(a.out), to, a.out_stride.n);
  }

 private:
  // x = exp(x - max), added to total; n is a multiple of the vector's lanes.
  __attribute__((noinline)) static void add_exponentials(L* __restrict x, const L* __restrict max,
                                                         L* __restrict total, int64_t n) {
    for (int64_t i = 0; i < n; i += kLanes<L>) {
      for (int j = 0; j < kLanes<L>; ++j) {
        const L e = math::exp_nonpositive(x[i + j] - max[i + j]);
        x[i + j] = e;
        total[i + j] += e;
      }
    }
  }
  // 0, or NaN if one is among the elements.
  static L nothing(const L* x, int64_t n) {
    for (int64_t i = 0; i < n; ++i) {
      if (x[i] != x[i]) return x[i];
    }
    return 0;
  }
  void result(L* x, L max, double total, int64_t count) const {
    const L scale = static_cast<L>(Log ? __builtin_log(total) : 1 / total);
    for (int64_t i = 0; i < count; ++i) x[i] = Log ? (x[i] - max) - scale : x[i] * scale;
  }
  void result(L* x, L max, double total) const { result(x, max, total, a.n); }
};

template <class T, bool Log>
void forward(const SoftmaxArgs& a) {
  if (a.outer * a.n * a.inner == 0) return;
  const Forward<T, Log> f{a};
  if (a.in_stride.inner == 1 && a.out_stride.inner == 1 && a.inner >= kLanes<Compute<T>>) {
    walk_tiles(a.outer, a.n, a.inner,
               [&](int64_t o, int64_t c, int64_t width) { f.tile(o, c, width); });
  } else if (transposes(a.outer * a.inner, a.n, a.in_stride.n == 1 && a.out_stride.n == 1)) {
    walk_transposed(a.outer * a.inner, a.n,
                    [&](int64_t u, int64_t count) { f.transposed(u, count); });
  } else {
    walk_lines(f, a.outer, a.n, a.inner);
  }
}

// ---- backward: grad_in = (g - sum(g y)) y, or for the logarithm g - sum(g) e^y ----

template <class T, bool Log>
struct Backward {
  using L = Compute<T>;
  using Part = double;
  const SoftmaxBackwardArgs& a;

  static int64_t offset(const LineStrides& s, int64_t o, int64_t i, int64_t k) {
    return o * s.outer + i * s.inner + k * s.n;
  }
  const T* grad(int64_t o, int64_t i, int64_t k) const {
    return static_cast<const T*>(a.grad) + offset(a.grad_stride, o, i, k);
  }
  const T* output(int64_t o, int64_t i, int64_t k) const {
    return static_cast<const T*>(a.output) + offset(a.output_stride, o, i, k);
  }
  T* grad_in(int64_t o, int64_t i, int64_t k) const {
    return static_cast<T*>(a.grad_in) + offset(a.grad_in_stride, o, i, k);
  }

  void load_both(int64_t o, int64_t i, int64_t first, int64_t n, L* g, L* y) const {
    load_line(grad(o, i, first), a.grad_stride.n, n, L(0), g);
    load_line(output(o, i, first), a.output_stride.n, n, L(0), y);
  }
  static double total(const L* g, const L* y, int64_t n) {
    if (Log) return sum<L>(n, [g](int64_t i) { return load<L>(g + i); });
    return sum<L>(n, [g, y](int64_t i) { return load<L>(g + i) * load<L>(y + i); });
  }
  static L term(L g, L y, L total) {
    return Log ? g - math::exp_nonpositive(y) * total : (g - total) * y;
  }

  void whole(int64_t o, int64_t i) const {
    alignas(64) L g[kBlock], y[kBlock];
    load_both(o, i, 0, a.n, g, y);
    const L t = static_cast<L>(total(g, y, padded<L>(a.n)));
    for (int64_t k = 0; k < a.n; ++k) g[k] = term(g[k], y[k], t);
    store_line(g, a.n, grad_in(o, i, 0), a.grad_in_stride.n);
  }
  Part part(int64_t o, int64_t i, int64_t first, int64_t count) const {
    alignas(64) L g[kBlock], y[kBlock];
    load_both(o, i, first, count, g, y);
    return total(g, y, padded<L>(count));
  }
  static void append(Part& t, Part u) { t += u; }
  void finish(int64_t o, int64_t i, int64_t first, int64_t count, Part all) const {
    alignas(64) L g[kBlock], y[kBlock];
    load_both(o, i, first, count, g, y);
    const L t = static_cast<L>(all);
    for (int64_t k = 0; k < count; ++k) g[k] = term(g[k], y[k], t);
    store_line(g, count, grad_in(o, i, first), a.grad_in_stride.n);
  }

  void tile(int64_t o, int64_t c, int64_t width) const {
    alignas(64) L g_buffer[kTile], y_buffer[kTile], t[kTile], part[kTile], r[kTile];
    for (int64_t j = 0; j < width; ++j) t[j] = part[j] = 0;
    for (int64_t k = 0; k < a.n; ++k) {
      const L* g = row_values(grad(o, c, k), width, g_buffer);
      if (Log) {
        for (int64_t j = 0; j < width; ++j) part[j] += g[j];
      } else {
        const L* y = row_values(output(o, c, k), width, y_buffer);
        for (int64_t j = 0; j < width; ++j) part[j] += g[j] * y[j];
      }
      if (k % kRows == kRows - 1 || k == a.n - 1) move_sum(part, t, width);
    }
    for (int64_t k = 0; k < a.n; ++k) {
      const L* g = row_values(grad(o, c, k), width, g_buffer);
      const L* y = row_values(output(o, c, k), width, y_buffer);
      if constexpr (!Log && kSame<T, L>) {
        T* out = grad_in(o, c, k);
        for (int64_t j = 0; j < width; ++j) out[j] = term(g[j], y[j], t[j]);
      } else {
        for (int64_t j = 0; j < width; ++j) r[j] = term(g[j], y[j], t[j]);
        narrow_block(r, grad_in(o, c, k), width);
      }
    }
  }

  void transposed(int64_t u, int64_t count) const {
    alignas(64) L g[kBlock], y[kBlock], t[kTile];
    int64_t offsets[kTile] = {};
    const int64_t pitch = padded<L>(count);
    line_offsets(a.grad_stride, a.inner, u, count, offsets);
    load_transposed(static_cast<const T*>(a.grad), offsets, a.grad_stride.n, a.n, count, pitch, g);
    line_offsets(a.output_stride, a.inner, u, count, offsets);
    load_transposed(static_cast<const T*>(a.output), offsets, a.output_stride.n, a.n, count, pitch,
                    y);
    for (int64_t j = 0; j < pitch; ++j) t[j] = 0;
    for (int64_t k = 0; k < a.n * pitch; k += pitch) {
      for (int64_t j = 0; j < pitch; ++j) t[j] += Log ? g[k + j] : g[k + j] * y[k + j];
    }
    for (int64_t k = 0; k < a.n * pitch; k += pitch) {
      for (int64_t j = 0; j < pitch; ++j) g[k + j] = term(g[k + j], y[k + j], t[j]);
    }
    line_offsets(a.grad_in_stride, a.inner, u, count, offsets);
    store_transposed(g, pitch, a.n, count, static_cast<T*>(a.grad_in), offsets, a.grad_in_stride.n);
  }
};

template <class T, bool Log>
void backward(const SoftmaxBackwardArgs& a) {
  if (a.outer * a.n * a.inner == 0) return;
  const Backward<T, Log> b{a};
  if (a.grad_stride.inner == 1 && a.output_stride.inner == 1 && a.grad_in_stride.inner == 1 &&
      a.inner >= kLanes<Compute<T>>) {
    walk_tiles(a.outer, a.n, a.inner,
               [&](int64_t o, int64_t c, int64_t width) { b.tile(o, c, width); });
  } else if (transposes(a.outer * a.inner, a.n, a.grad_stride.n == 1 && a.output_stride.n == 1)) {
    walk_transposed(a.outer * a.inner, a.n,
                    [&](int64_t u, int64_t count) { b.transposed(u, count); });
  } else {
    walk_lines(b, a.outer, a.n, a.inner);
  }
}

#define PT_SOFTMAX(f, log)   \
  {nullptr,                  \
   nullptr,                  \
   nullptr,                  \
   nullptr,                  \
   nullptr,                  \
   nullptr,                  \
   PT_FN(&f<Half, log>),     \
   PT_FN(&f<BFloat16, log>), \
   PT_FN(&f<float, log>),    \
   PT_FN(&f<double, log>)}

const KernelEntry kEntries[] = {
    {"softmax", PT_SOFTMAX(forward, false)},
    {"log_softmax", PT_SOFTMAX(forward, true)},
    {"softmax_backward", PT_SOFTMAX(backward, false)},
    {"log_softmax_backward", PT_SOFTMAX(backward, true)},
};

}  // namespace
}  // namespace pt::PT_ISA

PT_REGISTER_KERNELS(pt::PT_ISA::kEntries)
