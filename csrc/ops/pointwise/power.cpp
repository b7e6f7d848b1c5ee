// Powers and roots.
#include "ops/memory/memory.h"
#include "ops/pointwise/arithmetic.h"
#include "ops/pointwise/binary.h"
#include "ops/pointwise/compare.h"
#include "ops/pointwise/formula.h"
#include "ops/pointwise/unary.h"

namespace pt {

namespace {

const PointwiseKernel kPow{"pow"}, kHypot{"hypot"}, kLdexp{"ldexp"}, kLdexpWhole{"ldexp_whole"},
    kSquare{"square"};

// d(self ** e) / d self for a constant exponent.
Tensor power_slope(const Tensor& grad, const Tensor& self, const Scalar& exponent) {
  const double e = exponent.to_double();
  if (e == 0) return zeros_of(grad);
  if (e == 1) return grad;
  if (e == 2) return mul(grad, mul(self, 2));
  return mul(grad, mul(pow(self, e - 1), e));
}

// The gradients of result = self ** exponent.
void power_gradients(BackwardCall& g, const Tensor& self, const Tensor& exponent) {
  if (g.needs(0)) {
    if (exponent.dim() == 0 && !exponent.requires_grad()) {
      g[0] = power_slope(g.grad(), self, exponent.item());
    } else {
      g[0] = where(eq(exponent, 0), 0.0, g.grad() * (exponent * pow(self, sub(exponent, 1))));
    }
  }
  if (g.needs(1)) {
    // 0 ** e is constant for e >= 0, where log(0) would give NaN.
    const Tensor flat = logical_and(eq(self, 0), ge(exponent, 0));
    g[1] = g.grad() * where(flat, 0.0, g.result() * log(self));
  }
}

}  // namespace

PT_OP(pow)
    .impl([](const Out& out, const Tensor& self, const Tensor& exponent) {
      const bool integers = is_integral(self.dtype(), true) && is_integral(exponent.dtype(), true);
      if (integers) {
        PT_CHECK(!exponent.is_wrapped_number() || exponent.item().to_int() >= 0,
                 "Integers to negative integer powers are not allowed.");
        if (self.dtype() == DType::kBool && exponent.dtype() == DType::kBool)
          refuse_bool(self, "pow");
      }
      return run_pointwise(out, kPow, Promote::kCommon, self, exponent);
    })
    .elementwise()
    .saves("self, exponent, result@exponent")
    .backward([](BackwardCall& g, const Tensor& self, const Tensor& exponent) {
      power_gradients(g, self, exponent);
    })
    .inplace()
    .out()
    .numbers()
    .doc(
        "self ** exponent, elementwise with broadcasting and type promotion.\n\n"
        "Raises:\n    RuntimeError: an integer tensor has a negative integer exponent\n\n"
        "Example:\n    >>> torch.pow(torch.tensor([1., 2., 3.]), 2)\n    tensor([1., 4., 9.])")
    .sample("P(3, 4), 2")
    .sample("P(3, 4), R(3, 4)")
    .sample("R(3, 4), 3.0")
    .sample("P(3, 4), -0.5")
    .sample("2, R(3, 4)")
    .sample("I(3, 4), 3");

PT_OP(float_power)
    .impl([](const Out& out, const Tensor& self, const Tensor& exponent) {
      PT_CHECK(!out.inplace || self.dtype() == DType::kFloat64,
               "the base given to float_power_ has dtype ", dtype_name(self.dtype()),
               " but the operation's result requires dtype float64");
      const Value v[] = {Value::of(self), Value::of(exponent)};
      return run_pointwise_as(out, kPow.entry(), DType::kFloat64, DType::kFloat64, v, 2);
    })
    .elementwise()
    .saves("self, exponent, result@exponent")
    .backward([](BackwardCall& g, const Tensor& self, const Tensor& exponent) {
      power_gradients(g, to_dtype(self, DType::kFloat64), to_dtype(exponent, DType::kFloat64));
    })
    .inplace()
    .out()
    .numbers()
    .doc("self ** exponent, computed in float64.")
    .sample("P(3, 4), 2")
    .sample("I(3, 4), J(3, 4)")
    .sample("P(3, 4), R(3, 4)");

PT_OP(square)
    .impl([](const Out& out, const Tensor& self) {
      // Like self ** 2, whose exponent makes int64 of bools.
      const DType t = self.dtype() == DType::kBool ? DType::kInt64 : self.dtype();
      const Value v[] = {Value::of(self)};
      return run_pointwise_as(out, kSquare.entry(), t, t, v, 1);
    })
    .elementwise()
    .saves("self")
    .backward([](BackwardCall& g, const Tensor& self) { g[0] = mul(g.grad(), mul(self, 2)); })
    .inplace()
    .out()
    .doc("self * self, elementwise.")
    .sample("R(3, 4)")
    .sample("I(3, 4)");

PT_OP(reciprocal)
    .pointwise("reciprocal", Promote::kFloat)
    .saves("result")
    .backward([](BackwardCall& g, const Tensor&) {
      g[0] = neg(g.grad()) * (g.result() * g.result());
    })
    .inplace()
    .out()
    .doc("1 / self, elementwise.")
    .sample("P(3, 4)");

PT_OP(sqrt)
    .pointwise("sqrt", Promote::kFloat)
    .saves("result")
    .backward([](BackwardCall& g, const Tensor&) { g[0] = div(g.grad(), 2 * g.result()); })
    .inplace()
    .out()
    .doc("The square root, elementwise.")
    .sample("P(3, 4)");

PT_OP(rsqrt)
    .pointwise("rsqrt", Promote::kFloat)
    .saves("result")
    .backward([](BackwardCall& g, const Tensor&) { g[0] = -0.5 * g.grad() * pow(g.result(), 3); })
    .inplace()
    .out()
    .doc("1 / sqrt(self), elementwise.")
    .sample("P(3, 4)");

PT_OP(hypot)
    .impl([](const Out& out, const Tensor& self, const Tensor& other) {
      return run_pointwise(out, kHypot, Promote::kCommon, self, other);
    })
    .elementwise()
    .saves("self@self, other@other, result")
    .backward([](BackwardCall& g, const Tensor& self, const Tensor& other) {
      if (g.needs(0)) g[0] = g.grad() * div(self, g.result());
      if (g.needs(1)) g[1] = g.grad() * div(other, g.result());
    })
    .inplace()
    .out()
    .doc("sqrt(self ** 2 + other ** 2) without overflow on the way, elementwise.")
    .sample("R(3, 4), R(3, 4)")
    .sample("R(3, 1), R(4)");

PT_OP(ldexp)
    .impl([](const Out& out, const Tensor& self, const Tensor& other) {
      if (!is_floating(self.dtype()) || !is_integral(other.dtype(), false))
        return run_pointwise(out, kLdexp, Promote::kFloat, self, other);
      const Value v[] = {Value::of(self), Value::of(other)};
      return run_pointwise_as(out, kLdexpWhole.entry(), self.dtype(), self.dtype(), v, 2);
    })
    .elementwise()
    .saves("other@self, result@other")
    .backward([](BackwardCall& g, const Tensor&, const Tensor& other) {
      if (g.needs(0)) g[0] = ldexp(g.grad(), other);
      if (g.needs(1)) g[1] = g.grad() * g.result() * kLn2;
    })
    .inplace()
    .out()
    .doc(
        "self * 2 ** other, elementwise. With whole exponents and a floating self no step "
        "overflows or is rounded before the result is.")
    .sample("R(3, 4), I(3, 4)")
    .sample("R(3, 4), R(4)");

}  // namespace pt
