// Elementwise functions of two tensors beyond plain arithmetic.
#pragma once

#include "op/op.h"

namespace pt {

inline constexpr Op<"maximum(Tensor self, Tensor other) -> Tensor"> maximum;
inline constexpr Op<"minimum(Tensor self, Tensor other) -> Tensor"> minimum;
inline constexpr Op<"fmax(Tensor self, Tensor other) -> Tensor"> fmax;
inline constexpr Op<"fmin(Tensor self, Tensor other) -> Tensor"> fmin;
inline constexpr Op<"hypot(Tensor self, Tensor other) -> Tensor"> hypot;
inline constexpr Op<"ldexp.Tensor(Tensor self, Tensor other) -> Tensor"> ldexp;
inline constexpr Op<"atan2(Tensor self, Tensor other) -> Tensor"> atan2;
inline constexpr Op<"logaddexp(Tensor self, Tensor other) -> Tensor"> logaddexp;
inline constexpr Op<"logaddexp2(Tensor self, Tensor other) -> Tensor"> logaddexp2;
inline constexpr Op<"xlogy(Tensor self, Tensor other) -> Tensor"> xlogy;
inline constexpr Op<"special_xlog1py(Tensor self, Tensor other) -> Tensor"> special_xlog1py;
inline constexpr Op<"copysign(Tensor self, Tensor other) -> Tensor"> copysign;
inline constexpr Op<"heaviside(Tensor self, Tensor values) -> Tensor"> heaviside;
inline constexpr Op<"nextafter(Tensor self, Tensor other) -> Tensor"> nextafter;

}  // namespace pt
