// Logic on truth values, classification of numbers, and selection by a condition.
#include "ops/pointwise/compare.h"
#include "ops/pointwise/formula.h"

namespace pt {

namespace {
const PointwiseKernel kWhere{"where"};
const PointwiseKernel kAnd{"logical_and"}, kOr{"logical_or"}, kXor{"logical_xor"};
}  // namespace

PT_OP(logical_and)
    .impl([](const Out& out, const Tensor& self, const Tensor& other) {
      return run_pointwise(out, kAnd, Promote::kLogical, self, other);
    })
    .elementwise()
    .nondifferentiable()
    .inplace()
    .out()
    .doc("True where both are nonzero.")
    .sample("B(3, 4), B(3, 4)")
    .sample("I(3, 4), B(4)");

PT_OP(logical_or)
    .impl([](const Out& out, const Tensor& self, const Tensor& other) {
      return run_pointwise(out, kOr, Promote::kLogical, self, other);
    })
    .elementwise()
    .nondifferentiable()
    .inplace()
    .out()
    .doc("True where at least one is nonzero.")
    .sample("B(3, 4), B(3, 4)")
    .sample("I(3, 4), B(4)");

PT_OP(logical_xor)
    .impl([](const Out& out, const Tensor& self, const Tensor& other) {
      return run_pointwise(out, kXor, Promote::kLogical, self, other);
    })
    .elementwise()
    .nondifferentiable()
    .inplace()
    .out()
    .doc("True where exactly one is nonzero.")
    .sample("B(3, 4), B(3, 4)")
    .sample("I(3, 4), B(4)");

PT_OP(logical_not)
    .pointwise("logical_not", Promote::kLogical)
    .inplace()
    .out()
    .doc("True where an element is zero.")
    .sample("B(3, 4)")
    .sample("I(3, 4)");

PT_OP(isnan)
    .pointwise("isnan", Promote::kPredicate)
    .doc("True where an element is NaN.")
    .sample("R(3, 4)")
    .sample("R(3, 4) / 0");

PT_OP(isinf)
    .pointwise("isinf", Promote::kPredicate)
    .doc("True where an element is infinite.")
    .sample("R(3, 4)")
    .sample("R(3, 4) / 0");

PT_OP(isfinite)
    .pointwise("isfinite", Promote::kPredicate)
    .doc("True where an element is neither infinite nor NaN.")
    .sample("R(3, 4)")
    .sample("R(3, 4) / 0");

PT_OP(isposinf)
    .pointwise("isposinf", Promote::kPredicate)
    .out()
    .doc("True where an element is plus infinity.")
    .sample("R(3, 4)")
    .sample("R(3, 4) / 0");

PT_OP(isneginf)
    .pointwise("isneginf", Promote::kPredicate)
    .out()
    .doc("True where an element is minus infinity.")
    .sample("R(3, 4)")
    .sample("R(3, 4) / 0");

PT_OP(where)
    .impl([](const Out& out, const Tensor& condition, const Tensor& self, const Tensor& other) {
      PT_CHECK(condition.dtype() == DType::kBool || condition.dtype() == DType::kUInt8,
               "where expected condition to be a boolean tensor, but got a tensor with dtype ",
               dtype_name(condition.dtype()));
      const Value branches[] = {Value::of(self), Value::of(other)};
      const DType t = result_type(branches);
      const Value v[] = {Value::of(condition), branches[0], branches[1]};
      return run_pointwise_as(out, kWhere.entry(), t, t, v, 3);
    })
    .elementwise()
    .saves("condition")
    .backward([](BackwardCall& g, const Tensor& condition, const Tensor&, const Tensor&) {
      if (g.needs(1)) g[1] = where(condition, g.grad(), 0.0);
      if (g.needs(2)) g[2] = where(condition, 0.0, g.grad());
    })
    .function_only()
    .out()
    .numbers()
    .doc("Elements of self where condition is True, else of other; broadcast.")
    .sample("B(3, 4), R(3, 4), R(3, 4)")
    .sample("B(4), R(3, 4), 0.5")
    .sample("B(3, 4), 1, 2.0");

PT_OP(where_method)
    .composite([](const Tensor& self, const Tensor& condition, const Tensor& other) {
      return where(condition, self, other);
    })
    .method_only()
    .numbers()
    .sample("R(3, 4), B(3, 4), R(3, 4)");

}  // namespace pt
