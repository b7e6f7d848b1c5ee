// Cross entropy of softmax, forward and gradient, without keeping the softmax: forward keeps a
// line's maximum m and s = log(sum(exp(x - m))), from which backward makes exp(x - m - s) again.
//
// Long lines go through a buffer one by one, in blocks ("online softmax", Milakov and Gimelshein
// 2018). Lines that lie side by side, and short lines laid so, are worked on as rows of a tile.
// 16-bit floats compute in float.
#include "cpu/lines.h"
#include "cpu/loss_args.h"

namespace pt::PT_ISA {
namespace {

using namespace lines;

inline int64_t offset_of(const LineStrides& s, int64_t o, int64_t i, int64_t k) {
  return o * s.outer + i * s.inner + k * s.n;
}

template <class T>
struct CrossEntropy {
  using L = Compute<T>;
  const CrossEntropyArgs& a;
  const L keep, spread;  // the factors of p and of the uniform part
  const L *weight, *grads;

  explicit CrossEntropy(const CrossEntropyArgs& args)
      : a(args),
        keep(static_cast<L>(1 - args.smoothing)),
        spread(static_cast<L>(args.smoothing / static_cast<double>(args.n))),
        weight(static_cast<const L*>(args.weight)),
        grads(static_cast<const L*>(args.grad)) {}

  const T* input(int64_t o, int64_t i, int64_t k) const {
    return static_cast<const T*>(a.in) + offset_of(a.in_stride, o, i, k);
  }
  const T* target(int64_t o, int64_t i, int64_t k) const {
    return static_cast<const T*>(a.probabilities) + offset_of(a.target_stride, o, i, k);
  }
  T* output(int64_t o, int64_t i, int64_t k) const {
    return static_cast<T*>(a.out) + offset_of(a.out_stride, o, i, k);
  }
  L weight_of(int64_t k) const { return weight ? weight[k] : L(1); }
  // grad * scale of line u.
  L grad_of(int64_t u) const { return grads[a.single_grad ? 0 : u] * static_cast<L>(a.scale); }
  // sum(b) of a line of class t.
  L mass_of(int64_t t) const { return keep * weight_of(t) + spread * static_cast<L>(a.weight_sum); }
  bool ignores(int64_t u) const { return a.classes && a.classes[u] == a.ignored; }
  bool uses_all() const { return a.probabilities || a.smoothing != 0; }

  // ---- one line, block by block ----

  // x = the elements first .. first + n of a line; x = their part of the target.
  void load_block(const T* p, int64_t stride, int64_t n, L pad, L* x) const {
    load_line(p, stride, n, pad, x);
  }
  void parts_block(int64_t o, int64_t i, int64_t first, int64_t n, L* b) const {
    const int64_t whole = padded<L>(n);
    if (a.probabilities) {
      load_line(target(o, i, first), a.target_stride.n, n, L(0), b);
      for (int64_t k = 0; k < whole; ++k) b[k] = keep * b[k] + spread;
    } else {
      for (int64_t k = 0; k < whole; ++k) b[k] = spread;
    }
    if (weight) {
      for (int64_t k = 0; k < n; ++k) b[k] *= weight[first + k];
    }
  }

  void forward_line(int64_t u) const {
    alignas(64) L x[kBlock];
    const int64_t o = u / a.inner, i = u % a.inner;
    LogSum total;
    for (int64_t first = 0; first < a.n; first += kBlock) {
      const int64_t count = min64(kBlock, a.n - first), whole = padded<L>(count);
      load_line(input(o, i, first), a.in_stride.n, count, Limits<L>::lowest, x);
      const L max = largest(x, whole);
      // A block of -inf alone adds nothing unless it is the whole line.
      if (max == Limits<L>::lowest && a.n > kBlock) continue;
      total.append(max, exponentials(x, whole, max, x));
    }
    const L max = static_cast<L>(total.m), log_sum = static_cast<L>(__builtin_log(total.s));
    static_cast<L*>(a.max)[u] = max;
    static_cast<L*>(a.log_sum)[u] = log_sum;
    double loss = 0;
    if (!ignores(u)) {
      if (a.classes) {
        const int64_t t = a.classes[u];
        const L shifted = widen<L>(*input(o, i, t)) - max;
        loss = static_cast<double>(keep * weight_of(t) * (log_sum - shifted));
      }
      if (uses_all()) loss += loss_of_parts(o, i, max, log_sum);
    }
    a.losses[u] = loss;
  }

