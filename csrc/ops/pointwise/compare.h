// Elementwise comparison, logic, classification and selection.
#pragma once

#include "op/op.h"

namespace pt {

inline constexpr Op<"eq(Tensor self, Tensor other) -> Tensor"> eq;
inline constexpr Op<"ne(Tensor self, Tensor other) -> Tensor"> ne;
inline constexpr Op<"lt(Tensor self, Tensor other) -> Tensor"> lt;
inline constexpr Op<"le(Tensor self, Tensor other) -> Tensor"> le;
inline constexpr Op<"gt(Tensor self, Tensor other) -> Tensor"> gt;
inline constexpr Op<"ge(Tensor self, Tensor other) -> Tensor"> ge;
inline constexpr Op<
    "isclose(Tensor self, Tensor other, float rtol=1e-05, float atol=1e-08, "
    "bool equal_nan=False) -> Tensor">
    isclose;
inline constexpr Op<
    "allclose(Tensor self, Tensor other, float rtol=1e-05, float atol=1e-08, "
    "bool equal_nan=False) -> bool">
    allclose;
inline constexpr Op<"equal(Tensor self, Tensor other) -> bool"> equal;

inline constexpr Op<"logical_and(Tensor self, Tensor other) -> Tensor"> logical_and;
inline constexpr Op<"logical_or(Tensor self, Tensor other) -> Tensor"> logical_or;
inline constexpr Op<"logical_xor(Tensor self, Tensor other) -> Tensor"> logical_xor;
inline constexpr Op<"logical_not(Tensor self) -> Tensor"> logical_not;

inline constexpr Op<"isnan(Tensor self) -> Tensor"> isnan;
inline constexpr Op<"isinf(Tensor self) -> Tensor"> isinf;
inline constexpr Op<"isfinite(Tensor self) -> Tensor"> isfinite;
inline constexpr Op<"isposinf(Tensor self) -> Tensor"> isposinf;
inline constexpr Op<"isneginf(Tensor self) -> Tensor"> isneginf;

inline constexpr Op<"where(Tensor condition, Tensor self, Tensor other) -> Tensor"> where;
inline constexpr Op<"where.method(Tensor self, Tensor condition, Tensor other) -> Tensor">
    where_method;

}  // namespace pt
