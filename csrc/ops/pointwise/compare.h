// Elementwise comparison, logic and selection.
#pragma once

#include "op/op.h"

namespace pt {

inline constexpr Op<"eq(Tensor self, Tensor other) -> Tensor"> eq;
inline constexpr Op<"ne(Tensor self, Tensor other) -> Tensor"> ne;
inline constexpr Op<"lt(Tensor self, Tensor other) -> Tensor"> lt;
inline constexpr Op<"le(Tensor self, Tensor other) -> Tensor"> le;
inline constexpr Op<"gt(Tensor self, Tensor other) -> Tensor"> gt;
inline constexpr Op<"ge(Tensor self, Tensor other) -> Tensor"> ge;
inline constexpr Op<"logical_and(Tensor self, Tensor other) -> Tensor"> logical_and;
inline constexpr Op<"logical_or(Tensor self, Tensor other) -> Tensor"> logical_or;
inline constexpr Op<"isnan(Tensor self) -> Tensor"> isnan;
inline constexpr Op<"where(Tensor condition, Tensor self, Tensor other) -> Tensor"> where;

}  // namespace pt
