// Sums.
#pragma once

#include "op/op.h"

namespace pt {

inline constexpr Op<"sum(Tensor self, *, ScalarType? dtype=None) -> Tensor"> sum;
inline constexpr Op<
    "sum.dim_IntList(Tensor self, int[1]? dim, bool keepdim=False, *, ScalarType? dtype=None) -> "
    "Tensor">
    sum_dim;
inline constexpr Op<"sum_to_size(Tensor self, int[] size) -> Tensor"> sum_to_size;

}  // namespace pt
