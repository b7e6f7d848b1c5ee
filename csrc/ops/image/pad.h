// Padding. `pad` counts from the last dimension: (left, right, top, bottom, front, back...).
#pragma once

#include "op/op.h"

namespace pt {

inline constexpr Op<"constant_pad_nd(Tensor self, int[] pad, Scalar value=0) -> Tensor">
    constant_pad_nd;
inline constexpr Op<"pad(Tensor self, int[] pad, str mode='constant', float? value=None) -> Tensor">
    pad;
// Modes that repeat elements of one to three dimensions: reflect, replicate, circular.
inline constexpr Op<"_repeat_pad(Tensor self, int[] pad, str mode) -> Tensor"> repeat_pad;
inline constexpr Op<
    "_repeat_pad_backward(Tensor grad, int[] input_size, int[] pad, str mode) -> Tensor">
    repeat_pad_backward;

}  // namespace pt
