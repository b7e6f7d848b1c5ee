// Sums and means.
#pragma once

#include "op/op.h"

namespace pt {

inline constexpr Op<"sum(Tensor self, *, ScalarType? dtype=None) -> Tensor"> sum;
inline constexpr Op<
    "sum.dim_IntList(Tensor self, int[1]? dim, bool keepdim=False, *, ScalarType? dtype=None) -> "
    "Tensor">
    sum_dim;
inline constexpr Op<
    "nansum(Tensor self, int[1]? dim=None, bool keepdim=False, *, "
    "ScalarType? dtype=None) -> Tensor">
    nansum;
inline constexpr Op<"sum_to_size(Tensor self, int[] size) -> Tensor"> sum_to_size;
inline constexpr Op<"mean(Tensor self, *, ScalarType? dtype=None) -> Tensor"> mean;
inline constexpr Op<
    "mean.dim(Tensor self, int[1]? dim, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor">
    mean_dim;

}  // namespace pt
