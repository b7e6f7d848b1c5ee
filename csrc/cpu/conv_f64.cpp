// Convolutions of float64.
#include "cpu/conv/choose.h"

namespace pt::PT_ISA {

void conv_forward_f64(const ConvArgs& args) { conv::forward<double>(args); }
void conv_input_gradient_f64(const ConvArgs& args) { conv::input_gradient<double>(args); }
void conv_weight_gradient_f64(const ConvArgs& args) { conv::weight_gradient<double>(args); }

}  // namespace pt::PT_ISA
