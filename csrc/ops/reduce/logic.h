// Are any or all elements true, and how many.
#pragma once

#include "op/op.h"

namespace pt {

inline constexpr Op<"any(Tensor self) -> Tensor"> any;
inline constexpr Op<"any.dim(Tensor self, int dim, bool keepdim=False) -> Tensor"> any_dim;
inline constexpr Op<"any.dims(Tensor self, int[]? dim=None, bool keepdim=False) -> Tensor">
    any_dims;
inline constexpr Op<"all(Tensor self) -> Tensor"> all;
inline constexpr Op<"all.dim(Tensor self, int dim, bool keepdim=False) -> Tensor"> all_dim;
inline constexpr Op<"all.dims(Tensor self, int[]? dim=None, bool keepdim=False) -> Tensor">
    all_of_dims;
inline constexpr Op<"count_nonzero(Tensor self, int? dim=None) -> Tensor"> count_nonzero;
inline constexpr Op<"count_nonzero.dim_IntList(Tensor self, int[] dim) -> Tensor">
    count_nonzero_dims;

}  // namespace pt
