// Pointwise kernels: circular functions and the error function (float). Name: inputs.
//   sin cos tan asin acos atan sinc: x     atan2: y, x     erf erfc ndtr: x
#include "cpu/pointwise.h"
#include "ops/functors/elementary.h"

namespace pt::PT_ISA {
namespace {

constinit const KernelEntry kernels[] = {
    PT_FLOAT_KERNEL("sin", 1, Sin),   PT_FLOAT_KERNEL("cos", 1, Cos),
    PT_FLOAT_KERNEL("tan", 1, Tan),   PT_FLOAT_KERNEL("asin", 1, Asin),
    PT_FLOAT_KERNEL("acos", 1, Acos), PT_FLOAT_KERNEL("atan", 1, Atan),
    PT_FLOAT_KERNEL("sinc", 1, Sinc), PT_FLOAT_KERNEL("atan2", 2, Atan2),
    PT_FLOAT_KERNEL("erf", 1, Erf),   PT_FLOAT_KERNEL("erfc", 1, Erfc),
    PT_FLOAT_KERNEL("ndtr", 1, Ndtr),
};
PT_REGISTER_KERNELS(kernels)

}  // namespace
}  // namespace pt::PT_ISA
