// Activation functions and, below, their fused backward functors: (grad, saved tensors...,
// parameters...) -> grad of the input.
#pragma once

#include "ops/functors/functor.h"

namespace PT_FUNCTOR_NAMESPACE {

namespace math {
// log(1 + e^x) without overflow.
template <class T>
PT_INLINE T softplus(T x) {
  return select(x > T(0), x, T(0)) + log1p(exp_nonpositive(-abs(x)));
}
// tanh(softplus(x)) = n / (n + 2) with n = e^x (e^x + 2); 1 from 20 (double: 40) on.
template <class T>
PT_INLINE T tanh_softplus(T x) {
  constexpr T limit = kIsDouble<T> ? T(40) : T(20);
  const T e = exp(select(x > limit, limit, x));
  const T n = e * (e + T(2));
  return n / (n + T(2));
}
inline constexpr double kSqrt2OverPi = 0.797884560802865355879892;
inline constexpr double kGeluCubic = 0.044715;
inline constexpr double kSeluAlpha = 1.6732632423543772848170429916717;
inline constexpr double kSeluScale = 1.0507009873554804934193349852946;
}  // namespace math

struct Relu {
  static constexpr bool kChoosing = true;
  template <class T>
  PT_INLINE T operator()(T x) const {
    return math::select(x < T(0), T(0), x);
  }
};
struct Relu6 {
  template <class T>
  PT_INLINE T operator()(T x) const {
    return math::select(x < T(0), T(0), math::select(x > T(6), T(6), x));
  }
};
struct LeakyRelu {
  template <class T>
  PT_INLINE T operator()(T x, T slope) const {
    return math::select(x > T(0), x, x * slope);
  }
};
struct Threshold {
  template <class T>
  PT_INLINE T operator()(T x, T threshold, T value) const {
    return math::select(x <= threshold, value, x);
  }
};
struct Elu : Blockwise {
  static constexpr int kTensorInputs = 1;
  template <class T>
  PT_INLINE T operator()(T x, T alpha, T scale, T input_scale) const {
    return math::select(x < T(0), math::expm1(x * input_scale) * (alpha * scale), x * scale);
  }
};
struct Selu : Blockwise {
  template <class T>
  PT_INLINE T operator()(T x) const {
    return Elu{}(x, T(math::kSeluAlpha), T(math::kSeluScale), T(1));
  }
};
struct Celu : Blockwise {
  static constexpr int kTensorInputs = 1;
  template <class T>
  PT_INLINE T operator()(T x, T alpha) const {
    return Elu{}(x, alpha, T(1), T(1) / alpha);
  }
};
struct Gelu : Blockwise {
  template <class T>
  PT_INLINE T operator()(T x) const {
    return x * math::normal_cdf(x);
  }
};
// 0.5 x (1 + tanh u) = x sigmoid(2u).
struct GeluTanh : Blockwise {
  template <class T>
  PT_INLINE T operator()(T x) const {
    const T u = T(math::kSqrt2OverPi) * (x + T(math::kGeluCubic) * x * x * x);
    return x * math::sigmoid(u + u);
  }
};
struct Silu : Blockwise {
  template <class T>
  PT_INLINE T operator()(T x) const {
    return x * math::sigmoid(x);
  }
};
struct Mish : Blockwise {
  template <class T>
  PT_INLINE T operator()(T x) const {
    return x * math::tanh_softplus(x);
  }
};
struct Softplus : Blockwise {
  static constexpr int kTensorInputs = 1;
  template <class T>
  PT_INLINE T operator()(T x, T beta, T threshold) const {
    const T z = x * beta;
    return math::select(z > threshold, x, math::softplus(z) / beta);
  }
};
struct LogSigmoid : Blockwise {
  template <class T>
  PT_INLINE T operator()(T x) const {
    return math::select(x < T(0), x, T(0)) - math::log1p(math::exp_nonpositive(-math::abs(x)));
  }
};
struct Softsign {
  template <class T>
  PT_INLINE T operator()(T x) const {
    return x / (T(1) + math::abs(x));
  }
};
struct Hardsigmoid {
  template <class T>
  PT_INLINE T operator()(T x) const {
    return Relu6{}(x + T(3)) * T(1.0 / 6);
  }
};
struct Hardswish {
  template <class T>
  PT_INLINE T operator()(T x) const {
    return x * Relu6{}(x + T(3)) * T(1.0 / 6);
  }
};
struct Hardshrink {
  template <class T>
  PT_INLINE T operator()(T x, T lambda) const {
    return math::select((x >= -lambda) & (x <= lambda), T(0), x);
  }
};
struct Softshrink {
  template <class T>
  PT_INLINE T operator()(T x, T lambda) const {
    return math::select(x > lambda, x - lambda,
                        math::select(x < -lambda, x + lambda, x * T(0)));  // NaN stays NaN
  }
};

// Backward of relu and threshold: (grad, input or result, threshold).
struct ThresholdBackward {
  template <class T>
  PT_INLINE T operator()(T grad, T x, T threshold) const {
    return math::select(x <= threshold, T(0), grad);
  }
};
struct ReluBackward {
  static constexpr bool kChoosing = true;
  template <class T>
  PT_INLINE T operator()(T grad, T result) const {
    return math::select(result <= T(0), T(0), grad);
  }
};
struct LeakyReluBackward {
  template <class T>
  PT_INLINE T operator()(T grad, T x, T slope) const {
    return math::select(x > T(0), grad, grad * slope);
  }
};
struct SigmoidBackward {
  template <class T>
  PT_INLINE T operator()(T grad, T y) const {
    return grad * (T(1) - y) * y;
  }
};
struct TanhBackward {
  template <class T>
  PT_INLINE T operator()(T grad, T y) const {
    return grad * (T(1) - y * y);
  }
};
struct SiluBackward : Blockwise {
  template <class T>
  PT_INLINE T operator()(T grad, T x) const {
    const T s = math::sigmoid(x);
    return grad * s * (T(1) + x * (T(1) - s));
  }
};
struct GeluBackward : Blockwise {
  template <class T>
  PT_INLINE T operator()(T grad, T x) const {
    const T pdf = math::exp_nonpositive(T(-0.5) * x * x) * T(math::kInvSqrt2Pi);
    return grad * (math::normal_cdf(x) + x * pdf);
  }
};
struct GeluTanhBackward : Blockwise {
  template <class T>
  PT_INLINE T operator()(T grad, T x) const {
    const T u = T(math::kSqrt2OverPi) * (x + T(math::kGeluCubic) * x * x * x);
    const T du = T(math::kSqrt2OverPi) * (T(1) + T(3 * math::kGeluCubic) * x * x);
    const T s = math::sigmoid(u + u);
    return grad * (s + T(2) * x * s * (T(1) - s) * du);
  }
};
struct EluBackward : Blockwise {
  static constexpr int kTensorInputs = 2;
  template <class T>
  PT_INLINE T operator()(T grad, T x, T alpha, T scale, T input_scale) const {
    const T slope = input_scale * alpha * scale;
    return math::select(x > T(0), grad * scale, grad * slope * math::exp(x * input_scale));
  }
};
struct HardtanhBackward {
  template <class T>
  PT_INLINE T operator()(T grad, T x, T low, T high) const {
    return math::select((x > low) & (x < high), grad, T(0));
  }
};
struct HardsigmoidBackward {
  template <class T>
  PT_INLINE T operator()(T grad, T x) const {
    return math::select((x > T(-3)) & (x < T(3)), grad * T(1.0 / 6), T(0));
  }
};
struct HardswishBackward {
  template <class T>
  PT_INLINE T operator()(T grad, T x) const {
    const T inner = grad * (x / T(3) + T(0.5));
    return math::select(x <= T(-3), T(0), math::select(x >= T(3), grad, inner));
  }
};
struct MishBackward : Blockwise {
  template <class T>
  PT_INLINE T operator()(T grad, T x) const {
    const T t = math::tanh_softplus(x);
    return grad * (t + x * math::sigmoid(x) * (T(1) - t * t));
  }
};
struct SoftplusBackward : Blockwise {
  static constexpr int kTensorInputs = 2;
  template <class T>
  PT_INLINE T operator()(T grad, T x, T beta, T threshold) const {
    const T z = x * beta;
    return math::select(z > threshold, grad, grad * math::sigmoid(z));
  }
};
struct LogSigmoidBackward : Blockwise {
  template <class T>
  PT_INLINE T operator()(T grad, T x) const {
    return grad * math::sigmoid(-x);
  }
};
// Backward of hardshrink and softshrink.
struct ShrinkBackward {
  template <class T>
  PT_INLINE T operator()(T grad, T x, T lambda) const {
    return math::select((x < -lambda) | (x > lambda), grad, T(0));
  }
};
struct ClampBackward {
  template <class T>
  PT_INLINE T operator()(T grad, T x, T low, T high) const {
    return math::select((x >= low) & (x <= high), grad, T(0));
  }
};

}  // namespace PT_FUNCTOR_NAMESPACE
