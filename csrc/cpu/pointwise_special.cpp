// Pointwise kernels: gamma, inverse error and Bessel functions (float, scalar code). Name: inputs.
//   lgamma digamma trigamma erfinv erfcx ndtri log_ndtr i0 i0e i1 i1e: x
//   bessel_j0 bessel_j1 bessel_y0 bessel_y1: x
//   polygamma: n, x     zeta: x, q     igamma igammac: a, x
#include "cpu/pointwise.h"
#include "ops/functors/special.h"

namespace pt::PT_ISA {
namespace {

constinit const KernelEntry kernels[] = {
    PT_FLOAT_KERNEL("lgamma", 1, Lgamma),
    PT_FLOAT_KERNEL("digamma", 1, Digamma),
    PT_FLOAT_KERNEL("trigamma", 1, Trigamma),
    PT_FLOAT_KERNEL("erfinv", 1, Erfinv),
    PT_FLOAT_KERNEL("erfcx", 1, Erfcx),
    PT_FLOAT_KERNEL("ndtri", 1, Ndtri),
    PT_FLOAT_KERNEL("log_ndtr", 1, LogNdtr),
    PT_FLOAT_KERNEL("i0", 1, I0),
    PT_FLOAT_KERNEL("i0e", 1, I0e),
    PT_FLOAT_KERNEL("i1", 1, I1),
    PT_FLOAT_KERNEL("i1e", 1, I1e),
    PT_FLOAT_KERNEL("bessel_j0", 1, BesselJ0),
    PT_FLOAT_KERNEL("bessel_j1", 1, BesselJ1),
    PT_FLOAT_KERNEL("bessel_y0", 1, BesselY0),
    PT_FLOAT_KERNEL("bessel_y1", 1, BesselY1),
    PT_FLOAT_KERNEL("polygamma", 2, Polygamma),
    PT_FLOAT_KERNEL("zeta", 2, Zeta),
    PT_FLOAT_KERNEL("igamma", 2, Igamma),
    PT_FLOAT_KERNEL("igammac", 2, Igammac),
};
PT_REGISTER_KERNELS(kernels)

}  // namespace
}  // namespace pt::PT_ISA
