// Tensors as rows, see rows.h.
#include "ops/sort/rows.h"

#include "op/copy.h"
#include "ops/index/index.h"
#include "ops/reduce/extremes.h"
#include "ops/sort/algorithms/sorting.h"
#include "ops/view/view.h"

namespace pt {

namespace {

// Number of elements in dimensions [begin, end) of t and the one stride that walks them.
bool merge(const Tensor& t, int begin, int end, int64_t& count, int64_t& stride) {
  count = 1;
  stride = 0;
  int64_t next = 0;
  for (int d = end - 1; d >= begin; --d) {
    const int64_t size = t->sizes[d];
    if (size == 1) continue;
    if (count == 1) {
      stride = t->strides[d];
    } else if (t->strides[d] != next) {
      return false;
    }
    count *= size;
    next = t->strides[d] * size;
  }
  return true;
}

}  // namespace

std::optional<Rows> rows_of(const Tensor& t, int dim) {
  Rows r;
  r.tensor = t;
  if (t.dim() == 0) return r;
  if (t.numel() == 0) {  // no rows, or empty ones
    r.outer = 0;
    r.n = t->sizes[dim];
    return r;
  }
  r.n = t->sizes[dim];
  r.strides.step = t->strides[dim];
  if (!merge(t, 0, dim, r.outer, r.strides.outer) ||
      !merge(t, dim + 1, t.dim(), r.inner, r.strides.inner))
    return std::nullopt;
  return r;
}

Rows readable_rows(const Tensor& t, int dim) {
  if (auto r = rows_of(t, dim)) return *r;
  return *rows_of(contiguous_copy(t), dim);
}

Dims resized(const Tensor& self, int dim, int64_t size) {
  Dims s = self.sizes();
  if (!s.empty()) s[dim] = size;
  return s;
}

std::pair<int64_t, int64_t> range_of(const Tensor& integers) {
  int64_t low, high;
  if (call_on_device) {
    const auto [smallest, largest] = aminmax(integers, std::nullopt, false);
    low = smallest.item().to_int();
    high = largest.item().to_int();
  } else {
    integer_range(integers.dtype(), integers.raw(), integers.numel(), &low, &high);
  }
  return {low, high};
}

Tensor selected_gradient(const Tensor& grad, const Tensor& self, int64_t dim, const Tensor& indices,
                         bool has_dim) {
  const Tensor zeros = zeros_tensor(self.sizes(), grad.dtype());
  if (has_dim || self.dim() == 0) return scatter(zeros, dim, indices, grad);
  return scatter(zeros, dim, unsqueeze(indices, dim), unsqueeze(grad, dim));
}

}  // namespace pt
