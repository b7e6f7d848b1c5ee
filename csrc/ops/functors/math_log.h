// log, log2, log10, log1p, the inverse hyperbolic functions and pow.
//
// Method: x = 2^e m with m in [sqrt(1/2), sqrt(2)), f = m - 1, log x = e ln2 + (f + tail(f)).
// float: tail is a polynomial; double: the series in s = f / (2 + f) as in Sun's fdlibm. Own
// minimax fits, relative error below 2^-27 (float) and 2^-58 (double). Below 2 ulp each.
#pragma once

#include "ops/functors/math_exp.h"

namespace PT_FUNCTOR_NAMESPACE::math {

// x = 2^e * m, e given both as exponent bits with the bias and as a number.
template <class T>
struct Binary {
  T m;
  T e;
  UIntOf<T> biased_e;
};

template <class T>
PT_INLINE Binary<T> split_binary(T x) {
  using U = UIntOf<T>;
  constexpr int b = FloatLayout<T>::kMantissaBits;
  constexpr U sqrt_half = __builtin_bit_cast(U, T(kSqrtHalf));
  constexpr U one = __builtin_bit_cast(U, T(1));
  constexpr T magic = T(U(1) << b);
  const U offset = bits(x) - sqrt_half;
  const U biased_e = (offset + one) >> b;
  const T m = from_bits<T>((offset & ((U(1) << b) - 1)) + sqrt_half);
  const T e = from_bits<T>(bits(magic) | biased_e) - (magic + T(one >> b));
  return {m, e, biased_e};
}

// log(1 + f) - f on [sqrt(1/2) - 1, sqrt(2) - 1].
template <class T>
PT_INLINE T log_tail(T f) {
  if constexpr (kIsDouble<T>) {
    const T s = f / (T(2) + f);
    const T z = s * s;
    const T half_square = T(0.5) * f * f;
    const T r = z * poly(z, 6.66666666666673402e-01, 3.99999999994143429e-01,
                         2.85714287424713609e-01, 2.22221985637356262e-01, 1.81835648588916182e-01,
                         1.53140359097878931e-01, 1.47961058479374463e-01);
    return s * (half_square + r) - half_square;
  } else {
    const T z = f * f;
    const T p = poly(f, 3.333333135e-01, -2.500081956e-01, 2.000122815e-01, -1.662335843e-01,
                     1.420172453e-01, -1.316013932e-01, 1.276177317e-01, -7.634840161e-02);
    return z * (f * p - T(0.5));
  }
}

// y where x is a positive finite number; -inf at 0, NaN below, x itself for infinity and NaN.
template <class T>
PT_INLINE T finish_log(T y, T x) {
  const T special = select(x == T(0), -kInf<T>, select(x < T(0), kNaN<T>, x));
  return select((x > T(0)) & (x < kInf<T>), y, special);
}

// e * ln2 + (f + tail). No sum here has two products, of which a compiler could fuse either one:
// log and log_bounded must agree in every bit.
template <class T>
PT_INLINE T combine_log(T e, T f, T tail) {
  constexpr T hi = kIsDouble<T> ? T(6.93147180369123816490e-01) : T(0.693359375);
  constexpr T lo = kIsDouble<T> ? T(1.90821492927058770002e-10) : T(-2.12194440e-4);
  return e * hi + (e * lo + (f + tail));
}

template <class T>
struct LogReduced {
  T f;
  T e;
};
// Subnormal x are scaled into the normal range first.
template <class T>
PT_INLINE LogReduced<T> reduce_log(T x) {
  constexpr int b = FloatLayout<T>::kMantissaBits;
  const bool small = x < FloatLayout<T>::kMinNormal;
  const auto [m, e, biased_e] = split_binary(select(small, x * T(UIntOf<T>(1) << b), x));
  return {m - T(1), select(small, e - T(b), e)};
}

template <class T>
PT_INLINE T log(T x) {
  const auto [f, e] = reduce_log(x);
  return finish_log(combine_log(e, f, log_tail(f)), x);
}

// The same for normal numbers above 0.
template <class T>
PT_INLINE bool is_positive_normal(T x) {
  constexpr UIntOf<T> first = __builtin_bit_cast(UIntOf<T>, FloatLayout<T>::kMinNormal);
  constexpr UIntOf<T> infinity = __builtin_bit_cast(UIntOf<T>, kInf<T>);
  return bits(x) - first < infinity - first;
}
template <class T>
PT_INLINE T log_bounded(T x) {
  const auto [m, e, biased_e] = split_binary(x);
  const T f = m - T(1);
  return combine_log(e, f, log_tail(f));
}

template <class T>
PT_INLINE T log2(T x) {
  constexpr T log2e_minus_1 = T(kLog2E - 1);
  const auto [f, e] = reduce_log(x);
  const T tail = log_tail(f);
  const T y = ((tail * log2e_minus_1 + f * log2e_minus_1) + tail) + f + e;
  return finish_log(y, x);
}

template <class T>
PT_INLINE T log10(T x) {
  // log10(2) and log10(e), each as a short high part and the rest (Cephes).
  constexpr T log10_2_hi = T(3.0078125e-1);
  constexpr T log10_2_lo = T(2.48745663981195213739e-4);
  constexpr T log10_e_hi = T(4.3359375e-1);
  constexpr T log10_e_lo = T(7.00731903251827651129e-4);
  const auto [f, e] = reduce_log(x);
  const T tail = log_tail(f);
  const T y = (f + tail) * log10_e_lo + tail * log10_e_hi + f * log10_e_hi + e * log10_2_lo +
              e * log10_2_hi;
  return finish_log(y, x);
}

// 2^e is taken from 1 + x, but f from x itself (x 2^-e + (2^-e - 1)), so that nothing is lost.
template <class T>
PT_INLINE T log1p(T x) {
  using U = UIntOf<T>;
  constexpr int b = FloatLayout<T>::kMantissaBits;
  constexpr U two_biases = 2 * (__builtin_bit_cast(U, T(1)) >> b);
  const bool big = x > T(0x1p64);  // here 1 + x == x, and 2^-e might be subnormal
  const T xs = select(big, x * T(0x1p-64), x);
  const T one = select(big, T(0), T(1));
  const auto [m, e, biased_e] = split_binary(one + xs);
  const T scale = from_bits<T>((two_biases - biased_e) << b);
  const T f = xs * scale + (one * scale - T(1));
  const T y = combine_log(select(big, e + T(64), e), f, log_tail(f));
  const T special = select(x == T(-1), -kInf<T>, select(x < T(-1), kNaN<T>, x));
  return select((x > T(-1)) & (x < kInf<T>)&(x != T(0)), y, special);
}

// The float versions of these go through double, where the formulas' 3 ulp do not show.
PT_INLINE double asinh(double x) {
  const double a = abs(x);
  const bool big = a > 0x1p54;
  const double square = a * a;
  const double y = log1p(select(big, a, a + square / (1.0 + sqrt(square + 1.0))));
  return copysign(select(big, y + kLn2, y), x);
}
PT_INLINE double acosh(double x) {
  const bool big = x > 0x1p54;
  const double t = x - 1.0;
  const double y = log1p(select(big, x, t + sqrt(t * (t + 2.0))));
  return select(x < 1.0, kNaN<double>, select(big, y + kLn2, y));
}
PT_INLINE double atanh(double x) {
  const double a = abs(x);
  return copysign(0.5 * log1p((a + a) / (1.0 - a)), x);
}
PT_INLINE float asinh(float x) { return float(asinh(double(x))); }
PT_INLINE float acosh(float x) { return float(acosh(double(x))); }

// log2 of a finite positive normal double to 2^-45: enough for float results of pow.
PT_INLINE double log2_for_float(double x) {
  const auto [m, e, biased_e] = split_binary(x);
  const double s = (m - 1.0) / (m + 1.0);
  return e + s * poly(s * s, 2.88539008177784950e+00, 9.61796694114259498e-01,
                      5.77077942074735950e-01, 4.12209283877962296e-01, 3.19904322105274586e-01,
                      2.82920905954688329e-01);
}
PT_INLINE float atanh(float x) {
  const double a = double(abs(x));
  const double y = (0.5 * kLn2) * log2_for_float((1.0 + a) / (1.0 - a));
  // Below 1e-4 the quotient's rounding shows and two terms of the series are enough.
  const float r = float(select(a < 1e-4, a + a * a * a * (1.0 / 3.0), y));
  const float special = select(a == 1.0, kInf<float>, kNaN<float>);
  return copysign(select(a < 1.0, r, special), x);
}
// 2^x to 2^-34 for |x| <= 200.
PT_INLINE double exp2_for_float(double x) {
  const double t = x + FloatLayout<double>::kRoundMagic;
  const double r = x - (t - FloatLayout<double>::kRoundMagic);
  const double p = poly(r, 9.99999999961610153e-01, 6.93147180728717838e-01,
                        2.40226511987792851e-01, 5.55041035285589041e-02, 9.61802717129863795e-03,
                        1.33339228217314149e-03, 1.54693176083829827e-04, 1.52019109887105799e-05);
  return p * from_bits<double>(bits(1.0) + (bits(t) << 52));
}

// x^y as 2^(y log2|x|) in double. Special cases as in C.
PT_INLINE float pow(float x, float y) {
  const float a = abs(x);
  const double d = double(a);
  double l = log2_for_float(d);
  l = select(a == 0.0f, -kInf<double>, select(a < kInf<float>, l, d));
  double p = double(y) * l;
  p = select(p > 200.0, 200.0, select(p < -200.0, -200.0, p));
  float r = float(exp2_for_float(p));
  r = select((a == 1.0f) | (y == 0.0f), 1.0f, r);
  const float half = 0.5f * y;
  const bool is_integer = trunc(y) == y;
  const bool is_odd = is_integer & (trunc(half) != half);
  r = select(is_odd, flip_sign(r, x), r);
  const bool undefined = (x < 0.0f) & (a < kInf<float>)&!is_integer;
  r = select(undefined, kNaN<float>, r);
  return select((is_nan(x) & (y != 0.0f)) | (is_nan(y) & (x != 1.0f)), x + y, r);
}

#if defined(__FMA__) && !defined(__CUDA_ARCH__)
// A number as a sum, the second part below the first one's rounding error.
struct Sum2 {
  double high, low;
};
PT_INLINE double fma(double a, double b, double c) { return __builtin_fma(a, b, c); }
// A rounded product: one that no compiler fuses into the sums it goes into.
PT_INLINE double product(double a, double b) { return fma(a, b, 0.0); }

// log2 of a finite positive number to 2^-64 of it: the series of log_tail, whose first two terms
// are computed with twice the digits.
PT_INLINE Sum2 log2_sum(double x) {
  constexpr double c1 = 2.88539008177792677e+00, c1_low = 4.07105474818620662e-17;  // 2 / ln2
  constexpr double c3 = 9.61796693925975554e-01, c3_low = 5.05776166481259068e-17;  // c1 / 3
  const auto [f, e] = reduce_log(x);
  const double d = f + 2.0, d_low = f - (d - 2.0);
  const double inverse = 1.0 / d;
  const double s = product(f, inverse);
  const double s_low = (fma(-s, d, f) - s * d_low) * inverse;
  const double z = product(s, s);
  const double z_low = fma(s, s, -z) + 2.0 * s * s_low;
  const double tail =
      horner(z, 5.77078016355585310e-01, 4.12198583111143879e-01, 3.20598897967154683e-01,
             2.62308191468152208e-01, 2.21952788585106697e-01, 1.92380566030363853e-01,
             1.68885291144581368e-01, 1.69129716641221534e-01);
  const double t = product(z, c3);
  const double t_low = fma(z, c3, -t) + (z * c3_low + z_low * c3) + z * z * tail;
  const double u = c1 + t;
  const double u_low = ((c1 - u) + t) + (c1_low + t_low);
  const double l = product(s, u);
  const double l_low = fma(s, u, -l) + (s * u_low + s_low * u);
  const double sum = e + l;
  const double rest = ((e - sum) + l) + l_low;
  const double high = sum + rest;
  return {high, (sum - high) + rest};
}

// x^y as 2^(y log2|x|), to 1.1 ulp. Special cases as in C.
PT_INLINE double pow(double x, double y) {
  constexpr double limit = 1080.0;  // of exponents: infinite and zero results lie inside
  const double a = abs(x);
  const auto [log_high, log_low] = log2_sum(a);
  const bool regular = (a > 0.0) & (a < kInf<double>);
  const double l = select(regular, log_high, select(a == 0.0, -kInf<double>, a));
  double p = product(y, l);
  // Said to be likely, so that the fma is not moved into a branch, which would stay a branch.
  const bool has_low = __builtin_expect(regular & (abs(p) < limit), 1);
  const double p_low = select(has_low, fma(y, l, -p) + y * log_low, 0.0);
  p = select(p > limit, limit, select(p < -limit, -limit, p));
  const double t = p + FloatLayout<double>::kRoundMagic;
  const double n = t - FloatLayout<double>::kRoundMagic;
  const double f = (p - n) + p_low;
  const double m = 1.0 + f * exp2_tail(f);
  double r = scale_exp(m, bits(t), p < -1021.0);
  r = select(n + select(m >= 1.0, 0.5, 0.0) > 1024.25, kInf<double>, r);  // m 2^n >= 2^1024
  r = select((a == 1.0) | (y == 0.0), 1.0, r);
  const double half = 0.5 * y;
  const bool is_integer = trunc(y) == y;
  const bool is_odd = is_integer & (trunc(half) != half);
  r = select(is_odd, flip_sign(r, x), r);
  const bool undefined = (x < 0.0) & (a < kInf<double>)&!is_integer;
  r = select(undefined, kNaN<double>, r);
  return select((is_nan(x) & (y != 0.0)) | (is_nan(y) & (x != 1.0)), x + y, r);
}
#else
PT_INLINE double pow(double x, double y) { return PT_LIBM(pow)(x, y); }
#endif

}  // namespace PT_FUNCTOR_NAMESPACE::math
