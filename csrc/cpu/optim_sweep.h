// The loop of every optimizer kernel. Used by optim_*.cpp alone; the rules are in
// ops/functors/optim.h. Half types are read and written as such and computed in float.
#pragma once

#include "cpu/optim_args.h"
#include "cpu/reduce_lanes.h"
#include "ops/functors/optim.h"

namespace pt::PT_ISA {

template <int Count, class T, class Rule>
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
    if constexpr (Count > 0) u = widen<C>(s0[i]);
    if constexpr (Count > 1) v = widen<C>(s1[i]);
    if constexpr (Count > 2) w = widen<C>(s2[i]);
    rule(x, widen<C>(g[i]), u, v, w);
    p[i] = narrow<T>(x);
    if constexpr (Count > 0) s0[i] = narrow<T>(u);
    if constexpr (Count > 1) s1[i] = narrow<T>(v);
    if constexpr (Count > 2) s2[i] = narrow<T>(w);
  }
}

// What the with_*() functions call.
template <class T>
struct Sweep {
  const OptimArgs& a;
  template <int Count, class Rule>
  void operator()(States<Count>, const Rule& rule) const {
    sweep<Count, T>(a, rule);
  }
};

template <class Numbers>
static inline const Numbers& numbers_of(const OptimArgs& a) {
  return *static_cast<const Numbers*>(a.numbers);
}

#define PT_OPTIM_KERNEL(name, kernel)                                             \
  {                                                                               \
    name, {                                                                       \
      nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, PT_FN(&kernel<Half>), \
          PT_FN(&kernel<BFloat16>), PT_FN(&kernel<float>), PT_FN(&kernel<double>) \
    }                                                                             \
  }

}  // namespace pt::PT_ISA
