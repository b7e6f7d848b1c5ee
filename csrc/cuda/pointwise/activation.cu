// Pointwise kernels: activation functions. Inputs as in cpu/pointwise_activation.cpp.
#include "cuda/pointwise/loops.h"
#include "ops/functors/activation.h"
#include "ops/functors/arithmetic.h"

namespace pt::device {
namespace {

const KernelEntry kernels[] = {
#include "ops/functors/rows_activation.h"
};
PT_REGISTER_DEVICE_KERNELS(kernels)

}  // namespace
}  // namespace pt::device
