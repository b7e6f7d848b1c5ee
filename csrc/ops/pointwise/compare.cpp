// Elementwise comparison, and comparison of whole tensors.
#include "ops/pointwise/compare.h"

#include <algorithm>
#include <cstring>

#include "cpu/kernel_table.h"
#include "cpu/pointwise_args.h"
#include "ops/pointwise/arithmetic.h"
#include "ops/pointwise/formula.h"
#include "ops/pointwise/unary.h"

namespace pt {

namespace {

const PointwiseKernel kEq{"eq"}, kNe{"ne"}, kLt{"lt"}, kLe{"le"}, kGt{"gt"}, kGe{"ge"};

// A number as `like` would hold it.
Scalar rounded(const Tensor& number, DType like) {
  return scalar_tensor(number.item(), like).item();
}

// Numbers are compared with half-precision elements as rounded to their dtype.
Tensor compare(const Out& out, const PointwiseKernel& kernel, const Tensor& a, const Tensor& b) {
  if (b.is_wrapped_number() && is_half(a.dtype()))
    return run_pointwise(out, kernel, Promote::kCompare, a, rounded(b, a.dtype()));
  if (a.is_wrapped_number() && is_half(b.dtype()))
    return run_pointwise(out, kernel, Promote::kCompare, rounded(a, b.dtype()), b);
  return run_pointwise(out, kernel, Promote::kCompare, a, b);
}

// True if every element of a bool tensor is.
bool all_true(const Tensor& t) {
  const Tensor c = t.device().is_cpu() ? as_contiguous(t) : copy_to(t, t.dtype(), {});
  return c.numel() == 0 || !std::memchr(c.raw(), 0, static_cast<size_t>(c.numel()));
}

// Row-major tensors of one dtype, up to the first block with a difference.
bool equal_rows(const Tensor& a, const Tensor& b) {
  constexpr int64_t kBlock = 4096;
  auto* kernel = reinterpret_cast<PointwiseFn*>(kEq.entry().fn[static_cast<int>(a.dtype())]);
  const auto item = static_cast<int64_t>(a.item_size());
  uint8_t same[kBlock];
  for (int64_t begin = 0; begin < a.numel(); begin += kBlock) {
    const int64_t n = std::min(kBlock, a.numel() - begin);
    void* const out[] = {same};
    const void* const in[] = {a.data<char>() + begin * item, b.data<char>() + begin * item};
    kernel(out, in, 0, n);
    if (std::memchr(same, 0, static_cast<size_t>(n))) return false;
  }
  return true;
}

Tensor is_close(const Tensor& self, const Tensor& other, double rtol, double atol, bool equal_nan) {
  PT_CHECK(self.dtype() == other.dtype(), dtype_name(self.dtype()), " did not match ",
           dtype_name(other.dtype()));
  PT_CHECK(rtol >= 0, "rtol must be greater than or equal to zero, but got ", rtol);
  PT_CHECK(atol >= 0, "atol must be greater than or equal to zero, but got ", atol);
  Tensor close = eq(self, other);
  const bool floating = is_floating(self.dtype());
  if (equal_nan && floating) close = logical_or(close, logical_and(isnan(self), isnan(other)));
  if (rtol == 0 && atol == 0) return close;
  const DType t = floating ? self.dtype() : default_dtype();
  const Tensor target = cast_to(other, t);
  const Tensor allowed = add(abs(mul(target, rtol)), atol);
  const Tensor error = abs(sub(cast_to(self, t), target));
  return logical_or(close, logical_and(isfinite(error), le(error, allowed)));
}

}  // namespace

PT_OP(eq)
    .impl([](const Out& out, const Tensor& self, const Tensor& other) {
      return compare(out, kEq, self, other);
    })
    .elementwise()
    .nondifferentiable()
    .inplace()
    .out()
    .numbers()
    .doc("self == other, elementwise, as a bool tensor.")
    .sample("R(3, 4), R(3, 4)")
    .sample("I(3, 4), I(4)")
    .sample("R(3, 4), 0.5");

PT_OP(ne)
    .impl([](const Out& out, const Tensor& self, const Tensor& other) {
      return compare(out, kNe, self, other);
    })
    .elementwise()
    .nondifferentiable()
    .inplace()
    .out()
    .numbers()
    .alias("not_equal")
    .doc("self != other, elementwise, as a bool tensor.")
    .sample("R(3, 4), R(3, 4)")
    .sample("I(3, 4), I(4)")
    .sample("R(3, 4), 0.5");

PT_OP(lt)
    .impl([](const Out& out, const Tensor& self, const Tensor& other) {
      return compare(out, kLt, self, other);
    })
    .elementwise()
    .nondifferentiable()
    .inplace()
    .out()
    .numbers()
    .alias("less")
    .doc("self < other, elementwise, as a bool tensor.")
    .sample("R(3, 4), R(3, 4)")
    .sample("I(3, 4), I(4)")
    .sample("R(3, 4), 0.5");

PT_OP(le)
    .impl([](const Out& out, const Tensor& self, const Tensor& other) {
      return compare(out, kLe, self, other);
    })
    .elementwise()
    .nondifferentiable()
    .inplace()
    .out()
    .numbers()
    .alias("less_equal")
    .doc("self <= other, elementwise, as a bool tensor.")
    .sample("R(3, 4), R(3, 4)")
    .sample("I(3, 4), I(4)")
    .sample("R(3, 4), 0.5");

PT_OP(gt)
    .impl([](const Out& out, const Tensor& self, const Tensor& other) {
      return compare(out, kGt, self, other);
    })
    .elementwise()
    .nondifferentiable()
    .inplace()
    .out()
    .numbers()
    .alias("greater")
    .doc("self > other, elementwise, as a bool tensor.")
    .sample("R(3, 4), R(3, 4)")
    .sample("I(3, 4), I(4)")
    .sample("R(3, 4), 0.5");

PT_OP(ge)
    .impl([](const Out& out, const Tensor& self, const Tensor& other) {
      return compare(out, kGe, self, other);
    })
    .elementwise()
    .nondifferentiable()
    .inplace()
    .out()
    .numbers()
    .alias("greater_equal")
    .doc("self >= other, elementwise, as a bool tensor.")
    .sample("R(3, 4), R(3, 4)")
    .sample("I(3, 4), I(4)")
    .sample("R(3, 4), 0.5");

PT_OP(isclose)
    .impl([](const Tensor& self, const Tensor& other, double rtol, double atol, bool equal_nan) {
      return is_close(self, other, rtol, atol, equal_nan);
    })
    .elementwise()
    .nondifferentiable()
    .doc(
        "True where |self - other| <= atol + rtol * |other|.\n\n"
        "Args:\n    other (Tensor): of self's dtype\n    rtol (float): relative tolerance\n"
        "    atol (float): absolute tolerance\n    equal_nan (bool): NaN is close to NaN")
    .sample("R(3, 4), R(3, 4)")
    .sample("I(3, 4), I(3, 4), atol=2")
    .sample("R(3, 4), R(4), rtol=0.5, equal_nan=True");

PT_OP(allclose)
    .impl([](const Tensor& self, const Tensor& other, double rtol, double atol, bool equal_nan) {
      return all_true(is_close(self, other, rtol, atol, equal_nan));
    })
    .elementwise()
    .nondifferentiable()
    .doc(
        "True if isclose() is True everywhere.\n\n"
        "Example:\n    >>> torch.allclose(torch.ones(3), torch.ones(3) + 1e-9)\n    True")
    .sample("R(3, 4), R(3, 4)")
    .sample("R(3, 4), R(4), atol=100.0");

PT_OP(equal)
    .impl([](const Tensor& self, const Tensor& other) {
      if (!same(self.sizes(), other.sizes())) return false;
      if (!call_on_device && self.dtype() == other.dtype() && self.is_contiguous() &&
          other.is_contiguous() && kEq.entry().fn[static_cast<int>(self.dtype())])
        return equal_rows(self, other);
      return all_true(eq(self, other));
    })
    .elementwise()
    .nondifferentiable()
    .doc(
        "True if both have the same size and the same elements.\n\n"
        "Example:\n    >>> torch.equal(torch.tensor([1, 2]), torch.tensor([1, 2]))\n    True")
    .sample("R(3, 4), R(3, 4)")
    .sample("I(3, 4), I(4)");

}  // namespace pt
