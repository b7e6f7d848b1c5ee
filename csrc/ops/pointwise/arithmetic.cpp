// Elementwise arithmetic: add, sub, mul, div, pow and their gradients.
#include "ops/pointwise/arithmetic.h"

#include "op/copy.h"
#include "op/define.h"
#include "ops/memory/memory.h"
#include "ops/pointwise/compare.h"
#include "ops/pointwise/unary.h"

namespace pt {

namespace {

bool is_one(const Scalar& s) { return s.to_double() == 1.0; }

// PyTorch refuses a fractional alpha for integers and any alpha but a bool for bools.
void check_alpha(const char* op, const Tensor& a, const Tensor& b, const Scalar& alpha) {
  const Value v[] = {Value::of(a), Value::of(b)};
  const DType t = result_type(v);
  PT_CHECK(!alpha.is_bool() || t == DType::kBool, op,
           "(): Boolean alpha only supported for Boolean results.");
  PT_CHECK(is_floating(t) || alpha.is_integral(), op,
           "(): For integral input tensors, argument alpha must not be a floating point number.");
}

void refuse_bool_subtraction(const Tensor& a, const Tensor& b) {
  PT_CHECK(a.dtype() != DType::kBool || b.dtype() != DType::kBool,
           "Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or "
           "`logical_xor()` operator instead.");
  PT_CHECK(a.dtype() != DType::kBool && b.dtype() != DType::kBool,
           "Subtraction, the `-` operator, with a bool tensor is not supported. If you are trying "
           "to invert a mask, use the `~` or `logical_not()` operator instead.");
}

Tensor scaled(const Tensor& t, const Scalar& alpha) {
  return is_one(alpha) ? t : mul(t, alpha);
}

const PointwiseKernel kAdd{"add"}, kAddAlpha{"add_alpha"}, kSub{"sub"}, kSubAlpha{"sub_alpha"};
const PointwiseKernel kMul{"mul"}, kDiv{"div"}, kDivFloor{"div_floor"}, kDivTrunc{"div_trunc"};

bool has_zero(const Tensor& t) {
  // Integer division by zero raises in PyTorch; only integers reach this.
  if (t.numel() == 0) return false;
  const Tensor c = as_contiguous(t);
  return visit_dtype(c.dtype(), [&](auto v) {
    using T = decltype(v);
    const T* p = c.data<T>();
    for (int64_t i = 0; i < c.numel(); ++i)
      if (p[i] == T(0)) return true;
    return false;
  });
}

}  // namespace

PT_OP(add)
    .impl([](const Out& out, const Tensor& self, const Tensor& other, Scalar alpha) {
      if (is_one(alpha) && !alpha.is_bool()) return run_pointwise(out, kAdd, Promote::kCommon, self, other);
      check_alpha("add", self, other, alpha);
      return run_pointwise(out, kAddAlpha, Promote::kCommon, self, other, alpha);
    })
    .backward([](BackwardCall& g, const Tensor&, const Tensor&, Scalar alpha) {
      if (g.needs(0)) g[0] = g.grad();
      if (g.needs(1)) g[1] = scaled(g.grad(), alpha);
    })
    .inplace()
    .out()
    .numbers()
    .doc("self + alpha * other, elementwise with broadcasting and type promotion.\n\n"
         "Args:\n    self (Tensor): first operand\n    other (Tensor or Number): second operand\n"
         "    alpha (Number): multiplier of other\n\n"
         "Shape: the broadcast shape of self and other.\n\n"
         "Example:\n    >>> torch.add(torch.tensor([1., 2.]), torch.tensor([3., 4.]), alpha=2)\n"
         "    tensor([ 7., 10.])")
    .sample("R(3, 4), R(3, 4)")
    .sample("R(3, 4), R(4), alpha=2")
    .sample("R(3, 4), 2.5")
    .sample("I(3, 4), I(3, 4), alpha=3");

PT_OP(sub)
    .impl([](const Out& out, const Tensor& self, const Tensor& other, Scalar alpha) {
      refuse_bool_subtraction(self, other);
      if (is_one(alpha) && !alpha.is_bool()) return run_pointwise(out, kSub, Promote::kCommon, self, other);
      check_alpha("sub", self, other, alpha);
      return run_pointwise(out, kSubAlpha, Promote::kCommon, self, other, alpha);
    })
    .backward([](BackwardCall& g, const Tensor&, const Tensor&, Scalar alpha) {
      if (g.needs(0)) g[0] = g.grad();
      if (g.needs(1)) g[1] = neg(scaled(g.grad(), alpha));
    })
    .inplace()
    .out()
    .numbers()
    .alias("subtract")
    .doc("self - alpha * other, elementwise with broadcasting and type promotion.")
    .sample("R(3, 4), R(3, 4)")
    .sample("R(3, 4), R(4), alpha=2")
    .sample("R(3, 4), 2.5");

PT_OP(rsub)
    .impl([](const Out& out, const Tensor& self, const Tensor& other, Scalar alpha) {
      refuse_bool_subtraction(self, other);
      if (is_one(alpha) && !alpha.is_bool()) return run_pointwise(out, kSub, Promote::kCommon, other, self);
      check_alpha("rsub", self, other, alpha);
      return run_pointwise(out, kSubAlpha, Promote::kCommon, other, self, alpha);
    })
    .backward([](BackwardCall& g, const Tensor&, const Tensor&, Scalar alpha) {
      if (g.needs(0)) g[0] = neg(scaled(g.grad(), alpha));
      if (g.needs(1)) g[1] = g.grad();
    })
    .function_only()
    .numbers()
    .doc("other - alpha * self, elementwise.")
    .sample("R(3, 4), R(3, 4)")
    .sample("R(3, 4), 1.0, alpha=2");

PT_OP(mul)
    .pointwise("mul")
    .saves("self@other, other@self")
    .backward([](BackwardCall& g, const Tensor& self, const Tensor& other) {
      if (g.needs(0)) g[0] = mul(g.grad(), other);
      if (g.needs(1)) g[1] = mul(g.grad(), self);
    })
    .inplace()
    .out()
    .numbers()
    .alias("multiply")
    .doc("self * other, elementwise with broadcasting and type promotion.")
    .sample("R(3, 4), R(3, 4)")
    .sample("R(3, 4), R(4)")
    .sample("R(3, 4), 2.5")
    .sample("I(3, 4), I(4)");

PT_OP(div)
    .impl([](const Out& out, const Tensor& self, const Tensor& other,
             std::optional<std::string_view> rounding_mode) {
      if (!rounding_mode) return run_pointwise(out, kDiv, Promote::kFloat, self, other);
      const Value v[] = {Value::of(self), Value::of(other)};
      const DType t = result_type(v);
      if (!is_floating(t) && has_zero(other)) raise(ErrorKind::kRuntime, "ZeroDivisionError");
      if (*rounding_mode == "floor")
        return run_pointwise(out, kDivFloor, Promote::kCommon, self, other);
      if (*rounding_mode == "trunc")
        return run_pointwise(out, kDivTrunc, Promote::kCommon, self, other);
      raise(ErrorKind::kRuntime,
            "div expected rounding_mode to be one of None, 'trunc', or 'floor' but found '",
            *rounding_mode, "'");
    })
    .saves("self@other, other")
    .backward([](BackwardCall& g, const Tensor& self, const Tensor& other,
                 std::optional<std::string_view> rounding_mode) {
      if (rounding_mode) return;  // piecewise constant: zero gradient
      if (g.needs(0)) g[0] = div(g.grad(), other);
      if (g.needs(1)) g[1] = neg(g.grad() * div(div(self, other), other));
    })
    .inplace()
    .out()
    .numbers()
    .alias("divide")
    .doc("self / other, elementwise; integers give floats unless rounding_mode is 'trunc' or "
         "'floor'.")
    .sample("R(3, 4), R(3, 4) + 3")
    .sample("R(3, 4), 2.5")
    .sample("R(3, 4), P(4), rounding_mode='floor'")
    .sample("R(3, 4), P(4), rounding_mode='trunc'");

PT_OP(pow)
    .pointwise("pow")
    .saves("self, exponent, result@exponent")
    .backward([](BackwardCall& g, const Tensor& self, const Tensor& exponent) {
      if (g.needs(0)) {
        if (exponent.is_wrapped_number() || exponent.dim() == 0) {
          const double e = exponent.item().to_double();
          if (e == 0) {
            g[0] = mul(g.grad(), 0);
          } else if (e == 2) {
            g[0] = mul(g.grad(), mul(self, 2));
          } else {
            g[0] = mul(g.grad(), mul(pow(self, sub(exponent, 1)), exponent));
          }
        } else {
          g[0] = g.grad() * where(eq(exponent, 0), wrapped_number(0.0),
                                  exponent * pow(self, exponent - 1));
        }
      }
      if (g.needs(1)) {
        // 0 ** e is constant for e >= 0, where log(0) would give NaN.
        const Tensor flat = logical_and(eq(self, 0), ge(exponent, 0));
        g[1] = g.grad() * where(flat, wrapped_number(0.0), g.result() * log(self));
      }
    })
    .inplace()
    .out()
    .numbers()
    .doc("self ** exponent, elementwise with broadcasting and type promotion.")
    .sample("P(3, 4), 2")
    .sample("P(3, 4), R(3, 4)")
    .sample("R(3, 4), 3.0");

}  // namespace pt
