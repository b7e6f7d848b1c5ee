// Pointwise kernels: comparison, logic, bits, selection. Inputs as in cpu/pointwise_compare.cpp.
#include "cuda/pointwise/loops.h"
#include "ops/functors/compare.h"

namespace pt::device {
namespace {

const KernelEntry kernels[] = {
#include "ops/functors/rows_compare.h"
};
PT_REGISTER_DEVICE_KERNELS(kernels)

}  // namespace
}  // namespace pt::device
