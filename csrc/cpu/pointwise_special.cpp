// Pointwise kernels: gamma, inverse error and Bessel functions (float, scalar code). Name: inputs.
//   lgamma digamma erfinv erfcx ndtri log_ndtr i0 i0e i1 i1e: x
//   bessel_j0 bessel_j1 bessel_y0 bessel_y1: x
//   polygamma: n, x     zeta: x, q     igamma igammac: a, x
#include "cpu/pointwise.h"
#include "ops/functors/special.h"

namespace pt::PT_ISA {
namespace {

constinit const KernelEntry kernels[] = {
#include "ops/functors/rows_special.h"
};
PT_REGISTER_KERNELS(kernels)

}  // namespace
}  // namespace pt::PT_ISA
