// Pointwise kernels: activation functions. Inputs as in cpu/pointwise_activation.cpp.
#define PT_LONG(T) (sizeof(T) == 8)  // those of double are long
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
