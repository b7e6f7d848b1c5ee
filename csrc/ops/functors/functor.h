// What a functor is: a stateless struct whose operator() computes one element, a template over
// the compute type (float, double, int32_t, int64_t, where useful uint8_t). An op's scalar
// parameters are arguments like its tensors. Bool8 results become bool tensors.
//
// Base classes tell the CPU loops how to run it; the CUDA loops ignore them.
#pragma once

#include "ops/functors/math.h"

namespace PT_FUNCTOR_NAMESPACE {

// A long formula: the loop works on whole blocks only, tails are padded.
struct Blockwise {};

// Blockwise, and fast(x...) is right only where in_range(x...) says so; operator() always is.
struct Guarded : Blockwise {};

}  // namespace PT_FUNCTOR_NAMESPACE
