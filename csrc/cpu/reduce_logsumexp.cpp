// logsumexp: the running pair (largest element m, sum of e^(x - m)), so that nothing overflows and
// the elements are read from memory once.
#include "cpu/reduce_frame.h"
#include "ops/functors/math.h"

namespace pt::PT_ISA {
namespace {

template <class T>
struct LogSumExp {
  using In = T;
  using L = Compute<T>;
  struct Total {
    double max, sum;  // sum: of e^(x - max), where max is finite
  };
  static constexpr int64_t kRows = 32;
  static constexpr int64_t kWidth = 256;
  static constexpr double kInf = __builtin_inf();

  static Total init(const ReduceArgs&) { return {-kInf, 0}; }

  __attribute__((noinline)) static void leaf(const T* p, int64_t n, int64_t, Total& t) {
    L x[kLeaf];
    widen_block(p, x, n);
    const L max = largest(x, n);
    if (max - max == 0) {
      for (int64_t i = 0; i < n; ++i) x[i] = math::exp_nonpositive(x[i] - max);
      merge(t, {max, sum(x, n)});
    } else {
      merge(t, {max, 0});
    }
  }

  __attribute__((noinline)) static void slab(const T* p, int64_t stride, int64_t rows, int64_t,
                                             int64_t width, Total* t) {
    alignas(64) L max[kWidth], shift[kWidth], total[kWidth], x[kWidth];
    for (int64_t c = 0; c < width; ++c) max[c] = -__builtin_inff(), total[c] = 0;
    for (int64_t r = 0; r < rows; ++r) {
      widen_block(p + r * stride, x, width);
      for (int64_t c = 0; c < width; ++c) max[c] = larger(max[c], x[c]);
    }
    // Where the largest is infinite or NaN, the sum is not used.
    for (int64_t c = 0; c < width; ++c) shift[c] = max[c] - max[c] == 0 ? max[c] : L(0);
    for (int64_t r = 0; r < rows; ++r) {
      widen_block(p + r * stride, x, width);
      for (int64_t c = 0; c < width; ++c) total[c] += math::exp_nonpositive(x[c] - shift[c]);
    }
    for (int64_t c = 0; c < width; ++c) merge(t[c], {max[c], total[c]});
  }

  static void merge(Total& t, const Total& u) {
    const double max = larger(t.max, u.max);
    if (max - max == 0) {
      t.sum = scaled(t, max) + scaled(u, max);
    }
    t.max = max;
  }

  static void finish(const Total& t, const ReduceArgs& a, int64_t at) {
    put<T>(a, at, t.max - t.max == 0 ? t.max + __builtin_log(t.sum) : t.max);
  }

 private:
  static double scaled(const Total& t, double max) {
    if (t.max == max) return t.sum;
    return t.max == -kInf ? 0 : t.sum * __builtin_exp(t.max - max);
  }
  template <class V>
  static V larger(V a, V x) {
    const V b = x > a ? x : a;
    return x != x ? x : b;
  }
  static L largest(const L* x, int64_t n) {
    constexpr int lanes = kLanes<L>;
    Vec<L> v = splat(-static_cast<L>(kInf)), w = v;
    int64_t i = 0;
    for (; i + 2 * lanes <= n; i += 2 * lanes) {
      v = larger(v, load<L>(x + i)), w = larger(w, load<L>(x + i + lanes));
    }
    for (; i + lanes <= n; i += lanes) v = larger(v, load<L>(x + i));
    if (i < n) w = larger(w, load_tail<L>(x, i, n, -static_cast<L>(kInf)));
    return across<L>(larger(v, w), [](Vec<L> a, Vec<L> b) { return larger(a, b); });
  }
  static double sum(const L* x, int64_t n) {
    constexpr int lanes = kLanes<L>;
    Vec<L> v{}, w{};
    int64_t i = 0;
    for (; i + 2 * lanes <= n; i += 2 * lanes) v += load<L>(x + i), w += load<L>(x + i + lanes);
    for (; i + lanes <= n; i += lanes) v += load<L>(x + i);
    if (i < n) w += load_tail<L>(x, i, n, L(0));
    return across<L>(v + w, [](Vec<L> a, Vec<L> b) { return a + b; });
  }
};

const KernelEntry kEntries[] = {PT_FLOATING_REDUCTION("logsumexp", LogSumExp)};

}  // namespace
}  // namespace pt::PT_ISA

PT_REGISTER_KERNELS(pt::PT_ISA::kEntries)
