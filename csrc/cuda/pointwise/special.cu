// Pointwise kernels: gamma, inverse error and Bessel functions, as in cpu/pointwise_special.cpp.
#define PT_LONG(T) true  // gamma functions and their kin are long
#include "cuda/pointwise/loops.h"
#include "ops/functors/special.h"

namespace pt::device {
namespace {

const KernelEntry kernels[] = {
#include "ops/functors/rows_special.h"
};
PT_REGISTER_DEVICE_KERNELS(kernels)

}  // namespace
}  // namespace pt::device
