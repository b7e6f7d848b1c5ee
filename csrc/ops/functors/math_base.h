// Bits, selections and polynomials: the vocabulary in which the vector math is written.
//
// Everything is a scalar template without branches, so that a loop over it becomes vector code at
// every ISA. Integer work on doubles avoids what SSE2 and AVX2 lack (64-bit compares, arithmetic
// shifts and conversions); rounding uses magic numbers, because SSE2 has no rounding instruction.
#pragma once

#include "ops/functors/namespace.h"

// The C library's function on the host, CUDA's in device code.
#ifdef __CUDA_ARCH__
#define PT_LIBM(name) ::name
#else
#define PT_LIBM(name) __builtin_##name
#endif

namespace PT_FUNCTOR_NAMESPACE {

template <class T>
struct FloatLayout;
template <>
struct FloatLayout<float> {
  using Int = int32_t;
  using UInt = uint32_t;
  static constexpr int kMantissaBits = 23;
  static constexpr UInt kSign = 0x80000000u;
  static constexpr float kMax = 3.40282347e+38f;
  static constexpr float kMinNormal = 1.17549435e-38f;
  static constexpr float kEpsilon = 1.1920929e-7f;
  // Adding it rounds to an integer (half to even), whose low bits are then the sum's low bits.
  static constexpr float kRoundMagic = 12582912.0f;  // 1.5 * 2^23
};
template <>
struct FloatLayout<double> {
  using Int = int64_t;
  using UInt = uint64_t;
  static constexpr int kMantissaBits = 52;
  static constexpr UInt kSign = 0x8000000000000000u;
  static constexpr double kMax = 1.7976931348623157e+308;
  static constexpr double kMinNormal = 2.2250738585072014e-308;
  static constexpr double kEpsilon = 2.220446049250313e-16;
  static constexpr double kRoundMagic = 6755399441055744.0;  // 1.5 * 2^52
};
template <class T>
using UIntOf = typename FloatLayout<T>::UInt;

template <class T>
inline constexpr bool kIsFloat = false;
template <>
inline constexpr bool kIsFloat<float> = true;
template <>
inline constexpr bool kIsFloat<double> = true;
template <class T>
inline constexpr bool kIsDouble = false;
template <>
inline constexpr bool kIsDouble<double> = true;

// The unsigned type as wide as an integer type: arithmetic in it wraps without undefined cases.
template <class T>
struct UnsignedOf {
  using Type = T;
};
template <>
struct UnsignedOf<int32_t> {
  using Type = uint32_t;
};
template <>
struct UnsignedOf<int64_t> {
  using Type = uint64_t;
};
template <class T>
using Unsigned = typename UnsignedOf<T>::Type;

using Bool8 = uint8_t;  // a bool tensor's element: 0 or 1

namespace math {

template <class T>
inline constexpr T kInf = T(__builtin_huge_valf());
template <class T>
inline constexpr T kNaN = T(__builtin_nanf(""));
inline constexpr double kPi = 3.141592653589793238462643;
inline constexpr double kLn2 = 0.693147180559945309417232;
inline constexpr double kLog2E = 1.442695040888963407359925;
inline constexpr double kSqrtHalf = 0.707106781186547524400844;
inline constexpr double kTwoOverSqrtPi = 1.128379167095512573896159;
inline constexpr double kInvSqrt2Pi = 0.398942280401432677939946;

template <class T>
PT_INLINE UIntOf<T> bits(T x) {
  return __builtin_bit_cast(UIntOf<T>, x);
}
template <class T>
PT_INLINE T from_bits(UIntOf<T> u) {
  return __builtin_bit_cast(T, u);
}
template <class T>
PT_INLINE T select(bool c, T a, T b) {
  return c ? a : b;
}
template <class T>
PT_INLINE T abs(T x) {
  return from_bits<T>(bits(x) & ~FloatLayout<T>::kSign);
}
template <class T>
PT_INLINE T copysign(T magnitude, T sign) {
  constexpr auto s = FloatLayout<T>::kSign;
  return from_bits<T>((bits(magnitude) & ~s) | (bits(sign) & s));
}
template <class T>
PT_INLINE T flip_sign(T x, T sign) {
  return from_bits<T>(bits(x) ^ (bits(sign) & FloatLayout<T>::kSign));
}
template <class T>
PT_INLINE bool is_nan(T x) {
  return x != x;
}
template <class T>
PT_INLINE bool sign_bit(T x) {
  return (bits(x) & FloatLayout<T>::kSign) != 0;
}

// c0 + x*(c1 + x*(c2 + ...)), Horner's rule.
template <class T>
PT_INLINE T horner(T, double c0) {
  return T(c0);
}
template <class T, class... C>
PT_INLINE T horner(T x, double c0, C... rest) {
  return T(c0) + x * horner(x, rest...);
}
// The coefficients with even and with odd index alone, as polynomials in z = x^2.
template <class T>
PT_INLINE T even_part(T, double c0) {
  return T(c0);
}
template <class T>
PT_INLINE T even_part(T, double c0, double) {
  return T(c0);
}
template <class T, class... C>
PT_INLINE T even_part(T z, double c0, double, C... rest) {
  return T(c0) + z * even_part(z, rest...);
}
template <class T>
PT_INLINE T odd_part(T, double, double c1) {
  return T(c1);
}
template <class T>
PT_INLINE T odd_part(T, double, double c1, double) {
  return T(c1);
}
template <class T, class... C>
PT_INLINE T odd_part(T z, double, double c1, C... rest) {
  return T(c1) + z * odd_part(z, rest...);
}
// The same polynomial; long ones by halves, which shortens the chain of dependent operations.
template <class T, class... C>
PT_INLINE T poly(T x, C... c) {
  if constexpr (sizeof...(C) >= 10) {
    const T z = x * x;
    return even_part(z, c...) + x * odd_part(z, c...);
  } else {
    return horner(x, c...);
  }
}

// The nearest integer, ties to even, for |x| < 2^(mantissa bits - 1).
template <class T>
PT_INLINE T round_small(T x) {
  return (x + FloatLayout<T>::kRoundMagic) - FloatLayout<T>::kRoundMagic;
}
#if defined(__SSE4_1__) || defined(__ARM_NEON) || defined(__CUDA_ARCH__)
// One instruction each.
PT_INLINE float round_even(float x) { return PT_LIBM(rintf)(x); }
PT_INLINE double round_even(double x) { return PT_LIBM(rint)(x); }
PT_INLINE float trunc(float x) { return PT_LIBM(truncf)(x); }
PT_INLINE double trunc(double x) { return PT_LIBM(trunc)(x); }
PT_INLINE float floor(float x) { return PT_LIBM(floorf)(x); }
PT_INLINE double floor(double x) { return PT_LIBM(floor)(x); }
PT_INLINE float ceil(float x) { return PT_LIBM(ceilf)(x); }
PT_INLINE double ceil(double x) { return PT_LIBM(ceil)(x); }
#else
// From 2^mantissa bits on, and for NaN and infinity, x is its own rounding.
template <class T>
PT_INLINE T round_even(T x) {
  constexpr T limit = T(UIntOf<T>(1) << FloatLayout<T>::kMantissaBits);
  const T a = abs(x);
  const T r = (a + limit) - limit;
  return copysign(select(a < limit, r, a), x);
}
template <class T>
PT_INLINE T trunc(T x) {
  const T a = abs(x);
  const T r = round_even(a);
  return copysign(select(r > a, r - T(1), r), x);
}
template <class T>
PT_INLINE T floor(T x) {
  const T r = round_even(x);
  return copysign(select(r > x, r - T(1), r), x);
}
template <class T>
PT_INLINE T ceil(T x) {
  const T r = round_even(x);
  return copysign(select(r < x, r + T(1), r), x);
}
#endif
PT_INLINE float sqrt(float x) { return PT_LIBM(sqrtf)(x); }
PT_INLINE double sqrt(double x) { return PT_LIBM(sqrt)(x); }

}  // namespace math
}  // namespace PT_FUNCTOR_NAMESPACE
