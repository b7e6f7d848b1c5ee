// Largest and smallest elements and their places.
#pragma once

#include "op/op.h"

namespace pt {

inline constexpr Op<"max(Tensor self) -> Tensor"> max_all;
inline constexpr Op<"max.other(Tensor self, Tensor other) -> Tensor"> max_other;
inline constexpr Op<
    "max.dim(Tensor self, int dim, bool keepdim=False) -> (Tensor values, Tensor indices)">
    max_dim;
inline constexpr Op<"min(Tensor self) -> Tensor"> min_all;
inline constexpr Op<"min.other(Tensor self, Tensor other) -> Tensor"> min_other;
inline constexpr Op<
    "min.dim(Tensor self, int dim, bool keepdim=False) -> (Tensor values, Tensor indices)">
    min_dim;
inline constexpr Op<"amax(Tensor self, int[1] dim=[], bool keepdim=False) -> Tensor"> amax;
inline constexpr Op<"amin(Tensor self, int[1] dim=[], bool keepdim=False) -> Tensor"> amin;
inline constexpr Op<
    "aminmax(Tensor self, *, int? dim=None, bool keepdim=False) -> (Tensor min, Tensor max)">
    aminmax;
inline constexpr Op<"argmax(Tensor self, int? dim=None, bool keepdim=False) -> Tensor"> argmax;
inline constexpr Op<"argmin(Tensor self, int? dim=None, bool keepdim=False) -> Tensor"> argmin;

}  // namespace pt
