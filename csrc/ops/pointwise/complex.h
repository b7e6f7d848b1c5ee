// The functions of complex numbers that programs also call on real tensors.
#pragma once

#include "op/op.h"

namespace pt {

inline constexpr Op<"real(Tensor self) -> Tensor"> real;
inline constexpr Op<"imag(Tensor self) -> Tensor"> imag;
inline constexpr Op<"conj(Tensor self) -> Tensor"> conj;
inline constexpr Op<"conj_physical(Tensor self) -> Tensor"> conj_physical;
inline constexpr Op<"resolve_conj(Tensor self) -> Tensor"> resolve_conj;
inline constexpr Op<"resolve_neg(Tensor self) -> Tensor"> resolve_neg;
inline constexpr Op<"angle(Tensor self) -> Tensor"> angle;
inline constexpr Op<"isreal(Tensor self) -> Tensor"> isreal;

}  // namespace pt
