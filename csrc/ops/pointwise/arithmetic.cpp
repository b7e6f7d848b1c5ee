// Elementwise arithmetic: add, sub, mul, neg and the fused forms with a factor.
#include "ops/pointwise/arithmetic.h"

#include "ops/pointwise/compare.h"
#include "ops/pointwise/formula.h"
#include "ops/pointwise/unary.h"

namespace pt {

namespace {

const PointwiseKernel kAdd{"add"}, kAddAlpha{"add_alpha"}, kSub{"sub"}, kSubAlpha{"sub_alpha"};
const PointwiseKernel kNeg{"neg"}, kAddcdiv{"addcdiv"}, kAddcmul{"addcmul"}, kLerp{"lerp"};

bool is_one(const Scalar& s) { return s.to_double() == 1.0; }

// kernel(a, b, alpha) in the dtype of a and b. PyTorch refuses a fractional alpha for integers and
// a bool one for anything but bools.
Tensor run_with_alpha(const Out& out, const char* op, const PointwiseKernel& kernel,
                      const Tensor& a, const Tensor& b, const Scalar& alpha) {
  const Value v[] = {Value::of(a), Value::of(b), Value::of(alpha)};
  const DType t = result_type({v, 2});
  PT_CHECK(!alpha.is_bool() || t == DType::kBool, op,
           "(): Boolean alpha only supported for Boolean results.");
  PT_CHECK(is_floating(t) || alpha.is_integral(), op,
           "(): For integral input tensors, argument alpha must not be a floating point number.");
  return run_pointwise_as(out, kernel.entry(), t, t, v, 3);
}

void refuse_bool_subtraction(const Tensor& a, const Tensor& b) {
  PT_CHECK(a.dtype() != DType::kBool || b.dtype() != DType::kBool,
           "Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or "
           "`logical_xor()` operator instead.");
  PT_CHECK(a.dtype() != DType::kBool && b.dtype() != DType::kBool,
           "Subtraction, the `-` operator, with a bool tensor is not supported. If you are trying "
           "to invert a mask, use the `~` or `logical_not()` operator instead.");
}

Tensor scaled(const Tensor& t, const Scalar& alpha) { return is_one(alpha) ? t : mul(t, alpha); }

void check_lerp(const Tensor& self, const Tensor& end) {
  PT_CHECK(self.dtype() == end.dtype(), "expected dtype ", dtype_name(self.dtype()),
           " for `end` but got dtype ", dtype_name(end.dtype()));
}

}  // namespace

PT_OP(add)
    .impl([](const Out& out, const Tensor& self, const Tensor& other, Scalar alpha) {
      if (is_one(alpha) && !alpha.is_bool())
        return run_pointwise(out, kAdd, Promote::kCommon, self, other);
      return run_with_alpha(out, "add", kAddAlpha, self, other, alpha);
    })
    .elementwise()
    .backward([](BackwardCall& g, const Tensor&, const Tensor&, Scalar alpha) {
      if (g.needs(0)) g[0] = g.grad();
      if (g.needs(1)) g[1] = scaled(g.grad(), alpha);
    })
    .inplace()
    .out()
    .numbers()
    .doc(
        "self + alpha * other, elementwise with broadcasting and type promotion.\n\n"
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
      if (is_one(alpha) && !alpha.is_bool())
        return run_pointwise(out, kSub, Promote::kCommon, self, other);
      return run_with_alpha(out, "sub", kSubAlpha, self, other, alpha);
    })
    .elementwise()
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
      if (is_one(alpha) && !alpha.is_bool())
        return run_pointwise(out, kSub, Promote::kCommon, other, self);
      return run_with_alpha(out, "rsub", kSubAlpha, other, self, alpha);
    })
    .elementwise()
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

PT_OP(neg)
    .impl([](const Out& out, const Tensor& self) {
      PT_CHECK(
          self.dtype() != DType::kBool,
          "Negation, the `-` operator, on a bool tensor is not supported. If you are trying to "
          "invert a mask, use the `~` or `logical_not()` operator instead.");
      return run_pointwise(out, kNeg, Promote::kCommon, self);
    })
    .elementwise()
    .backward([](BackwardCall& g, const Tensor&) { g[0] = neg(g.grad()); })
    .inplace()
    .out()
    .alias("negative")
    .doc("-self, elementwise.")
    .sample("R(3, 4)")
    .sample("I(3, 4)");

