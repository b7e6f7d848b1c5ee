// Arithmetic functors: the four operations with their integer and rounding variants, powers,
// minimum and maximum, clamping, interpolation. Integer arithmetic wraps; i32 versions are also
// right for smaller integers widened to i32 and truncated afterwards. Integer division by zero
// gives 0 here: raising is the caller's business.
#pragma once

#include "ops/functors/functor.h"

namespace PT_FUNCTOR_NAMESPACE {

struct Add {
  template <class T>
  PT_INLINE T operator()(T a, T b) const {
    return T(Unsigned<T>(a) + Unsigned<T>(b));
  }
};
struct Sub {
  template <class T>
  PT_INLINE T operator()(T a, T b) const {
    return T(Unsigned<T>(a) - Unsigned<T>(b));
  }
};
struct Mul {
  template <class T>
  PT_INLINE T operator()(T a, T b) const {
    return T(Unsigned<T>(a) * Unsigned<T>(b));
  }
};
struct AddAlpha {
  template <class T>
  PT_INLINE T operator()(T a, T b, T alpha) const {
    return Add{}(a, Mul{}(alpha, b));
  }
};
struct SubAlpha {
  template <class T>
  PT_INLINE T operator()(T a, T b, T alpha) const {
    return Sub{}(a, Mul{}(alpha, b));
  }
};
struct Div {
  template <class T>
  PT_INLINE T operator()(T a, T b) const {
    return a / b;
  }
};
struct Square {
  template <class T>
  PT_INLINE T operator()(T x) const {
    return Mul{}(x, x);
  }
};
struct Cube {
  template <class T>
  PT_INLINE T operator()(T x) const {
    return Mul{}(Mul{}(x, x), x);
  }
};

// int32 quotients go through double, which is exact and has vector division.
template <class T>
PT_INLINE T divide_integers(T a, T b) {
  const T safe = math::select(b == 0, T(1), b);
  if constexpr (sizeof(T) <= 4) {
    const T q = T(double(a) / double(math::select(b == T(-1), T(1), safe)));
    return math::select(b == 0, T(0), math::select(b == T(-1), T(0u - Unsigned<T>(a)), q));
  } else {
    if (b == T(-1)) return T(0u - Unsigned<T>(a));  // the one overflow traps otherwise
    return b == 0 ? T(0) : T(a / safe);
  }
}
// a - q b with one rounding, for b and the product well inside the exponent range.
PT_INLINE double subtract_product(double a, double q, double b) {
#if defined(__FMA__) || defined(__CUDA_ARCH__)
  return PT_LIBM(fma)(-q, b, a);
#else
  // Dekker's product: halves of 26 bits multiply exactly.
  constexpr uint64_t high_half = ~uint64_t{0x7ffffff};
  const double qh = math::from_bits<double>(math::bits(q) & high_half);
  const double bh = math::from_bits<double>(math::bits(b) & high_half);
  const double ql = q - qh;
  const double bl = b - bh;
  return ((a - qh * bh) - (qh * bl + ql * bh)) - ql * bl;
#endif
}

// The remainder with the dividend's sign.
struct Fmod : Guarded {
  // In double, quotients up to 2^26 of floats and their products with b are exact.
  PT_INLINE float fast(float a, float b) const {
    const double q = math::trunc(double(a) / double(b));
    return math::copysign(float(double(a) - q * double(b)), a);
  }
  PT_INLINE bool in_range(float a, float b) const {
    return (math::abs(a) <= 67108864.0f * math::abs(b)) &
           (math::abs(b) < math::kInf<float>)&(b != 0.0f);
  }
  // The quotient may be rounded up to an integer, which one correction undoes.
  PT_INLINE double fast(double a, double b) const {
    const double x = math::abs(a);
    const double y = math::abs(b);
    const double r = subtract_product(x, math::trunc(x / y), y);
    return math::copysign(math::select(r < 0.0, r + y, r), a);
  }
  PT_INLINE bool in_range(double a, double b) const {
    const double y = math::abs(b);
    return (math::abs(a) <= 0x1p24 * y) & (y < 1e280) & (y > 1e-280);
  }
  template <class T>
  PT_INLINE T fast(T a, T b) const {
    return math::select(b == 0, T(0), Sub{}(a, Mul{}(divide_integers(a, b), b)));
  }
  template <class T>
  PT_INLINE bool in_range(T, T) const {
    return true;
  }

