// Gradients of softmax and log_softmax along a dimension:
// grad_in = (g - sum(g y)) y, or for the logarithm g - sum(g) e^y. Lines are walked as in
// softmax.cpp; 16-bit floats compute in float.
#include "cpu/softmax_lines.h"

namespace pt::PT_ISA::softmax {
namespace {

constexpr int64_t kShortLine = 48;  // shorter lines become the columns of a buffer

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
  } else if (transposes(
                 a.outer * a.inner, a.n,
                 a.grad_stride.n == 1 && a.output_stride.n == 1 ? kShortLine : kMostTransposed)) {
    walk_transposed(a.outer * a.inner, a.n,
                    [&](int64_t u, int64_t count) { b.transposed(u, count); });
  } else {
    walk_lines(b, a.outer, a.n, a.inner);
  }
}

const KernelEntry kEntries[] = {
    {"softmax_backward", PT_SOFTMAX(backward, false)},
    {"log_softmax_backward", PT_SOFTMAX(backward, true)},
};

}  // namespace
}  // namespace pt::PT_ISA::softmax

PT_REGISTER_KERNELS(pt::PT_ISA::softmax::kEntries)
