// Elementwise functions of integers: bit operations, shifts, divisors.
#pragma once

#include "op/op.h"

namespace pt {

inline constexpr Op<"bitwise_and(Tensor self, Tensor other) -> Tensor"> bitwise_and;
inline constexpr Op<"bitwise_or(Tensor self, Tensor other) -> Tensor"> bitwise_or;
inline constexpr Op<"bitwise_xor(Tensor self, Tensor other) -> Tensor"> bitwise_xor;
inline constexpr Op<"bitwise_not(Tensor self) -> Tensor"> bitwise_not;
inline constexpr Op<"bitwise_left_shift(Tensor self, Tensor other) -> Tensor"> bitwise_left_shift;
inline constexpr Op<"bitwise_right_shift(Tensor self, Tensor other) -> Tensor"> bitwise_right_shift;
inline constexpr Op<"gcd(Tensor self, Tensor other) -> Tensor"> gcd;
inline constexpr Op<"lcm(Tensor self, Tensor other) -> Tensor"> lcm;

}  // namespace pt
