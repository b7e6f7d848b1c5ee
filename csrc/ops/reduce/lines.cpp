// Lines along a dimension. See lines.h.
#include "ops/reduce/lines.h"

#include "op/copy.h"

namespace pt {

namespace {

// The single stride with which dimensions begin..end are walked; false if there is none.
bool stride_of(const Tensor& t, int begin, int end, int64_t& stride) {
  bool found = false;
  int64_t next = 0;
  for (int i = end - 1; i >= begin; --i) {
    const int64_t n = t->sizes[i], s = t->strides[i];
    if (n == 1) continue;
    if (!found) stride = s;
    if (found && s != next) return false;
    found = true;
    next = s * n;
  }
  return true;
}

}  // namespace

LineShape line_shape(IntList sizes, int dim) {
  LineShape shape;
  const int ndim = static_cast<int>(sizes.size());
  for (int i = 0; i < ndim; ++i) {
    const int64_t n = sizes[static_cast<size_t>(i)];
    if (i == dim) {
      shape.n = n;
    } else if (i < dim) {
      shape.outer *= n;
    } else {
      shape.inner *= n;
    }
  }
  return shape;
}

Tensor as_lines(const Tensor& t, int dim, LineStrides& strides) {
  if (!t.is_contiguous()) {
    strides.n = t.dim() ? t->strides[dim] : 1;
    if (stride_of(t, 0, dim, strides.outer) && stride_of(t, dim + 1, t.dim(), strides.inner))
      return t;
  }
  strides = row_major(line_shape(t.sizes(), dim));
  return as_contiguous(t);
}

}  // namespace pt
