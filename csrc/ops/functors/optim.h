// The rules of the optimizers, one element at a time: rule(x, g, s0, s1, s2) updates the parameter
// x and its states from the gradient g. And which rule the numbers of a step ask for: with_adam(k,
// ..., f) calls f(States<n>{}, rule), so that conditions cost nothing inside the loops over
// elements.
//
// SGD with momentum: Sutskever et al. 2013; averaged SGD: Polyak and Juditsky 1992; Rprop:
// Riedmiller and Braun 1993; Adam and Adamax: Kingma and Ba 2015, AMSGrad: Reddi et al. 2018,
// decoupled decay: Loshchilov and Hutter 2019; NAdam: Dozat 2016; RAdam: Liu et al. 2020; Adagrad:
// Duchi et al. 2011; Adadelta: Zeiler 2012; RMSprop: Hinton 2012, centered: Graves 2013.
#pragma once

#include "cpu/optim_args.h"
#include "ops/functors/namespace.h"

namespace PT_FUNCTOR_NAMESPACE {

template <bool B>
struct Flag {
  static constexpr bool value = B;
};
template <int N>
struct States {
  static constexpr int value = N;
};
// Calls f with each condition as a type.
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
  PT_INLINE C operator()(C g, C x) const {
    if constexpr (Decay) return sign * g + decay * x;
    return sign * g;
  }
};

PT_INLINE float root(float x) { return __builtin_sqrtf(x); }
PT_INLINE double root(double x) { return __builtin_sqrt(x); }
// A moving average goes towards x; the form nearer to x is used when it goes more than half way.
template <class C>
PT_INLINE void approach(C& average, C x, C weight) {
  average =
      weight < C(0.5) ? average + weight * (x - average) : x - (x - average) * (C(1) - weight);
}
template <class C>
PT_INLINE void approach_square(C& average, C x, C beta, C weight) {
  average = beta * average + weight * x * x;
}
template <class C>
PT_INLINE C larger(C a, C b) {  // NaN if one is
  return a > b || a != a ? a : b;
}

template <class C, bool Decay>
struct SgdRule {
  Direction<C, Decay> direction;
  C lr;
  PT_INLINE void operator()(C& x, C g, C&, C&, C&) const { x -= lr * direction(g, x); }
};

template <class C, bool Decay, bool Nesterov, bool First>
struct MomentumRule {
  static constexpr bool kStartsStates = First;  // writes its buffer without reading it
  Direction<C, Decay> direction;
  C lr, momentum, weight;
  PT_INLINE void operator()(C& x, C g, C& buffer, C&, C&) const {
    const C d = direction(g, x);
    buffer = First ? d : momentum * buffer + weight * d;
    x -= lr * (Nesterov ? d + momentum * buffer : buffer);
  }
};

// `buffer`: there is a momentum buffer.
template <class C, class F>
void with_sgd(const SgdNumbers& k, bool buffer, F f) {
  const C lr = static_cast<C>(k.lr), momentum = static_cast<C>(k.momentum);
  const C weight = static_cast<C>(1 - k.dampening);
  if (!buffer) {
    with_flags(
        [&](auto decay) {
          f(States<0>{}, SgdRule<C, decay.value>{{k.maximize, k.weight_decay}, lr});
        },
        k.weight_decay != 0);
    return;
  }
  with_flags(
      [&](auto decay, auto nesterov, auto first) {
        f(States<1>{}, MomentumRule<C, decay.value, nesterov.value, first.value>{
                           {k.maximize, k.weight_decay}, lr, momentum, weight});
      },
      k.weight_decay != 0, k.nesterov, k.first);
}

template <class C>
struct AsgdRule {
  Direction<C, true> direction;
  C eta, decay, mu;
  PT_INLINE void operator()(C& x, C g, C& average, C&, C&) const {
    const C d = direction(g, x);
    x = x * decay - eta * d;
    average = mu == C(1) ? x : average + (x - average) * mu;
  }
};

template <class C, class F>
void with_asgd(const AsgdNumbers& k, F f) {
  f(States<1>{}, AsgdRule<C>{{k.maximize, k.weight_decay},
                             static_cast<C>(k.eta),
                             static_cast<C>(k.decay),
                             static_cast<C>(k.mu)});
}

