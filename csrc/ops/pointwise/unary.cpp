// Signs, rounding and other piecewise linear functions of one tensor.
#include "ops/pointwise/unary.h"

#include <cfloat>

#include "op/device_plan.h"
#include "op/plan.h"
#include "ops/pointwise/arithmetic.h"
#include "ops/pointwise/binary.h"
#include "ops/pointwise/compare.h"
#include "ops/pointwise/formula.h"

namespace pt {

namespace {

const PointwiseKernel kAbs{"abs"}, kFloor{"floor"}, kCeil{"ceil"}, kTrunc{"trunc"};
const PointwiseKernel kRound{"round"}, kRoundDecimals{"round_decimals"}, kFrac{"frac"};
const PointwiseKernel kFrexp{"frexp"}, kNanToNum{"nan_to_num"};

// Integers are their own rounding.
Tensor run_rounding(const Out& out, const PointwiseKernel& kernel, const Tensor& self) {
  refuse_bool(self, kernel.name());
  return run_pointwise(out, kernel, Promote::kCommon, self);
}

// The largest finite number of a floating dtype.
double largest(DType t) {
  switch (t) {
    case DType::kFloat16:
      return 65504;
    case DType::kBFloat16:
      return 0x1.fep127;
    case DType::kFloat32:
      return FLT_MAX;
    default:
      return DBL_MAX;
  }
}

}  // namespace

PT_OP(abs)
    .impl([](const Out& out, const Tensor& self) {
      refuse_bool(self, "abs");
      return run_pointwise(out, kAbs, Promote::kCommon, self);
    })
    .elementwise()
    .saves("self")
    .backward([](BackwardCall& g, const Tensor& self) { g[0] = g.grad() * sgn(self); })
    .inplace()
    .out()
    .alias("absolute")
    .doc("The absolute value, elementwise.")
    .sample("R(3, 4)")
    .sample("I(3, 4)");

PT_OP(positive)
    .composite([](const Tensor& self) {
      PT_CHECK(self.dtype() != DType::kBool,
               "The `+` operator, on a bool tensor is not supported.");
      return self;
    })
    .doc("self.")
    .sample("R(3, 4)");

PT_OP(sign)
    .pointwise("sign")
    .backward([](BackwardCall& g, const Tensor&) { g[0] = zeros_of(g.grad()); })
    .inplace()
    .out()
    .doc("-1, 0 or 1 by the sign of each element.")
    .sample("R(3, 4)")
    .sample("I(3, 4)");

PT_OP(sgn)
    .pointwise("sgn")
    .backward([](BackwardCall& g, const Tensor&) { g[0] = zeros_of(g.grad()); })
    .inplace()
    .out()
    .doc("-1, 0 or 1 by the sign of each element, as sign().")
    .sample("R(3, 4)")
    .sample("I(3, 4)");

PT_OP(signbit)
    .pointwise("signbit", Promote::kPredicate)
    .out()
    .doc("True where the sign bit is set: for negative elements and -0.")
    .sample("R(3, 4)")
    .sample("I(3, 4)");

PT_OP(floor)
    .impl([](const Out& out, const Tensor& self) { return run_rounding(out, kFloor, self); })
    .elementwise()
    .backward([](BackwardCall& g, const Tensor&) { g[0] = zeros_of(g.grad()); })
    .inplace()
    .out()
    .doc("The largest integer not above each element.")
    .sample("R(3, 4)")
    .sample("I(3, 4)");

PT_OP(ceil)
    .impl([](const Out& out, const Tensor& self) { return run_rounding(out, kCeil, self); })
    .elementwise()
    .backward([](BackwardCall& g, const Tensor&) { g[0] = zeros_of(g.grad()); })
    .inplace()
    .out()
    .doc("The smallest integer not below each element.")
    .sample("R(3, 4)")
    .sample("I(3, 4)");

PT_OP(trunc)
    .impl([](const Out& out, const Tensor& self) { return run_rounding(out, kTrunc, self); })
    .elementwise()
    .backward([](BackwardCall& g, const Tensor&) { g[0] = zeros_of(g.grad()); })
    .inplace()
    .out()
    .alias("fix")
    .doc("Each element rounded towards zero.")
    .sample("R(3, 4)")
    .sample("I(3, 4)");

PT_OP(round)
    .impl([](const Out& out, const Tensor& self) { return run_rounding(out, kRound, self); })
    .elementwise()
    .backward([](BackwardCall& g, const Tensor&) { g[0] = zeros_of(g.grad()); })
    .inplace()
    .out()
    .doc(
        "Each element rounded to the nearest integer, halves to the even one.\n\n"
        "Args:\n    decimals (int, optional): decimal places to round to\n\n"
        "Example:\n    >>> torch.round(torch.tensor([0.5, 1.5, -2.4]))\n"
        "    tensor([ 0.,  2., -2.])")
    .sample("R(3, 4)")
    .sample("I(3, 4)");

PT_OP(round_decimals)
    .impl([](const Out& out, const Tensor& self, int64_t decimals) {
      if (decimals == 0) return run_rounding(out, kRound, self);
      double power = 1;
      const auto digits = std::abs(std::clamp<int64_t>(decimals, -400, 400));
      for (int64_t i = digits; i > 0; --i) power *= 10;
      return run_in_own_dtype(out, kRoundDecimals, self, Scalar(power), Scalar(decimals < 0));
    })
    .elementwise()
    .backward([](BackwardCall& g, const Tensor&, int64_t) { g[0] = zeros_of(g.grad()); })
    .inplace()
    .out()
    .sample("R(3, 4), decimals=1")
    .sample("R(3, 4) * 100, decimals=-1");

PT_OP(frac)
    .impl([](const Out& out, const Tensor& self) {
      return run_pointwise(out, kFrac, Promote::kCommon, self);
    })
    .elementwise()
    .backward([](BackwardCall& g, const Tensor&) { g[0] = g.grad(); })
    .inplace()
    .out()
    .doc("self - trunc(self), elementwise.")
    .sample("R(3, 4)");

PT_OP(frexp)
    .impl([](const Tensor& self) {
      const DType t = self.dtype();
      PT_CHECK(is_floating(t), "torch.frexp() only supports floating-point dtypes");
      const DType compute = is_half(t) ? DType::kFloat32 : t;
      const bool dense = is_non_overlapping_and_dense(self.impl());
      const auto result = [&](DType dtype) {
        return dense ? empty_strided_tensor(self.sizes(), self.strides(), dtype)
                     : empty_tensor(self.sizes(), dtype);
      };
      const Tensor mantissa = result(t), exponent = result(DType::kInt32);
      if (self.numel() > 0 && call_on_device) {
        DevicePlan plan(self.sizes(), 2);
        for (const Tensor& t : {mantissa, exponent, self}) plan.add(t);
        const AnyFn fn = kFrexp.entry().fn[static_cast<int>(compute)];
        plan.run(reinterpret_cast<DevicePointwiseFn*>(fn));
      } else if (self.numel() > 0) {
        Plan plan(self.sizes());
        plan.add(mantissa, compute);
        plan.add(exponent, DType::kInt32);
        plan.add(self, compute);
        plan.run(reinterpret_cast<PointwiseFn*>(kFrexp.entry().fn[static_cast<int>(compute)]), 2);
      }
      return std::make_tuple(mantissa, exponent);
    })
    .elementwise()
    .saves("result1")
    .backward([](BackwardCall& g, const Tensor&) {
      if (g.grad(0).defined()) g[0] = ldexp(g.grad(0), neg(g.result(1)));
    })
    .nondifferentiable_output(1)
    .out()
    .doc("The mantissas in [0.5, 1) and int32 exponents with self == mantissa * 2 ** exponent.")
    .sample("R(3, 4)");

PT_OP(nan_to_num)
    .impl([](const Out& out, const Tensor& self, std::optional<double> nan,
             std::optional<double> posinf, std::optional<double> neginf) {
      const DType t = self.dtype();
      if (is_integral(t, true)) return run_pointwise(out, kTrunc, Promote::kCommon, self);
      return run_in_own_dtype(out, kNanToNum, self, Scalar(nan.value_or(0.0)),
                              Scalar(posinf.value_or(largest(t))),
                              Scalar(neginf.value_or(-largest(t))));
    })
    .elementwise()
    .saves("self")
    .backward([](BackwardCall& g, const Tensor& self, std::optional<double>, std::optional<double>,
                 std::optional<double>) { g[0] = g.grad() * isfinite(self); })
    .inplace()
    .out()
    .doc(
        "NaN and infinities replaced by finite numbers.\n\n"
        "Args:\n    nan (float, optional): stands in for NaN; 0 by default\n"
        "    posinf (float, optional): for infinity; the dtype's largest number by default\n"
        "    neginf (float, optional): for minus infinity; the dtype's least number by default")
    .sample("R(3, 4)")
    .sample("R(3, 4) / 0, nan=1.0, posinf=2.0")
    .test("nograd");

PT_OP(deg2rad)
    .pointwise("deg2rad", Promote::kFloat)
    .backward([](BackwardCall& g, const Tensor&) { g[0] = deg2rad(g.grad()); })
    .inplace()
    .out()
    .doc("Degrees to radians, elementwise.")
    .sample("R(3, 4) * 180");

PT_OP(rad2deg)
    .pointwise("rad2deg", Promote::kFloat)
    .backward([](BackwardCall& g, const Tensor&) { g[0] = rad2deg(g.grad()); })
    .inplace()
    .out()
    .doc("Radians to degrees, elementwise.")
    .sample("R(3, 4)");

}  // namespace pt
