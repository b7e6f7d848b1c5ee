// How samples move with a parameter of their distribution, for the cpu and for devices.
//
// Implicit reparameterization (M. Figurnov, S. Mohamed, A. Mnih, 2018): a sample x = F^-1(u; a)
// moves by -(dF/da) / (dF/dx). The distribution functions are a prefactor proportional to the
// density times a series or continued fraction; the density cancels, and the derivative of the
// rest is carried along in every step.
#pragma once

#include "ops/functors/math_gamma.h"

namespace PT_FUNCTOR_NAMESPACE::reparameter {

inline constexpr double kPrecision = 1e-14;
inline constexpr int kMaxSteps = 100000;
// Beyond, a sample is its mean and a multiple of its deviation, to less than float's precision.
inline constexpr double kNormalFrom = 1e7;

// A value and its derivative.
struct Dual {
  double v = 0, d = 0;
};
PT_INLINE Dual operator+(Dual x, Dual y) { return {x.v + y.v, x.d + y.d}; }
PT_INLINE Dual operator*(Dual x, Dual y) { return {x.v * y.v, x.d * y.v + x.v * y.d}; }
PT_INLINE Dual operator/(Dual x, Dual y) {
  const double q = x.v / y.v;
  return {q, (x.d - q * y.d) / y.v};
}

// W. J. Lentz's evaluation of b0 + a1/(b1 + a2/(b2 + ...)), I. J. Thompson and A. R. Barnett's
// form; term(k, a, b) gives the k-th pair.
template <class Terms>
PT_INLINE Dual continued_fraction(Dual b0, Terms term) {
  const Dual tiny{1e-300, 0};
  Dual f = b0.v == 0 ? tiny : b0, c = f, d{0, 0};
  for (int k = 1; k < kMaxSteps; ++k) {
    Dual a, b;
    term(k, a, b);
    d = b + a * d;
    if (d.v == 0) d = tiny;
    d = Dual{1, 0} / d;
    c = b + a / c;
    if (c.v == 0) c = tiny;
    const Dual step = c * d;
    f = f * step;
    if (PT_LIBM(fabs)(step.v - 1) < kPrecision &&
        PT_LIBM(fabs)(step.d) * PT_LIBM(fabs)(f.v) <=
            kPrecision * (PT_LIBM(fabs)(f.d) + PT_LIBM(fabs)(f.v)))
      break;
  }
  return f;
}

// P(a, x) = x^a e^-x / Gamma(a + 1) * sum of x^n / ((a+1) ... (a+n)): DLMF 8.7.1.
PT_INLINE Dual lower_gamma(double a, double x) {
  Dual term{1, 0}, sum{1, 0};
  for (int n = 1; n < kMaxSteps; ++n) {
    term = term * (Dual{x, 0} / Dual{a + n, 1});
    sum = sum + term;
    if (term.v < kPrecision * sum.v && PT_LIBM(fabs)(term.d) <= kPrecision * PT_LIBM(fabs)(sum.d))
      break;
  }
  return sum;
}

// Q(a, x) = x^a e^-x / Gamma(a) / (x+1-a - 1(1-a)/(x+3-a - 2(2-a)/(x+5-a - ...))): DLMF 8.9.2.
PT_INLINE Dual upper_gamma(double a, double x) {
  const Dual fraction = continued_fraction({x + 1 - a, -1}, [&](int k, Dual& p, Dual& q) {
    p = {-k * (k - a), static_cast<double>(k)};
    q = {x + 2.0 * k + 1 - a, -1};
  });
  return Dual{1, 0} / fraction;
}

// I_x(a, b) = x^a (1-x)^b / B(a, b) / (a * (1 + d1/(1 + d2/(1 + ...)))): DLMF 8.17.22.
// `of_a` says which of the two carries the derivative.
PT_INLINE Dual lower_beta(double a, double b, double x, bool of_a) {
  const Dual p{a, of_a ? 1.0 : 0.0}, q{b, of_a ? 0.0 : 1.0};
  const Dual minus_x{-x, 0}, plus_x{x, 0};
  const Dual fraction = continued_fraction({1, 0}, [&](int k, Dual& above, Dual& below) {
    const double m = k / 2;
    const Dual at{m, 0}, next = p + Dual{2 * m, 0};
    if (k % 2)
      above = minus_x * (p + at) * (p + q + at) / (next * (next + Dual{1, 0}));
    else
      above = plus_x * at * (q + Dual{-m, 0}) / ((next + Dual{-1, 0}) * next);
    below = {1, 0};
  });
  return Dual{1, 0} / (p * fraction);
}

PT_INLINE double gamma_slope(double a, double x) {
  if (!(a > 0) || !(a < math::kInf<double>) || x != x) return math::kNaN<double>;
  if (x <= 0) return 0;
  if (x == math::kInf<double>) return x;
  if (a > kNormalFrom) {
    // E. B. Wilson and M. M. Hilferty's z, and the derivative of a + z sqrt(a) + (z^2-1)/3.
    const double z = 3 * PT_LIBM(sqrt)(a) * (PT_LIBM(cbrt)(x / a) - 1 + 1 / (9 * a));
    return 1 + z / (2 * PT_LIBM(sqrt)(a));
  }
  if (x <= a + 1) {
    const Dual sum = lower_gamma(a, x);
    return -x / a * (sum.v * (PT_LIBM(log)(x) - math::digamma(a + 1)) + sum.d);
  }
  const Dual tail = upper_gamma(a, x);
  return x * (tail.v * (PT_LIBM(log)(x) - math::digamma(a)) + tail.d);
}

PT_INLINE double beta_slope(double a, double b, double x) {
  if (!(a > 0) || !(b > 0) || !(a < math::kInf<double>) || !(b < math::kInf<double>) || x != x)
    return math::kNaN<double>;
  if (x <= 0) return 0;
  if (x > 1) return math::kNaN<double>;
  const double total = a + b, mean = a / total;
  if (a > kNormalFrom && b > kNormalFrom) {
    const double variance = mean * (b / total) / (total + 1);
    const double mean_slope = b / total / total;
    const double variance_slope = variance * (1 / a - 2 / total - 1 / (total + 1));
    return (mean_slope + (x - mean) / (2 * variance) * variance_slope) / (1 - x);
  }
  const double shift = PT_LIBM(log)(x) - math::digamma(a) + math::digamma(total);
  if (x <= (a + 1) / (total + 2)) {
    const Dual lower = lower_beta(a, b, x, true);
    return -x * (lower.v * shift + lower.d);
  }
  const Dual upper = lower_beta(b, a, 1 - x, false);
  return x * (upper.v * shift + upper.d);
}

}  // namespace PT_FUNCTOR_NAMESPACE::reparameter
