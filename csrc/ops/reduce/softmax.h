// softmax, log_softmax, logsumexp.
#pragma once

#include "op/op.h"

namespace pt {

inline constexpr Op<"logsumexp(Tensor self, int[1] dim, bool keepdim=False) -> Tensor"> logsumexp;
inline constexpr Op<"softmax.int(Tensor self, int dim, ScalarType? dtype=None) -> Tensor"> softmax;
inline constexpr Op<"log_softmax.int(Tensor self, int dim, ScalarType? dtype=None) -> Tensor">
    log_softmax;

// From the gradient of the result and the result itself to the gradient of the input.
inline constexpr Op<"_softmax_backward(Tensor grad, Tensor output, int dim) -> Tensor">
    softmax_backward;
inline constexpr Op<"_log_softmax_backward(Tensor grad, Tensor output, int dim) -> Tensor">
    log_softmax_backward;

}  // namespace pt
