// A check of a device's values that nothing waits for: the device reports what is wrong, and the
// next function that waits for it raises (cuda/index/bounds.h). Graphs keep the check.
#pragma once

#include "core/tensor.h"
#include "cuda/args/check_args.h"

namespace pt {

// A RuntimeError unless all elements of t, which lies on a device, are in [low, high].
void check_interval_later(const Tensor& t, double low, double high, OutOfBounds what);

}  // namespace pt