PT_OP(addcmul)
    .impl([](const Out& out, const Tensor& self, const Tensor& tensor1, const Tensor& tensor2,
             Scalar value) {
      const Value v[] = {Value::of(self), Value::of(tensor1), Value::of(tensor2), Value::of(value)};
      const DType t = result_type({v, 3});
      PT_CHECK_KIND(ErrorKind::kNotImplemented, t != DType::kBool,
                    "\"addcmul\" not implemented for 'Bool'");
      return run_pointwise_as(out, kAddcmul.entry(), t, t, v, 4);
    })
    .elementwise()
    .saves("tensor1@tensor2, tensor2@tensor1")
    .backward([](BackwardCall& g, const Tensor&, const Tensor& tensor1, const Tensor& tensor2,
                 Scalar value) {
      if (g.needs(0)) g[0] = g.grad();
      if (!g.needs(1) && !g.needs(2)) return;
      const Tensor grad = scaled(g.grad(), value);
      if (g.needs(1)) g[1] = mul(grad, tensor2);
      if (g.needs(2)) g[2] = mul(grad, tensor1);
    })
    .inplace()
    .out()
    .doc("self + value * tensor1 * tensor2, elementwise with broadcasting.")
    .sample("R(3, 4), R(3, 4), R(3, 4)")
    .sample("R(3, 4), R(3, 1), R(4), value=0.5")
    .sample("I(3, 4), I(3, 4), I(3, 4), value=2");

PT_OP(addcdiv)
    .impl([](const Out& out, const Tensor& self, const Tensor& tensor1, const Tensor& tensor2,
             Scalar value) {
      PT_CHECK(
          !is_integral(tensor1.dtype(), true) || !is_integral(tensor2.dtype(), true),
          "Integer division with addcdiv is no longer supported. Use torch.addcdiv on floating "
          "tensors, or self + value * torch.div(tensor1, tensor2, rounding_mode='trunc').");
      const Value v[] = {Value::of(self), Value::of(tensor1), Value::of(tensor2), Value::of(value)};
      const DType t = result_type({v, 3});
      return run_pointwise_as(out, kAddcdiv.entry(), t, t, v, 4);
    })
    .elementwise()
    .saves("tensor1@tensor2, tensor2")
    .backward([](BackwardCall& g, const Tensor&, const Tensor& tensor1, const Tensor& tensor2,
                 Scalar value) {
      if (g.needs(0)) g[0] = g.grad();
      if (g.needs(1)) g[1] = div(scaled(g.grad(), value), tensor2);
      if (g.needs(2)) g[2] = neg(g.grad() * div(scaled(tensor1, value), mul(tensor2, tensor2)));
    })
    .inplace()
    .out()
    .doc("self + value * tensor1 / tensor2, elementwise with broadcasting.")
    .sample("R(3, 4), R(3, 4), P(3, 4)")
    .sample("R(3, 4), R(3, 1), P(4), value=0.5");

PT_OP(lerp)
    .impl([](const Out& out, const Tensor& self, const Tensor& end, Scalar weight) {
      check_lerp(self, end);
      return run_in_own_dtype(out, kLerp, self, end, weight);
    })
    .elementwise()
    .backward([](BackwardCall& g, const Tensor&, const Tensor&, Scalar weight) {
      const double w = weight.to_double();
      if (g.needs(0)) g[0] = mul(g.grad(), 1.0 - w);
      if (g.needs(1)) g[1] = mul(g.grad(), w);
    })
    .inplace()
    .out()
    .doc(
        "self + weight * (end - self): the point at `weight` on the way from self to end.\n\n"
        "Args:\n    end (Tensor): the end, of self's dtype\n"
        "    weight (Number or Tensor): 0 gives self, 1 gives end")
    .sample("R(3, 4), R(3, 4), 0.3")
    .sample("R(3, 4), R(4), 0.8");

PT_OP(lerp_tensor)
    .impl([](const Out& out, const Tensor& self, const Tensor& end, const Tensor& weight) {
      check_lerp(self, end);
      PT_CHECK(self.dtype() == weight.dtype(), "expected dtype ", dtype_name(self.dtype()),
               " for `weight` but got dtype ", dtype_name(weight.dtype()));
      return run_in_own_dtype(out, kLerp, self, end, weight);
    })
    .elementwise()
    .saves("self@weight, end@weight, weight")
    .backward([](BackwardCall& g, const Tensor& self, const Tensor& end, const Tensor& weight) {
      if (g.needs(0)) g[0] = g.grad() * (1 - weight);
      if (g.needs(1)) g[1] = g.grad() * weight;
      if (g.needs(2)) g[2] = g.grad() * (end - self);
    })
    .inplace()
    .out()
    .sample("R(3, 4), R(3, 4), U(3, 4)")
    .sample("R(3, 4), R(4), U(3, 1)");

}  // namespace pt
