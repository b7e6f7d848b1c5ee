// Convolutions of float32.
#include "cpu/conv/weight.h"
#include "cpu/conv/winograd.h"

namespace pt::PT_ISA {

void conv_forward_f32(const ConvArgs& args) {
  if (conv::winograd_fits(args, false)) {
    conv::winograd(args, false);
  } else {
    conv::forward<float>(args);
  }
}

void conv_input_gradient_f32(const ConvArgs& args) {
  if (conv::winograd_fits(args, true)) {
    conv::winograd(args, true);
  } else {
    conv::input_gradient<float>(args);
  }
}

void conv_weight_gradient_f32(const ConvArgs& args) { conv::weight_gradient<float>(args); }

}  // namespace pt::PT_ISA
