// Pointwise kernels: fused backward formulas (float). Name: inputs.
//   relu_backward sigmoid_backward tanh_backward: grad, result
//   silu_backward gelu_backward gelu_tanh_backward mish_backward hardsigmoid_backward
//   hardswish_backward log_sigmoid_backward: grad, x
//   threshold_backward: grad, x or result, threshold     leaky_relu_backward: grad, x, slope
//   elu_backward: grad, x, alpha, scale, input_scale     elu_backward_result: the same with result
//   hardtanh_backward clamp_backward: grad, x, min, max  softplus_backward: grad, x, beta, threshold
//   shrink_backward (hardshrink, softshrink): grad, x, lambda
#include "cpu/pointwise.h"
#include "ops/functors/activation.h"

namespace pt::PT_ISA {
namespace {

const KernelEntry kernels[] = {
    PT_POINTWISE("relu_backward", float_kernel<2, ReluBackward>()),
    PT_POINTWISE("sigmoid_backward", float_kernel<2, SigmoidBackward>()),
    PT_POINTWISE("tanh_backward", float_kernel<2, TanhBackward>()),
    PT_POINTWISE("silu_backward", float_kernel<2, SiluBackward>()),
    PT_POINTWISE("gelu_backward", float_kernel<2, GeluBackward>()),
    PT_POINTWISE("gelu_tanh_backward", float_kernel<2, GeluTanhBackward>()),
    PT_POINTWISE("mish_backward", float_kernel<2, MishBackward>()),
    PT_POINTWISE("hardsigmoid_backward", float_kernel<2, HardsigmoidBackward>()),
    PT_POINTWISE("hardswish_backward", float_kernel<2, HardswishBackward>()),
    PT_POINTWISE("log_sigmoid_backward", float_kernel<2, LogSigmoidBackward>()),
    PT_POINTWISE("threshold_backward", float_kernel<3, ThresholdBackward>()),
    PT_POINTWISE("leaky_relu_backward", float_kernel<3, LeakyReluBackward>()),
    PT_POINTWISE("elu_backward", float_kernel<5, EluBackward>()),
    PT_POINTWISE("elu_backward_result", float_kernel<5, EluBackwardResult>()),
    PT_POINTWISE("hardtanh_backward", float_kernel<4, HardtanhBackward>()),
    PT_POINTWISE("clamp_backward", float_kernel<4, ClampBackward>()),
    PT_POINTWISE("softplus_backward", float_kernel<4, SoftplusBackward>()),
    PT_POINTWISE("shrink_backward", float_kernel<3, ShrinkBackward>()),
};
PT_REGISTER_KERNELS(kernels)

}  // namespace
}  // namespace pt::PT_ISA
