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
#include "cpu/lines.h"

namespace pt::PT_ISA {
namespace {

using namespace lines;

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