  __attribute__((noinline)) double loss_of_parts(int64_t o, int64_t i, L max, L log_sum) const {
    alignas(64) L x[kBlock], b[kBlock];
    double loss = 0;
    for (int64_t first = 0; first < a.n; first += kBlock) {
      const int64_t count = min64(kBlock, a.n - first);
      load_line(input(o, i, first), a.in_stride.n, count, max + log_sum, x);
      parts_block(o, i, first, count, b);
      for (int64_t k = 0; k < count; ++k) x[k] = (log_sum - (x[k] - max)) * b[k];
      for (int64_t k = count; k < padded<L>(count); ++k) x[k] = 0;
      loss += sum<L>(padded<L>(count), [&x](int64_t k) { return load<L>(x + k); });
    }
    return loss;
  }

  void backward_line(int64_t u) const {
    alignas(64) L x[kBlock], b[kBlock];
    const int64_t o = u / a.inner, i = u % a.inner;
    const L max = static_cast<const L*>(a.max)[u], log_sum = static_cast<const L*>(a.log_sum)[u];
    const bool ignored = ignores(u);
    const L g = grad_of(u);
    L mass = 0;
    if (a.probabilities) {
      double total = 0;
      for (int64_t first = 0; first < a.n; first += kBlock) {
        const int64_t count = min64(kBlock, a.n - first);
        parts_block(o, i, first, count, b);
        for (int64_t k = count; k < padded<L>(count); ++k) b[k] = 0;
        total += sum<L>(padded<L>(count), [&b](int64_t k) { return load<L>(b + k); });
      }
      mass = static_cast<L>(total);
    } else if (!ignored) {
      mass = mass_of(a.classes[u]);
    }
    for (int64_t first = 0; first < a.n; first += kBlock) {
      const int64_t count = min64(kBlock, a.n - first);
      if (ignored) {
        for (int64_t k = 0; k < count; ++k) x[k] = 0;
      } else {
        load_line(input(o, i, first), a.in_stride.n, count, max, x);
        softmax_times(x, padded<L>(count), max, log_sum, g * mass);
        if (uses_all()) {
          parts_block(o, i, first, count, b);
          for (int64_t k = 0; k < count; ++k) x[k] -= g * b[k];
        }
        const int64_t t = a.classes ? a.classes[u] - first : -1;
        if (t >= 0 && t < count) x[t] -= g * keep * weight_of(t + first);
      }
      store_line(x, count, output(o, i, first), a.out_stride.n);
    }
  }

  // x = exp(x - max - log_sum) * factor
  __attribute__((noinline)) static void softmax_times(L* x, int64_t n, L max, L log_sum, L factor) {
    for (int64_t k = 0; k < n; k += kLanes<L>) {
      for (int j = 0; j < kLanes<L>; ++j) {
        x[k + j] = math::exp_nonpositive((x[k + j] - max) - log_sum) * factor;
      }
    }
  }

  // ---- lines side by side: a tile of n rows ----

  // Rows of `width` lines: in memory, or in a buffer [n, pitch].
  struct Rows {
    const T* in;
    int64_t stride, width, pitch;
    L* buffer;

    // Row k as whole vectors.
    const L* get(int64_t k, L* scratch) const {
      if (buffer) return buffer + k * pitch;
      if (width == pitch) return row_values(in + k * stride, width, scratch);
      load_line(in + k * stride, 1, width, L(0), scratch);
      return scratch;
    }
    L element(int64_t k, int64_t j) const {
      return buffer ? buffer[k * pitch + j] : widen<L>(in[k * stride + j]);
    }
  };

  // b = the target's parts in class k for the lines of a tile, without the class itself.
  void parts_row(const Rows& targets, int64_t k, int64_t pitch, L* b) const {
    alignas(64) L scratch[kTile];
    const L w = weight_of(k);
    if (a.probabilities) {
      const L* p = targets.get(k, scratch);
      for (int64_t j = 0; j < pitch; ++j) b[j] = (keep * p[j] + spread) * w;
    } else {
      for (int64_t j = 0; j < pitch; ++j) b[j] = spread * w;
    }
  }

  __attribute__((noinline)) static void raise_max(const L* __restrict row, int64_t pitch,
                                                  L* __restrict max) {
    for (int64_t j = 0; j < pitch; ++j) max[j] = row[j] > max[j] ? row[j] : max[j];
  }
  __attribute__((noinline)) static void add_exponentials(const L* __restrict row,
                                                         const L* __restrict max, int64_t pitch,
                                                         L* __restrict total) {
    for (int64_t i = 0; i < pitch; i += kLanes<L>) {
      for (int j = 0; j < kLanes<L>; ++j) {
        total[i + j] += math::exp_nonpositive(row[i + j] - max[i + j]);
      }
    }
  }

