// Resampling of the last one to three dimensions: what interpolate() does.
#pragma once

#include "op/op.h"

namespace pt {

// mode: nearest, nearest-exact, linear (also for two and three dimensions) cubic, or with antialias
// lanczos. `scales` are the factors that the caller gave, one for each dimension, or none; they
// decide over the places that are read where align_corners is false.
inline constexpr Op<
    "_resample(Tensor self, int[] output_size, str mode, bool align_corners=False, "
    "float[]? scales=None, bool antialias=False) -> Tensor">
    resample;
inline constexpr Op<
    "_resample_backward(Tensor grad, int[] input_size, int[] output_size, str mode, "
    "bool align_corners, float[]? scales, bool antialias) -> Tensor">
    resample_backward;

}  // namespace pt
