// Which way a convolution is computed. Included by conv_f32.cpp and conv_f64.cpp only.
//
// The choice follows from the shape and the measured limits of choices.h alone, so that results do
// not depend on the machine's load. ConvArgs::way overrules it, for the measurement.
#pragma once

#include <type_traits>

#include "cpu/conv/choices.h"
#include "cpu/conv/depthwise_gradient.h"
#include "cpu/conv/pointwise.h"
#include "cpu/conv/scatter.h"
#include "cpu/conv/weight.h"
#include "cpu/conv/winograd.h"
#include "cpu/conv/winograd_weight.h"

namespace pt::PT_ISA::conv {

inline bool takes(const ConvArgs& p, ConvWay way, bool chosen) {
  return p.way == ConvWay::kChosen ? chosen : p.way == way;
}

// Enough channels that the transforms are a small part, enough tiles for that of the weight.
inline bool enough_for_winograd(const ConvArgs& p, const int64_t (&size)[3], int64_t tiles,
                                int64_t channels) {
  return min_of(p.in_channels, p.out_channels) >= channels &&
         p.batch * divide_up(size[1], 2) * divide_up(size[2], 2) >= tiles;
}

template <class T>
bool takes_winograd(const ConvArgs& p, bool gradient) {
  if (!std::is_same_v<T, float> || !winograd_fits(p, gradient)) return false;
  return takes(p, ConvWay::kWinograd,
               gradient ? enough_for_winograd(p, p.in, kWinogradInputTiles, kWinogradInputChannels)
                        : enough_for_winograd(p, p.out, kWinogradTiles, kWinogradChannels));
}

// A large weight is better read once for all the small images of a batch (product.h).
inline bool takes_pointwise(const ConvArgs& p) {
  const bool chosen = p.batch == 1 || volume(p.out) >= kPointwisePixels ||
                      p.in_channels * p.out_channels <= kPointwiseWeights;
  return pointwise_fits(p) && takes(p, ConvWay::kPointwise, chosen);
}

// Few channels, a weight that is large beside the image, or the few pixels of a single image with
// gaps between them.
inline bool takes_scatter(const ConvArgs& p) {
  if (volume(p.kernel) == 1) return false;
  const bool strided = p.stride[0] > 1 || p.stride[1] > 1 || p.stride[2] > 1;
  const bool few_pixels = strided && p.batch == 1 && volume(p.out) <= kScatterPixels;
  const bool few_channels = p.in_channels < kScatterChannels ||
                            (!strided && kScatterRatio * p.in_channels <= p.out_channels);
  return takes(p, ConvWay::kScatter, few_pixels || few_channels);
}

template <class T>
void forward_by_product(const ConvArgs& p) {
  takes_pointwise(p) ? pointwise<T>(p, false) : product_forward<T>(p);
}

template <class T>
void forward(const ConvArgs& p) {
  if (depthwise_fits(p)) return slide_planes<T>(p);
  if constexpr (std::is_same_v<T, float>) {
    if (takes_winograd<T>(p, false)) return winograd(p, false);
  }
  forward_by_product<T>(is_pointwise(p) && split_fits(p) ? picked_pixels<T>(p) : p);
}

// With an input or a result of bfloat16, which only the transforms convert as they read and write.
inline bool mixed_forward(const ConvArgs& p) {
  if (depthwise_fits(p) || !takes_winograd<float>(p, false)) return false;
  winograd(p, false);
  return true;
}

// One tap with steps: the gradient of the pixels that were read, then spread over the image.
template <class T>
void input_gradient_of_pixels(const ConvArgs& p) {
  ConvArgs q = without_steps(p);
  const int64_t size = p.batch * p.groups * p.in_channels * volume(p.out);
  q.input = p.allocate(p.owner, size * static_cast<int64_t>(sizeof(T)));
  takes_pointwise(q) ? pointwise<T>(q, true) : gather_input_gradient<T>(q);
  spread_pixels<T>(p, static_cast<const T*>(q.input));
}

template <class T>
void input_gradient(const ConvArgs& p) {
  if (depthwise_input_gradient_fits(p)) return depthwise_input_gradient<T>(p);
  if constexpr (std::is_same_v<T, float>) {
    if (takes_winograd<T>(p, true)) return winograd(p, true);
  }
  if (is_pointwise(p) && split_fits(p)) return input_gradient_of_pixels<T>(p);
  if (takes_pointwise(p)) return pointwise<T>(p, true);
  if (takes_scatter(p)) return scatter_input_gradient<T>(p);
  gather_input_gradient<T>(p);
}

template <class T>
void weight_gradient(const ConvArgs& p) {
  if (depthwise_fits(p)) return depthwise_weight_gradient<T>(p);
  if constexpr (std::is_same_v<T, float>) {
    const bool enough =
        enough_for_winograd(p, p.out, kWinogradWeightTiles, kWinogradWeightChannels);
    if (winograd_fits(p, false) && takes(p, ConvWay::kWinograd, enough)) {
      return WinogradWeight(p).run();
    }
  }
  if (pointwise_fits(p)) return pointwise_weight_gradient<T>(p);
  if (is_pointwise(p) && split_fits(p)) return pointwise_weight_gradient<T>(picked_pixels<T>(p));
  product_weight_gradient<T>(p, false);
}

}  // namespace pt::PT_ISA::conv
