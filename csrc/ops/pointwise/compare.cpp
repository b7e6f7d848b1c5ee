// Elementwise comparison, logic and selection.
#include "ops/pointwise/compare.h"

#include "op/define.h"

namespace pt {

#define PT_COMPARE(op, alias_name, text)            \
  PT_OP(op)                                         \
      .pointwise(#op, Promote::kCompare)            \
      .inplace()                                    \
      .out()                                        \
      .alias(alias_name)                            \
      .doc(text)                                    \
      .sample("R(3, 4), R(3, 4)")                   \
      .sample("I(3, 4), I(4)")                      \
      .sample("R(3, 4), 0.5");
PT_OP(eq)
    .pointwise("eq", Promote::kCompare)
    .inplace()
    .out()
    .doc("self == other, elementwise, as a bool tensor.")
    .sample("R(3, 4), R(3, 4)")
    .sample("I(3, 4), I(4)")
    .sample("R(3, 4), 0.5");
PT_COMPARE(ne, "not_equal", "self != other, elementwise, as a bool tensor.")
PT_COMPARE(lt, "less", "self < other, elementwise, as a bool tensor.")
PT_COMPARE(le, "less_equal", "self <= other, elementwise, as a bool tensor.")
PT_COMPARE(gt, "greater", "self > other, elementwise, as a bool tensor.")
PT_COMPARE(ge, "greater_equal", "self >= other, elementwise, as a bool tensor.")
#undef PT_COMPARE

PT_OP(logical_and)
    .pointwise("logical_and", Promote::kLogical)
    .inplace()
    .out()
    .doc("True where both are nonzero.")
    .sample("B(3, 4), B(3, 4)")
    .sample("I(3, 4), B(3, 4)");
PT_OP(logical_or)
    .pointwise("logical_or", Promote::kLogical)
    .inplace()
    .out()
    .doc("True where at least one is nonzero.")
    .sample("B(3, 4), B(3, 4)")
    .sample("I(3, 4), B(3, 4)");
PT_OP(isnan)
    .pointwise("isnan", Promote::kPredicate)
    .doc("True where an element is NaN.")
    .sample("R(3, 4)");

PT_OP(where)
    .impl([](const Out& out, const Tensor& condition, const Tensor& self, const Tensor& other) {
      static const PointwiseKernel kWhere{"where"};
      PT_CHECK(condition.dtype() == DType::kBool || condition.dtype() == DType::kUInt8,
               "where expected condition to be a boolean tensor, but got a tensor with dtype ",
               dtype_name(condition.dtype()));
      const Value branches[] = {Value::of(self), Value::of(other)};
      const DType t = result_type(branches);
      const Value v[] = {Value::of(condition), branches[0], branches[1]};
      return run_pointwise_as(out, kWhere.entry(), t, t, v, 3);
    })
    .saves("condition")
    .backward([](BackwardCall& g, const Tensor& condition, const Tensor&, const Tensor&) {
      if (g.needs(1)) g[1] = where(condition, g.grad(), wrapped_number(0.0));
      if (g.needs(2)) g[2] = where(condition, wrapped_number(0.0), g.grad());
    })
    .out()
    .numbers()
    .doc("Elements of self where condition is True, else of other; broadcast.")
    .sample("B(3, 4), R(3, 4), R(3, 4)")
    .sample("B(4), R(3, 4), 0.5");

}  // namespace pt
