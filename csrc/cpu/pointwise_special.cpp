// Pointwise kernels: gamma, inverse error and Bessel functions (float, scalar code). Name: inputs.
//   lgamma digamma trigamma erfinv erfcx ndtri log_ndtr i0 i0e i1 i1e: x
//   bessel_j0 bessel_j1 bessel_y0 bessel_y1: x
//   polygamma: n, x     zeta: x, q     igamma igammac: a, x
#include "cpu/pointwise.h"
#include "ops/functors/special.h"

namespace pt::PT_ISA {
namespace {

const KernelEntry kernels[] = {
    PT_POINTWISE("lgamma", float_kernel<1, Lgamma>()),
    PT_POINTWISE("digamma", float_kernel<1, Digamma>()),
    PT_POINTWISE("trigamma", float_kernel<1, Trigamma>()),
    PT_POINTWISE("erfinv", float_kernel<1, Erfinv>()),
    PT_POINTWISE("erfcx", float_kernel<1, Erfcx>()),
    PT_POINTWISE("ndtri", float_kernel<1, Ndtri>()),
    PT_POINTWISE("log_ndtr", float_kernel<1, LogNdtr>()),
    PT_POINTWISE("i0", float_kernel<1, I0>()),
    PT_POINTWISE("i0e", float_kernel<1, I0e>()),
    PT_POINTWISE("i1", float_kernel<1, I1>()),
    PT_POINTWISE("i1e", float_kernel<1, I1e>()),
    PT_POINTWISE("bessel_j0", float_kernel<1, BesselJ0>()),
    PT_POINTWISE("bessel_j1", float_kernel<1, BesselJ1>()),
    PT_POINTWISE("bessel_y0", float_kernel<1, BesselY0>()),
    PT_POINTWISE("bessel_y1", float_kernel<1, BesselY1>()),
    PT_POINTWISE("polygamma", float_kernel<2, Polygamma>()),
    PT_POINTWISE("zeta", float_kernel<2, Zeta>()),
    PT_POINTWISE("igamma", float_kernel<2, Igamma>()),
    PT_POINTWISE("igammac", float_kernel<2, Igammac>()),
};
PT_REGISTER_KERNELS(kernels)

}  // namespace
}  // namespace pt::PT_ISA
