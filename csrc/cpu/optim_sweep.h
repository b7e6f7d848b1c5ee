// The loop of every optimizer kernel and what their rules share. Used by optim_*.cpp alone.
//
// A rule is a function object of one element: rule(x, g, s0, s1, s2) updates the parameter x and
// its states from the gradient g. Half types are read and written as such and computed in float.
#pragma once

#include "cpu/optim_args.h"
#include "cpu/reduce_lanes.h"

namespace pt::PT_ISA {

template <int States, class T, class Rule>
__attribute__((always_inline)) static inline void sweep(const OptimArgs& a, const Rule rule) {
  using C = Compute<T>;
  T* p = static_cast<T*>(a.param);
  const T* g = static_cast<const T*>(a.grad);
  T* s0 = static_cast<T*>(a.state[0]);
  T* s1 = static_cast<T*>(a.state[1]);
  T* s2 = static_cast<T*>(a.state[2]);
#pragma GCC ivdep
  for (int64_t i = 0; i < a.n; ++i) {
    C x = widen<C>(p[i]), u = 0, v = 0, w = 0;
    if constexpr (States > 0) u = widen<C>(s0[i]);
    if constexpr (States > 1) v = widen<C>(s1[i]);
    if constexpr (States > 2) w = widen<C>(s2[i]);
    rule(x, widen<C>(g[i]), u, v, w);
    p[i] = narrow<T>(x);
    if constexpr (States > 0) s0[i] = narrow<T>(u);
    if constexpr (States > 1) s1[i] = narrow<T>(v);
    if constexpr (States > 2) s2[i] = narrow<T>(w);
  }
}

template <bool B>
struct Flag {
  static constexpr bool value = B;
};
// Calls f with each condition as a type, so that it costs nothing inside the loop.
template <class F>
static inline void with_flags(F f) {
  f();
}
template <class F, class... Rest>
static inline void with_flags(F f, bool first, Rest... rest) {
  if (first) {
    with_flags([&](auto... flags) { f(Flag<true>{}, flags...); }, rest...);
  } else {
    with_flags([&](auto... flags) { f(Flag<false>{}, flags...); }, rest...);
  }
}

// The direction to go against: the gradient, with L2 decay when Decay.
template <class C, bool Decay>
struct Direction {
  C sign, decay;
  Direction(bool maximize, double weight_decay)
      : sign(maximize ? C(-1) : C(1)), decay(static_cast<C>(weight_decay)) {}
  C operator()(C g, C x) const {
    if constexpr (Decay) return sign * g + decay * x;
    return sign * g;
  }
};

template <class C>
static inline C root(C x) {
  if constexpr (kSame<C, float>) return __builtin_sqrtf(x);
  return __builtin_sqrt(x);
}
// A moving average goes towards x; the form nearer to x is used when it goes more than half way.
template <class C>
static inline void approach(C& average, C x, C weight) {
  average =
      weight < C(0.5) ? average + weight * (x - average) : x - (x - average) * (C(1) - weight);
}
template <class C>
static inline void approach_square(C& average, C x, C beta, C weight) {
  average = beta * average + weight * x * x;
}
template <class C>
static inline C larger(C a, C b) {  // NaN if one is
  return a > b || a != a ? a : b;
}

#define PT_OPTIM_KERNEL(name, kernel)                                             \
  {                                                                               \
    name, {                                                                       \
      nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, PT_FN(&kernel<Half>), \
          PT_FN(&kernel<BFloat16>), PT_FN(&kernel<float>), PT_FN(&kernel<double>) \
    }                                                                             \
  }

}  // namespace pt::PT_ISA
