// Cross entropy of class scores [N, C, *] with classes [N, *] or probabilities [N, C, *].
#pragma once

#include "op/op.h"

namespace pt {

inline constexpr Op<
    "cross_entropy_loss(Tensor self, Tensor target, Tensor? weight=None, int reduction=0, "
    "int ignore_index=-100, float label_smoothing=0.0) -> Tensor">
    cross_entropy_loss;
// The loss, and what backward needs: `statistics` of each line of classes, and what the mean
// divides by.
inline constexpr Op<
    "_cross_entropy(Tensor self, Tensor target, Tensor? weight, int reduction, int ignore_index, "
    "float label_smoothing) -> (Tensor loss, Tensor statistics, Tensor divisor)">
    cross_entropy;
inline constexpr Op<
    "_cross_entropy_backward(Tensor grad, Tensor self, Tensor target, Tensor? weight, "
    "Tensor statistics, Tensor divisor, int reduction, int ignore_index, float label_smoothing) "
    "-> Tensor">
    cross_entropy_backward;

}  // namespace pt
