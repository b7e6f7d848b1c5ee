// Fused gradients of activation functions and their own gradients. See activation_backward.h.
#include "ops/pointwise/activation_backward.h"

#include "ops/pointwise/arithmetic.h"
#include "ops/pointwise/compare.h"
#include "ops/pointwise/formula.h"
#include "ops/pointwise/unary.h"

namespace pt {

// --- piecewise linear activations: the slope itself is constant

PT_OP(relu_backward)
    .pointwise("relu_backward")
    .saves("result@grad")
    .backward([](BackwardCall& g, const Tensor&, const Tensor& result) {
      if (g.needs(0)) g[0] = relu_backward(g.grad(), result);
      if (g.needs(1)) g[1] = zeros_of(g.grad());
    })
    .internal();

PT_OP(threshold_backward)
    .pointwise("threshold_backward")
    .saves("self@grad")
    .backward([](BackwardCall& g, const Tensor&, const Tensor& self, Scalar threshold) {
      if (g.needs(0)) g[0] = threshold_backward(g.grad(), self, threshold);
      if (g.needs(1)) g[1] = zeros_of(g.grad());
    })
    .internal();

PT_OP(leaky_relu_backward)
    .pointwise("leaky_relu_backward")
    .saves("self@grad")
    .backward([](BackwardCall& g, const Tensor&, const Tensor& self, Scalar negative_slope) {
      if (g.needs(0)) g[0] = leaky_relu_backward(g.grad(), self, negative_slope);
      if (g.needs(1)) g[1] = zeros_of(g.grad());
    })
    .internal();

PT_OP(hardtanh_backward)
    .pointwise("hardtanh_backward")
    .saves("self@grad")
    .backward([](BackwardCall& g, const Tensor&, const Tensor& self, Scalar min, Scalar max) {
      if (g.needs(0)) g[0] = hardtanh_backward(g.grad(), self, min, max);
      if (g.needs(1)) g[1] = zeros_of(g.grad());
    })
    .internal();

PT_OP(clamp_backward)
    .pointwise("clamp_backward")
    .saves("self@grad")
    .backward([](BackwardCall& g, const Tensor&, const Tensor& self, Scalar min, Scalar max) {
      if (g.needs(0)) g[0] = clamp_backward(g.grad(), self, min, max);
      if (g.needs(1)) g[1] = zeros_of(g.grad());
    })
    .internal();

PT_OP(shrink_backward)
    .pointwise("shrink_backward")
    .saves("self@grad")
    .backward([](BackwardCall& g, const Tensor&, const Tensor& self, Scalar lambd) {
      if (g.needs(0)) g[0] = shrink_backward(g.grad(), self, lambd);
      if (g.needs(1)) g[1] = zeros_of(g.grad());
    })
    .internal();

PT_OP(hardsigmoid_backward)
    .pointwise("hardsigmoid_backward")
    .saves("self@grad")
    .backward([](BackwardCall& g, const Tensor&, const Tensor& self) {
      if (g.needs(0)) g[0] = hardsigmoid_backward(g.grad(), self);
      if (g.needs(1)) g[1] = zeros_of(g.grad());
    })
    .internal();

PT_OP(hardswish_backward)
    .pointwise("hardswish_backward")
    .saves("grad@self, self")
    .backward([](BackwardCall& g, const Tensor& grad, const Tensor& self) {
      if (g.needs(0)) g[0] = hardswish_backward(g.grad(), self);
      if (g.needs(1)) g[1] = hardtanh_backward(g.grad() * grad * (1.0 / 3), self, -3.0, 3.0);
    })
    .internal();

// --- smooth activations

PT_OP(sigmoid_backward)
    .pointwise("sigmoid_backward")
    .saves("grad@result, result")
    .backward([](BackwardCall& g, const Tensor& grad, const Tensor& result) {
      if (g.needs(0)) g[0] = sigmoid_backward(g.grad(), result);
      if (g.needs(1)) g[1] = g.grad() * grad * (1 - 2 * result);
    })
    .internal();

PT_OP(tanh_backward)
    .pointwise("tanh_backward")
    .saves("grad@result, result")
    .backward([](BackwardCall& g, const Tensor& grad, const Tensor& result) {
      if (g.needs(0)) g[0] = tanh_backward(g.grad(), result);
      if (g.needs(1)) g[1] = g.grad() * grad * (-2 * result);
    })
    .internal();

PT_OP(log_sigmoid_backward)
    .pointwise("log_sigmoid_backward")
    .saves("grad@self, self")
    .backward([](BackwardCall& g, const Tensor& grad, const Tensor& self) {
      if (g.needs(0)) g[0] = log_sigmoid_backward(g.grad(), self);
      if (g.needs(1)) g[1] = neg(sigmoid_backward(g.grad() * grad, sigmoid(self)));
    })
    .internal();

PT_OP(softplus_backward)
    .pointwise("softplus_backward")
    .saves("grad@self, self")
    .backward([](BackwardCall& g, const Tensor& grad, const Tensor& self, Scalar beta,
                 Scalar threshold) {
      if (g.needs(0)) g[0] = softplus_backward(g.grad(), self, beta, threshold);
      if (g.needs(1)) {
        const Tensor z = mul(self, beta);
        const Tensor bent = sigmoid_backward(g.grad() * grad * beta, sigmoid(z));
        g[1] = where(gt(z, threshold), 0.0, bent);
      }
    })
    .internal();

PT_OP(elu_backward)
    .pointwise("elu_backward")
    .saves("grad@self, self")
    .backward([](BackwardCall& g, const Tensor& grad, const Tensor& self, Scalar alpha,
                 Scalar scale, Scalar input_scale) {
      if (g.needs(0)) g[0] = elu_backward(g.grad(), self, alpha, scale, input_scale);
      if (g.needs(1)) {
        const Tensor bent = elu_backward(g.grad() * grad, self, alpha, scale, input_scale);
        g[1] = where(gt(self, 0), 0.0, bent * input_scale);
      }
    })
    .internal();

PT_OP(silu_backward)
    .pointwise("silu_backward")
    .saves("grad@self, self")
    .backward([](BackwardCall& g, const Tensor& grad, const Tensor& self) {
      if (g.needs(0)) g[0] = silu_backward(g.grad(), self);
      if (g.needs(1)) {
        const Tensor s = sigmoid(self);
        g[1] = g.grad() * grad * (s * (1 - s)) * (2 + self * (1 - 2 * s));
      }
    })
    .internal();

PT_OP(mish_backward)
    .pointwise("mish_backward")
    .saves("grad@self, self")
    .backward([](BackwardCall& g, const Tensor& grad, const Tensor& self) {
      if (g.needs(0)) g[0] = mish_backward(g.grad(), self);
      if (g.needs(1)) {
        const Tensor s = sigmoid(self);
        const Tensor t = tanh(neg(log(sigmoid(neg(self)))));
        const Tensor slope = s * (1 - t * t);
        g[1] = g.grad() * grad * slope * (2 + self * (1 - s - 2 * t * s));
      }
    })
    .internal();

PT_OP(gelu_backward)
    .pointwise("gelu_backward")
    .saves("grad@self, self")
    .backward([](BackwardCall& g, const Tensor& grad, const Tensor& self) {
      if (g.needs(0)) g[0] = gelu_backward(g.grad(), self);
      if (g.needs(1)) {
        const Tensor square = self * self;
        g[1] = g.grad() * grad * (2 - square) * exp(square * -0.5) * (1 / kSqrt2Pi);
      }
    })
    .internal();

PT_OP(gelu_tanh_backward)
    .pointwise("gelu_tanh_backward")
    .saves("grad@self, self")
    .backward([](BackwardCall& g, const Tensor& grad, const Tensor& self) {
      if (g.needs(0)) g[0] = gelu_tanh_backward(g.grad(), self);
      if (g.needs(1)) {
        // x s(2u) with u = k (x + c x^3): the second derivative by the product rule.
        constexpr double k = 2 / kSqrt2Pi, c = 0.044715;
        const Tensor square = self * self;
        const Tensor s = sigmoid(2 * k * (self * (1 + c * square)));
        const Tensor du = k * (1 + 3 * c * square);
        const Tensor bend = s * (1 - s);
        const Tensor turn = (1 - 2 * s) * (du * du) + 3 * k * c * self;
        g[1] = g.grad() * grad * (4 * bend * (du + self * turn));
      }
    })
    .internal();

}  // namespace pt