  // Lines u .. u + width.
  void forward_tile(int64_t u, const Rows& rows, const Rows& targets) const {
    alignas(64) L scratch[kTile], max[kTile], total[kTile], part[kTile], b[kTile];
    const int64_t pitch = rows.pitch;
    for (int64_t j = 0; j < pitch; ++j) max[j] = Limits<L>::lowest, total[j] = part[j] = 0;
    for (int64_t k = 0; k < a.n; ++k) raise_max(rows.get(k, scratch), pitch, max);
    for (int64_t k = 0; k < a.n; ++k) {
      add_exponentials(rows.get(k, scratch), max, pitch, part);
      if (k % kRows == kRows - 1 || k == a.n - 1) move_sum(part, total, pitch);
    }
    for (int64_t j = 0; j < pitch; ++j) total[j] = math::log(total[j]);
    if (uses_all()) {
      double sums[kTile] = {};
      for (int64_t k = 0; k < a.n; ++k) {
        const L* row = rows.get(k, scratch);
        parts_row(targets, k, pitch, b);
        for (int64_t j = 0; j < pitch; ++j) {
          sums[j] += static_cast<double>((total[j] - (row[j] - max[j])) * b[j]);
        }
      }
      for (int64_t j = 0; j < rows.width; ++j) a.losses[u + j] = sums[j];
    } else {
      for (int64_t j = 0; j < rows.width; ++j) a.losses[u + j] = 0;
    }
    for (int64_t j = 0; j < rows.width; ++j) {
      static_cast<L*>(a.max)[u + j] = max[j];
      static_cast<L*>(a.log_sum)[u + j] = total[j];
      if (!a.classes) continue;
      const int64_t t = a.classes[u + j];
      if (t == a.ignored) {
        a.losses[u + j] = 0;
      } else {
        const L shifted = rows.element(t, j) - max[j];
        a.losses[u + j] += static_cast<double>(keep * weight_of(t) * (total[j] - shifted));
      }
    }
  }

  // As wide as L: g++ 12 for AVX2 loses lanes of a choice of doubles by a comparison of int32_t.
  using Class = typename FloatLayout<L>::Int;

  // For each row k of the gradient: put(k, row).
  template <class Put>
  void backward_tile(int64_t u, const Rows& rows, const Rows& targets, Put put) const {
    alignas(64) L scratch[kTile], max[kTile], log_sum[kTile], g[kTile], mass[kTile], hit[kTile];
    alignas(64) L b[kTile], e[kTile];
    alignas(64) Class classes[kTile];
    const int64_t pitch = rows.pitch, width = rows.width;
    bool some_ignored = false;
    for (int64_t j = 0; j < pitch; ++j) {
      const bool real = j < width;
      some_ignored = some_ignored || (real && ignores(u + j));
      max[j] = real ? static_cast<const L*>(a.max)[u + j] : L(0);
      log_sum[j] = real ? static_cast<const L*>(a.log_sum)[u + j] : L(0);
      g[j] = real && !ignores(u + j) ? grad_of(u + j) : L(0);
      mass[j] = hit[j] = 0;
      classes[j] = -1;
      if (!real || !a.classes || ignores(u + j)) continue;
      const int64_t t = a.classes[u + j];
      classes[j] = static_cast<Class>(t);
      hit[j] = g[j] * keep * weight_of(t);
      mass[j] = g[j] * mass_of(t);
    }
    if (a.probabilities) {
      for (int64_t k = 0; k < a.n; ++k) {
        parts_row(targets, k, pitch, b);
        for (int64_t j = 0; j < pitch; ++j) mass[j] += b[j];
      }
      for (int64_t j = 0; j < pitch; ++j) mass[j] *= g[j];
    }
    for (int64_t k = 0; k < a.n; ++k) {
      gradient_row(rows.get(k, scratch), max, log_sum, mass, classes, hit, static_cast<Class>(k),
                   pitch, e);
      if (uses_all()) {
        parts_row(targets, k, pitch, b);
        for (int64_t j = 0; j < pitch; ++j) e[j] -= g[j] * b[j];
      }
      if (some_ignored) {  // 0 even where the softmax is NaN
        for (int64_t j = 0; j < width; ++j) e[j] = ignores(u + j) ? L(0) : e[j];
      }
      put(k, e);
    }
  }
  __attribute__((noinline)) static void gradient_row(
      const L* __restrict row, const L* __restrict max, const L* __restrict log_sum,
      const L* __restrict mass, const Class* __restrict classes, const L* __restrict hit, Class k,
      int64_t pitch, L* __restrict e) {
    for (int64_t i = 0; i < pitch; i += kLanes<L>) {
      for (int j = 0; j < kLanes<L>; ++j) {
        const L s = math::exp_nonpositive((row[i + j] - max[i + j]) - log_sum[i + j]);
        e[i + j] = s * mass[i + j] - (classes[i + j] == k ? hit[i + j] : L(0));
      }
    }
  }

