// The names of math_exp.h, math_log.h, math_trig.h and math_erf.h for CUDA: CUDA's math library
// has each at 1 to 2 ulp and without double arithmetic in the float versions.
#pragma once

#include <cmath>

#include "ops/functors/math_base.h"

namespace PT_FUNCTOR_NAMESPACE::math {

#define PT_DEVICE_MATH(name)                             \
  PT_INLINE float name(float x) { return ::name##f(x); } \
  PT_INLINE double name(double x) { return ::name(x); }
PT_DEVICE_MATH(exp)
PT_DEVICE_MATH(exp2)
PT_DEVICE_MATH(expm1)
PT_DEVICE_MATH(tanh)
PT_DEVICE_MATH(sinh)
PT_DEVICE_MATH(cosh)
PT_DEVICE_MATH(log)
PT_DEVICE_MATH(log2)
PT_DEVICE_MATH(log10)
PT_DEVICE_MATH(log1p)
PT_DEVICE_MATH(asinh)
PT_DEVICE_MATH(acosh)
PT_DEVICE_MATH(atanh)
PT_DEVICE_MATH(asin)
PT_DEVICE_MATH(acos)
PT_DEVICE_MATH(atan)
PT_DEVICE_MATH(erf)
PT_DEVICE_MATH(erfc)
#undef PT_DEVICE_MATH

#define PT_DEVICE_MATH2(name)                                        \
  PT_INLINE float name(float x, float y) { return ::name##f(x, y); } \
  PT_INLINE double name(double x, double y) { return ::name(x, y); }
PT_DEVICE_MATH2(pow)
PT_DEVICE_MATH2(atan2)
#undef PT_DEVICE_MATH2

template <class T>
PT_INLINE T exp_nonpositive(T x) {
  return exp(x);
}
template <class T>
PT_INLINE T sigmoid(T x) {
  const T e = exp(-abs(x));
  return select(x < T(0), e, T(1)) / (T(1) + e);
}
PT_INLINE double erfcx_bounded(double x) {
#ifdef __CUDA_ARCH__
  return ::erfcx(x);
#else
  return ::exp(x * x) * ::erfc(x);
#endif
}

template <class T>
PT_INLINE T normal_cdf(T x) {
  return T(0.5) * erfc(x * T(-kSqrtHalf));
}

// CUDA's versions take any argument.
template <class T>
inline constexpr T kTrigLimit = kInf<T>;
template <class T>
inline constexpr T kExpLimit = kInf<T>;
template <class T>
PT_INLINE T exp_bounded(T x) {
  return exp(x);
}
template <class T>
PT_INLINE bool is_positive_normal(T) {
  return true;
}
template <class T>
PT_INLINE T log_bounded(T x) {
  return log(x);
}
PT_INLINE double log2_for_float(double x) { return ::log2(x); }
PT_INLINE float sin_bounded(float x) { return ::sinf(x); }
PT_INLINE double sin_bounded(double x) { return ::sin(x); }
PT_INLINE float cos_bounded(float x) { return ::cosf(x); }
PT_INLINE double cos_bounded(double x) { return ::cos(x); }
PT_INLINE float tan_bounded(float x) { return ::tanf(x); }
PT_INLINE double tan_bounded(double x) { return ::tan(x); }

}  // namespace PT_FUNCTOR_NAMESPACE::math
