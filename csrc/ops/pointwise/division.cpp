// Elementwise division and remainders.
#include "ops/pointwise/arithmetic.h"
#include "ops/pointwise/compare.h"
#include "ops/pointwise/formula.h"
#include "ops/pointwise/unary.h"

namespace pt {

namespace {

const PointwiseKernel kDiv{"div"}, kDivFloor{"div_floor"}, kDivTrunc{"div_trunc"};
const PointwiseKernel kRemainder{"remainder"}, kFmod{"fmod"};

// On devices integers divided by zero are whatever the kernel makes of them, as in PyTorch.
bool has_zero(const Tensor& t) {
  if (t.numel() == 0 || !t.device().is_cpu()) return false;
  const Tensor c = as_contiguous(t);
  return visit_dtype(c.dtype(), [&](auto v) {
    using T = decltype(v);
    const T* p = c.data<T>();
    for (int64_t i = 0; i < c.numel(); ++i)
      if (p[i] == T(0)) return true;
    return false;
  });
}

// A quotient or remainder: integers raise on a zero divisor, bools have none.
Tensor run_division(const Out& out, const PointwiseKernel& kernel, const Tensor& self,
                    const Tensor& other) {
  if (is_integral(other.dtype(), true) && is_integral(self.dtype(), true)) {
    PT_CHECK_KIND(ErrorKind::kNotImplemented,
                  self.dtype() != DType::kBool || other.dtype() != DType::kBool, "\"",
                  kernel.name(), "\" not implemented for 'Bool'");
    PT_CHECK(!has_zero(other), "ZeroDivisionError");
  }
  return run_pointwise(out, kernel, Promote::kCommon, self, other);
}

}  // namespace

PT_OP(div)
    .impl([](const Out& out, const Tensor& self, const Tensor& other,
             std::optional<std::string_view> rounding_mode) {
      if (!rounding_mode) return run_pointwise(out, kDiv, Promote::kFloat, self, other);
      if (*rounding_mode == "floor") return run_division(out, kDivFloor, self, other);
      PT_CHECK(*rounding_mode == "trunc",
               "div expected rounding_mode to be one of None, 'trunc', or 'floor' but found '",
               *rounding_mode, "'");
      return run_division(out, kDivTrunc, self, other);
    })
    .elementwise()
    .saves("self@other, other")
    .backward([](BackwardCall& g, const Tensor& self, const Tensor& other,
                 std::optional<std::string_view> rounding_mode) {
      if (rounding_mode) {
        if (g.needs(0)) g[0] = zeros_of(g.grad());
        if (g.needs(1)) g[1] = zeros_of(g.grad());
        return;
      }
      if (g.needs(0)) g[0] = div(g.grad(), other);
      if (g.needs(1)) g[1] = neg(g.grad() * div(div(self, other), other));
    })
    .inplace()
    .out()
    .numbers()
    .alias("divide")
    .alias("true_divide")
    .doc(
        "self / other, elementwise; integers give floats unless rounding_mode is 'trunc' or "
        "'floor'.\n\n"
        "Args:\n    rounding_mode (str, optional): 'trunc' rounds the quotient towards zero, "
        "'floor' down\n\n"
        "Raises:\n    RuntimeError: integers are divided by zero with a rounding_mode")
    .sample("R(3, 4), P(3, 4)")
    .sample("I(3, 4), 2.5")
    .sample("R(3, 4), P(4), rounding_mode='floor'")
    .sample("R(3, 4), P(4), rounding_mode='trunc'")
    .sample("I(3, 4), 4, rounding_mode='floor'");

PT_OP(floor_divide)
    .impl([](const Out& out, const Tensor& self, const Tensor& other) {
      return run_division(out, kDivFloor, self, other);
    })
    .elementwise()
    .backward([](BackwardCall& g, const Tensor&, const Tensor&) {
      if (g.needs(0)) g[0] = zeros_of(g.grad());
      if (g.needs(1)) g[1] = zeros_of(g.grad());
    })
    .inplace()
    .out()
    .numbers()
    .doc("The quotient rounded down, elementwise: Python's `//`.")
    .sample("R(3, 4), P(3, 4)")
    .sample("I(3, 4), 4")
    .sample("R(3, 4), 0.7");

PT_OP(remainder)
    .impl([](const Out& out, const Tensor& self, const Tensor& other) {
      return run_division(out, kRemainder, self, other);
    })
    .elementwise()
    .saves("self@other, other@other")
    .backward([](BackwardCall& g, const Tensor& self, const Tensor& other) {
      if (g.needs(0)) g[0] = g.grad();
      if (g.needs(1)) g[1] = neg(g.grad() * floor_divide(self, other));
    })
    .inplace()
    .out()
    .numbers()
    .doc("The remainder with other's sign, elementwise: Python's `%`.")
    .sample("R(3, 4), P(3, 4)")
    .sample("I(3, 4), 4")
    .sample("R(3, 4), -0.7");

PT_OP(fmod)
    .impl([](const Out& out, const Tensor& self, const Tensor& other) {
      return run_division(out, kFmod, self, other);
    })
    .elementwise()
    .saves("self@other, other@other")
    .backward([](BackwardCall& g, const Tensor& self, const Tensor& other) {
      if (g.needs(0)) g[0] = g.grad();
      if (g.needs(1)) g[1] = neg(g.grad() * div(self, other, "trunc"));
    })
    .inplace()
    .out()
    .numbers()
    .doc("The remainder with self's sign, elementwise: C's fmod.")
    .sample("R(3, 4), P(3, 4)")
    .sample("I(3, 4), -4")
    .sample("R(3, 4), 0.7");

}  // namespace pt
