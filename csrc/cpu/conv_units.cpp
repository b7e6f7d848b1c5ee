// Convolutions on the bfloat16 units: the kernels "conv_units_forward", "conv_units_input_gradient"
// and "conv_units_weight_gradient" for bfloat16 tensors and for float32 ones whose products may be
// rounded to bfloat16. They return false for what other kernels (conv.cpp) do better; other
// instruction sets have none.
#include "cpu/conv/unit_product.h"
#include "cpu/conv/unit_weight.h"
#include "cpu/conv_args.h"

namespace pt::PT_ISA {

#if defined(PT_ISA_IS_AVX512)

namespace {

template <class T>
bool forward(const ConvArgs& p) {
  return conv::unit_forward<T>(p);
}
template <class T>
bool input_gradient(const ConvArgs& p) {
  return conv::unit_input_gradient<T>(p);
}
template <class T>
bool weight_gradient(const ConvArgs& p) {
  return conv::unit_weight_gradient<T>(p);
}

#define PT_CONV_UNITS(f)                                                                      \
  {nullptr,         nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, PT_FN(f<BFloat16>), \
   PT_FN(f<float>), nullptr}

const KernelEntry entries[] = {
    {"conv_units_forward", PT_CONV_UNITS(forward)},
    {"conv_units_input_gradient", PT_CONV_UNITS(input_gradient)},
    {"conv_units_weight_gradient", PT_CONV_UNITS(weight_gradient)},
};

}  // namespace

PT_REGISTER_KERNELS(entries)

#endif

}  // namespace pt::PT_ISA
