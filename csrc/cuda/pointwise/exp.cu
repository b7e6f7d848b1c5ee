// Pointwise kernels: exponentials, logarithms, powers. Inputs as in cpu/pointwise_exp.cpp.
#define PT_LONG(T) (sizeof(T) == 8)  // those of double are long
#include "cuda/pointwise/loops.h"
#include "ops/functors/arithmetic.h"
#include "ops/functors/elementary.h"

namespace pt::device {
namespace {

const KernelEntry kernels[] = {
#include "ops/functors/rows_exp.h"
    PT_KERNEL_ROW("pow", 2, Pow, float, nullptr, nullptr, nullptr,
                  PT_POINTWISE(2, PowInteger, int32_t), PT_POINTWISE(2, PowInteger, int64_t),
                  PT_POINTWISE(2, Pow, float), PT_POINTWISE(2, Pow, double)),
};
PT_REGISTER_DEVICE_KERNELS(kernels)

}  // namespace
}  // namespace pt::device
