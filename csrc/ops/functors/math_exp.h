// exp, exp2, expm1 and what is built on them: tanh, sigmoid, sinh, cosh.
//
// Method: x = n ln2 + r with |r| <= ln2/2 (Cody and Waite, two-part ln2), a polynomial in r, and
// n added to the exponent bits. Coefficients: own minimax (Remez) fits, relative error below
// 2^-28 (float) and 2^-57 (double). Below 2 ulp each; subnormal results are right.
#pragma once

#include "ops/functors/math_base.h"

namespace PT_FUNCTOR_NAMESPACE::math {

// x = n ln2 + r. `n_bits` holds n in its low bits.
template <class T>
struct ExpReduced {
  T r;
  UIntOf<T> n_bits;
};

template <class T>
PT_INLINE ExpReduced<T> reduce_exp(T x) {
  // ln2's high part has so few bits that its product with n is exact even without fma.
  constexpr T hi = kIsDouble<T> ? T(6.93147180369123816490e-01) : T(0.693359375);
  constexpr T lo = kIsDouble<T> ? T(1.90821492927058770002e-10) : T(-2.12194440e-4);
  const T t = x * T(kLog2E) + FloatLayout<T>::kRoundMagic;
  const T n = t - FloatLayout<T>::kRoundMagic;
  return {(x - n * hi) - n * lo, bits(t)};
}

// (e^r - 1 - r) / r^2 on |r| <= ln2/2, good for exp.
template <class T>
PT_INLINE T exp_tail(T r) {
  if constexpr (kIsDouble<T>) {
    return poly(r, 5.00000000000001110e-01, 1.66666666666664132e-01, 4.16666666665298710e-02,
                8.33333333349473883e-03, 1.38888889437170041e-03, 1.98412695061572070e-04,
                2.48014929990485352e-05, 2.75575865747865726e-06, 2.76302870962529001e-07,
                2.50000562998215394e-08);
  } else {
    return poly(r, 4.999999404e-01, 1.666652113e-01, 4.166838899e-02, 8.368735202e-03,
                1.381458831e-03);
  }
}
// The same, good for expm1 (relative to e^r - 1).
template <class T>
PT_INLINE T expm1_tail(T r) {
  if constexpr (kIsDouble<T>) {
    return poly(r, 5.00000000000000111e-01, 1.66666666666666713e-01, 4.16666666666522592e-02,
                8.33333333332613758e-03, 1.38888888956078833e-03, 1.98412698748183850e-04,
                2.48015745243890839e-05, 2.75572553942280638e-06, 2.75679329512688442e-07,
                2.51052223473094290e-08, 1.76876923004708536e-09);
  } else {
    return poly(r, 5.000000000e-01, 1.666666716e-01, 4.166632518e-02, 8.333219215e-03,
                1.394324237e-03, 1.996239880e-04);
  }
}

// p * 2^n for p near 1 and the n of n_bits. `small` says that n may be below the normal range:
// p is then made 2^kLift larger first, so that rounding to a subnormal happens once. Working on
// p's exponent bits reaches the largest results, but turns NaN into garbage: callers select.
template <class T>
PT_INLINE T scale_exp(T p, UIntOf<T> n_bits, bool small) {
  constexpr T lift = kIsDouble<T> ? T(0x1p+128) : T(0x1p+64);
  const T lifted = select(small, p * lift, p);
  const T y = from_bits<T>(bits(lifted) + (n_bits << FloatLayout<T>::kMantissaBits));
  return select(small, y * (T(1) / lift), y);
}

// e^r on |r| <= ln2/2.
template <class T>
PT_INLINE T exp_reduced(T r) {
  if constexpr (kIsDouble<T>) {
    return T(1) + (r + r * r * exp_tail(r));
  } else {
    return T(1) + r * (T(1) + r * exp_tail(r));
  }
}

template <class T>
PT_INLINE T exp(T x) {
  constexpr T max_arg = kIsDouble<T> ? T(709.782712893384) : T(88.7228317);  // below overflow
  constexpr T min_arg = kIsDouble<T> ? T(-746) : T(-104.5);  // the result is 0 from here on
  constexpr T min_normal_arg = kIsDouble<T> ? T(-708) : T(-87);
  const T xc = select(x > min_arg, x, min_arg);
  const auto [r, n_bits] = reduce_exp(xc);
  const T y = scale_exp(exp_reduced(r), n_bits, xc < min_normal_arg);
  return select(x <= max_arg, y, x + kInf<T>);
}
// The same where |x| <= kExpLimit: no infinity, no subnormal number, no NaN.
template <class T>
inline constexpr T kExpLimit = kIsDouble<T> ? T(708) : T(87);
template <class T>
PT_INLINE T exp_bounded(T x) {
  const auto [r, n_bits] = reduce_exp(x);
  return scale_exp(exp_reduced(r), n_bits, false);
}

// e^x for x <= 0; cheaper than exp, because 2^n can always be applied in two factors.
template <class T>
PT_INLINE T exp_nonpositive(T x) {
  constexpr T min_arg = kIsDouble<T> ? T(-746) : T(-104.5);
  constexpr T lift = kIsDouble<T> ? T(0x1p+128) : T(0x1p+64);
  const auto [r, n_bits] = reduce_exp(select(x < min_arg, min_arg, x));
  const T scale = from_bits<T>(bits(lift) + (n_bits << FloatLayout<T>::kMantissaBits));
  return (T(1) + (r + r * r * exp_tail(r))) * scale * (T(1) / lift);
}

// (2^r - 1) / r on |r| <= 1/2.
template <class T>
PT_INLINE T exp2_tail(T r) {
  if constexpr (kIsDouble<T>) {
    return poly(r, 6.93147180559945286e-01, 2.40226506959101305e-01, 5.55041086648200774e-02,
                9.61812910759406170e-03, 1.33335581467757328e-03, 1.54035304571939838e-04,
                1.52527334921552065e-05, 1.32154352379486586e-06, 1.01781999350612084e-07,
                7.07379140724402746e-09, 4.43472288605932285e-10);
  } else {
    return poly(r, 6.931471825e-01, 2.402264774e-01, 5.550332367e-02, 9.618437849e-03,
                1.339890179e-03, 1.535319170e-04);
  }
}
template <class T>
PT_INLINE T exp2(T x) {
  constexpr T max_arg = kIsDouble<T> ? T(1024) : T(128);
  constexpr T min_arg = kIsDouble<T> ? T(-1080) : T(-152);
  constexpr T min_normal_arg = kIsDouble<T> ? T(-1021) : T(-125);
  const T xc = select(x > min_arg, x, min_arg);
  const T t = xc + FloatLayout<T>::kRoundMagic;
  const T r = xc - (t - FloatLayout<T>::kRoundMagic);
  const T y = scale_exp(T(1) + r * exp2_tail(r), bits(t), xc < min_normal_arg);
  return select(x < max_arg, y, x + kInf<T>);
}

// scale * (e^x - 1); with scale 1/2 or 1/4 also where e^x overflows (x up to 89.4, double 710.4).
// x must be at least -18 (double: -40); NaN gives NaN.
template <class T>
PT_INLINE T scaled_expm1(T x, T scale) {
  const auto [r, n_bits] = reduce_exp(x);
  const T s = from_bits<T>(bits(scale) + (n_bits << FloatLayout<T>::kMantissaBits));
  return s * (r + r * r * expm1_tail(r)) + (s - scale);
}

template <class T>
PT_INLINE T expm1(T x) {
  constexpr T max_arg = kIsDouble<T> ? T(709.782712893384) : T(88.72283905);
  constexpr T min_arg = kIsDouble<T> ? T(-40) : T(-18);
  const T h = scaled_expm1(select(x < min_arg, min_arg, x), T(0.5));
  const T y = select(x <= max_arg, h + h, x + kInf<T>);
  return select(x == T(0), x, y);  // keeps -0
}

PT_INLINE double tanh(double x) {
  constexpr double saturated = 19.1;
  const double a = abs(x);
  const double ac = select(a > saturated, saturated, a);
  const double h = scaled_expm1(ac + ac, 0.5);
  return copysign(h / (h + 1.0), x);
}
// 1 - 2 / (e^2a + 1), and near 0, where that loses digits, an odd polynomial. e^2a is made of
// 2a = n ln2 + 2r, the doubling being in the constants and coefficients.
PT_INLINE float tanh(float x) {
  constexpr float half_ln2_hi = 0.693359375f / 2, half_ln2_lo = -2.12194440e-4f / 2;
  const float a = abs(x);
  const float t = a * float(2 * kLog2E) + FloatLayout<float>::kRoundMagic;
  const float n = t - FloatLayout<float>::kRoundMagic;
  const float r = (a - n * half_ln2_hi) - n * half_ln2_lo;
  const float p = horner(r, 1.0, 2.0, 4 * 4.999999404e-01, 8 * 1.666652113e-01,
                         16 * 4.166838899e-02, 32 * 8.368735202e-03, 64 * 1.381458831e-03);
  const float scale = from_bits<float>(bits(1.0f) + (bits(t) << FloatLayout<float>::kMantissaBits));
  const float big = select(a > 9.1f, 1.0f, 1.0f - 2.0f / (p * scale + 1.0f));
  const float z = a * a;
  const float q = horner(z, -3.333331389e-01, 1.333245229e-01, -5.383743149e-02, 2.100746365e-02,
                         -6.179815887e-03);
  return copysign(select(a < 0.5625f, a + a * z * q, big), x);
}

// 1 / (1 + e^-x), from e^-|x| <= 1 on both sides: no overflow and full relative accuracy.
template <class T>
PT_INLINE T sigmoid(T x) {
  const T e = exp_nonpositive(-abs(x));
  const T d = T(1) + e;
  const T y = select(x < T(0), e, T(1)) / d;
  if constexpr (kIsDouble<T>) {
    return y;
  } else {
    const T lost = e - (d - T(1));  // what rounding took from the denominator
    return y - y * lost;            // 1.96 ulp instead of 2.3
  }
}

template <class T>
PT_INLINE T sinh(T x) {
  constexpr T limit = kIsDouble<T> ? T(710.4758600739439) : T(89.41598629);
  const T a = abs(x);
  const T q = scaled_expm1(select(a > limit, limit, a), T(0.25));
  const T h = q + q;
  T y = h + h / (T(2) * h + T(1));
  if constexpr (!kIsDouble<T>) {
    const T z = a * a;
    y = select(a < T(0.5), a + a * z * poly(z, 1.0 / 6, 1.0 / 120, 1.0 / 5030), y);
  }
  return copysign(select(a > limit, kInf<T>, y), x);
}

template <class T>
PT_INLINE T cosh(T x) {
  constexpr T limit = kIsDouble<T> ? T(710.4758600739439) : T(89.41598629);
  const T a = abs(x);
  const auto [r, n_bits] = reduce_exp(select(a > limit, limit, a));
  const T half = scale_exp(T(0.5) + T(0.5) * (r + r * r * exp_tail(r)), n_bits, false);
  return select(a <= limit, half + T(0.25) / half, a + kInf<T>);
}

}  // namespace PT_FUNCTOR_NAMESPACE::math
