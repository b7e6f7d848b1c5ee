// Second moments: var, std, var_mean. `p` is the correction (1 for the unbiased estimate).
//
// A block of elements that stays in cache is read twice, for its mean and for the squared
// deviations from it, both in double; blocks are combined by the formula of Chan, Golub and
// LeVeque ("Updating formulae and a pairwise algorithm for computing sample variances", 1979).
#include "cpu/reduce_frame.h"

namespace pt::PT_ISA {
namespace {

struct Moments {
  double mean, m2, n;  // m2: the sum of squared deviations
};

template <class T>
struct MomentsOf {
  using In = T;
  using Total = Moments;
  static constexpr int64_t kRows = 32;
  static constexpr int64_t kWidth = 512;

  static Moments init(const ReduceArgs&) { return {0, 0, 0}; }

  static void leaf(const T* p, int64_t n, int64_t, Moments& t) {
    const double count = static_cast<double>(n);
    const double mean = sum<false>(p, n, 0) / count;
    merge(t, {mean, sum<true>(p, n, mean), count});
  }

  __attribute__((noinline)) static void slab(const T* p, int64_t stride, int64_t rows, int64_t,
                                             int64_t width, Moments* t) {
    alignas(64) double mean[kWidth], m2[kWidth];
    const double count = static_cast<double>(rows);
    for (int64_t c = 0; c < width; ++c) mean[c] = m2[c] = 0;
    for (int64_t r = 0; r < rows; ++r) {
      const T* q = p + r * stride;
      for (int64_t c = 0; c < width; ++c) mean[c] += widen<double>(q[c]);
    }
    for (int64_t c = 0; c < width; ++c) mean[c] /= count;
    for (int64_t r = 0; r < rows; ++r) {
      const T* q = p + r * stride;
      for (int64_t c = 0; c < width; ++c) {
        const double d = widen<double>(q[c]) - mean[c];
        m2[c] += d * d;
      }
    }
    for (int64_t c = 0; c < width; ++c) merge(t[c], {mean[c], m2[c], count});
  }

  static void merge(Moments& t, const Moments& u) {
    const double n = t.n + u.n, d = u.mean - t.mean, share = u.n / n;
    t.mean += d * share;
    t.m2 += u.m2 + d * d * (t.n * share);
    t.n = n;
  }

 protected:
  static double variance(const Moments& t, const ReduceArgs& a) {
    const double degrees = t.n - a.p;
    return t.m2 / (degrees > 0 ? degrees : 0);
  }

 private:
  // The sum of the elements, or of their squared distances from `mean`.
  template <bool Squares>
  static double sum(const T* p, int64_t n, double mean) {
    using V = Vec<double>;
    constexpr int lanes = kLanes<double>;
    const V m = splat(mean);
    const auto term = [m](V x) { return Squares ? (x - m) * (x - m) : x; };
    V v0{}, v1{}, v2{}, v3{};
    int64_t i = 0;
    for (; i + 4 * lanes <= n; i += 4 * lanes) {
      v0 += term(load<double>(p + i));
      v1 += term(load<double>(p + i + lanes));
      v2 += term(load<double>(p + i + 2 * lanes));
      v3 += term(load<double>(p + i + 3 * lanes));
    }
    for (; i + lanes <= n; i += lanes) v0 += term(load<double>(p + i));
    if (i < n) v1 += term(load_tail<double>(p, i, n, Squares ? mean : 0));
    return across<double>((v0 + v1) + (v2 + v3), [](V x, V y) { return x + y; });
  }
};

template <class T>
struct Var : MomentsOf<T> {
  static void finish(const Moments& t, const ReduceArgs& a, int64_t at) {
    put<T>(a, at, MomentsOf<T>::variance(t, a));
  }
};

template <class T>
struct Std : MomentsOf<T> {
  static void finish(const Moments& t, const ReduceArgs& a, int64_t at) {
    put<T>(a, at, __builtin_sqrt(MomentsOf<T>::variance(t, a)));
  }
};

template <class T>
struct VarMean : MomentsOf<T> {
  static void finish(const Moments& t, const ReduceArgs& a, int64_t at) {
    put<T>(a, at, MomentsOf<T>::variance(t, a));
    static_cast<T*>(a.out2)[at] = narrow<T>(t.n > 0 ? t.mean : __builtin_nan(""));
  }
};

const KernelEntry kEntries[] = {
    PT_FLOATING_REDUCTION("var", Var),
    PT_FLOATING_REDUCTION("std", Std),
    PT_FLOATING_REDUCTION("var_mean", VarMean),
};

}  // namespace
}  // namespace pt::PT_ISA

PT_REGISTER_KERNELS(pt::PT_ISA::kEntries)
