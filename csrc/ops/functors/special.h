// The gamma, error and Bessel families as functors, computed in double; mostly scalar code.
#pragma once

#include "ops/functors/functor.h"
#include "ops/functors/math_bessel.h"
#include "ops/functors/math_gamma.h"

namespace PT_FUNCTOR_NAMESPACE {

#define PT_SPECIAL_FUNCTOR(Name, expression) \
  struct Name {                              \
    template <class T>                       \
    PT_INLINE T operator()(T value) const {  \
      const double x = double(value);        \
      return T(expression);                  \
    }                                        \
  };
PT_SPECIAL_FUNCTOR(Digamma, math::digamma(x))
PT_SPECIAL_FUNCTOR(Erfcx, math::erfcx(x))
PT_SPECIAL_FUNCTOR(Ndtri, math::ndtri(x))
PT_SPECIAL_FUNCTOR(LogNdtr, math::log_ndtr(x))
PT_SPECIAL_FUNCTOR(BesselJ0, PT_LIBM(j0)(x))
PT_SPECIAL_FUNCTOR(BesselJ1, PT_LIBM(j1)(x))
PT_SPECIAL_FUNCTOR(BesselY0, PT_LIBM(y0)(x))
PT_SPECIAL_FUNCTOR(BesselY1, PT_LIBM(y1)(x))
#undef PT_SPECIAL_FUNCTOR

// These vectorise (lgamma and erfinv of floats only).
#define PT_BESSEL_FUNCTOR(Name, function)  \
  struct Name : Blockwise {                \
    template <class T>                     \
    PT_INLINE T operator()(T x) const {    \
      return T(math::function(double(x))); \
    }                                      \
  };
PT_BESSEL_FUNCTOR(I0, i0)
PT_BESSEL_FUNCTOR(I0e, i0e)
PT_BESSEL_FUNCTOR(I1, i1)
PT_BESSEL_FUNCTOR(I1e, i1e)
#undef PT_BESSEL_FUNCTOR
struct Erfinv : Guarded {
  template <class T>
  PT_INLINE bool in_range(T x) const {
    return math::abs(x) <= T(0.996);  // within the reach of both erfinv_bounded
  }
  template <class T>
  PT_INLINE T fast(T x) const {
    return math::erfinv_bounded(x);
  }
  template <class T>
  PT_INLINE T operator()(T x) const {
    return math::erfinv(x);
  }
};
struct Lgamma : Blockwise {
  template <class T>
  PT_INLINE T operator()(T x) const {
    return math::lgamma(x);
  }
};

// (n, x): the n-th derivative of digamma.
struct Polygamma {
  template <class T>
  PT_INLINE T operator()(T n, T x) const {
    return T(math::polygamma(double(n), double(x)));
  }
};
struct Zeta {
  template <class T>
  PT_INLINE T operator()(T x, T q) const {
    return T(math::zeta(double(x), double(q)));
  }
};
struct Igamma {
  template <class T>
  PT_INLINE T operator()(T a, T x) const {
    return T(math::incomplete_gamma<false>(double(a), double(x)));
  }
};
struct Igammac {
  template <class T>
  PT_INLINE T operator()(T a, T x) const {
    return T(math::incomplete_gamma<true>(double(a), double(x)));
  }
};

}  // namespace PT_FUNCTOR_NAMESPACE
