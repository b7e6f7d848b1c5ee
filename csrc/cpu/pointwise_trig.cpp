// Pointwise kernels: circular functions and the error function (float). Name: inputs.
//   sin cos tan asin acos atan sinc: x     atan2: y, x     erf erfc ndtr: x
#include "cpu/pointwise.h"
#include "ops/functors/elementary.h"

namespace pt::PT_ISA {
namespace {

const KernelEntry kernels[] = {
    PT_POINTWISE("sin", float_kernel<1, Sin>()),
    PT_POINTWISE("cos", float_kernel<1, Cos>()),
    PT_POINTWISE("tan", float_kernel<1, Tan>()),
    PT_POINTWISE("asin", float_kernel<1, Asin>()),
    PT_POINTWISE("acos", float_kernel<1, Acos>()),
    PT_POINTWISE("atan", float_kernel<1, Atan>()),
    PT_POINTWISE("sinc", float_kernel<1, Sinc>()),
    PT_POINTWISE("atan2", float_kernel<2, Atan2>()),
    PT_POINTWISE("erf", float_kernel<1, Erf>()),
    PT_POINTWISE("erfc", float_kernel<1, Erfc>()),
    PT_POINTWISE("ndtr", float_kernel<1, Ndtr>()),
};
PT_REGISTER_KERNELS(kernels)

}  // namespace
}  // namespace pt::PT_ISA
