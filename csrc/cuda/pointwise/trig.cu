// Pointwise kernels: circular functions and the error function, as in cpu/pointwise_trig.cpp.
#define PT_LONG(T) true  // their reduction of large angles is long
#include "cuda/pointwise/loops.h"
#include "ops/functors/elementary.h"

namespace pt::device {
namespace {

const KernelEntry kernels[] = {
#include "ops/functors/rows_trig.h"
};
PT_REGISTER_DEVICE_KERNELS(kernels)

}  // namespace
}  // namespace pt::device
