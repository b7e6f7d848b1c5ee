// Exponentials and logarithms.
#include <limits>

#include "ops/pointwise/activation_backward.h"
#include "ops/pointwise/arithmetic.h"
#include "ops/pointwise/binary.h"
#include "ops/pointwise/compare.h"
#include "ops/pointwise/formula.h"
#include "ops/pointwise/unary.h"

namespace pt {

namespace {
const PointwiseKernel kLogit{"logit"}, kLogitEps{"logit_eps"};
const PointwiseKernel kLogaddexp{"logaddexp"}, kLogaddexp2{"logaddexp2"};
}  // namespace

PT_OP(exp)
    .pointwise("exp", Promote::kFloat)
    .saves("result")
    .backward([](BackwardCall& g, const Tensor&) { g[0] = g.grad() * g.result(); })
    .inplace()
    .out()
    .doc(
        "e ** self, elementwise.\n\n"
        "Example:\n    >>> torch.exp(torch.tensor([0., 1.]))\n    tensor([1.0000, 2.7183])")
    .sample("R(3, 4)");

PT_OP(exp2)
    .pointwise("exp2", Promote::kFloat)
    .saves("result")
    .backward([](BackwardCall& g, const Tensor&) { g[0] = g.grad() * g.result() * kLn2; })
    .inplace()
    .out()
    .doc("2 ** self, elementwise.")
    .sample("R(3, 4)");

PT_OP(expm1)
    .pointwise("expm1", Promote::kFloat)
    .saves("result")
    .backward([](BackwardCall& g, const Tensor&) { g[0] = g.grad() * (g.result() + 1); })
    .inplace()
    .out()
    .doc("e ** self - 1, exact for small elements too.")
    .sample("R(3, 4)");

PT_OP(log)
    .pointwise("log", Promote::kFloat)
    .saves("self")
    .backward([](BackwardCall& g, const Tensor& self) { g[0] = div(g.grad(), self); })
    .inplace()
    .out()
    .doc("The natural logarithm, elementwise.")
    .sample("P(3, 4)");

PT_OP(log2)
    .pointwise("log2", Promote::kFloat)
    .saves("self")
    .backward([](BackwardCall& g, const Tensor& self) { g[0] = div(g.grad(), self * kLn2); })
    .inplace()
    .out()
    .doc("The logarithm to base 2, elementwise.")
    .sample("P(3, 4)");

PT_OP(log10)
    .pointwise("log10", Promote::kFloat)
    .saves("self")
    .backward([](BackwardCall& g, const Tensor& self) { g[0] = div(g.grad(), self * kLn10); })
    .inplace()
    .out()
    .doc("The logarithm to base 10, elementwise.")
    .sample("P(3, 4)");

PT_OP(log1p)
    .pointwise("log1p", Promote::kFloat)
    .saves("self")
    .backward([](BackwardCall& g, const Tensor& self) { g[0] = div(g.grad(), self + 1); })
    .inplace()
    .out()
    .doc("log(1 + self), exact for small elements too.")
    .sample("U(3, 4)");

PT_OP(sigmoid)
    .pointwise("sigmoid", Promote::kFloat)
    .saves("result")
    .backward([](BackwardCall& g, const Tensor&) { g[0] = sigmoid_backward(g.grad(), g.result()); })
    .inplace()
    .out()
    .doc("1 / (1 + exp(-self)), elementwise.")
    .sample("R(3, 4)");

PT_OP(logit)
    .impl([](const Out& out, const Tensor& self, std::optional<double> eps) {
      if (eps) return run_pointwise(out, kLogitEps, Promote::kFloat, self, Scalar(*eps));
      return run_pointwise(out, kLogit, Promote::kFloat, self);
    })
    .elementwise()
    .saves("self")
    .backward([](BackwardCall& g, const Tensor& self, std::optional<double> eps) {
      const Tensor slope = div(g.grad(), self * (1 - self));
      const double low = eps.value_or(0.0);
      const Tensor inside = logical_and(ge(self, low), le(self, 1 - low));
      g[0] = where(inside, slope, eps ? 0.0 : std::numeric_limits<double>::quiet_NaN());
    })
    .inplace()
    .out()
    .doc(
        "log(self / (1 - self)), the inverse of sigmoid.\n\n"
        "Args:\n    eps (float, optional): self is first limited to [eps, 1 - eps]")
    .sample("U(3, 4) * 0.5 + 0.5")
    .sample("P(3, 4) - 0.5, eps=0.1");

PT_OP(logaddexp)
    .impl([](const Out& out, const Tensor& self, const Tensor& other) {
      return run_pointwise(out, kLogaddexp, Promote::kCommon, self, other);
    })
    .elementwise()
    .saves("self, other")
    .backward([](BackwardCall& g, const Tensor& self, const Tensor& other) {
      if (g.needs(0)) g[0] = g.grad() * sigmoid(self - other);
      if (g.needs(1)) g[1] = g.grad() * sigmoid(other - self);
    })
    .out()
    .doc("log(exp(self) + exp(other)) without overflow, elementwise.")
    .sample("R(3, 4), R(3, 4)")
    .sample("R(3, 1), R(4)");

PT_OP(logaddexp2)
    .impl([](const Out& out, const Tensor& self, const Tensor& other) {
      return run_pointwise(out, kLogaddexp2, Promote::kCommon, self, other);
    })
    .elementwise()
    .saves("self, other")
    .backward([](BackwardCall& g, const Tensor& self, const Tensor& other) {
      if (g.needs(0)) g[0] = g.grad() * sigmoid((self - other) * kLn2);
      if (g.needs(1)) g[1] = g.grad() * sigmoid((other - self) * kLn2);
    })
    .out()
    .doc("log2(2 ** self + 2 ** other) without overflow, elementwise.")
    .sample("R(3, 4), R(3, 4)")
    .sample("R(3, 1), R(4)");

PT_OP(xlogy)
    .pointwise("xlogy", Promote::kFloat)
    .saves("self, other")
    .backward([](BackwardCall& g, const Tensor& self, const Tensor& other) {
      if (g.needs(0)) {
        const Tensor flat = logical_and(eq(self, 0), le(other, 0));
        g[0] = g.grad() * where(flat, 0.0, log(other));
      }
      if (g.needs(1)) g[1] = g.grad() * div(self, other);
    })
    .inplace()
    .out()
    .doc("self * log(other), 0 where self is 0 and other is not NaN.")
    .sample("R(3, 4), P(3, 4)")
    .sample("R(3, 4), 2.5")
    .sample("2, P(3, 4)");

PT_OP(special_xlog1py)
    .pointwise("xlog1py", Promote::kFloat)
    .saves("self, other")
    .backward([](BackwardCall& g, const Tensor& self, const Tensor& other) {
      if (g.needs(0)) {
        const Tensor flat = logical_and(eq(self, 0), le(other, -1));
        g[0] = g.grad() * where(flat, 0.0, log1p(other));
      }
      if (g.needs(1)) g[1] = g.grad() * div(self, other + 1);
    })
    .function_only()
    .out()
    .doc("self * log(1 + other), 0 where self is 0 and other is not NaN.")
    .sample("R(3, 4), P(3, 4)")
    .sample("R(3, 4), 2.5");

}  // namespace pt
