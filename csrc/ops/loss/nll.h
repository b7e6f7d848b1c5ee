// The negative log likelihood of classes [N, *] under log probabilities [N, C, *].
#pragma once

#include "op/op.h"

namespace pt {

inline constexpr Op<
    "nll_loss_nd(Tensor self, Tensor target, Tensor? weight=None, int reduction=0, "
    "int ignore_index=-100) -> Tensor">
    nll_loss_nd;
inline constexpr Op<
    "_nll_loss(Tensor self, Tensor target, Tensor? weight, int reduction, int ignore_index) "
    "-> (Tensor loss, Tensor divisor)">
    nll_loss;
inline constexpr Op<
    "_nll_loss_backward(Tensor grad, Tensor self, Tensor target, Tensor? weight, Tensor divisor, "
    "int reduction, int ignore_index) -> Tensor">
    nll_loss_backward;

}  // namespace pt
