// The fused gradients of activation functions, ops themselves so that they can be differentiated
// again. `result` is the activation's output, `self` its input.
#pragma once

#include "op/op.h"

namespace pt {

inline constexpr Op<"relu_backward(Tensor grad, Tensor result) -> Tensor"> relu_backward;
inline constexpr Op<"threshold_backward(Tensor grad, Tensor self, Scalar threshold) -> Tensor">
    threshold_backward;
inline constexpr Op<
    "leaky_relu_backward(Tensor grad, Tensor self, Scalar negative_slope) -> Tensor">
    leaky_relu_backward;
inline constexpr Op<"hardtanh_backward(Tensor grad, Tensor self, Scalar min, Scalar max) -> Tensor">
    hardtanh_backward;
inline constexpr Op<"clamp_backward(Tensor grad, Tensor self, Scalar min, Scalar max) -> Tensor">
    clamp_backward;
inline constexpr Op<"shrink_backward(Tensor grad, Tensor self, Scalar lambd) -> Tensor">
    shrink_backward;
inline constexpr Op<"hardsigmoid_backward(Tensor grad, Tensor self) -> Tensor">
    hardsigmoid_backward;
inline constexpr Op<"hardswish_backward(Tensor grad, Tensor self) -> Tensor"> hardswish_backward;

inline constexpr Op<"sigmoid_backward(Tensor grad, Tensor result) -> Tensor"> sigmoid_backward;
inline constexpr Op<"tanh_backward(Tensor grad, Tensor result) -> Tensor"> tanh_backward;
inline constexpr Op<"log_sigmoid_backward(Tensor grad, Tensor self) -> Tensor">
    log_sigmoid_backward;
inline constexpr Op<
    "softplus_backward(Tensor grad, Tensor self, Scalar beta, Scalar threshold) -> "
    "Tensor">
    softplus_backward;
inline constexpr Op<
    "elu_backward(Tensor grad, Tensor self, Scalar alpha, Scalar scale, "
    "Scalar input_scale) -> Tensor">
    elu_backward;
inline constexpr Op<"silu_backward(Tensor grad, Tensor self) -> Tensor"> silu_backward;
inline constexpr Op<"mish_backward(Tensor grad, Tensor self) -> Tensor"> mish_backward;
inline constexpr Op<"gelu_backward(Tensor grad, Tensor self) -> Tensor"> gelu_backward;
inline constexpr Op<"gelu_tanh_backward(Tensor grad, Tensor self) -> Tensor"> gelu_tanh_backward;

}  // namespace pt