  PT_INLINE float operator()(float a, float b) const { return PT_LIBM(fmodf)(a, b); }
  PT_INLINE double operator()(double a, double b) const { return PT_LIBM(fmod)(a, b); }
  template <class T>
  PT_INLINE T operator()(T a, T b) const {
    return fast(a, b);
  }
};

// The remainder with the divisor's sign.
struct Remainder : Guarded {
  template <class T>
  PT_INLINE T fast(T a, T b) const {
    return of_fmod(Fmod{}.fast(a, b), b);
  }
  template <class T>
  PT_INLINE bool in_range(T a, T b) const {
    return Fmod{}.in_range(a, b);
  }
  template <class T>
  PT_INLINE T operator()(T a, T b) const {
    return of_fmod(Fmod{}(a, b), b);
  }
  template <class T>
  PT_INLINE static T of_fmod(T m, T b) {
    const bool adjust = (m != T(0)) & ((m < T(0)) != (b < T(0)));
    if constexpr (kIsFloat<T>) {
      return math::select(adjust, m + b, m);
    } else {
      return Add{}(m, b & T(-T(adjust)));  // no branch to mispredict where the loop stays scalar
    }
  }
};

// Rounds towards minus infinity, so that a == floor * b + remainder, as Python does.
struct DivFloor : Guarded {
  template <class T>
  PT_INLINE T fast(T a, T b) const {
    return of_fmod(a, b, Fmod{}.fast(a, b));
  }
  template <class T>
  PT_INLINE bool in_range(T a, T b) const {
    return Fmod{}.in_range(a, b);
  }
  template <class T>
  PT_INLINE T operator()(T a, T b) const {
    return of_fmod(a, b, Fmod{}(a, b));
  }
  template <class T>
  PT_INLINE static T of_fmod(T a, T b, T m) {
    const bool adjust = (m != T(0)) & ((m < T(0)) != (b < T(0)));
    if constexpr (kIsFloat<T>) {
      const T exact = (a - m) / b;
      const T d = math::select(adjust, exact - T(1), exact);
      const T f = math::floor(d);
      const T rounded = math::select(d - f > T(0.5), f + T(1), f);
      const T q = a / b;
      return math::select(b == T(0), q, math::select(d == T(0), math::copysign(T(0), q), rounded));
    } else {
      const T q = divide_integers(a, b);
      return Sub{}(q, T(adjust & (b != 0)));
    }
  }
};
struct DivTrunc {
  template <class T>
  PT_INLINE T operator()(T a, T b) const {
    if constexpr (kIsFloat<T>) {
      return math::trunc(a / b);
    } else {
      return divide_integers(a, b);
    }
  }
};

struct Pow : Blockwise {
  template <class T>
  PT_INLINE T operator()(T x, T y) const {
    return math::pow(x, y);
  }
};
// Negative exponents: 1 and -1 have exact results, everything else is 0.
struct PowInteger {
  template <class T>
  PT_INLINE T operator()(T x, T y) const {
    using U = Unsigned<T>;
    if (y < 0) return x == 1 ? T(1) : x == T(-1) ? ((y & 1) ? T(-1) : T(1)) : T(0);
    U result = 1;
    U base = U(x);
    for (U e = U(y); e != 0; e >>= 1) {
      if (e & 1) result *= base;
      base *= base;
    }
    return T(result);
  }
};

struct Neg {
  template <class T>
  PT_INLINE T operator()(T x) const {
    if constexpr (kIsFloat<T>) {
      return -x;
    } else {
      return T(0u - Unsigned<T>(x));
    }
  }
};
struct Abs {
  template <class T>
  PT_INLINE T operator()(T x) const {
    if constexpr (kIsFloat<T>) {
      return math::abs(x);
    } else {
      return math::select(x < 0, Neg{}(x), x);
    }
  }
};
struct Sign {
  template <class T>
  PT_INLINE T operator()(T x) const {
    return math::select(x > T(0), T(1), math::select(x < T(0), T(-1), T(0)));
  }
};
struct Reciprocal {
  template <class T>
  PT_INLINE T operator()(T x) const {
    return T(1) / x;
  }
};
struct Sqrt {
  template <class T>
  PT_INLINE T operator()(T x) const {
    return math::sqrt(x);
  }
};
struct Rsqrt {
  template <class T>
  PT_INLINE T operator()(T x) const {
    return T(1) / math::sqrt(x);
  }
};
// Integers are their own rounding.
#define PT_ROUNDING(Name, function)     \
  struct Name {                         \
    template <class T>                  \
    PT_INLINE T operator()(T x) const { \
      if constexpr (kIsFloat<T>) {      \
        return math::function(x);       \
      } else {                          \
        return x;                       \
      }                                 \
    }                                   \
  };
PT_ROUNDING(Floor, floor)
PT_ROUNDING(Ceil, ceil)
PT_ROUNDING(Trunc, trunc)
PT_ROUNDING(Round, round_even)
#undef PT_ROUNDING
// `power` is 10^|decimals|; `negative` is nonzero for decimals < 0.
struct RoundDecimals {
  template <class T>
  PT_INLINE T operator()(T x, T power, T negative) const {
    const T scaled = math::select(negative != T(0), x / power, x * power);
    const T r = math::round_even(scaled);
    return math::select(negative != T(0), r * power, r / power);
  }
};
struct Frac {
  template <class T>
  PT_INLINE T operator()(T x) const {
    return x - math::trunc(x);
  }
};

// NaN in either argument gives NaN.
struct Maximum {
  template <class T>
  PT_INLINE T operator()(T a, T b) const {
    if constexpr (kIsFloat<T>) {
      return math::select((a > b) | math::is_nan(a), a, b);
    } else {
      return math::select(a > b, a, b);
    }
  }
};
struct Minimum {
  template <class T>
  PT_INLINE T operator()(T a, T b) const {
    if constexpr (kIsFloat<T>) {
      return math::select((a < b) | math::is_nan(a), a, b);
    } else {
      return math::select(a < b, a, b);
    }
  }
};
// NaN only if both are.
struct Fmax {
  template <class T>
  PT_INLINE T operator()(T a, T b) const {
    return math::select((a > b) | math::is_nan(b), a, b);
  }
};
struct Fmin {
  template <class T>
  PT_INLINE T operator()(T a, T b) const {
    return math::select((a < b) | math::is_nan(b), a, b);
  }
};
struct ClampMin {
  template <class T>
  PT_INLINE T operator()(T x, T low) const {
    if constexpr (kIsFloat<T>) {
      return math::select((x < low) | math::is_nan(low), low, x);
    } else {
      return math::select(x < low, low, x);
    }
  }
};
struct ClampMax {
  template <class T>
  PT_INLINE T operator()(T x, T high) const {
    if constexpr (kIsFloat<T>) {
      return math::select((x > high) | math::is_nan(high), high, x);
    } else {
      return math::select(x > high, high, x);
    }
  }
};
struct Clamp {
  template <class T>
  PT_INLINE T operator()(T x, T low, T high) const {
    return ClampMax{}(ClampMin{}(x, low), high);
  }
};

// The form that is exact at both ends.
struct Lerp {
  template <class T>
  PT_INLINE T operator()(T start, T end, T weight) const {
    const T d = end - start;
    return math::select(math::abs(weight) < T(0.5), start + weight * d, end - d * (T(1) - weight));
  }
};
struct Addcmul {
  template <class T>
  PT_INLINE T operator()(T self, T a, T b, T value) const {
    return Add{}(self, Mul{}(Mul{}(value, a), b));
  }
};
struct Addcdiv {
  template <class T>
  PT_INLINE T operator()(T self, T a, T b, T value) const {
    return self + value * a / b;
  }
};

struct Copysign {
  template <class T>
  PT_INLINE T operator()(T magnitude, T sign) const {
    return math::copysign(magnitude, sign);
  }
};
struct Heaviside {
  template <class T>
  PT_INLINE T operator()(T x, T at_zero) const {
    return math::select(x == T(0), at_zero, math::select(x > T(0), T(1), T(0)));
  }
};
struct NanToNum {
  template <class T>
  PT_INLINE T operator()(T x, T nan, T positive_inf, T negative_inf) const {
    const T y = math::select(x == math::kInf<T>, positive_inf,
                             math::select(x == -math::kInf<T>, negative_inf, x));
    return math::select(math::is_nan(x), nan, y);
  }
};
struct Deg2rad {
  template <class T>
  PT_INLINE T operator()(T x) const {
    return x * T(math::kPi / 180);
  }
};
struct Rad2deg {
  template <class T>
  PT_INLINE T operator()(T x) const {
    return x * T(180 / math::kPi);
  }
};
struct Hypot {
  PT_INLINE float operator()(float a, float b) const {
    const float r = float(math::sqrt(double(a) * double(a) + double(b) * double(b)));
    const bool infinite = (math::abs(a) == math::kInf<float>) | (math::abs(b) == math::kInf<float>);
    return math::select(infinite, math::kInf<float>, r);
  }
  PT_INLINE double operator()(double a, double b) const {
    const double x = math::abs(a);
    const double y = math::abs(b);
    const double high = math::select(x > y, x, y);
    const double low = math::select(x > y, y, x);
    const double ratio = math::select(high == low, 1.0, low / high);  // zeros and infinities too
    const double r = math::select(high == 0.0, 0.0, high * math::sqrt(1.0 + ratio * ratio));
    const bool infinite = (x == math::kInf<double>) | (y == math::kInf<double>);
    return math::select(infinite, math::kInf<double>, math::select(math::is_nan(x), x, r));
  }
};
struct Nextafter {
  PT_INLINE float operator()(float a, float b) const { return PT_LIBM(nextafterf)(a, b); }
  PT_INLINE double operator()(double a, double b) const { return PT_LIBM(nextafter)(a, b); }
};
struct Ldexp : Blockwise {
  template <class T>
  PT_INLINE T operator()(T x, T exponent) const {
    return x * math::exp2(exponent);
  }
};

// The same for a whole exponent, in exact steps: only the last one, of the largest part, can round
// to a subnormal number, and none meets infinity before the result is infinite.
struct LdexpWhole : Blockwise {
  template <class T>
  static PT_INLINE T part(T e) {
    constexpr T least = kIsDouble<T> ? T(-1022) : T(-126);
    return math::select(e < least, least, math::select(e > -least, -least, e));
  }
  template <class T>
  static PT_INLINE T power(T e) {
    const auto n = math::bits(e + FloatLayout<T>::kRoundMagic);
    return math::from_bits<T>(math::bits(T(1)) + (n << FloatLayout<T>::kMantissaBits));
  }
  template <class T>
  PT_INLINE T operator()(T x, T exponent) const {
    const T last = part(exponent), middle = part(exponent - last);
    return x * power(part(exponent - last - middle)) * power(middle) * power(last);
  }
};

struct Gcd {
  template <class T>
  PT_INLINE T operator()(T a, T b) const {
    Unsigned<T> x = Unsigned<T>(Abs{}(a));
    Unsigned<T> y = Unsigned<T>(Abs{}(b));
    while (y != 0) {
      const Unsigned<T> r = x % y;
      x = y;
      y = r;
    }
    return T(x);
  }
};
struct Lcm {
  template <class T>
  PT_INLINE T operator()(T a, T b) const {
    const T g = Gcd{}(a, b);
    return g == 0 ? T(0) : Abs{}(Mul{}(divide_integers(a, g), b));
  }
};

}  // namespace PT_FUNCTOR_NAMESPACE
