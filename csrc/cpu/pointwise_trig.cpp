// Pointwise kernels: circular functions and the error function (float). Name: inputs.
//   sin cos tan asin acos atan sinc: x     atan2: y, x     erf erfc ndtr: x
#include "cpu/pointwise.h"
#include "ops/functors/elementary.h"

namespace pt::PT_ISA {
namespace {

constinit const KernelEntry kernels[] = {
#include "ops/functors/rows_trig.h"
};
PT_REGISTER_KERNELS(kernels)

}  // namespace
}  // namespace pt::PT_ISA
