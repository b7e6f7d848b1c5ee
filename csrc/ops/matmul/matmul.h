// Matrix products.
#pragma once

#include "op/op.h"

namespace pt {

inline constexpr Op<"mm(Tensor self, Tensor mat2) -> Tensor"> mm;

}  // namespace pt
