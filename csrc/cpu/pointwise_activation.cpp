// Pointwise kernels: activation functions (float; relu also integer). Name: inputs.
//   relu relu6 gelu gelu_tanh silu mish selu softsign log_sigmoid hardsigmoid hardswish tanhshrink: x
//   leaky_relu: x, slope             threshold: x, threshold, value     celu: x, alpha
//   elu: x, alpha, scale, input_scale                                   softplus: x, beta, threshold
//   hardtanh: x, min, max            hardshrink softshrink: x, lambda
#include "cpu/pointwise.h"
#include "ops/functors/activation.h"
#include "ops/functors/arithmetic.h"

namespace pt::PT_ISA {
namespace {

const KernelEntry kernels[] = {
    PT_POINTWISE("relu", number_kernel<1, Relu>()),
    PT_POINTWISE("relu6", number_kernel<1, Relu6>()),
    PT_POINTWISE("leaky_relu", float_kernel<2, LeakyRelu>()),
    PT_POINTWISE("threshold", number_kernel<3, Threshold>()),
    PT_POINTWISE("elu", float_kernel<4, Elu>()),
    PT_POINTWISE("selu", float_kernel<1, Selu>()),
    PT_POINTWISE("celu", float_kernel<2, Celu>()),
    PT_POINTWISE("gelu", float_kernel<1, Gelu>()),
    PT_POINTWISE("gelu_tanh", float_kernel<1, GeluTanh>()),
    PT_POINTWISE("silu", float_kernel<1, Silu>()),
    PT_POINTWISE("mish", float_kernel<1, Mish>()),
    PT_POINTWISE("softplus", float_kernel<3, Softplus>()),
    PT_POINTWISE("log_sigmoid", float_kernel<1, LogSigmoid>()),
    PT_POINTWISE("softsign", float_kernel<1, Softsign>()),
    PT_POINTWISE("hardtanh", number_kernel<3, Clamp>()),
    PT_POINTWISE("hardsigmoid", float_kernel<1, Hardsigmoid>()),
    PT_POINTWISE("hardswish", float_kernel<1, Hardswish>()),
    PT_POINTWISE("hardshrink", float_kernel<2, Hardshrink>()),
    PT_POINTWISE("softshrink", float_kernel<2, Softshrink>()),
    PT_POINTWISE("tanhshrink", float_kernel<1, Tanhshrink>()),
};
PT_REGISTER_KERNELS(kernels)

}  // namespace
}  // namespace pt::PT_ISA
