// Clamping, and the larger and smaller of two.
#include <limits>

#include "ops/pointwise/activation_backward.h"
#include "ops/pointwise/arithmetic.h"
#include "ops/pointwise/binary.h"
#include "ops/pointwise/compare.h"
#include "ops/pointwise/formula.h"
#include "ops/pointwise/unary.h"

namespace pt {

namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
const PointwiseKernel kClamp{"clamp"}, kClampMin{"clamp_min"}, kClampMax{"clamp_max"};
const PointwiseKernel kMaximum{"maximum"}, kMinimum{"minimum"}, kFmax{"fmax"}, kFmin{"fmin"};

Tensor run_fmax(const Out& out, const PointwiseKernel& of_floats,
                const PointwiseKernel& of_integers, const Tensor& a, const Tensor& b) {
  const bool integers = is_integral(a.dtype(), true) && is_integral(b.dtype(), true);
  return run_pointwise(out, integers ? of_integers : of_floats, Promote::kCommon, a, b);
}

// Where the gradient of max(self, other) goes: to the larger, half to each of equals, and to both
// where there is a NaN. `below` is self < other for self's share.
Tensor share_of_larger(const Tensor& grad, const Tensor& below, const Tensor& tie) {
  return where(below, 0.0, where(tie, mul(grad, 0.5), grad));
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
    .elementwise()
    .saves("self")
    .backward([](BackwardCall& g, const Tensor& self, std::optional<Scalar> min,
                 std::optional<Scalar> max) {
      g[0] = clamp_backward(g.grad(), self, min.value_or(-kInf), max.value_or(kInf));
    })
    .inplace()
    .out()
    .alias("clip")
    .doc(
        "Every element limited to [min, max].\n\n"
        "Args:\n    min (Number or Tensor, optional): lower limit\n"
        "    max (Number or Tensor, optional): upper limit\n\n"
        "Example:\n    >>> torch.tensor([-1., 0.5, 2.]).clamp(min=0, max=1)\n"
        "    tensor([0.0000, 0.5000, 1.0000])")
    .sample("R(3, 4), -0.5, 0.5")
    .sample("R(3, 4), min=0")
    .sample("I(3, 4), -2, 3")
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
    .elementwise()
    .saves("self, min, max")
    .backward([](BackwardCall& g, const Tensor& self, const Tensor& min, const Tensor& max) {
      if (g.needs(0)) {
        Tensor inside;
        if (min.defined()) inside = ge(self, min);
        if (max.defined()) {
          const Tensor below = le(self, max);
          inside = inside.defined() ? logical_and(inside, below) : below;
        }
        g[0] = where(inside, g.grad(), 0.0);
      }
      if (g.needs(1)) {
        Tensor at = lt(self, min);
        if (max.defined()) at = logical_and(at, lt(min, max));
        g[1] = where(at, g.grad(), 0.0);
      }
      if (g.needs(2)) {
        Tensor at = gt(self, max);
        if (min.defined()) at = logical_or(at, lt(max, min));
        g[2] = where(at, g.grad(), 0.0);
      }
    })
    .inplace()
    .out()
    .alias("clip")
    .sample("R(3, 4), R(3, 4) - 1, R(4) + 1")
    .sample("R(3, 4), min=R(4)");

PT_OP(clamp_min)
    .pointwise("clamp_min")
    .saves("self")
    .backward([](BackwardCall& g, const Tensor& self, Scalar min) {
      g[0] = clamp_backward(g.grad(), self, min, kInf);
    })
    .inplace()
    .out()
    .doc("Every element limited from below.")
    .sample("R(3, 4), 0.1")
    .sample("I(3, 4), 2");

PT_OP(clamp_min_tensor)
    .impl([](const Out& out, const Tensor& self, const Tensor& min) {
      return run_pointwise(out, kClampMin, Promote::kCommon, self, min);
    })
    .elementwise()
    .saves("self, min")
    .backward([](BackwardCall& g, const Tensor& self, const Tensor& min) {
      if (g.needs(0)) g[0] = where(ge(self, min), g.grad(), 0.0);
      if (g.needs(1)) g[1] = where(lt(self, min), g.grad(), 0.0);
    })
    .inplace()
    .out()
    .sample("R(3, 4), R(4)");

PT_OP(clamp_max)
    .pointwise("clamp_max")
    .saves("self")
    .backward([](BackwardCall& g, const Tensor& self, Scalar max) {
      g[0] = clamp_backward(g.grad(), self, -kInf, max);
    })
    .inplace()
    .out()
    .doc("Every element limited from above.")
    .sample("R(3, 4), 0.1")
    .sample("I(3, 4), 2");

PT_OP(clamp_max_tensor)
    .impl([](const Out& out, const Tensor& self, const Tensor& max) {
      return run_pointwise(out, kClampMax, Promote::kCommon, self, max);
    })
    .elementwise()
    .saves("self, max")
    .backward([](BackwardCall& g, const Tensor& self, const Tensor& max) {
      if (g.needs(0)) g[0] = where(le(self, max), g.grad(), 0.0);
      if (g.needs(1)) g[1] = where(gt(self, max), g.grad(), 0.0);
    })
    .inplace()
    .out()
    .sample("R(3, 4), R(4)");

PT_OP(maximum)
    .impl([](const Out& out, const Tensor& self, const Tensor& other) {
      return run_pointwise(out, kMaximum, Promote::kCommon, self, other);
    })
    .elementwise()
    .saves("self, other")
    .backward([](BackwardCall& g, const Tensor& self, const Tensor& other) {
      const Tensor tie = eq(self, other);
      if (g.needs(0)) g[0] = share_of_larger(g.grad(), lt(self, other), tie);
      if (g.needs(1)) g[1] = share_of_larger(g.grad(), gt(self, other), tie);
    })
    .out()
    .doc("The larger of two, elementwise; NaN if either is NaN.")
    .sample("R(3, 4), R(3, 4)")
    .sample("I(3, 4), I(4)");

PT_OP(minimum)
    .impl([](const Out& out, const Tensor& self, const Tensor& other) {
      return run_pointwise(out, kMinimum, Promote::kCommon, self, other);
    })
    .elementwise()
    .saves("self, other")
    .backward([](BackwardCall& g, const Tensor& self, const Tensor& other) {
      const Tensor tie = eq(self, other);
      if (g.needs(0)) g[0] = share_of_larger(g.grad(), gt(self, other), tie);
      if (g.needs(1)) g[1] = share_of_larger(g.grad(), lt(self, other), tie);
    })
    .out()
    .doc("The smaller of two, elementwise; NaN if either is NaN.")
    .sample("R(3, 4), R(3, 4)")
    .sample("I(3, 4), I(4)");

PT_OP(fmax)
    .impl([](const Out& out, const Tensor& self, const Tensor& other) {
      return run_fmax(out, kFmax, kMaximum, self, other);
    })
    .elementwise()
    .saves("self, other")
    .backward([](BackwardCall& g, const Tensor& self, const Tensor& other) {
      const Tensor first = logical_or(ge(self, other), isnan(other));
      if (g.needs(0)) g[0] = where(first, g.grad(), 0.0);
      if (g.needs(1)) g[1] = where(first, 0.0, g.grad());
    })
    .out()
    .doc("The larger of two, elementwise; NaN only if both are NaN.")
    .sample("R(3, 4), R(3, 4)")
    .sample("I(3, 4), I(4)");

PT_OP(fmin)
    .impl([](const Out& out, const Tensor& self, const Tensor& other) {
      return run_fmax(out, kFmin, kMinimum, self, other);
    })
    .elementwise()
    .saves("self, other")
    .backward([](BackwardCall& g, const Tensor& self, const Tensor& other) {
      const Tensor first = logical_or(le(self, other), isnan(other));
      if (g.needs(0)) g[0] = where(first, g.grad(), 0.0);
      if (g.needs(1)) g[1] = where(first, 0.0, g.grad());
    })
    .out()
    .doc("The smaller of two, elementwise; NaN only if both are NaN.")
    .sample("R(3, 4), R(3, 4)")
    .sample("I(3, 4), I(4)");

}  // namespace pt
