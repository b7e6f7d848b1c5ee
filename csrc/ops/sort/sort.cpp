// sort, argsort and msort. Every sort is stable.
#include "ops/sort/sort.h"

#include "op/copy.h"
#include "op/define.h"
#include "ops/sort/algorithms/sorting.h"
#include "ops/sort/rows.h"

namespace pt {

namespace {

using Pair = std::tuple<Tensor, Tensor>;

// Values and indices in self's layout where that is dense; `want_values` false leaves them out.
Pair sorted(const Tensor& self, int64_t dim, bool descending, bool want_values) {
  const int d = wrap_dim(dim, self.dim());
  const Rows rows = readable_rows(self, d);
  const bool dense = is_non_overlapping_and_dense(self.impl());
  auto make = [&](DType dtype, const Tensor& like) {
    return dense ? empty_strided_tensor(self.sizes(), like.strides(), dtype)
                 : empty_tensor(self.sizes(), dtype);
  };
  const Tensor values = want_values ? make(self.dtype(), rows.tensor) : Tensor();
  const Tensor indices = make(DType::kInt64, rows.tensor);
  if (self.numel() == 0) return {values, indices};
  SortArgs args{.dtype = self.dtype(),
                .outer = rows.outer,
                .inner = rows.inner,
                .n = rows.n,
                .source = rows.source(),
                .values = {},
                .indices = rows_of(indices, d)->target(),
                .descending = descending};
  if (want_values) args.values = rows_of(values, d)->target();
  sort_rows(args);
  if (!dense || rows.tensor.same_as(self)) return {values, indices};
  auto as_self = [&](const Tensor& t) {
    if (!t.defined()) return t;
    Tensor out = make(t.dtype(), self);
    copy_into(out, t);
    return out;
  };
  return {as_self(values), as_self(indices)};
}

}  // namespace

PT_OP(sort)
    .impl([](const Tensor& self, int64_t dim, bool descending) {
      return sorted(self, dim, descending, true);
    })
    .on_device()
    .saves("shape:self, result1")
    .backward([](BackwardCall& g, const Tensor& self, int64_t dim, bool) {
      g[0] = selected_gradient(g.grad(), self, dim, g.result(1), true);
    })
    .nondifferentiable_output(1)
    .out()
    .doc(
        "The elements in order along a dimension, and where each came from. Equal elements keep "
        "their order; NaN counts as the largest.\n\n"
        "Args:\n    dim (int): dimension to sort along, the last by default\n"
        "    descending (bool): largest first\n    stable (bool): every sort is stable\n\n"
        "Example:\n    >>> torch.tensor([3., 1., 2.]).sort().values\n    tensor([1., 2., 3.])")
    .sample("R(3, 5)")
    .sample("R(3, 5), 0, True")
    .sample("R(2, 3, 4), dim=1")
    .sample("I(4, 6), -1");

PT_OP(sort_stable)
    .impl([](const Tensor& self, std::optional<bool>, int64_t dim, bool descending) {
      return sorted(self, dim, descending, true);
    })
    .on_device()
    .saves("shape:self, result1")
    .backward([](BackwardCall& g, const Tensor& self, std::optional<bool>, int64_t dim, bool) {
      g[0] = selected_gradient(g.grad(), self, dim, g.result(1), true);
    })
    .nondifferentiable_output(1)
    .out()
    .doc("sort with a promise of stability, which every sort here keeps.")
    .sample("R(3, 5), stable=True")
    .sample("I(4, 6), stable=True, dim=0, descending=True");

PT_OP(argsort)
    .impl([](const Tensor& self, int64_t dim, bool descending) {
      return std::get<1>(sorted(self, dim, descending, false));
    })
    .on_device()
    .nondifferentiable()
    .doc(
        "The indices that sort self along a dimension.\n\n"
        "Args:\n    dim (int): dimension to sort along, the last by default\n"
        "    descending (bool): largest first\n    stable (bool): every sort is stable")
    .sample("R(3, 5)")
    .sample("R(3, 5), 0, descending=True");

PT_OP(argsort_stable)
    .impl([](const Tensor& self, bool, int64_t dim, bool descending) {
      return std::get<1>(sorted(self, dim, descending, false));
    })
    .on_device()
    .nondifferentiable()
    .doc("argsort with a promise of stability, which every sort here keeps.")
    .sample("I(3, 5), stable=True")
    .sample("I(3, 5), stable=True, dim=0, descending=True");

PT_OP(msort)
    .composite([](const Tensor& self) { return std::get<0>(sort(self, 0, false)); })
    .doc("The elements in ascending order along the first dimension.")
    .sample("R(5, 3)")
    .sample("R(4)");

}  // namespace pt
