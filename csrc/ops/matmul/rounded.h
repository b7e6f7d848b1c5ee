// Products of float32 and bfloat16 tensors with a result of either: what autocast makes of products
// where the processor has no units for bfloat16.
#pragma once

#include "op/op.h"

namespace pt {

inline constexpr Op<"mm_rounded(Tensor self, Tensor mat2, ScalarType dtype) -> Tensor"> mm_rounded;
inline constexpr Op<
    "linear_rounded(Tensor input, Tensor weight, Tensor? bias, ScalarType dtype) -> Tensor">
    linear_rounded;

}  // namespace pt
