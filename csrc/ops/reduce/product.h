// Products.
#pragma once

#include "op/op.h"

namespace pt {

inline constexpr Op<"prod(Tensor self, *, ScalarType? dtype=None) -> Tensor"> prod;
inline constexpr Op<
    "prod.dim_int(Tensor self, int dim, bool keepdim=False, *, "
    "ScalarType? dtype=None) -> Tensor">
    prod_dim;

}  // namespace pt
