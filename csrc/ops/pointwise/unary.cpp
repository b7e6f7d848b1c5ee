// Elementwise functions of one tensor and their gradients.
#include "ops/pointwise/unary.h"

#include "op/define.h"
#include "ops/pointwise/arithmetic.h"
#include "ops/pointwise/compare.h"

namespace pt {

PT_OP(neg)
    .impl([](const Out& out, const Tensor& self) {
      static const PointwiseKernel kNeg{"neg"};
      PT_CHECK(self.dtype() != DType::kBool,
               "Negation, the `-` operator, on a bool tensor is not supported. If you are trying to "
               "invert a mask, use the `~` or `logical_not()` operator instead.");
      return run_pointwise(out, kNeg, Promote::kCommon, self);
    })
    .backward([](BackwardCall& g, const Tensor&) { g[0] = neg(g.grad()); })
    .inplace()
    .out()
    .alias("negative")
    .doc("-self, elementwise.")
    .sample("R(3, 4)")
    .sample("I(3, 4)");

PT_OP(abs)
    .pointwise("abs")
    .saves("self")
    .backward([](BackwardCall& g, const Tensor& self) { g[0] = g.grad() * sign(self); })
    .inplace()
    .out()
    .alias("absolute")
    .doc("The absolute value, elementwise.")
    .sample("R(3, 4)")
    .sample("I(3, 4)");

PT_OP(exp)
    .pointwise("exp", Promote::kFloat)
    .saves("result")
    .backward([](BackwardCall& g, const Tensor&) { g[0] = g.grad() * g.result(); })
    .inplace()
    .out()
    .doc("e ** self, elementwise.\n\n"
         "Example:\n    >>> torch.exp(torch.tensor([0., 1.]))\n    tensor([1.0000, 2.7183])")
    .sample("R(3, 4)");

PT_OP(log)
    .pointwise("log", Promote::kFloat)
    .saves("self")
    .backward([](BackwardCall& g, const Tensor& self) { g[0] = div(g.grad(), self); })
    .inplace()
    .out()
    .doc("The natural logarithm, elementwise.")
    .sample("P(3, 4)");

PT_OP(sqrt)
    .pointwise("sqrt", Promote::kFloat)
    .saves("result")
    .backward([](BackwardCall& g, const Tensor&) { g[0] = div(g.grad(), 2 * g.result()); })
    .inplace()
    .out()
    .doc("The square root, elementwise.")
    .sample("P(3, 4)");

PT_OP(sign)
    .pointwise("sign")
    .backward([](BackwardCall& g, const Tensor&) { g[0] = mul(g.grad(), 0); })
    .inplace()
    .out()
    .doc("-1, 0 or 1 by the sign of each element.")
    .sample("R(3, 4)");

PT_OP(tanh)
    .pointwise("tanh", Promote::kFloat)
    .saves("result")
    .backward([](BackwardCall& g, const Tensor&) {
      g[0] = g.grad() * (1.0 - g.result() * g.result());
    })
    .inplace()
    .out()
    .doc("The hyperbolic tangent, elementwise.")
    .sample("R(3, 4)");

PT_OP(sigmoid)
    .pointwise("sigmoid", Promote::kFloat)
    .saves("result")
    .backward([](BackwardCall& g, const Tensor&) {
      g[0] = g.grad() * (1.0 - g.result()) * g.result();
    })
    .inplace()
    .out()
    .doc("1 / (1 + exp(-self)), elementwise.")
    .sample("R(3, 4)");

PT_OP(relu)
    .pointwise("relu")
    .saves("result")
    .backward([](BackwardCall& g, const Tensor&) {
      g[0] = where(gt(g.result(), 0), g.grad(), wrapped_number(0.0));
    })
    .inplace()
    .doc("max(self, 0), elementwise.")
    .sample("R(3, 4)");

namespace {
const PointwiseKernel kClamp{"clamp"}, kClampMin{"clamp_min"}, kClampMax{"clamp_max"};

// Gradient passes where min <= self <= max.
Tensor clamp_mask(const Tensor& grad, const Tensor& self, const Value& min, const Value& max) {
  Tensor inside;
  if (!min.is_none()) inside = min.tag == Value::Tag::kTensor ? ge(self, min.as_tensor())
                                                               : ge(self, min.as_scalar());
  if (!max.is_none()) {
    const Tensor below = max.tag == Value::Tag::kTensor ? le(self, max.as_tensor())
                                                        : le(self, max.as_scalar());
    inside = inside.defined() ? logical_and(inside, below) : below;
  }
  return where(inside, grad, wrapped_number(0.0));
}
}  // namespace

PT_OP(clamp)
    .impl([](const Out& out, const Tensor& self, std::optional<Scalar> min,
             std::optional<Scalar> max) {
      PT_CHECK(min || max, "torch.clamp: At least one of 'min' or 'max' must not be None");
      if (min && max) return run_pointwise(out, kClamp, Promote::kCommon, self, *min, *max);
      if (min) return run_pointwise(out, kClampMin, Promote::kCommon, self, *min);
      return run_pointwise(out, kClampMax, Promote::kCommon, self, *max);
    })
    .saves("self")
    .backward([](BackwardCall& g, const Tensor& self, std::optional<Scalar> min,
                 std::optional<Scalar> max) {
      g[0] = clamp_mask(g.grad(), self, Value::of(min), Value::of(max));
    })
    .inplace()
    .out()
    .alias("clip")
    .doc("Every element limited to [min, max].\n\n"
         "Args:\n    min (Number, optional): lower limit\n    max (Number, optional): upper limit\n\n"
         "Example:\n    >>> torch.tensor([-1., 0.5, 2.]).clamp(min=0, max=1)\n"
         "    tensor([0.0000, 0.5000, 1.0000])")
    .sample("R(3, 4), -0.5, 0.5")
    .sample("R(3, 4), min=0")
    .sample("R(3, 4), max=0.3");

PT_OP(clamp_tensor)
    .impl([](const Out& out, const Tensor& self, const Tensor& min, const Tensor& max) {
      PT_CHECK(min.defined() || max.defined(),
               "torch.clamp: At least one of 'min' or 'max' must not be None");
      if (min.defined() && max.defined())
        return run_pointwise(out, kClamp, Promote::kCommon, self, min, max);
      if (min.defined()) return run_pointwise(out, kClampMin, Promote::kCommon, self, min);
      return run_pointwise(out, kClampMax, Promote::kCommon, self, max);
    })
    .saves("self, min, max")
    .backward([](BackwardCall& g, const Tensor& self, const Tensor& min, const Tensor& max) {
      const Tensor zero = wrapped_number(0.0);
      if (g.needs(0)) g[0] = clamp_mask(g.grad(), self, Value::of(min), Value::of(max));
      if (g.needs(1)) {
        Tensor at = lt(self, min);
        if (max.defined()) at = logical_and(at, lt(min, max));
        g[1] = where(at, g.grad(), zero);
      }
      if (g.needs(2)) {
        Tensor at = gt(self, max);
        if (min.defined()) at = logical_or(at, lt(max, min));
        g[2] = where(at, g.grad(), zero);
      }
    })
    .inplace()
    .out()
    .alias("clip")
    .sample("R(3, 4), R(3, 4) - 1, R(4) + 1")
    .sample("R(3, 4), min=R(4)");

}  // namespace pt
