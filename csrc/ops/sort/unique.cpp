// Unique elements and rows. torch.unique and torch.unique_consecutive (composites/unique.py) choose
// among these ops. Their gradient is not defined, as in PyTorch.
#include "op/copy.h"
#include "op/define.h"
#include "ops/shape/shape.h"
#include "ops/sort/algorithms/sorting.h"
#include "ops/sort/device.h"
#include "ops/sort/rows.h"
#include "ops/sort/sort.h"
#include "ops/view/view.h"

namespace pt {

namespace {

using Triple = std::tuple<Tensor, Tensor, Tensor>;

Tensor none() { return empty_tensor(Dims{0}, DType::kInt64); }

// Allocates for a plan and writes: values of shape [count, ...rest], inverse of the given shape.
Triple collect(const UniquePlan& plan, const Dims& value_shape, DType dtype,
               const Dims& inverse_shape, bool return_inverse, bool return_counts) {
  const Tensor values = empty_tensor(value_shape, dtype);
  const Tensor inverse = return_inverse ? empty_tensor(inverse_shape, DType::kInt64) : none();
  const Tensor counts = return_counts ? empty_tensor(Dims{plan.count()}, DType::kInt64) : none();
  plan.write(values.raw(), return_inverse ? inverse.data<int64_t>() : nullptr,
             return_counts ? counts.data<int64_t>() : nullptr);
  return {values, inverse, counts};
}

// The elements of a contiguous tensor in groups, on a device.
Triple grouped(const Tensor& flat, bool consecutive, bool return_inverse, bool return_counts) {
  const device::Groups g = device::unique(reshape(flat, Dims{flat.numel()}), consecutive);
  return {g.values, return_inverse ? reshape(g.inverse, flat.sizes()) : none(),
          return_counts ? g.counts : none()};
}

using RowPlan = UniquePlan (*)(DType, const void*, int64_t, int64_t);

Triple unique_slices(RowPlan make_plan, const Tensor& self, int64_t dim, bool return_inverse,
                     bool return_counts) {
  PT_CHECK_INDEX(self.dim() > 0, "Dimension specified as ", dim, " but tensor has no dimensions");
  const int d = wrap_dim(dim, self.dim());
  const int64_t n = self->sizes[d];
  if (self.numel() == 0) {
    int zeros = 0;
    for (int64_t s : self.sizes()) zeros += s == 0;
    PT_CHECK(n == 0,
             "There are 0 sized dimensions, and they aren't selected, so unique cannot be "
             "applied");
    PT_CHECK(zeros == 1,
             "Number of zero sized dimensions is more than one, so unique cannot be applied ");
    return {empty_tensor(self.sizes(), self.dtype()), none(), none()};
  }
  const Tensor slices = as_contiguous(movedim(self, Dims{d}, Dims{0}));
  if (call_on_device) {
    const Tensor rows = reshape(slices, Dims{n, self.numel() / n});
    const device::Groups g = device::unique(rows, make_plan == UniquePlan::consecutive_rows);
    const Tensor values = reshape(g.values, resized(slices, 0, g.values->sizes[0]));
    return {as_contiguous(movedim(values, Dims{0}, Dims{d})), return_inverse ? g.inverse : none(),
            return_counts ? g.counts : none()};
  }
  const UniquePlan plan = make_plan(self.dtype(), slices.raw(), n, self.numel() / n);
  auto [values, inverse, counts] = collect(plan, resized(slices, 0, plan.count()), self.dtype(),
                                           Dims{n}, return_inverse, return_counts);
  return {movedim(values, Dims{0}, Dims{d}), inverse, counts};
}

[[noreturn]] void no_derivative(const char* op) {
  raise(ErrorKind::kNotImplemented, "the derivative for '", op, "' is not implemented.");
}

}  // namespace

PT_OP(unique2)
    .impl([](const Tensor& self, bool, bool return_inverse, bool return_counts) {
      const Tensor flat = as_contiguous(self);
      if (call_on_device) return grouped(flat, false, return_inverse, return_counts);
      const UniquePlan plan =
          UniquePlan::sorted(flat.dtype(), flat.raw(), flat.numel(), return_inverse);
      return collect(plan, Dims{plan.count()}, self.dtype(), self.sizes(), return_inverse,
                     return_counts);
    })
    .on_device()
    .backward([](BackwardCall&, const Tensor&, bool, bool, bool) { no_derivative("_unique2"); })
    .nondifferentiable_output(1)
    .nondifferentiable_output(2)
    .internal()
    .test("nograd");

PT_OP(unique_dim)
    .impl([](const Tensor& self, int64_t dim, bool, bool return_inverse, bool return_counts) {
      return unique_slices(UniquePlan::sorted_rows, self, dim, return_inverse, return_counts);
    })
    .on_device()
    .backward([](BackwardCall&, const Tensor&, int64_t, bool, bool, bool) {
      no_derivative("unique_dim");
    })
    .nondifferentiable_output(1)
    .nondifferentiable_output(2)
    .internal()
    .test("nograd");

PT_OP(unique_consecutive)
    .impl([](const Tensor& self, bool return_inverse, bool return_counts,
             std::optional<int64_t> dim) {
      if (dim && !(self.dim() == 1 && wrap_dim(*dim, 1) == 0))
        return unique_slices(UniquePlan::consecutive_rows, self, *dim, return_inverse,
                             return_counts);
      const Tensor flat = as_contiguous(self);
      if (call_on_device) return grouped(flat, true, return_inverse, return_counts);
      const UniquePlan plan = UniquePlan::consecutive(flat.dtype(), flat.raw(), flat.numel());
      return collect(plan, Dims{plan.count()}, self.dtype(), self.sizes(), return_inverse,
                     return_counts);
    })
    .on_device()
    .backward([](BackwardCall&, const Tensor&, bool, bool, std::optional<int64_t>) {
      no_derivative("unique_consecutive");
    })
    .nondifferentiable_output(1)
    .nondifferentiable_output(2)
    .internal()
    .test("nograd");

}  // namespace pt
