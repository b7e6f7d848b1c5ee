// The kernels "conv_forward", "conv_input_gradient" and "conv_weight_gradient" (see conv_args.h).
//
// The types are compiled in conv_*.cpp from the templates in conv/; this file only lists them.
#include "cpu/conv_args.h"

#include "cpu/kernel_table.h"

namespace pt::PT_ISA {

ConvFn conv_forward_f32, conv_input_gradient_f32, conv_weight_gradient_f32;
ConvMixedFn conv_mixed_forward_f32;
ConvFn conv_forward_f64, conv_input_gradient_f64, conv_weight_gradient_f64;

namespace {

const KernelEntry entries[] = {
    {"conv_forward",
     {nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr,
      PT_FN(conv_forward_f32), PT_FN(conv_forward_f64)}},
    {"conv_mixed_forward",
     {nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr,
      PT_FN(conv_mixed_forward_f32)}},
    {"conv_input_gradient",
     {nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr,
      PT_FN(conv_input_gradient_f32), PT_FN(conv_input_gradient_f64)}},
    {"conv_weight_gradient",
     {nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr,
      PT_FN(conv_weight_gradient_f32), PT_FN(conv_weight_gradient_f64)}},
};

}  // namespace

PT_REGISTER_KERNELS(entries)

}  // namespace pt::PT_ISA
