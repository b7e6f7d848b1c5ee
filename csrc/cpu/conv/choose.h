// Which way a convolution is computed. Included by conv_f32.cpp and conv_f64.cpp only.
//
// The choice follows from shapes alone, so that results do not depend on the machine's load.
#pragma once

#include <type_traits>

#include "cpu/conv/depthwise_gradient.h"
#include "cpu/conv/pointwise.h"
#include "cpu/conv/scatter.h"
#include "cpu/conv/weight.h"
#include "cpu/conv/winograd_weight.h"

namespace pt::PT_ISA::conv {

template <class T>
void forward_by_product(const ConvArgs& p) {
  pointwise_fits(p) ? pointwise<T>(p, false) : product_forward<T>(p);
}

template <class T>
void forward(const ConvArgs& p) {
  if (depthwise_fits(p)) return slide_planes<T>(p);
  if constexpr (std::is_same_v<T, float>) {
    if (winograd_fits(p, false)) return winograd(p, false);
  }
  if (is_pointwise(p) && split_fits(p)) return forward_by_product<T>(picked_pixels<T>(p));
  forward_by_product<T>(p);
}

// One tap with steps: the gradient of the pixels that were read, then spread over the image.
template <class T>
void input_gradient_of_pixels(const ConvArgs& p) {
  ConvArgs q = without_steps(p);
  const int64_t size = p.batch * p.groups * p.in_channels * volume(p.out);
  q.input = p.allocate(p.owner, size * static_cast<int64_t>(sizeof(T)));
  pointwise_fits(q) ? pointwise<T>(q, true) : gather_input_gradient<T>(q);
  spread_pixels<T>(p, static_cast<const T*>(q.input));
}

template <class T>
void input_gradient(const ConvArgs& p) {
  if (depthwise_input_gradient_fits(p)) return depthwise_input_gradient<T>(p);
  if constexpr (std::is_same_v<T, float>) {
    if (winograd_fits(p, true)) return winograd(p, true);
  }
  if (is_pointwise(p) && split_fits(p)) return input_gradient_of_pixels<T>(p);
  if (pointwise_fits(p)) return pointwise<T>(p, true);
  if (scatter_fits(p)) return scatter_input_gradient<T>(p);
  gather_input_gradient<T>(p);
}

template <class T>
void weight_gradient(const ConvArgs& p) {
  if (depthwise_fits(p)) return depthwise_weight_gradient<T>(p);
  if constexpr (std::is_same_v<T, float>) {
    if (winograd_weight_fits(p)) return WinogradWeight(p).run();
  }
  if (!is_pointwise(p)) return product_weight_gradient<T>(p, false);
  if (split_fits(p)) return pointwise_weight_gradient<T>(picked_pixels<T>(p));
  bool steps = false;
  for (int d = 0; d < 3; d++) steps = steps || p.in[d] != p.out[d];
  steps ? product_weight_gradient<T>(p, false) : pointwise_weight_gradient<T>(p);
}

}  // namespace pt::PT_ISA::conv