template <class C>
struct RpropRule {
  Direction<C, false> direction;
  C eta_minus, eta_plus, min, max;
  PT_INLINE void operator()(C& x, C g, C& last, C& size, C&) const {
    C d = direction(g, x);
    const C agreement = d * last;
    size *= agreement > 0 ? eta_plus : agreement < 0 ? eta_minus : C(1);
    size = size < min ? min : size;
    size = size > max ? max : size;
    d = agreement < 0 ? C(0) : d;
    x -= d > 0 ? size : d < 0 ? -size : C(0);
    last = d;
  }
};

template <class C, class F>
void with_rprop(const RpropNumbers& k, F f) {
  f(States<2>{}, RpropRule<C>{{k.maximize, 0},
                              static_cast<C>(k.eta_minus),
                              static_cast<C>(k.eta_plus),
                              static_cast<C>(k.min),
                              static_cast<C>(k.max)});
}

// What those with two moments do first: decay, and both moving averages.
template <class C, bool Decay>
struct Moments {
  Direction<C, Decay> direction;
  C decay, weight1, beta2, weight2;
  template <class Numbers>
  explicit Moments(const Numbers& k)
      : direction(k.maximize, k.weight_decay),
        decay(static_cast<C>(k.decay)),
        weight1(static_cast<C>(1 - k.beta1)),
        beta2(static_cast<C>(k.beta2)),
        weight2(static_cast<C>(1 - k.beta2)) {}
  PT_INLINE C operator()(C& x, C g, C& average, C& square) const {
    const C d = direction(g, x);
    x *= decay;
    approach(average, d, weight1);
    approach_square(square, d, beta2, weight2);
    return d;
  }
};

template <class C, bool Decay, bool Amsgrad>
struct AdamRule {
  Moments<C, Decay> moments;
  C step_size, scale, eps;
  PT_INLINE void set(const AdamLive& live) {
    step_size = static_cast<C>(live.step_size);
    scale = static_cast<C>(live.scale);
    moments.decay = static_cast<C>(live.decay);
  }
  PT_INLINE void operator()(C& x, C g, C& average, C& square, C& largest) const {
    moments(x, g, average, square);
    if constexpr (Amsgrad) largest = larger(largest, square);
    x -= step_size * average / (root(Amsgrad ? largest : square) * scale + eps);
  }
};

template <class C, class F>
void with_adam(const AdamNumbers& k, bool amsgrad, F f) {
  with_flags(
      [&](auto decay, auto largest) {
        f(States<largest.value ? 3 : 2>{},
          AdamRule<C, decay.value, largest.value>{Moments<C, decay.value>(k),
                                                  static_cast<C>(k.step_size),
                                                  static_cast<C>(k.scale), static_cast<C>(k.eps)});
      },
      k.weight_decay != 0, amsgrad);
}

template <class C, bool Decay>
struct NadamRule {
  Moments<C, Decay> moments;
  C inverse_bias2, eps, grad_factor, average_factor;
  PT_INLINE void operator()(C& x, C g, C& average, C& square, C&) const {
    const C d = moments(x, g, average, square);
    x -= (grad_factor * d + average_factor * average) / (root(square * inverse_bias2) + eps);
  }
};

template <class C, class F>
void with_nadam(const NadamNumbers& k, F f) {
  with_flags(
      [&](auto decay) {
        f(States<2>{},
          NadamRule<C, decay.value>{Moments<C, decay.value>(k), static_cast<C>(1 / k.bias2),
                                    static_cast<C>(k.eps), static_cast<C>(k.grad_factor),
                                    static_cast<C>(k.average_factor)});
      },
      k.weight_decay != 0);
}

template <class C, bool Decay, bool Rectified>
struct RadamRule {
  Moments<C, Decay> moments;
  C factor, eps;
  PT_INLINE void operator()(C& x, C g, C& average, C& square, C&) const {
    moments(x, g, average, square);
    if constexpr (Rectified) {
      x -= factor * average / (root(square) + eps);
    } else {
      x -= factor * average;
    }
  }
};

