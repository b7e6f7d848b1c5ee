// Ops that make tensors from sizes and numbers.
#pragma once

#include "op/op.h"

namespace pt {

inline constexpr Op<"empty(int[] size, *, ScalarType? dtype=None, Layout? layout=None, "
                    "Device? device=None, bool? pin_memory=False, "
                    "MemoryFormat? memory_format=None) -> Tensor">
    empty;
inline constexpr Op<"zeros(int[] size, *, ScalarType? dtype=None, Layout? layout=None, "
                    "Device? device=None, bool? pin_memory=False) -> Tensor">
    zeros;
inline constexpr Op<"ones(int[] size, *, ScalarType? dtype=None, Layout? layout=None, "
                    "Device? device=None, bool? pin_memory=False) -> Tensor">
    ones;
inline constexpr Op<"ones_like(Tensor self, *, ScalarType? dtype=None, Layout? layout=None, "
                    "Device? device=None, bool? pin_memory=False, "
                    "MemoryFormat? memory_format=None) -> Tensor">
    ones_like;

}  // namespace pt
