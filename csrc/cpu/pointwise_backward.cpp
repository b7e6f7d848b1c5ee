// Pointwise kernels: fused backward formulas (float). Name: inputs.
//   relu_backward sigmoid_backward tanh_backward: grad, result
//   silu_backward gelu_backward gelu_tanh_backward mish_backward hardsigmoid_backward
//   hardswish_backward log_sigmoid_backward: grad, x
//   threshold_backward: grad, x or result, threshold     leaky_relu_backward: grad, x, slope
//   elu_backward: grad, x, alpha, scale, input_scale     elu_backward_result: the same with result
//   hardtanh_backward clamp_backward: grad, x, min, max
//   softplus_backward: grad, x, beta, threshold
//   shrink_backward (hardshrink, softshrink): grad, x, lambda
#include "cpu/pointwise.h"
#include "ops/functors/activation.h"

namespace pt::PT_ISA {
namespace {

constinit const KernelEntry kernels[] = {
    PT_FLOAT_KERNEL("relu_backward", 2, ReluBackward),
    PT_FLOAT_KERNEL("sigmoid_backward", 2, SigmoidBackward),
    PT_FLOAT_KERNEL("tanh_backward", 2, TanhBackward),
    PT_FLOAT_KERNEL("silu_backward", 2, SiluBackward),
    PT_FLOAT_KERNEL("gelu_backward", 2, GeluBackward),
    PT_FLOAT_KERNEL("gelu_tanh_backward", 2, GeluTanhBackward),
    PT_FLOAT_KERNEL("mish_backward", 2, MishBackward),
    PT_FLOAT_KERNEL("hardsigmoid_backward", 2, HardsigmoidBackward),
    PT_FLOAT_KERNEL("hardswish_backward", 2, HardswishBackward),
    PT_FLOAT_KERNEL("log_sigmoid_backward", 2, LogSigmoidBackward),
    PT_FLOAT_KERNEL("threshold_backward", 3, ThresholdBackward),
    PT_FLOAT_KERNEL("leaky_relu_backward", 3, LeakyReluBackward),
    PT_FLOAT_KERNEL("elu_backward", 5, EluBackward),
    PT_FLOAT_KERNEL("elu_backward_result", 5, EluBackwardResult),
    PT_FLOAT_KERNEL("hardtanh_backward", 4, HardtanhBackward),
    PT_FLOAT_KERNEL("clamp_backward", 4, ClampBackward),
    PT_FLOAT_KERNEL("softplus_backward", 4, SoftplusBackward),
    PT_FLOAT_KERNEL("shrink_backward", 3, ShrinkBackward),
};
PT_REGISTER_KERNELS(kernels)

}  // namespace
}  // namespace pt::PT_ISA
