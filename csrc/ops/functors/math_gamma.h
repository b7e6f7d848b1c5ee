// lgamma, digamma, trigamma, polygamma, Hurwitz zeta, the incomplete gamma functions, and the
// inverse and logarithmic normal distribution functions.
//
// Scalar double code with branches (float converts): these are rare, and each argument range has
// its own method. digamma, trigamma and zeta: recurrence upwards, then the asymptotic series
// (DLMF 5.11, 5.15; Euler-Maclaurin 25.11). igamma: DLMF 8.7.1, 8.9.2 and, for large a, 8.12.
#pragma once

#include "ops/functors/math.h"

#ifdef __CUDACC__
#define PT_NOINLINE __host__ __device__ inline
#else
#define PT_NOINLINE inline __attribute__((noinline))
#endif

namespace PT_FUNCTOR_NAMESPACE::math {

PT_NOINLINE double lgamma(double x) {
#ifdef __CUDA_ARCH__
  return ::lgamma(x);
#else
  int sign;  // plain lgamma writes a global
  return __builtin_lgamma_r(x, &sign);
#endif
}

// Vector code for float results: Stirling's series at z + 8 less the log of z (z+1) ... (z+7),
// and the reflection lgamma(x) = log(pi / |sin pi x|) - lgamma(1 - x) below 1/2.
PT_INLINE float lgamma(float value) {
#ifdef __CUDACC__
  return ::lgammaf(value);
#else
  const double x = double(value);
  const bool reflect = x < 0.5;
  const double z = select(reflect, 1.0 - x, x);
  const bool shift = z < 8.0;
  const double lower = ((z * (z + 7.0)) * ((z + 1.0) * (z + 6.0))) *
                       (((z + 2.0) * (z + 5.0)) * ((z + 3.0) * (z + 4.0)));
  const double product = select(shift, lower, 1.0);
  const double y = select(shift, z + 8.0, z);
  const double inverse = 1.0 / y;
  const double series = inverse * poly(inverse * inverse, 1.0 / 12, -1.0 / 360, 1.0 / 1260,
                                       -1.0 / 1680, 1.0 / 1188, -691.0 / 360360);
  const double stirling = (y - 0.5) * log(y) - y + 0.918938533204672741780 + series;
  const double sine = abs(sin_bounded(kPi * (x - round_even(x))));
  const double l = log(select(reflect, product / sine, product));
  const double r = select(reflect, (1.144729885849400174143 - stirling) + l, stirling - l);
  const float special = select((x == 1.0) | (x == 2.0), 0.0f, abs(value));
  const bool ordinary = (x != 1.0) & (x != 2.0) & (abs(x) < kInf<double>);
  return select(ordinary, float(r), special);
#endif
}

PT_NOINLINE double digamma(double x) {
  if (x == 0.0) return copysign(kInf<double>, -x);
  double shift = 0.0;
  if (x < 0.0) {
    const double whole = trunc(x);
    if (x == whole) return kNaN<double>;
    // psi(x) = psi(1-x) - pi / tan(pi x); the fraction keeps the tangent exact.
    shift = -kPi / PT_LIBM(tan)(kPi * (x - whole));
    x = 1.0 - x;
  }
  for (; x < 10.0; x += 1.0) shift -= 1.0 / x;
  const double z = 1.0 / (x * x);
  const double series =
      z * poly(z, 1.0 / 12, -1.0 / 120, 1.0 / 252, -1.0 / 240, 1.0 / 132, -691.0 / 32760, 1.0 / 12);
  return shift + (PT_LIBM(log)(x) - 0.5 / x - series);
}

PT_NOINLINE double trigamma(double x) {
  double sign = 1.0;
  double sum = 0.0;
  if (x < 0.5) {
    const double s = PT_LIBM(sin)(kPi * x);
    sum = -(kPi * kPi) / (s * s);
    sign = -1.0;
    x = 1.0 - x;
  }
  for (; x < 10.0; x += 1.0) sum += 1.0 / (x * x);
  const double z = 1.0 / (x * x);
  const double series =
      z * poly(z, 1.0 / 6, -1.0 / 30, 1.0 / 42, -1.0 / 30, 5.0 / 66, -691.0 / 2730, 7.0 / 6);
  return sign * (sum + (1.0 + 0.5 / x + series) / x);
}

// sum over k >= 0 of (q + k)^-x.
PT_NOINLINE double zeta(double x, double q) {
  if (x == 1.0) return kInf<double>;
  if (!(x > 1.0)) return kNaN<double>;
  if (q <= 0.0) {
    if (q == floor(q)) return kInf<double>;
    if (x != floor(x)) return kNaN<double>;
  }
  double sum = PT_LIBM(pow)(q, -x);
  double a = q;
  double term = 0.0;
  for (int i = 0; i < 9 || a <= 9.0; ++i) {
    a += 1.0;
    term = PT_LIBM(pow)(a, -x);
    sum += term;
    if (abs(term) < 1.2e-16 * abs(sum)) return sum;
  }
  sum += term * a / (x - 1.0) - 0.5 * term;
  // The Euler-Maclaurin coefficients (2k)! / B_2k.
  constexpr double divisors[12] = {12.0,
                                   -720.0,
                                   30240.0,
                                   -1209600.0,
                                   47900160.0,
                                   -1.307674368e12 / 691,
                                   7.47242496e10,
                                   -1.067062284288e16 / 3617,
                                   5.109094217170944e18 / 43867,
                                   -8.028576626982912e20 / 174611,
                                   1.5511210043330985984e23 / 854513,
                                   -1.6938241367317436694528e27 / 236364091};
  double factor = 1.0;
  double k = 0.0;
  for (const double divisor : divisors) {
    factor *= x + k;
    term /= a;
    const double t = factor * term / divisor;
    sum += t;
    if (abs(t) < 1.2e-16 * abs(sum)) break;
    factor *= (x + k + 1.0);
    term /= a;
    k += 2.0;
  }
  return sum;
}

PT_NOINLINE double polygamma(double n, double x) {
  if (n == 0.0) return digamma(x);
  if (n == 1.0) return trigamma(x);
  const double magnitude = PT_LIBM(exp)(lgamma(n + 1.0)) * zeta(n + 1.0, x);
  return 2.0 * floor(0.5 * n) == n ? -magnitude : magnitude;
}

// log(1 + t) - t, exact for small t too.
PT_NOINLINE double log1p_minus(double t) {
  if (abs(t) > 0.4) return PT_LIBM(log1p)(t) - t;
  const double s = t / (2.0 + t);
  const double z = s * s;
  // log(1+t) = 2 atanh(s), and 2s - t = -s t.
  const double series = poly(z, 1.0 / 3, 1.0 / 5, 1.0 / 7, 1.0 / 9, 1.0 / 11, 1.0 / 13, 1.0 / 15,
                             1.0 / 17, 1.0 / 19, 1.0 / 21, 1.0 / 23, 1.0 / 25);
  return 2.0 * s * z * series - s * t;
}

// x^a e^-x / Gamma(a + 1), in Loader's saddle-point form (2000) for larger a.
PT_NOINLINE double gamma_density(double a, double x) {
  if (a < 10.0) return PT_LIBM(exp)(a * PT_LIBM(log)(x) - x - lgamma(a + 1.0));
  const double z = 1.0 / (a * a);
  const double stirling =
      poly(z, 1.0 / 12, -1.0 / 360, 1.0 / 1260, -1.0 / 1680, 1.0 / 1188, -691.0 / 360360) / a;
  return PT_LIBM(exp)(a * log1p_minus((x - a) / a) - stirling) / sqrt(2.0 * kPi * a);
}

// Q(a, x) for large a by the leading term of the uniform expansion.
PT_NOINLINE double igammac_uniform(double a, double x) {
  const double mu = (x - a) / a;
  const double half_eta_square = -log1p_minus(mu);
  const double eta = copysign(sqrt(2.0 * half_eta_square), mu);
  const double c0 =
      abs(eta) < 0.01 ? poly(eta, -1.0 / 3, 1.0 / 12, -2.0 / 135, 1.0 / 864) : 1.0 / mu - 1.0 / eta;
  return 0.5 * PT_LIBM(erfc)(eta * sqrt(0.5 * a)) +
         PT_LIBM(exp)(-a * half_eta_square) / sqrt(2.0 * kPi * a) * c0;
}

// The regularised lower (kUpper: upper) incomplete gamma function.
template <bool kUpper>
PT_NOINLINE double incomplete_gamma(double a, double x) {
  constexpr double all = kUpper ? 0.0 : 1.0;  // its value when x is far above a
  if (!(x >= 0.0) || !(a >= 0.0)) return kNaN<double>;
  if (a == 0.0) return x > 0.0 ? all : kNaN<double>;
  if (x == 0.0) return 1.0 - all;
  if (a == kInf<double>) return x == kInf<double> ? kNaN<double> : 1.0 - all;
  if (x == kInf<double>) return all;
  if (a > 1e5 && abs(x - a) < 0.3 * a) {
    const double upper = igammac_uniform(a, x);
    return kUpper ? upper : 1.0 - upper;
  }
  constexpr int max_terms = 20000;
  if (kUpper && x < 1.0 && a < 1.0) {
    // 1 - P would cancel: 1 - x^a / Gamma(1+a) is taken apart first (DLMF 8.7.3).
    double term = 1.0;
    double sum = 0.0;
    for (int n = 1; n < max_terms; ++n) {
      term *= -x / n;
      const double t = term / (a + n);
      sum += t;
      if (abs(t) <= 1e-17 * abs(sum)) break;
    }
    const double l = a * PT_LIBM(log)(x);
    return -PT_LIBM(expm1)(l - lgamma(1.0 + a)) - PT_LIBM(exp)(l - lgamma(a)) * sum;
  }
  const double density = gamma_density(a, x);
  if (x < a + 1.0) {
    double term = 1.0;
    double sum = 1.0;
    for (int n = 1; n < max_terms && term > 1e-17 * sum; ++n) {
      term *= x / (a + n);
      sum += term;
    }
    const double lower = density * sum;
    return kUpper ? 1.0 - lower : lower;
  }
  // Continued fraction, by Lentz's method.
  double b = x + 1.0 - a;
  double c = 1e300;
  double d = 1.0 / b;
  double h = d;
  for (int n = 1; n < max_terms; ++n) {
    const double an = -n * (n - a);
    b += 2.0;
    d = 1.0 / (an * d + b);
    c = b + an / c;
    const double step = c * d;
    h *= step;
    if (abs(step - 1.0) < 2e-16) break;
  }
  const double upper = density * a * h;
  return kUpper ? upper : 1.0 - upper;
}

// erfinv is x times a polynomial in w = -log(1 - x^2), and in the tails, for float, one in sqrt(w),
// after Giles (2010), "Approximating the erfinv function". Own fits.

// For w up to 6.25: relative error below 2^-56.
inline constexpr double kErfinvLimit = 0.999;
PT_INLINE double erfinv_bounded(double x) {
  const double a = abs(x);
  const double w = -log_bounded((1.0 - a) * (1.0 + a));
  return x * poly(w - 3.125, 1.65365456268310274e+00, 2.40158182425588340e-01,
                  -6.03367087142685134e-03, -7.40702534154643135e-04, 1.86734208019811857e-04,
                  -1.38825233939574828e-05, -1.36546917587856564e-06, 4.23478816822245981e-07,
                  -2.90703912756413199e-08, -4.11266043716321846e-09, 1.05122337705042901e-09,
                  -5.41430328391950415e-11, -1.29788053699325650e-11, 2.63052683125951832e-12,
                  -8.07192593899004061e-14, -4.00200310875584962e-14, 6.52133351150223883e-15,
                  -3.94018812230432025e-17, -1.22156371924041717e-16, 1.55107870099025256e-17,
                  6.07505070207241414e-19, -3.47347938885380362e-19, 1.99925998886153485e-20,
                  3.19401554813627101e-21, -3.59320289270206934e-22);
}

// A rational start and two Newton steps on erf (Halley's on erfc in the tails, where 1 - |y| is
// exact).
PT_NOINLINE double erfinv_by_steps(double y) {
  const double a = abs(y);
  if (!(a <= 1.0)) return kNaN<double>;
  if (a == 1.0) return copysign(kInf<double>, y);
  double x;
  if (a <= 0.7) {
    const double z = a * a;
    x = a * poly(z, 0.886226899, -1.645349621, 0.914624893, -0.140543331) /
        poly(z, 1.0, -2.118377725, 1.442710462, -0.329097515, 0.012229801);
    for (int i = 0; i < 2; ++i) {
      x -= (PT_LIBM(erf)(x) - a) / (kTwoOverSqrtPi * PT_LIBM(exp)(-x * x));
    }
  } else {
    const double z = sqrt(-PT_LIBM(log)(0.5 * (1.0 - a)));
    x = poly(z, -1.970840454, -1.624906493, 3.429567803, 1.641345311) /
        poly(z, 1.0, 3.543889200, 1.637067800);
    for (int i = 0; i < 2; ++i) {
      const double u = (PT_LIBM(erfc)(x) - (1.0 - a)) / (kTwoOverSqrtPi * PT_LIBM(exp)(-x * x));
      x += u / (1.0 - x * u);
    }
  }
  return copysign(x, y);
}

PT_INLINE double erfinv(double x) {
#ifdef __CUDACC__
  return ::erfinv(x);
#else
  return abs(x) <= kErfinvLimit ? erfinv_bounded(x) : erfinv_by_steps(x);
#endif
}

// float, computed in double: relative error below 2^-28.
PT_INLINE double erfinv_w(double a) { return -kLn2 * log2_for_float((1.0 - a) * (1.0 + a)); }
// For w from 0 to 5, t = w - 2.5.
PT_INLINE double erfinv_center(double t) {
  return poly(t, 1.50140935351340454e+00, 2.46640287635564615e-01, -4.17733940812763972e-03,
              -1.25274466016073172e-03, 2.18282636568749815e-04, -4.96191220597134181e-06,
              -3.43461405473520391e-06, 4.65892121419318965e-07, 1.80376001886436712e-08,
              -8.77282103987920060e-09, 3.35516960283963916e-10);
}
PT_INLINE float erfinv_bounded(float value) {
  const double x = double(value);
  return float(x * erfinv_center(erfinv_w(abs(x)) - 2.5));
}
PT_INLINE float erfinv(float value) {
#ifdef __CUDACC__
  return ::erfinvf(value);
#else
  const double a = double(abs(value));
  const double w = erfinv_w(a);
  const bool in_tail = w > 5.0;
  const double s = sqrt(select(in_tail, w, 5.0)) - 3.0;
  const double center = erfinv_center(select(in_tail, 5.0, w) - 2.5);
  const double tail =
      poly(s, 2.83297680133316376e+00, 1.00167523559894089e+00, 9.44531115335475908e-03,
           -7.64273399142361906e-03, 5.68761477021112200e-03, -3.56729627668027653e-03,
           1.47544106203937350e-03, -1.19560571336935702e-04, -2.78070928573395258e-04,
           1.60182193353265072e-04, -2.91298961062149834e-05);
  const float y = float(a * select(in_tail, tail, center));
  const float special = select(a == 1.0, kInf<float>, kNaN<float>);
  return copysign(select(a < 1.0, y, special), value);
#endif
}

// The argument at which the normal distribution function is p: a start by Abramowitz and Stegun
// 26.2.23, then Halley steps on erfc.
PT_NOINLINE double ndtri(double p) {
  if (!(p >= 0.0 && p <= 1.0)) return kNaN<double>;
  if (p == 0.0) return -kInf<double>;
  if (p == 1.0) return kInf<double>;
  if (p == 0.5) return 0.0;
  const double tail = p < 0.5 ? p : 1.0 - p;
  const double t = sqrt(-2.0 * PT_LIBM(log)(tail));
  double x = t - poly(t, 2.515517, 0.802853, 0.010328) / poly(t, 1.0, 1.432788, 0.189269, 0.001308);
  for (int i = 0; i < 3; ++i) {
    // The quotient (upper tail - wanted) / density, scaled by e^(x^2/2) so that nothing vanishes.
    const double density = kInvSqrt2Pi * PT_LIBM(exp)(-0.5 * x * x);
    if (density == 0.0) break;
    const double u = (0.5 * PT_LIBM(erfc)(x * kSqrtHalf) - tail) / density;
    x += u / (1.0 - 0.5 * x * u);
  }
  return p < 0.5 ? -x : x;
}

PT_NOINLINE double erfcx(double x) {
  if (x < 0.0) {
    if (x < -26.7) return kInf<double>;
    return 2.0 * PT_LIBM(exp)(x * x) - erfcx_bounded(abs(x) > 27.0 ? 27.0 : -x);
  }
  if (x <= 27.0 || is_nan(x)) return erfcx_bounded(x);
  if (x > 5e7) return 0.5641895835477562869 / x;
  const double z = x * x;  // the continued fraction, five levels
  return 0.5641895835477562869 * (z * (z + 4.5) + 2.0) / (x * (z * (z + 5.0) + 3.75));
}

PT_NOINLINE double log_ndtr(double x) {
  const double t = x * kSqrtHalf;
  if (x < -1.0) return PT_LIBM(log)(0.5 * erfcx(-t)) - t * t;
  return PT_LIBM(log1p)(-0.5 * PT_LIBM(erfc)(t));
}

}  // namespace PT_FUNCTOR_NAMESPACE::math
