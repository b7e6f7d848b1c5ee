// A tensor as lines along one dimension, [outer, n, inner] with a stride each: what the scan and
// softmax kernels work on.
#pragma once

#include "core/tensor.h"
#include "cpu/scan_args.h"

namespace pt {

struct LineShape {
  int64_t outer = 1, n = 1, inner = 1;
};

LineShape line_shape(IntList sizes, int dim);
// `t`, or a row-major copy when its strides do not fit three levels.
Tensor as_lines(const Tensor& t, int dim, LineStrides& strides);

inline LineStrides row_major(const LineShape& s) { return {s.n * s.inner, s.inner, 1}; }

}  // namespace pt
