// Rejection samplers, one element each: poisson, gamma, binomial. Written once for the cpu, whose
// stream they draw in PyTorch's order, and for devices.
//
// A Source has uniform(), a double in [0, 1), and normal(), a standard normal one. The methods are
// those of the papers named below; constants and rounding are PyTorch's.
#pragma once

#include "ops/functors/math_base.h"

namespace PT_FUNCTOR_NAMESPACE::rejection {

// The C library's functions in the type of their argument.
namespace libm {
PT_INLINE float sqrt(float x) { return PT_LIBM(sqrtf)(x); }
PT_INLINE double sqrt(double x) { return PT_LIBM(sqrt)(x); }
PT_INLINE float log1p(float x) { return PT_LIBM(log1pf)(x); }
PT_INLINE double log1p(double x) { return PT_LIBM(log1p)(x); }
}  // namespace libm

// W. Hoermann, "The transformed rejection method for generating Poisson random variables", 1993
// (algorithm PTRS); products of uniforms for small rates.
template <class Source>
PT_INLINE int64_t sample_poisson(Source& g, double rate) {
  if (!(rate > 0)) return 0;
  if (rate < 10) {
    const double limit = PT_LIBM(exp)(-rate);
    int64_t k = 0;
    for (double product = g.uniform(); product > limit; product *= g.uniform()) ++k;
    return k;
  }
  const double log_rate = PT_LIBM(log)(rate);
  const double b = 0.931 + 2.53 * libm::sqrt(rate);
  const double a = -0.059 + 0.02483 * b;
  const double inverse_alpha = 1.1239 + 1.1328 / (b - 3.4);
  const double v_r = 0.9277 - 3.6224 / (b - 2);
  for (;;) {
    const double u = g.uniform() - 0.5;
    const double v = g.uniform();
    const double us = 0.5 - PT_LIBM(fabs)(u);
    const int64_t k = static_cast<int64_t>(PT_LIBM(floor)((2 * a / us + b) * u + rate + 0.43));
    if (us >= 0.07 && v <= v_r) return k;
    if (k < 0 || (us < 0.013 && v > us)) continue;
    if (PT_LIBM(log)(v) + PT_LIBM(log)(inverse_alpha) - PT_LIBM(log)(a / (us * us) + b) <=
        -rate + static_cast<double>(k) * log_rate - PT_LIBM(lgamma)(static_cast<double>(k) + 1)) {
      return k;
    }
  }
}

// G. Marsaglia and W. W. Tsang, "A simple method for generating gamma variables", 2000. Constants
// in single precision, and the boost of shapes below one, as in PyTorch.
template <class T, class Source>
PT_INLINE double sample_gamma(Source& g, T shape) {
  if (!(shape >= 0)) return math::kNaN<double>;  // no sample would ever be taken
  double scale = 1;
  if (shape < 1.0f) {
    if (shape == 0.0f) return 0;
    scale *= PT_LIBM(pow)(1 - g.uniform(), static_cast<double>(1.0f / shape));
    shape += 1.0f;
  }
  const double d = static_cast<double>(shape - 1.0f / 3.0f);
  const double c = 1.0f / libm::sqrt(9.0f * d);
  for (;;) {
    double x, y;
    do {
      x = g.normal();
      y = 1.0f + c * x;
    } while (y <= 0);
    const double v = y * y * y;
    const double u = 1 - g.uniform();
    const double xx = x * x;
    if (u < 1.0f - 0.0331f * xx * xx) return static_cast<T>(scale * d * v);
    if (PT_LIBM(log)(u) < 0.5f * xx + d * (1.0f - v + PT_LIBM(log)(v)))
      return static_cast<T>(scale * d * v);
  }
}

// The tail of Stirling's series for log k!.
PT_INLINE double stirling_tail(double k) {
  if (k < 10) {
    switch (static_cast<int>(k)) {
      case 0:
        return 0.0810614667953272;
      case 1:
        return 0.0413406959554092;
      case 2:
        return 0.0276779256849983;
      case 3:
        return 0.02079067210376509;
      case 4:
        return 0.0166446911898211;
      case 5:
        return 0.0138761288230707;
      case 6:
        return 0.0118967099458917;
      case 7:
        return 0.0104112652619720;
      case 8:
        return 0.00925546218271273;
      default:
        return 0.00833056343336287;
    }
  }
  const double square = (k + 1) * (k + 1);
  return (1.0 / 12 - (1.0 / 360 - 1.0 / 1260 / square) / square) / (k + 1);
}

// Sums of geometric variables until they pass `count`.
template <class T, class Source>
PT_INLINE T binomial_by_inversion(Source& g, T count, T p) {
  const double log_q = libm::log1p(-p);
  double sum = 0;
  for (T k = 0;; k = k + 1) {
    sum += PT_LIBM(ceil)(PT_LIBM(log)(g.uniform()) / log_q);
    if (sum > count) return k;
  }
}

// W. Hoermann, "The generation of binomial random variates", 1993 (algorithm BTRS).
template <class T, class Source>
PT_INLINE T binomial_by_rejection(Source& g, T count, T p) {
  const double stddev = libm::sqrt(count * p * (1 - p));
  const double b = 1.15 + 2.53 * stddev;
  const double a = -0.0873 + 0.0248 * b + 0.01 * p;
  const double c = count * p + 0.5;
  const double v_r = 0.92 - 4.2 / b;
  const double r = p / (1 - p);
  const double alpha = (2.83 + 5.1 / b) * stddev;
  const double m = PT_LIBM(floor)((count + 1) * p);
  for (;;) {
    const double u = g.uniform() - 0.5;
    double v = g.uniform();
    const double us = 0.5 - PT_LIBM(fabs)(u);
    const T k = static_cast<T>(PT_LIBM(floor)((2 * a / us + b) * u + c));
    if (k < 0 || k > count) continue;
    if (us >= 0.07 && v <= v_r) return k;
    v = PT_LIBM(log)(v * alpha / (a / (us * us) + b));
    const double bound = (m + 0.5) * PT_LIBM(log)((m + 1) / (r * (count - m + 1))) +
                         (count + 1) * PT_LIBM(log)((count - m + 1) / (count - k + 1)) +
                         (k + 0.5) * PT_LIBM(log)(r * (count - k + 1) / (k + 1)) +
                         stirling_tail(m) + stirling_tail(count - m) - stirling_tail(k) -
                         stirling_tail(count - k);
    if (v <= bound) return k;
  }
}

template <class T, class Source>
PT_INLINE T sample_binomial(Source& g, T count, T p) {
  if (count <= 0.0 || p <= 0.0) return 0;
  if (p >= 1.0) return count;
  if (p != p) return p;
  if (count != count) return count;  // inversion would never end
  const bool mirrored = p > 0.5;
  const T q = mirrored ? static_cast<T>(1.0 - p) : p;
  const T k =
      count * q >= 10.0 ? binomial_by_rejection(g, count, q) : binomial_by_inversion(g, count, q);
  return mirrored ? count - k : k;
}

}  // namespace PT_FUNCTOR_NAMESPACE::rejection
