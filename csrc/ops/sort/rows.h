// A tensor as the rows that the algorithms of ops/sort work on, and gradients of selected elements.
#pragma once

#include <optional>

#include "core/tensor.h"
#include "cpu/sort_args.h"

namespace pt {

// The rows of `tensor` along one dimension. A 0-dim tensor is one row of one element.
struct Rows {
  Tensor tensor;  // what the strides describe: the tensor itself, or a contiguous copy of it
  int64_t outer = 1, inner = 1, n = 1;
  RowStrides strides;
  ConstRowArray source() const { return {tensor.raw(), strides}; }
  RowArray target() const { return {tensor.raw(), strides}; }
};

// Rows of `t` along dim where its strides allow it without a copy.
std::optional<Rows> rows_of(const Tensor& t, int dim);
// The same, of a contiguous copy where they do not.
Rows readable_rows(const Tensor& t, int dim);

// self's sizes with `size` along dim; a 0-dim tensor stays one.
Dims resized(const Tensor& self, int dim, int64_t size);

// The gradient of self[indices] along dim, where the selection lost the dimension or kept it.
Tensor selected_gradient(const Tensor& grad, const Tensor& self, int64_t dim, const Tensor& indices,
                         bool has_dim);

// Smallest and largest element of a contiguous tensor of integers that is not empty. Waits for a
// device.
std::pair<int64_t, int64_t> range_of(const Tensor& integers);

}  // namespace pt
