// Pointwise kernels: fused backward formulas (float). Name: inputs.
//   relu_backward sigmoid_backward tanh_backward: grad, result
//   silu_backward gelu_backward gelu_tanh_backward mish_backward hardsigmoid_backward
//   hardswish_backward log_sigmoid_backward: grad, x
//   threshold_backward: grad, x or result, threshold     leaky_relu_backward: grad, x, slope
//   elu_backward: grad, x, alpha, scale, input_scale
//   hardtanh_backward clamp_backward: grad, x, min, max
//   softplus_backward: grad, x, beta, threshold
//   shrink_backward (hardshrink, softshrink): grad, x, lambda
#include "cpu/pointwise.h"
#include "ops/functors/activation.h"

namespace pt::PT_ISA {
namespace {

constinit const KernelEntry kernels[] = {
#include "ops/functors/rows_backward.h"
};
PT_REGISTER_KERNELS(kernels)

}  // namespace
}  // namespace pt::PT_ISA
