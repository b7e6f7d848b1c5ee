// Elementwise functions of one tensor.
#pragma once

#include "op/op.h"

namespace pt {

inline constexpr Op<"abs(Tensor self) -> Tensor"> abs;
inline constexpr Op<"exp(Tensor self) -> Tensor"> exp;
inline constexpr Op<"log(Tensor self) -> Tensor"> log;
inline constexpr Op<"sqrt(Tensor self) -> Tensor"> sqrt;
inline constexpr Op<"sign(Tensor self) -> Tensor"> sign;
inline constexpr Op<"tanh(Tensor self) -> Tensor"> tanh;
inline constexpr Op<"sigmoid(Tensor self) -> Tensor"> sigmoid;
inline constexpr Op<"relu(Tensor self) -> Tensor"> relu;
inline constexpr Op<"clamp(Tensor self, Scalar? min=None, Scalar? max=None) -> Tensor"> clamp;
inline constexpr Op<"clamp.Tensor(Tensor self, Tensor? min=None, Tensor? max=None) -> Tensor">
    clamp_tensor;

}  // namespace pt
