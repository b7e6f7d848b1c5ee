// sin, cos, tan and their inverses.
//
// sin, cos, tan: Cody and Waite's reduction by pi (pi/2 for tan) in three parts, exact enough for
// |x| <= kTrigLimit; loops send blocks with larger arguments to the C library. Then one odd
// polynomial on [-pi/2, pi/2] serves sine and cosine. Inverse functions: argument halving
// (asin) and reciprocal (atan) as in Cephes, by selection. Own minimax fits, relative error below
// 2^-28 (float) and 2^-55 (double).
#pragma once

#include "ops/functors/math_base.h"

namespace PT_FUNCTOR_NAMESPACE::math {

template <class T>
inline constexpr T kTrigLimit = T(100000);

// x - n * pi/2 for an integer-valued n.
PT_INLINE double subtract_half_pis(double x, double n) {
  // 33 + 33 + 53 bits of pi/2 (fdlibm): the products with n < 2^20 are exact.
  return ((x - n * 1.57079632673412561417e+00) - n * 6.07710050630396597660e-11) -
         n * 2.02226624879595063154e-21;
}
PT_INLINE float subtract_half_pis(float x, float n) {
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA) || defined(__CUDA_ARCH__)
  // 24 bits a part, rounded down so that -0 stays -0. Products are inexact: each difference must be
  // one fused operation, which is not left to the compiler's optimization level.
  const float high = PT_LIBM(fmaf)(-n, 1.57079625f, x);
  return PT_LIBM(fmaf)(-n, 5.39030295e-15f, PT_LIBM(fmaf)(-n, 7.54978942e-08f, high));
#else
  const double d = n;
  return float((x - d * 1.57079632673412561417e+00) - d * 6.07710050650619224932e-11);
#endif
}

// sin r for |r| <= pi/2.
template <class T>
PT_INLINE T sin_reduced(T r) {
  const T z = r * r;
  T p;
  if constexpr (kIsDouble<T>) {
    p = poly(z, -1.66666666666666657e-01, 8.33333333333319444e-03, -1.98412698412091395e-04,
             2.75573192111236125e-06, -2.50521068715308464e-08, 1.60589396408883208e-10,
             -7.64298976811477476e-13, 2.72115652676817577e-15);
  } else {
    // Adjusted by a few last places so that the result at pi/2, the cosine of 0, is exactly 1.
    p = poly(z, -1.666666716e-01, 8.333334699e-03, -1.984086266e-04, 2.752537284e-06,
             -2.398868126e-08);
  }
  return r + r * z * p;
}

// For |x| <= kTrigLimit or NaN.
template <class T>
PT_INLINE T sin_bounded(T x) {
  constexpr int sign_shift = sizeof(T) * 8 - 1;
  const T t = x * T(1 / kPi) + FloatLayout<T>::kRoundMagic;
  const T n = t - FloatLayout<T>::kRoundMagic;
  const T r = subtract_half_pis(x, n + n);
  // The sign is r's (also for -0), turned for odd n.
  return copysign(sin_reduced(r), from_bits<T>(bits(r) ^ (bits(t) << sign_shift)));
}
template <class T>
PT_INLINE T cos_bounded(T x) {
  constexpr int sign_shift = sizeof(T) * 8 - 1;
  const T t = (abs(x) * T(1 / kPi) - T(0.5)) + FloatLayout<T>::kRoundMagic;
  const T n = t - FloatLayout<T>::kRoundMagic;
  const T s = sin_reduced(subtract_half_pis(abs(x), n + n + T(1)));
  return from_bits<T>(bits(s) ^ ((~bits(t)) << sign_shift));
}
PT_INLINE double tan_bounded(double x) {
  const double t = x * (2 / kPi) + FloatLayout<double>::kRoundMagic;
  const double n = t - FloatLayout<double>::kRoundMagic;
  const double r = subtract_half_pis(x, n);
  const double s = sin_reduced(r);
  const double half = sin_reduced(0.5 * r);
  const double c = 1.0 - 2.0 * half * half;
  const double half_n = 0.5 * n;
  const bool odd = round_small(half_n) != half_n;
  return select(x == 0.0, x, select(odd, -c, s) / select(odd, s, c));
}
PT_INLINE float tan_bounded(float x) { return float(tan_bounded(double(x))); }

