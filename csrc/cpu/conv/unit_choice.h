// Which convolutions the bfloat16 units compute. Used by unit_product.h and unit_weight.h.
//
// bfloat16 ones, and float32 ones that are rounded to it, wherever the shape allows. Those of
// float32 numbers in two parts have the kernels of conv/choose.h to compete with: the limits are
// between what was slower and what was quicker on one thread of a Xeon with AMX.
#pragma once

#include "cpu/conv/unit_image.h"

#if defined(PT_ISA_IS_AVX512)

namespace pt::PT_ISA::conv {

// Whether the units compute this convolution: two-dimensional ones of more than a few channels.
inline bool units_fit(const ConvArgs& p) {
  const BFloat16Unit unit = bfloat16_unit();
  if (unit == BFloat16Unit::kNone || (p.two_parts && unit != BFloat16Unit::kTiles)) return false;
  if (p.kernel[0] != 1 || p.in[0] != 1 || p.out[0] != 1 || p.padding[0] != 0) return false;
  const int64_t taps = p.kernel[1] * p.kernel[2];
  if (taps > kMostUnitTaps || p.in[1] * p.in[2] > (int64_t{1} << 28)) return false;
  // Much of a plane would be empty where strides or dilations are large.
  for (int d = 1; d < 3; d++) {
    if (p.stride[d] > 8 || (p.kernel[d] - 1) * p.dilation[d] > 4 * p.out[d] + 16) return false;
    if (p.padding[d] > 4 * p.in[d] + 16) return false;
  }
  if (p.groups > 1 && (p.in_channels < 8 || p.out_channels < 8)) return false;
  return p.out_channels * p.in_channels * taps * p.batch * volume(p.out) >= 32768;
}

// Products for the result and for the gradient by the input: rows of the weight, channels of the
// image that is read.
inline bool parts_fit_product(const ConvArgs& p, int64_t rows, int64_t channels) {
  if (!p.two_parts) return true;
  constexpr int64_t kFewPixels = 64;
  const int64_t taps = volume(p.kernel);
  if (p.stride[1] > 2 || p.stride[2] > 2) return false;  // read number by number
  if (p.out_channels * p.in_channels * taps * p.batch * volume(p.out) < 1'000'000) return false;
  if (taps == 1) return channels >= 32 && rows >= 48;
  if (channels < kFewChannels) return rows >= 32;
  return rows >= 16 && p.batch * volume(p.out) >= kFewPixels;
}

// The gradient by the weight: sums over few pixels do not pay for the large matrix of sums.
inline bool parts_fit_weight(const ConvArgs& p) {
  if (!p.two_parts) return true;
  const int64_t taps = volume(p.kernel), pixels = p.batch * volume(p.out);
  const int64_t channels = min_of(p.in_channels, p.out_channels);
  if (p.stride[1] > 2 || p.stride[2] > 2 || (taps == 1 && p.stride[2] > 1)) return false;
  return taps == 1 ? channels >= 48 && pixels >= 128 : channels >= kFewChannels && pixels >= 512;
}

}  // namespace pt::PT_ISA::conv

#endif
