// What the sort ops do on a device where the algorithms of this folder do not apply: compositions
// of other ops, whose kernels run there. Called by the ops' forward functions, below autograd.
#pragma once

#include <tuple>

#include "core/tensor.h"

namespace pt::device {

// A number among the operands is a tensor of the host; kernels read it where the call runs.
Tensor at_call_device(const Tensor& t);

Tensor is_in(const Tensor& elements, const Tensor& tests, bool invert);

Tensor histogram(const Tensor& flat, int64_t bins, double low, double high);
// How often each of 0 .. bins - 1 occurs among integers; or the sums of their weights.
Tensor bin_count(const Tensor& values, int64_t bins);
Tensor bin_count(const Tensor& values, int64_t bins, const Tensor& weights);

// Groups of equal elements of a vector, or of equal rows of a matrix: in sorted order, or runs of
// equal neighbours. (first places of the groups' elements, group of each element, sizes)
struct Groups {
  Tensor values, inverse, counts;
};
Groups unique(const Tensor& rows, bool consecutive);

}  // namespace pt::device
