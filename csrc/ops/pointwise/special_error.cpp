// The error function and its relatives, entropy.
#include "ops/pointwise/arithmetic.h"
#include "ops/pointwise/formula.h"
#include "ops/pointwise/special.h"
#include "ops/pointwise/unary.h"

namespace pt {

PT_OP(erf)
    .pointwise("erf", Promote::kFloat)
    .saves("self")
    .backward([](BackwardCall& g, const Tensor& self) {
      g[0] = g.grad() * exp(neg(self * self)) * (2 / kSqrtPi);
    })
    .inplace()
    .out()
    .doc("The error function, elementwise.")
    .sample("R(3, 4)");

PT_OP(erfc)
    .pointwise("erfc", Promote::kFloat)
    .saves("self")
    .backward([](BackwardCall& g, const Tensor& self) {
      g[0] = g.grad() * exp(neg(self * self)) * (-2 / kSqrtPi);
    })
    .inplace()
    .out()
    .doc("1 - erf(self), exact for large elements too.")
    .sample("R(3, 4)");

PT_OP(erfinv)
    .pointwise("erfinv", Promote::kFloat)
    .saves("self")
    .backward([](BackwardCall& g, const Tensor& self) {
      const Tensor y = erfinv(self);
      g[0] = g.grad() * exp(y * y) * (kSqrtPi / 2);
    })
    .inplace()
    .out()
    .doc("The inverse of erf.")
    .sample("U(3, 4)");

PT_OP(special_erfcx)
    .pointwise("erfcx", Promote::kFloat)
    .saves("self, result")
    .backward([](BackwardCall& g, const Tensor& self) {
      g[0] = g.grad() * (2 * self * g.result() - 2 / kSqrtPi);
    })
    .function_only()
    .out()
    .doc("exp(self ** 2) * erfc(self), elementwise.")
    .sample("R(3, 4)");

PT_OP(special_ndtr)
    .pointwise("ndtr", Promote::kFloat)
    .saves("self")
    .backward([](BackwardCall& g, const Tensor& self) {
      g[0] = g.grad() * exp(self * self * -0.5) * (1 / kSqrt2Pi);
    })
    .function_only()
    .out()
    .doc("The distribution function of the standard normal distribution.")
    .sample("R(3, 4)");

PT_OP(special_ndtri)
    .pointwise("ndtri", Promote::kFloat)
    .saves("result")
    .backward([](BackwardCall& g, const Tensor&) {
      g[0] = g.grad() * exp(g.result() * g.result() * 0.5) * kSqrt2Pi;
    })
    .function_only()
    .out()
    .doc("The inverse of special_ndtr.")
    .sample("U(3, 4) * 0.5 + 0.5");

PT_OP(special_log_ndtr)
    .pointwise("log_ndtr", Promote::kFloat)
    .saves("self")
    .backward([](BackwardCall& g, const Tensor& self) {
      g[0] = div(g.grad(), special_erfcx(self * -kSqrtHalf)) * (2 / kSqrt2Pi);
    })
    .function_only()
    .out()
    .doc("log(special_ndtr(self)), exact for very negative elements too.")
    .sample("R(3, 4)");

PT_OP(special_entr)
    .pointwise("entr", Promote::kFloat)
    .saves("self")
    .backward([](BackwardCall& g, const Tensor& self) { g[0] = neg(g.grad() * (log(self) + 1)); })
    .function_only()
    .out()
    .doc("-self * log(self); 0 at 0, -inf below.")
    .sample("P(3, 4)");

}  // namespace pt
