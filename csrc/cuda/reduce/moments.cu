// Second moments (var, std, var_mean) and logsumexp, by partial results that can be merged.
#include "cuda/reduce/frame.h"

namespace pt::cuda {
namespace {

// Merged by the formula of Chan, Golub and LeVeque (1979), in double.
struct Moments {
  double mean, m2, n;  // m2: the sum of squared deviations
};

template <class T>
struct MomentsOf {
  using In = T;
  using Lane = Moments;
  using Total = Moments;
  PT_DEVICE static Total total() { return {0, 0, 0}; }
  PT_DEVICE static Lane lane() { return total(); }
  PT_DEVICE static void take(Lane& l, Compute<T> v, int64_t) {
    const double x = static_cast<double>(v);
    l.n += 1;
    const double d = x - l.mean;
    l.mean += d / l.n;
    l.m2 += d * (x - l.mean);
  }
  PT_DEVICE static void absorb(Total& t, const Lane& l) { merge(t, l); }
  PT_DEVICE static void merge(Total& t, const Total& u) {
    if (u.n == 0) return;
    const double n = t.n + u.n, d = u.mean - t.mean, part = u.n / n;
    t.mean += d * part;
    t.m2 += u.m2 + d * d * (t.n * part);
    t.n = n;
  }
  PT_DEVICE static double variance(const Total& t, const ReduceOut& o) {
    const double degrees = t.n - o.p;
    return t.m2 / (degrees > 0 ? degrees : 0);
  }
};
template <class T>
struct Var : MomentsOf<T> {
  PT_DEVICE static void finish(const Moments& t, const ReduceOut& o, int64_t at) {
    put<T>(o.out, at, static_cast<Compute<T>>(MomentsOf<T>::variance(t, o)), o.dtype);
  }
};
template <class T>
struct Std : MomentsOf<T> {
  PT_DEVICE static void finish(const Moments& t, const ReduceOut& o, int64_t at) {
    put<T>(o.out, at, static_cast<Compute<T>>(::sqrt(MomentsOf<T>::variance(t, o))), o.dtype);
  }
};
template <class T>
struct VarMean : MomentsOf<T> {
  PT_DEVICE static void finish(const Moments& t, const ReduceOut& o, int64_t at) {
    put<T>(o.out, at, static_cast<Compute<T>>(MomentsOf<T>::variance(t, o)), o.dtype);
    put<T>(o.out2, at,
           static_cast<Compute<T>>(t.n > 0 ? t.mean : static_cast<double>(__builtin_nanf(""))),
           o.dtype);
  }
};

// The largest element and the sum of e^(x - largest), where that is finite.
template <class T>
struct LogSumExp {
  using V = Compute<T>;
  struct Pair {
    V max, sum;
  };
  using In = T;
  using Lane = Pair;
  using Total = Pair;
  PT_DEVICE static bool finite(V x) { return x - x == V(0); }
  PT_DEVICE static Total total() { return {V(-__builtin_huge_valf()), V(0)}; }
  PT_DEVICE static Lane lane() { return total(); }
  PT_DEVICE static void take(Lane& l, V x, int64_t) { merge(l, {x, V(1)}); }
  PT_DEVICE static void absorb(Total& t, const Lane& l) { merge(t, l); }
  PT_DEVICE static V scaled(const Total& t, V max) {
    if (t.max == max) return t.sum;
    return t.max == V(-__builtin_huge_valf()) ? V(0) : t.sum * exponential(t.max - max);
  }
  PT_DEVICE static V exponential(V x) {
    if constexpr (sizeof(V) == 8) {
      return ::exp(x);
    } else {
      return ::expf(x);
    }
  }
  PT_DEVICE static void merge(Total& t, const Total& u) {
    const V larger = u.max > t.max ? u.max : t.max;
    const V max = u.max != u.max ? u.max : t.max != t.max ? t.max : larger;
    if (finite(max)) t.sum = scaled(t, max) + scaled(u, max);
    t.max = max;
  }
  PT_DEVICE static void finish(const Total& t, const ReduceOut& o, int64_t at) {
    put<T>(o.out, at, finite(t.max) ? t.max + static_cast<V>(::log(t.sum)) : t.max, o.dtype);
  }
};

const KernelEntry kEntries[] = {
    PT_FLOATING_REDUCTION("var", Var),
    PT_FLOATING_REDUCTION("std", Std),
    PT_FLOATING_REDUCTION("var_mean", VarMean),
    PT_FLOATING_REDUCTION("logsumexp", LogSumExp),
};
PT_REGISTER_DEVICE_KERNELS(kEntries)

}  // namespace
}  // namespace pt::cuda
