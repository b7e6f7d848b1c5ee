// Which way a convolution is computed. Included by conv_f32.cpp and conv_f64.cpp only.
//
// The choice follows from shapes alone, so that results do not depend on the machine's load.
#pragma once

#include <type_traits>

#include "cpu/conv/depthwise_gradient.h"
#include "cpu/conv/pointwise.h"
#include "cpu/conv/scatter.h"
#include "cpu/conv/weight.h"
#include "cpu/conv/winograd.h"

namespace pt::PT_ISA::conv {

template <class T>
void forward(const ConvArgs& p) {
  if (depthwise_fits(p)) return slide_planes<T>(p);
  if constexpr (std::is_same_v<T, float>) {
    if (winograd_fits(p, false)) return winograd(p, false);
  }
  if (pointwise_fits(p)) return pointwise<T>(p, false);
  product_forward<T>(p);
}

template <class T>
void input_gradient(const ConvArgs& p) {
  if (depthwise_input_gradient_fits(p)) return depthwise_input_gradient<T>(p);
  if constexpr (std::is_same_v<T, float>) {
    if (winograd_fits(p, true)) return winograd(p, true);
  }
  if (pointwise_fits(p)) return pointwise<T>(p, true);
  if (scatter_fits(p)) return scatter_input_gradient<T>(p);
  gather_input_gradient<T>(p);
}

template <class T>
void weight_gradient(const ConvArgs& p) {
  if (depthwise_fits(p)) return depthwise_weight_gradient<T>(p);
  product_weight_gradient<T>(p);
}

}  // namespace pt::PT_ISA::conv
