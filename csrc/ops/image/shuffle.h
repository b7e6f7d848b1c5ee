// Rearrangements of channels and pixels.
#pragma once

#include "op/op.h"

namespace pt {

inline constexpr Op<"pixel_shuffle(Tensor self, int upscale_factor) -> Tensor"> pixel_shuffle;
inline constexpr Op<"pixel_unshuffle(Tensor self, int downscale_factor) -> Tensor"> pixel_unshuffle;
inline constexpr Op<"channel_shuffle(Tensor self, int groups) -> Tensor"> channel_shuffle;

}  // namespace pt
