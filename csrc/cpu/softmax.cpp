// softmax and log_softmax along a dimension.
//
// A line that fits the L1 cache is read once into a buffer, where its maximum, its exponentials and
// their sum are made, and written once. A longer line is read twice: for the pair (maximum, sum),
// kept block by block ("online softmax", Milakov and Gimelshein 2018), and for the result; few
// long lines share their blocks among the threads. Lines that lie side by side are worked on as
// rows of a tile. 16-bit floats compute in float. Blocks are of fixed size and combined in order.
#include "cpu/softmax_lines.h"

namespace pt::PT_ISA::softmax {
namespace {

constexpr int64_t kShortRow = 12;  // shorter rows become the columns of a buffer
constexpr int64_t kBatch = 16;     // most consecutive rows worked on together

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
    result(x, max, static_cast<L>(Log ? __builtin_log(total) : 1 / total), a.n);
    store_line(x, a.n, output(o, i, 0), a.out_stride.n);
  }

  // Lines u .. u + count of neighbouring elements; their logarithms or divisions are done together.
  void consecutive(int64_t u, int64_t count) const {
    alignas(64) L e[kBlock], max[kBatch];
    alignas(64) double total[kBatch];
    for (int64_t r = 0; r < kBatch; ++r) total[r] = 1;
    const int64_t pitch = padded<L>(a.n);
    for (int64_t r = 0; r < count; ++r) {
      const T* in = input((u + r) / a.inner, (u + r) % a.inner, 0);
      max[r] = largest_of_row(in, a.n);
      total[r] = row_exponentials(in, a.n, max[r], e + r * pitch);
    }
    for (int64_t r = 0; r < kBatch; ++r) total[r] = Log ? math::log(total[r]) : 1 / total[r];
    for (int64_t r = 0; r < count; ++r) {
      const T* in = input((u + r) / a.inner, (u + r) % a.inner, 0);
      T* out = output((u + r) / a.inner, (u + r) % a.inner, 0);
      finish_row(in, e + r * pitch, max[r], static_cast<L>(total[r]), out);
    }
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
    result(x, max, static_cast<L>(Log ? __builtin_log(t.s) : 1 / t.s), count);
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
  static void result(L* x, L max, L scale, int64_t count) {
    for (int64_t i = 0; i < count; ++i) x[i] = Log ? (x[i] - max) - scale : x[i] * scale;
  }

  static Vec<L> exponential(Vec<L> x) {
    alignas(64) L e[kLanes<L>];
    store(e, x);
    for (int j = 0; j < kLanes<L>; ++j) e[j] = math::exp_nonpositive(e[j]);
    return load<L>(e);
  }

  static L largest_of_row(const T* in, int64_t n) {
    constexpr int lanes = kLanes<L>;
    const auto larger = [](Vec<L> x, Vec<L> y) { return y > x ? y : x; };
    Vec<L> v = splat(Limits<L>::lowest), w = v;
    int64_t i = 0;
    for (; i + 2 * lanes <= n; i += 2 * lanes) {
      v = larger(v, load<L>(in + i)), w = larger(w, load<L>(in + i + lanes));
    }
    if (i + lanes <= n) v = larger(v, load<L>(in + i)), i += lanes;
    if (i < n) w = larger(w, load_tail<L>(in, i, n, Limits<L>::lowest));
    return across<L>(larger(v, w), larger);
  }

  // Elements i .. n in the first lanes, which load_tail does with AVX-512 alone.
  static Vec<L> ordered_tail(const T* in, int64_t i, int64_t n) {
#if defined(PT_ISA_IS_AVX512)
    return load_tail<L>(in, i, n, Limits<L>::lowest);
#else
    alignas(64) L tail[kLanes<L>];
    load_line(in + i, 1, n - i, Limits<L>::lowest, tail);
    return load<L>(tail);
#endif
  }

  // e = exp(in - max), for whole vectors; the sum. As in sum(), few are added in one go.
  static double row_exponentials(const T* in, int64_t n, L max, L* e) {
    constexpr int lanes = kLanes<L>;
    const Vec<L> m = splat(max);
    double total = 0;
    for (int64_t first = 0; first < n; first += 32 * lanes) {
      const int64_t end = min64(n, first + 32 * lanes);
      Vec<L> v{};
      int64_t i = first;
      for (; i + lanes <= end; i += lanes) {
        const Vec<L> x = exponential(load<L>(in + i) - m);
        if (!Log) store(e + i, x);
        v += x;
      }
      if (i < end) {
        const Vec<L> x = exponential(ordered_tail(in, i, n) - m);
        if (!Log) store(e + i, x);
        v += x;
      }
      total += across<L>(v, [](Vec<L> x, Vec<L> y) { return x + y; });
    }
    return total;
  }

  void finish_row(const T* in, L* e, L max, L scale, T* out) const {
    if constexpr (kSame<T, L>) {
#pragma GCC ivdep
      for (int64_t i = 0; i < a.n; ++i) out[i] = Log ? (in[i] - max) - scale : e[i] * scale;
    } else {
      if (Log) widen_block(in, e, a.n);
      result(e, max, scale, a.n);
      narrow_block(e, out, a.n);
    }
  }
};

template <class T, bool Log>
void forward(const SoftmaxArgs& a) {
  if (a.outer * a.n * a.inner == 0) return;
  const Forward<T, Log> f{a};
  if (a.in_stride.inner == 1 && a.out_stride.inner == 1 && a.inner >= kLanes<Compute<T>>) {
    walk_tiles(a.outer, a.n, a.inner,
               [&](int64_t o, int64_t c, int64_t width) { f.tile(o, c, width); });
    return;
  }
  const int64_t lines = a.outer * a.inner;
  const bool consecutive = a.in_stride.n == 1 && a.out_stride.n == 1;
  if (transposes(lines, a.n, consecutive ? kShortRow : kMostTransposed)) {
    walk_transposed(lines, a.n, [&](int64_t u, int64_t count) { f.transposed(u, count); });
  } else if (consecutive && a.n <= kBlock) {
    const int64_t batch = max64(1, min64(kBatch, kBlock / padded<Compute<T>>(a.n)));
    parallel_for(0, ceil_div(lines, batch), max64(1, kUnit / (a.n * batch)),
                 [&](int64_t begin, int64_t end) {
                   for (int64_t b = begin; b < end; ++b)
                     f.consecutive(b * batch, min64(batch, lines - b * batch));
                 });
  } else {
    walk_lines(f, a.outer, a.n, a.inner);
  }
}

const KernelEntry kEntries[] = {
    {"softmax", PT_SOFTMAX(forward, false)},
    {"log_softmax", PT_SOFTMAX(forward, true)},
};

}  // namespace
}  // namespace pt::PT_ISA::softmax

PT_REGISTER_KERNELS(pt::PT_ISA::softmax::kEntries)
