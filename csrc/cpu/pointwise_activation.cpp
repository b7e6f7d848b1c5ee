// Pointwise kernels: activation functions (float; relu also integer). Name: inputs.
//   relu relu6 gelu gelu_tanh silu mish selu softsign log_sigmoid: x
//   hardsigmoid hardswish: x             leaky_relu: x, slope      celu: x, alpha
//   elu: x, alpha, scale, input_scale    softplus: x, beta, threshold
//   threshold: x, threshold, value       hardtanh: x, min, max     hardshrink softshrink: x, lambda
#include "cpu/pointwise.h"
#include "ops/functors/activation.h"
#include "ops/functors/arithmetic.h"

namespace pt::PT_ISA {
namespace {

constinit const KernelEntry kernels[] = {
#include "ops/functors/rows_activation.h"
};
PT_REGISTER_KERNELS(kernels)

}  // namespace
}  // namespace pt::PT_ISA
