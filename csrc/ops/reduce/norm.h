// Lengths of vectors.
#pragma once

#include "op/op.h"

namespace pt {

inline constexpr Op<
    "linalg_vector_norm(Tensor self, Scalar ord=2, int[1]? dim=None, "
    "bool keepdim=False, *, ScalarType? dtype=None) -> Tensor">
    linalg_vector_norm;
inline constexpr Op<"dist(Tensor self, Tensor other, Scalar p=2) -> Tensor"> dist;

}  // namespace pt
