// The gamma and Bessel families.
#include <cmath>

#include "ops/pointwise/arithmetic.h"
#include "ops/pointwise/compare.h"
#include "ops/pointwise/formula.h"
#include "ops/pointwise/special.h"
#include "ops/pointwise/unary.h"

namespace pt {

namespace {

const PointwiseKernel kPolygamma{"polygamma"}, kIgamma{"igamma"}, kIgammac{"igammac"};

[[noreturn]] void no_derivative(const char* what) {
  raise(ErrorKind::kNotImplemented, "the derivative for '", what, "' is not implemented.");
}

// d/dx of the regularised lower incomplete gamma function P(a, x).
Tensor igamma_slope(const Tensor& a, const Tensor& x) {
  return exp((a - 1) * log(x) - x - lgamma(a));
}

// Near 0, where a quotient by x has no digits left, formulas take `at_zero` instead.
Tensor guarded(const Tensor& x, Tensor (*slope)(const Tensor& x, const Tensor& y), const Tensor& y,
               double at_zero) {
  const double tiny = x.dtype() == DType::kFloat64 ? 2.3e-16 : 1.2e-7;
  const Tensor usable = gt(abs(x), tiny);
  return where(usable, slope(where(usable, x, tiny), y), at_zero);
}

}  // namespace

PT_OP(lgamma)
    .pointwise("lgamma", Promote::kFloat)
    .saves("self")
    .backward([](BackwardCall& g, const Tensor& self) { g[0] = g.grad() * digamma(self); })
    .inplace()
    .out()
    .doc("The logarithm of |gamma(self)|, elementwise.")
    .sample("P(3, 4)");

PT_OP(digamma)
    .pointwise("digamma", Promote::kFloat)
    .saves("self")
    .backward([](BackwardCall& g, const Tensor& self) { g[0] = g.grad() * polygamma(1, self); })
    .inplace()
    .out()
    .doc("The derivative of lgamma.")
    .sample("P(3, 4)");

PT_OP(polygamma)
    .impl([](const Out& out, int64_t n, const Tensor& self) {
      PT_CHECK(n >= 0, "polygamma(n, x) does not support negative n.");
      return run_pointwise(out, kPolygamma, Promote::kFloat, Scalar((long)n), self);
    })
    .elementwise()
    .saves("self")
    .backward([](BackwardCall& g, int64_t n, const Tensor& self) {
      g[1] = g.grad() * polygamma(n + 1, self);
    })
    .function_only()
    .out()
    .doc("The n-th derivative of digamma.\n\nArgs:\n    n (int): at least 0")
    .sample("1, P(3, 4)")
    .sample("2, P(3, 4)");

PT_OP(polygamma_method)
    .impl([](const Out& out, const Tensor& self, int64_t n) {
      PT_CHECK(n >= 0, "polygamma(n, x) does not support negative n.");
      return run_pointwise(out, kPolygamma, Promote::kFloat, Scalar((long)n), self);
    })
    .elementwise()
    .saves("self")
    .backward([](BackwardCall& g, const Tensor& self, int64_t n) {
      g[0] = g.grad() * polygamma(n + 1, self);
    })
    .method_only()
    .inplace()
    .sample("P(3, 4), 1");

PT_OP(mvlgamma)
    .impl([](const Tensor& self, int64_t p) {
      PT_CHECK(p >= 1, "p has to be greater than or equal to 1");
      PT_CHECK(p <= 1 << 20, "mvlgamma(): p is too large: ", p);
      const double n = static_cast<double>(p);
      Tensor sum = lgamma(self);
      for (int64_t i = 1; i < p; ++i) sum = sum + lgamma(self - 0.5 * static_cast<double>(i));
      return sum + 0.25 * n * (n - 1) * std::log(kPi);
    })
    .elementwise()
    .saves("self")
    .backward([](BackwardCall& g, const Tensor& self, int64_t p) {
      Tensor slope = digamma(self);
      for (int64_t i = 1; i < p; ++i) slope = slope + digamma(self - 0.5 * static_cast<double>(i));
      g[0] = g.grad() * slope;
    })
    .inplace()
    .out()
    .doc("The logarithm of the multivariate gamma function of dimension p.")
    .sample("P(3, 4) + 2, 3");

PT_OP(igamma)
    .impl([](const Out& out, const Tensor& self, const Tensor& other) {
      return run_pointwise(out, kIgamma, Promote::kCommon, self, other);
    })
    .elementwise()
    .saves("self, other")
    .backward([](BackwardCall& g, const Tensor& self, const Tensor& other) {
      if (g.needs(0)) no_derivative("igamma: input");
      if (g.needs(1)) g[1] = g.grad() * igamma_slope(self, other);
    })
    .inplace()
    .out()
    .doc("The regularised lower incomplete gamma function P(self, other).")
    .sample("P(3, 4), P(3, 4)")
    .test("nograd");

PT_OP(igammac)
    .impl([](const Out& out, const Tensor& self, const Tensor& other) {
      return run_pointwise(out, kIgammac, Promote::kCommon, self, other);
    })
    .elementwise()
    .saves("self, other")
    .backward([](BackwardCall& g, const Tensor& self, const Tensor& other) {
      if (g.needs(0)) no_derivative("igammac: input");
      if (g.needs(1)) g[1] = neg(g.grad() * igamma_slope(self, other));
    })
    .inplace()
    .out()
    .doc("The regularised upper incomplete gamma function Q(self, other).")
    .sample("P(3, 4), P(3, 4)")
    .test("nograd");

PT_OP(special_zeta)
    .pointwise("zeta", Promote::kFloat)
    .saves("self, other")
    .backward([](BackwardCall& g, const Tensor& self, const Tensor& other) {
      if (g.needs(0)) no_derivative("zeta");
      if (g.needs(1)) g[1] = neg(g.grad() * self * special_zeta(self + 1, other));
    })
    .function_only()
    .out()
    .doc("The Hurwitz zeta function: the sum over k of (k + other) ** -self.")
    .sample("P(3, 4) + 1, P(3, 4)")
    .sample("P(3, 4) + 1, 2.0")
    .test("nograd");

PT_OP(i0)
    .pointwise("i0", Promote::kFloat)
    .saves("self")
    .backward([](BackwardCall& g, const Tensor& self) { g[0] = g.grad() * special_i1(self); })
    .inplace()
    .out()
    .doc("The modified Bessel function of the first kind, order 0.")
    .sample("R(3, 4)");

PT_OP(special_i0e)
    .pointwise("i0e", Promote::kFloat)
    .saves("self, result")
    .backward([](BackwardCall& g, const Tensor& self) {
      g[0] = g.grad() * (special_i1e(self) - sgn(self) * g.result());
    })
    .function_only()
    .out()
    .doc("i0(self) * exp(-|self|), elementwise.")
    .sample("R(3, 4)");

PT_OP(special_i1)
    .pointwise("i1", Promote::kFloat)
    .saves("self, result")
    .backward([](BackwardCall& g, const Tensor& self) {
      const auto slope = [](const Tensor& x, const Tensor& y) { return i0(x) - div(y, x); };
      g[0] = g.grad() * guarded(self, slope, g.result(), 0.5);
    })
    .function_only()
    .out()
    .doc("The modified Bessel function of the first kind, order 1.")
    .sample("R(3, 4)");

PT_OP(special_i1e)
    .pointwise("i1e", Promote::kFloat)
    .saves("self, result")
    .backward([](BackwardCall& g, const Tensor& self) {
      const auto slope = [](const Tensor& x, const Tensor& y) {
        return special_i0e(x) - y * (sgn(x) + reciprocal(x));
      };
      g[0] = g.grad() * guarded(self, slope, g.result(), 0.5);
    })
    .function_only()
    .out()
    .doc("special_i1(self) * exp(-|self|), elementwise.")
    .sample("R(3, 4)");

PT_OP(special_bessel_j0)
    .pointwise("bessel_j0", Promote::kFloat)
    .saves("self")
    .backward([](BackwardCall& g, const Tensor& self) {
      g[0] = neg(g.grad() * special_bessel_j1(self));
    })
    .function_only()
    .out()
    .doc("The Bessel function of the first kind, order 0.")
    .sample("R(3, 4)");

PT_OP(special_bessel_j1)
    .pointwise("bessel_j1", Promote::kFloat)
    .saves("self, result")
    .backward([](BackwardCall& g, const Tensor& self) {
      const auto slope = [](const Tensor& x, const Tensor& y) {
        return special_bessel_j0(x) - div(y, x);
      };
      g[0] = g.grad() * guarded(self, slope, g.result(), 0.5);
    })
    .function_only()
    .out()
    .doc("The Bessel function of the first kind, order 1.")
    .sample("R(3, 4)");

PT_OP(special_bessel_y0)
    .pointwise("bessel_y0", Promote::kFloat)
    .saves("self")
    .backward([](BackwardCall& g, const Tensor& self) {
      g[0] = neg(g.grad() * special_bessel_y1(self));
    })
    .function_only()
    .out()
    .doc("The Bessel function of the second kind, order 0.")
    .sample("P(3, 4)");

PT_OP(special_bessel_y1)
    .pointwise("bessel_y1", Promote::kFloat)
    .saves("self, result")
    .backward([](BackwardCall& g, const Tensor& self) {
      g[0] = g.grad() * (special_bessel_y0(self) - div(g.result(), self));
    })
    .function_only()
    .out()
    .doc("The Bessel function of the second kind, order 1.")
    .sample("P(3, 4)");

}  // namespace pt
