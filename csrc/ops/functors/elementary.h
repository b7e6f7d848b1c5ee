// The elementary functions as functors, and short formulas on them.
#pragma once

#include "ops/functors/functor.h"

namespace PT_FUNCTOR_NAMESPACE {

#define PT_MATH_FUNCTOR(Name, function) \
  struct Name : Blockwise {             \
    template <class T>                  \
    PT_INLINE T operator()(T x) const { \
      return math::function(x);         \
    }                                   \
  };
PT_MATH_FUNCTOR(Exp2, exp2)
PT_MATH_FUNCTOR(Expm1, expm1)
PT_MATH_FUNCTOR(Sinh, sinh)
PT_MATH_FUNCTOR(Cosh, cosh)
PT_MATH_FUNCTOR(Tanh, tanh)
PT_MATH_FUNCTOR(Sigmoid, sigmoid)
PT_MATH_FUNCTOR(Log2, log2)
PT_MATH_FUNCTOR(Log10, log10)
PT_MATH_FUNCTOR(Log1p, log1p)
PT_MATH_FUNCTOR(Asinh, asinh)
PT_MATH_FUNCTOR(Acosh, acosh)
PT_MATH_FUNCTOR(Atanh, atanh)
PT_MATH_FUNCTOR(Asin, asin)
PT_MATH_FUNCTOR(Acos, acos)
PT_MATH_FUNCTOR(Atan, atan)
PT_MATH_FUNCTOR(Erf, erf)
PT_MATH_FUNCTOR(Erfc, erfc)
#undef PT_MATH_FUNCTOR

struct Exp : Guarded {
  template <class T>
  PT_INLINE bool in_range(T x) const {
    return math::abs(x) <= math::kExpLimit<T>;
  }
  template <class T>
  PT_INLINE T fast(T x) const {
    return math::exp_bounded(x);
  }
  template <class T>
  PT_INLINE T operator()(T x) const {
    return math::exp(x);
  }
};
struct Log : Guarded {
  template <class T>
  PT_INLINE bool in_range(T x) const {
    return math::is_positive_normal(x);
  }
  template <class T>
  PT_INLINE T fast(T x) const {
    return math::log_bounded(x);
  }
  template <class T>
  PT_INLINE T operator()(T x) const {
    return math::log(x);
  }
};

#define PT_TRIG_FUNCTOR(Name, function)                       \
  struct Name : Guarded {                                     \
    template <class T>                                        \
    PT_INLINE bool in_range(T x) const {                      \
      return !(math::abs(x) > math::kTrigLimit<T>);           \
    }                                                         \
    template <class T>                                        \
    PT_INLINE T fast(T x) const {                             \
      return math::function##_bounded(x);                     \
    }                                                         \
    PT_INLINE float operator()(float x) const {               \
      return in_range(x) ? fast(x) : PT_LIBM(function##f)(x); \
    }                                                         \
    PT_INLINE double operator()(double x) const {             \
      return in_range(x) ? fast(x) : PT_LIBM(function)(x);    \
    }                                                         \
  };
PT_TRIG_FUNCTOR(Sin, sin)
PT_TRIG_FUNCTOR(Cos, cos)
PT_TRIG_FUNCTOR(Tan, tan)
#undef PT_TRIG_FUNCTOR

struct Atan2 : Blockwise {
  template <class T>
  PT_INLINE T operator()(T y, T x) const {
    return math::atan2(y, x);
  }
};

// sin(pi x) / (pi x).
struct Sinc : Guarded {
  template <class T>
  PT_INLINE bool in_range(T x) const {
    return !(math::abs(x) > math::kTrigLimit<T> / T(4));
  }
  template <class T>
  PT_INLINE T fast(T x) const {
    const T y = T(math::kPi) * x;
    return math::select(x == T(0), T(1), math::sin_bounded(y) / y);
  }
  template <class T>
  PT_INLINE T operator()(T x) const {
    const T y = T(math::kPi) * x;
    return x == T(0) ? T(1) : Sin{}(y) / y;
  }
};

struct Logit : Blockwise {
  template <class T>
  PT_INLINE T operator()(T x) const {
    return math::log(x / (T(1) - x));
  }
};
struct LogitEps : Blockwise {
  static constexpr int kTensorInputs = 1;
  template <class T>
  PT_INLINE T operator()(T x, T eps) const {
    const T high = T(1) - eps;
    const T z = math::select(x < eps, eps, math::select(x > high, high, x));
    return math::log(z / (T(1) - z));
  }
};

// log(e^a + e^b).
struct Logaddexp : Blockwise {
  template <class T>
  PT_INLINE T operator()(T a, T b) const {
    const T high = math::select(a > b, a, b);
    const T d = math::select(a == b, T(0), -math::abs(a - b));  // infinities may be equal
    return math::select(math::is_nan(a), a, high + math::log1p(math::exp_nonpositive(d)));
  }
};
struct Logaddexp2 : Blockwise {
  template <class T>
  PT_INLINE T operator()(T a, T b) const {
    const T high = math::select(a > b, a, b);
    const T d = math::select(a == b, T(0), -math::abs(a - b));
    const T y = high + math::log1p(math::exp2(d)) * T(math::kLog2E);
    return math::select(math::is_nan(a), a, y);
  }
};

// x log y and x log(1 + y), 0 where x is 0.
struct Xlogy : Blockwise {
  template <class T>
  PT_INLINE T operator()(T x, T y) const {
    return math::select((x == T(0)) & !math::is_nan(y), T(0), x * math::log(y));
  }
};
struct Xlog1py : Blockwise {
  template <class T>
  PT_INLINE T operator()(T x, T y) const {
    return math::select((x == T(0)) & !math::is_nan(y), T(0), x * math::log1p(y));
  }
};
struct Entr : Blockwise {
  template <class T>
  PT_INLINE T operator()(T x) const {
    const T y = -x * math::log(x);
    return math::select(x > T(0), y,
                        math::select(x == T(0), T(0), math::select(x < T(0), -math::kInf<T>, x)));
  }
};
// The normal distribution function.
struct Ndtr : Blockwise {
  template <class T>
  PT_INLINE T operator()(T x) const {
    return T(0.5) * math::erfc(x * T(-math::kSqrtHalf));
  }
};

}  // namespace PT_FUNCTOR_NAMESPACE