  // ---- which way ----

  bool by_tiles() const {
    return a.inner >= kLanes<L> && a.in_stride.inner == 1 &&
           (!a.probabilities || a.target_stride.inner == 1);
  }
  bool by_short_lines() const {
    return transposes(a.outer * a.inner, a.n, a.in_stride.n == 1 ? kShortLine : kMostTransposed) &&
           a.n > 0;
  }
  Rows tile(int64_t o, int64_t c, int64_t width) const {
    return {input(o, c, 0), a.in_stride.n, width, padded<L>(width), nullptr};
  }
  Rows target_tile(int64_t o, int64_t c, int64_t width) const {
    if (!a.probabilities) return {};
    return {target(o, c, 0), a.target_stride.n, width, padded<L>(width), nullptr};
  }
  // Lines u .. u + count laid side by side in a buffer.
  Rows gathered(const void* p, const LineStrides& s, int64_t u, int64_t count, L* buffer) const {
    if (!p) return {};
    int64_t offsets[kTile] = {};
    line_offsets(s, a.inner, u, count, offsets);
    const int64_t pitch = padded<L>(count);
    load_transposed(static_cast<const T*>(p), offsets, s.n, a.n, count, pitch, buffer);
    return {nullptr, 0, count, pitch, buffer};
  }

  void forward() const {
    if (by_tiles()) {
      walk_tiles(a.outer, a.n, a.inner, [&](int64_t o, int64_t c, int64_t width) {
        forward_tile(o * a.inner + c, tile(o, c, width), target_tile(o, c, width));
      });
    } else if (by_short_lines()) {
      walk_transposed(a.outer * a.inner, a.n, [&](int64_t u, int64_t count) {
        alignas(64) L x[kBlock], t[kBlock];
        forward_tile(u, gathered(a.in, a.in_stride, u, count, x),
                     gathered(a.probabilities, a.target_stride, u, count, t));
      });
    } else {
      walk([&](int64_t u) { forward_line(u); });
    }
  }

  void backward() const {
    if (by_tiles() && a.out_stride.inner == 1) {
      walk_tiles(a.outer, a.n, a.inner, [&](int64_t o, int64_t c, int64_t width) {
        backward_tile(o * a.inner + c, tile(o, c, width), target_tile(o, c, width),
                      [&](int64_t k, const L* e) { narrow_block(e, output(o, c, k), width); });
      });
    } else if (by_short_lines()) {
      walk_transposed(a.outer * a.inner, a.n, [&](int64_t u, int64_t count) {
        alignas(64) L x[kBlock], t[kBlock];
        const Rows rows = gathered(a.in, a.in_stride, u, count, x);
        const int64_t pitch = rows.pitch;
        backward_tile(u, rows, gathered(a.probabilities, a.target_stride, u, count, t),
                      [&](int64_t k, const L* e) {
                        for (int64_t j = 0; j < pitch; ++j) x[k * pitch + j] = e[j];
                      });
        int64_t offsets[kTile] = {};
        line_offsets(a.out_stride, a.inner, u, count, offsets);
        store_transposed(x, pitch, a.n, count, static_cast<T*>(a.out), offsets, a.out_stride.n);
      });
    } else {
      walk([&](int64_t u) { backward_line(u); });
    }
  }

  template <class F>
  void walk(F line) const {
    parallel_for(0, a.outer * a.inner, max64(1, kUnit / max64(1, a.n)),
                 [&](int64_t begin, int64_t end) {
                   for (int64_t u = begin; u < end; ++u) line(u);
                 });
  }
};

template <class T>
void forward(const CrossEntropyArgs& a) {
  CrossEntropy<T>(a).forward();
}
template <class T>
void backward(const CrossEntropyArgs& a) {
  CrossEntropy<T>(a).backward();
}

#define PT_CROSS_ENTROPY(f)                                                  \
  {nullptr,          nullptr,          nullptr,         nullptr,             \
   nullptr,          nullptr,          PT_FN(&f<Half>), PT_FN(&f<BFloat16>), \
   PT_FN(&f<float>), PT_FN(&f<double>)}

const KernelEntry kEntries[] = {
    {"cross_entropy", PT_CROSS_ENTROPY(forward)},
    {"cross_entropy_backward", PT_CROSS_ENTROPY(backward)},
};

}  // namespace
}  // namespace pt::PT_ISA

PT_REGISTER_KERNELS(pt::PT_ISA::kEntries)