template <class C, class F>
void with_radam(const RadamNumbers& k, F f) {
  with_flags(
      [&](auto decay, auto rectified) {
        f(States<2>{},
          RadamRule<C, decay.value, rectified.value>{
              Moments<C, decay.value>(k), static_cast<C>(k.factor), static_cast<C>(k.eps)});
      },
      k.weight_decay != 0, k.rectified);
}

template <class C, bool Decay>
struct AdamaxRule {
  Direction<C, Decay> direction;
  C step_size, weight1, beta2, eps;
  PT_INLINE void operator()(C& x, C g, C& average, C& norm, C&) const {
    const C d = direction(g, x);
    approach(average, d, weight1);
    norm = larger(norm * beta2, (d < 0 ? -d : d) + eps);
    x -= step_size * average / norm;
  }
};

template <class C, class F>
void with_adamax(const AdamaxNumbers& k, F f) {
  with_flags(
      [&](auto decay) {
        f(States<2>{}, AdamaxRule<C, decay.value>{{k.maximize, k.weight_decay},
                                                  static_cast<C>(k.step_size),
                                                  static_cast<C>(1 - k.beta1),
                                                  static_cast<C>(k.beta2),
                                                  static_cast<C>(k.eps)});
      },
      k.weight_decay != 0);
}

template <class C, bool Decay>
struct AdagradRule {
  Direction<C, Decay> direction;
  C lr, eps;
  PT_INLINE void operator()(C& x, C g, C& sum, C&, C&) const {
    const C d = direction(g, x);
    sum += d * d;
    x -= lr * d / (root(sum) + eps);
  }
};

template <class C, class F>
void with_adagrad(const AdagradNumbers& k, F f) {
  with_flags(
      [&](auto decay) {
        f(States<1>{},
          AdagradRule<C, decay.value>{
              {k.maximize, k.weight_decay}, static_cast<C>(k.lr), static_cast<C>(k.eps)});
      },
      k.weight_decay != 0);
}

template <class C, bool Decay>
struct AdadeltaRule {
  Direction<C, Decay> direction;
  C lr, rho, weight, eps;
  PT_INLINE void operator()(C& x, C g, C& square, C& change, C&) const {
    const C d = direction(g, x);
    approach_square(square, d, rho, weight);
    const C delta = root(change + eps) / root(square + eps) * d;
    approach_square(change, delta, rho, weight);
    x -= lr * delta;
  }
};

template <class C, class F>
void with_adadelta(const AdadeltaNumbers& k, F f) {
  with_flags(
      [&](auto decay) {
        f(States<2>{}, AdadeltaRule<C, decay.value>{{k.maximize, k.weight_decay},
                                                    static_cast<C>(k.lr),
                                                    static_cast<C>(k.rho),
                                                    static_cast<C>(1 - k.rho),
                                                    static_cast<C>(k.eps)});
      },
      k.weight_decay != 0);
}

template <class C, bool Decay, bool Momentum, bool Centered>
struct RmspropRule {
  Direction<C, Decay> direction;
  C lr, alpha, weight, eps, momentum;
  PT_INLINE void operator()(C& x, C g, C& square, C& second, C& third) const {
    C& mean = Momentum ? third : second;
    const C d = direction(g, x);
    approach_square(square, d, alpha, weight);
    C spread = square;
    if constexpr (Centered) {
      approach(mean, d, weight);
      spread -= mean * mean;
    }
    const C size = root(spread) + eps;
    if constexpr (Momentum) {
      second = momentum * second + d / size;
      x -= lr * second;
    } else {
      x -= lr * d / size;
    }
  }
};

// Without a momentum buffer the mean takes its place as the second state.
template <class C, class F>
void with_rmsprop(const RmspropNumbers& k, bool buffer, bool mean, F f) {
  with_flags(
      [&](auto decay, auto momentum, auto centered) {
        f(States<1 + momentum.value + centered.value>{},
          RmspropRule<C, decay.value, momentum.value, centered.value>{{k.maximize, k.weight_decay},
                                                                      static_cast<C>(k.lr),
                                                                      static_cast<C>(k.alpha),
                                                                      static_cast<C>(1 - k.alpha),
                                                                      static_cast<C>(k.eps),
                                                                      static_cast<C>(k.momentum)});
      },
      k.weight_decay != 0, buffer, mean);
}

}  // namespace PT_FUNCTOR_NAMESPACE
