// Places in planes: what max pooling and its relatives have in common.
#pragma once

#include "op/record.h"
#include "ops/pool/window.h"

namespace pt {

// The maxima of the plan's windows and where they are (undefined unless asked for).
std::tuple<Tensor, Tensor> run_max(const char* name, const PoolPlan& plan, const Tensor& self,
                                   bool with_indices);

// g[0] from the gradient of maxima whose places are the second result.
void max_backward(BackwardCall& g, const Tensor& self, int spatial);

}  // namespace pt
