// Convolutions of float32.
#include "cpu/conv/choose.h"

namespace pt::PT_ISA {

void conv_forward_f32(const ConvArgs& args) { conv::forward<float>(args); }
bool conv_mixed_forward_f32(const ConvArgs& args) { return conv::mixed_forward(args); }
void conv_input_gradient_f32(const ConvArgs& args) { conv::input_gradient<float>(args); }
void conv_weight_gradient_f32(const ConvArgs& args) { conv::weight_gradient<float>(args); }

}  // namespace pt::PT_ISA
