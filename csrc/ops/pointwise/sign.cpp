// Functions that take one operand's sign or neighbour from another.
#include "ops/pointwise/arithmetic.h"
#include "ops/pointwise/binary.h"
#include "ops/pointwise/compare.h"
#include "ops/pointwise/formula.h"

namespace pt {

namespace {
const PointwiseKernel kHeaviside{"heaviside"}, kNextafter{"nextafter"};
}  // namespace

PT_OP(copysign)
    .pointwise("copysign", Promote::kFloat)
    .saves("self, result@self")
    .backward([](BackwardCall& g, const Tensor& self, const Tensor&) {
      if (g.needs(0)) g[0] = g.grad() * where(eq(self, 0), 0.0, div(g.result(), self));
      if (g.needs(1)) g[1] = zeros_of(g.grad());
    })
    .inplace()
    .out()
    .doc("|self| with other's sign, elementwise.")
    .sample("R(3, 4), R(3, 4)")
    .sample("R(3, 4), -2.0")
    .sample("R(3, 4), R(4)");

PT_OP(heaviside)
    .impl([](const Out& out, const Tensor& self, const Tensor& values) {
      PT_CHECK(self.dtype() == values.dtype(),
               "heaviside is not yet implemented for tensors with different dtypes.");
      return run_pointwise(out, kHeaviside, Promote::kCommon, self, values);
    })
    .nondifferentiable()
    .inplace()
    .out()
    .doc("0 below 0, 1 above, and the element of values at 0.")
    .sample("R(3, 4), R(3, 4)")
    .sample("I(3, 4), I(4)");

PT_OP(nextafter)
    .impl([](const Out& out, const Tensor& self, const Tensor& other) {
      PT_CHECK_KIND(ErrorKind::kNotImplemented, !is_half(self.dtype()) && !is_half(other.dtype()),
                    "\"nextafter\" not implemented for '", dtype_name(self.dtype()), "'");
      return run_pointwise(out, kNextafter, Promote::kCommon, self, other);
    })
    .nondifferentiable()
    .inplace()
    .out()
    .doc("The next floating point number after self in the direction of other.")
    .sample("R(3, 4), R(3, 4)");

}  // namespace pt
