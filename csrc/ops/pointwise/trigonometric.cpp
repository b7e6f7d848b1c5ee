// Circular and hyperbolic functions and their inverses.
#include "ops/pointwise/activation_backward.h"
#include "ops/pointwise/arithmetic.h"
#include "ops/pointwise/binary.h"
#include "ops/pointwise/compare.h"
#include "ops/pointwise/formula.h"
#include "ops/pointwise/unary.h"

namespace pt {

namespace {
const PointwiseKernel kAtan2{"atan2"};
}  // namespace

PT_OP(sin)
    .pointwise("sin", Promote::kFloat)
    .saves("self")
    .backward([](BackwardCall& g, const Tensor& self) { g[0] = g.grad() * cos(self); })
    .inplace()
    .out()
    .doc("The sine, elementwise.")
    .sample("R(3, 4)");

PT_OP(cos)
    .pointwise("cos", Promote::kFloat)
    .saves("self")
    .backward([](BackwardCall& g, const Tensor& self) { g[0] = neg(g.grad() * sin(self)); })
    .inplace()
    .out()
    .doc("The cosine, elementwise.")
    .sample("R(3, 4)");

PT_OP(tan)
    .pointwise("tan", Promote::kFloat)
    .saves("result")
    .backward([](BackwardCall& g, const Tensor&) {
      g[0] = g.grad() * (g.result() * g.result() + 1);
    })
    .inplace()
    .out()
    .doc("The tangent, elementwise.")
    .sample("U(3, 4)");

PT_OP(asin)
    .pointwise("asin", Promote::kFloat)
    .saves("self")
    .backward([](BackwardCall& g, const Tensor& self) { g[0] = g.grad() * rsqrt(1 - self * self); })
    .inplace()
    .out()
    .alias("arcsin")
    .doc("The inverse of the sine, in [-pi/2, pi/2].")
    .sample("U(3, 4)");

PT_OP(acos)
    .pointwise("acos", Promote::kFloat)
    .saves("self")
    .backward([](BackwardCall& g, const Tensor& self) {
      g[0] = neg(g.grad() * rsqrt(1 - self * self));
    })
    .inplace()
    .out()
    .alias("arccos")
    .doc("The inverse of the cosine, in [0, pi].")
    .sample("U(3, 4)");

PT_OP(atan)
    .pointwise("atan", Promote::kFloat)
    .saves("self")
    .backward([](BackwardCall& g, const Tensor& self) { g[0] = div(g.grad(), self * self + 1); })
    .inplace()
    .out()
    .alias("arctan")
    .doc("The inverse of the tangent, in [-pi/2, pi/2].")
    .sample("R(3, 4)");

PT_OP(sinh)
    .pointwise("sinh", Promote::kFloat)
    .saves("self")
    .backward([](BackwardCall& g, const Tensor& self) { g[0] = g.grad() * cosh(self); })
    .inplace()
    .out()
    .doc("The hyperbolic sine, elementwise.")
    .sample("R(3, 4)");

PT_OP(cosh)
    .pointwise("cosh", Promote::kFloat)
    .saves("self")
    .backward([](BackwardCall& g, const Tensor& self) { g[0] = g.grad() * sinh(self); })
    .inplace()
    .out()
    .doc("The hyperbolic cosine, elementwise.")
    .sample("R(3, 4)");

PT_OP(tanh)
    .pointwise("tanh", Promote::kFloat)
    .saves("result")
    .backward([](BackwardCall& g, const Tensor&) { g[0] = tanh_backward(g.grad(), g.result()); })
    .inplace()
    .out()
    .doc("The hyperbolic tangent, elementwise.")
    .sample("R(3, 4)");

PT_OP(asinh)
    .pointwise("asinh", Promote::kFloat)
    .saves("self")
    .backward([](BackwardCall& g, const Tensor& self) { g[0] = g.grad() * rsqrt(self * self + 1); })
    .inplace()
    .out()
    .alias("arcsinh")
    .doc("The inverse of the hyperbolic sine.")
    .sample("R(3, 4)");

PT_OP(acosh)
    .pointwise("acosh", Promote::kFloat)
    .saves("self")
    .backward([](BackwardCall& g, const Tensor& self) { g[0] = g.grad() * rsqrt(self * self - 1); })
    .inplace()
    .out()
    .alias("arccosh")
    .doc("The inverse of the hyperbolic cosine.")
    .sample("P(3, 4) + 1");

PT_OP(atanh)
    .pointwise("atanh", Promote::kFloat)
    .saves("self")
    .backward([](BackwardCall& g, const Tensor& self) { g[0] = div(g.grad(), 1 - self * self); })
    .inplace()
    .out()
    .alias("arctanh")
    .doc("The inverse of the hyperbolic tangent.")
    .sample("U(3, 4)");

PT_OP(sinc)
    .pointwise("sinc", Promote::kFloat)
    .saves("self")
    .backward([](BackwardCall& g, const Tensor& self) {
      const Tensor x = self * kPi;
      const Tensor slope = div(x * cos(x) - sin(x), x * self);
      g[0] = g.grad() * where(eq(self, 0), 0.0, slope);
    })
    .inplace()
    .out()
    .doc("sin(pi self) / (pi self), 1 at 0.")
    .sample("R(3, 4)");

PT_OP(atan2)
    .impl([](const Out& out, const Tensor& self, const Tensor& other) {
      return run_pointwise(out, kAtan2, Promote::kFloat, self, other);
    })
    .elementwise()
    .saves("self, other")
    .backward([](BackwardCall& g, const Tensor& self, const Tensor& other) {
      const Tensor square = self * self + other * other;
      const Tensor scaled = where(eq(square, 0), 0.0, div(g.grad(), square));
      if (g.needs(0)) g[0] = scaled * other;
      if (g.needs(1)) g[1] = neg(scaled * self);
    })
    .inplace()
    .out()
    .alias("arctan2")
    .doc("The angle of the point (other, self), in [-pi, pi].")
    .sample("R(3, 4), R(3, 4)")
    .sample("R(3, 1), P(4)");

}  // namespace pt