// (asin(s) - s) / s^3 as a function of z = s^2 <= 1/4.
template <class T>
PT_INLINE T asin_tail(T z) {
  if constexpr (kIsDouble<T>) {
    return poly(z, 1.66666666666667629e-01, 7.49999999997009587e-02, 4.46428571752888262e-02,
                3.03819426751544136e-02, 2.23722159091941306e-02, 1.73515954458541705e-02,
                1.39810191237431294e-02, 1.13972887416671949e-02, 1.07893425991471940e-02,
                3.67211349267844217e-03, 2.17908002464029561e-02, -2.11169085068613205e-02,
                3.27022645075191742e-02);
  } else {
    return poly(z, 1.666665971e-01, 7.500512153e-02, 4.451547936e-02, 3.181976080e-02,
                1.439402066e-02, 3.757787123e-02);
  }
}

template <class T>
inline constexpr T kHalfPiHigh = T(kPi / 2);
template <class T>
inline constexpr T kHalfPiLow =
    kIsDouble<T> ? T(6.123233995736766e-17) : T(kPi / 2 - double(T(kPi / 2)));

template <class T>
PT_INLINE T asin(T x) {
  const T a = abs(x);
  const bool big = a > T(0.5);
  const T z = select(big, T(0.5) - T(0.5) * a, a * a);
  const T s = select(big, sqrt(z), a);
  const T tail = s * z * asin_tail(z);
  // pi/2 - 2s is exact where it matters, so the tail is added last.
  const T reflected = (kHalfPiHigh<T> - T(2) * s) - (T(2) * tail - kHalfPiLow<T>);
  return copysign(select(big, reflected, s + tail), x);
}
template <class T>
PT_INLINE T acos(T x) {
  const T a = abs(x);
  const bool big = a > T(0.5);
  const T z = select(big, T(0.5) - T(0.5) * a, a * a);
  const T s = select(big, sqrt(z), a);
  const T p = copysign(s + s * z * asin_tail(z), x);
  const T near_zero = kHalfPiHigh<T> - (p - kHalfPiLow<T>);
  const T near_one =
      select(x < T(0), T(2) * kHalfPiHigh<T> + (T(2) * p + T(2) * kHalfPiLow<T>), T(2) * p);
  return select(big, near_one, near_zero);
}

// atan t for 0 <= t <= 1; Horner's rule, for the error of evaluation shows near 1.
template <class T>
PT_INLINE T atan_reduced(T t) {
  const T z = t * t;
  T p;
  if constexpr (kIsDouble<T>) {
    p = horner(z, -3.33333333333318549e-01, 1.99999999997547084e-01, -1.42857142713181645e-01,
               1.11111106782953384e-01, -9.09090122797677896e-02, 7.69221285070191552e-02,
               -6.66585976354289039e-02, 5.87730450576366137e-02, -5.23921976222219976e-02,
               4.67390895070777038e-02, -4.09254267096608518e-02, 3.40660855000174123e-02,
               -2.58244080372295910e-02, 1.69755235523122473e-02, -9.18258853275550659e-03,
               3.85485873775329559e-03, -1.16364067057499014e-03, 2.22920831355677185e-04,
               -2.02475420844683756e-05);
  } else {
    p = horner(z, -3.333329856e-01, 1.999854743e-01, -1.426423341e-01, 1.095214039e-01,
               -8.403299749e-02, 5.795473605e-02, -3.117473423e-02, 1.091279928e-02,
               -1.793188392e-03);
  }
  return t + t * z * p;
}

template <class T>
PT_INLINE T atan(T x) {
  const T a = abs(x);
  const bool big = a > T(1);
  const T r = atan_reduced(select(big, T(1) / a, a));
  return copysign(select(big, kHalfPiHigh<T> - (r - kHalfPiLow<T>), r), x);
}

template <class T>
PT_INLINE T atan2(T y, T x) {
  const T ax = abs(x);
  const T ay = abs(y);
  const bool swap = ay > ax;
  const T low = select(swap, ax, ay);
  const T high = select(swap, ay, ax);
  const T ratio = select(low == high, select(high == T(0), T(0), T(1)), low / high);
  T r = atan_reduced(ratio);
  r = select(swap, kHalfPiHigh<T> - (r - kHalfPiLow<T>), r);
  r = select(sign_bit(x), T(2) * kHalfPiHigh<T> - (r - T(2) * kHalfPiLow<T>), r);
  return select(is_nan(x) | is_nan(y), x + y, copysign(r, y));
}

}  // namespace PT_FUNCTOR_NAMESPACE::math
