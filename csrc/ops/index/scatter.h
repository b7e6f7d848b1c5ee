// What scatter, scatter_add and scatter_reduce share. Used by the .cpp files of this folder.
#pragma once

#include "op/dispatch.h"
#include "ops/index/algorithms/lines.h"

namespace pt {

// Dimensions and sizes as gather and scatter count them: a 0-dim tensor is a vector of one.
inline int dims_of(const Tensor& t) { return t.dim() ? t.dim() : 1; }
inline int64_t size_of(const Tensor& t, int d) { return t.dim() ? t->sizes[d] : 1; }

// Raises unless index is int32 or int64 (or empty).
void check_gather_index(const char* op, const Tensor& index);
// Raises unless index fits self apart from dim, and src (if defined) covers it.
void check_scatter(const Tensor& self, int dim, const Tensor& index, const Tensor& src);

// self, or what out names, with src (or one value) written to the places that index names.
Tensor scattered(const Out& out, const Tensor& self, int64_t dim, const Tensor& index,
                 const Tensor& src, ScatterReduce reduce);
Tensor scattered_value(const Out& out, const Tensor& self, int64_t dim, const Tensor& index,
                       const Scalar& value, ScatterReduce reduce);

// The part of src that index covers, contiguous and not in dest's memory.
Tensor covered(const Tensor& src, const Tensor& index, const Tensor& dest);
// The same as a differentiable view, and src's gradient from that of the part.
Tensor covered_view(const Tensor& src, const Tensor& index);
Tensor uncovered(const Tensor& grad, const Tensor& src);

}  // namespace pt
