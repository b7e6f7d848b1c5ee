// Elementwise losses: the value for an element of the input x and the target t, and the slope, the
// derivative of the value by x. Parameters come last; bce_with_logits also takes the weight of
// positive answers.
#pragma once

#include "ops/functors/activation.h"

namespace PT_FUNCTOR_NAMESPACE {

struct MseValue {
  template <class T>
  PT_INLINE T operator()(T x, T t, T) const {
    return (x - t) * (x - t);
  }
};
struct MseSlope {
  template <class T>
  PT_INLINE T operator()(T x, T t, T) const {
    return T(2) * (x - t);
  }
};

struct L1Value {
  template <class T>
  PT_INLINE T operator()(T x, T t, T) const {
    return math::abs(x - t);
  }
};
struct L1Slope {
  template <class T>
  PT_INLINE T operator()(T x, T t, T) const {
    const T d = x - t;
    return math::select(d > T(0), T(1), math::select(d < T(0), T(-1), d));  // 0 and NaN stay
  }
};

// |d| - beta/2 with a parabola where |d| < beta.
struct SmoothL1Value {
  template <class T>
  PT_INLINE T operator()(T x, T t, T beta) const {
    const T d = math::abs(x - t);
    return math::select(d < beta, T(0.5) * d * d / beta, d - T(0.5) * beta);
  }
};
struct SmoothL1Slope {
  template <class T>
  PT_INLINE T operator()(T x, T t, T beta) const {
    const T d = x - t;
    return math::select(math::abs(d) < beta, d / beta, L1Slope{}(x, t, T(0)));
  }
};

// The same times delta.
struct HuberValue {
  template <class T>
  PT_INLINE T operator()(T x, T t, T delta) const {
    const T d = math::abs(x - t);
    return math::select(d < delta, T(0.5) * d * d, delta * (d - T(0.5) * delta));
  }
};
struct HuberSlope {
  template <class T>
  PT_INLINE T operator()(T x, T t, T delta) const {
    const T d = x - t;
    return math::select(d < -delta, -delta, math::select(d > delta, delta, d));
  }
};

// Logarithms are limited to -100 and the slope's denominator to 1e-12, as PyTorch does. NaN where x
// or t is no probability.
struct BceValue {
  template <class T>
  PT_INLINE T operator()(T x, T t, T) const {
    const T yes = math::log(x), no = math::log1p(-x);
    const T value = (t - T(1)) * math::select(no < T(-100), T(-100), no) -
                    t * math::select(yes < T(-100), T(-100), yes);
    return math::select((t >= T(0)) & (t <= T(1)), value, math::kNaN<T>);
  }
};
struct BceSlope {
  template <class T>
  PT_INLINE T operator()(T x, T t, T) const {
    const T d = (T(1) - x) * x;
    return (x - t) / math::select(d < T(1e-12), T(1e-12), d);
  }
};

struct BceLogitsValue {
  template <class T>
  PT_INLINE T operator()(T x, T t, T) const {
    return (T(1) - t) * x + math::softplus(-x);
  }
};
struct BceLogitsSlope {
  template <class T>
  PT_INLINE T operator()(T x, T t, T) const {
    return math::sigmoid(x) - t;
  }
};
struct BceLogitsWeightedValue {
  template <class T>
  PT_INLINE T operator()(T x, T t, T positive, T) const {
    return (T(1) - t) * x + (T(1) + (positive - T(1)) * t) * math::softplus(-x);
  }
};
struct BceLogitsWeightedSlope {
  template <class T>
  PT_INLINE T operator()(T x, T t, T positive, T) const {
    return (T(1) - t) - (T(1) + (positive - T(1)) * t) * math::sigmoid(-x);
  }
};

// x where t is 1, max(margin - x, 0) where it is -1, their sum elsewhere.
struct HingeEmbeddingValue {
  template <class T>
  PT_INLINE T operator()(T x, T t, T margin) const {
    const T d = margin - x;
    return math::select(t == T(-1), T(0), x) +
           math::select(t == T(1), T(0), math::select(d < T(0), T(0), d));
  }
};
struct HingeEmbeddingSlope {
  template <class T>
  PT_INLINE T operator()(T x, T t, T margin) const {
    return math::select(t == T(-1), T(0), T(1)) -
           math::select((t == T(1)) | (margin - x < T(0)), T(0), T(1));
  }
};

// log(1 + e^(-t x))
struct SoftMarginValue {
  template <class T>
  PT_INLINE T operator()(T x, T t, T) const {
    return math::softplus(-t * x);
  }
};
struct SoftMarginSlope {
  template <class T>
  PT_INLINE T operator()(T x, T t, T) const {
    return -t * math::sigmoid(-t * x);
  }
};

// t (log t - x), 0 where t is 0.
struct KlDivValue {
  template <class T>
  PT_INLINE T operator()(T x, T t, T) const {
    return math::select(t == T(0), T(0), t * math::log(t)) - t * x;
  }
};
struct KlDivSlope {
  template <class T>
  PT_INLINE T operator()(T, T t, T) const {
    return -t;
  }
};
// The same with the logarithm of the target in t.
struct KlDivLogValue {
  template <class T>
  PT_INLINE T operator()(T x, T t, T) const {
    return math::exp(t) * (t - x);
  }
};
struct KlDivLogSlope {
  template <class T>
  PT_INLINE T operator()(T, T t, T) const {
    return -math::exp(t);
  }
};

namespace math {
// Stirling's approximation of log(t!), 0 up to t = 1.
template <class T>
PT_INLINE T stirling(T t) {
  const T half_log_2pi_t = T(0.5) * log(T(6.283185307179586476925) * t);
  return select(t > T(1), t * log(t) - t + half_log_2pi_t, T(0));
}
}  // namespace math

// x is the logarithm of the rate, or the rate.
struct PoissonLogValue {
  template <class T>
  PT_INLINE T operator()(T x, T t, T) const {
    return math::exp(x) - t * x;
  }
};
struct PoissonLogSlope {
  template <class T>
  PT_INLINE T operator()(T x, T t, T) const {
    return math::exp(x) - t;
  }
};
struct PoissonValue {
  template <class T>
  PT_INLINE T operator()(T x, T t, T eps) const {
    return x - t * math::log(x + eps);
  }
};
struct PoissonSlope {
  template <class T>
  PT_INLINE T operator()(T x, T t, T eps) const {
    return T(1) - t / (x + eps);
  }
};
struct PoissonLogFullValue {
  template <class T>
  PT_INLINE T operator()(T x, T t, T) const {
    return math::exp(x) - t * x + math::stirling(t);
  }
};
struct PoissonFullValue {
  template <class T>
  PT_INLINE T operator()(T x, T t, T eps) const {
    return x - t * math::log(x + eps) + math::stirling(t);
  }
};

}  // namespace PT_FUNCTOR_NAMESPACE
