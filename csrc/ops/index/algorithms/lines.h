// gather and scatter along a dimension, below ops: each element of the index names a position
// along `dim` for its own place in the other dimensions.
#pragma once

#include "core/tensor.h"

namespace pt {

enum class ScatterReduce : uint8_t { kAssign, kAdd, kMultiply, kMax, kMin };

// out[p] = self[p with p[dim] replaced by index[p]]. index: contiguous int64; out: contiguous, of
// index's shape. self has index's number of dimensions and its sizes or larger ones.
void gather_lines(const Tensor& self, int dim, const Tensor& index, const Tensor& out);

// self[p with p[dim] replaced by index[p]] = (op) src[p]. src: contiguous, of index's shape, or one
// element for all. Writes to one place happen in index order, whatever the number of threads.
void scatter_lines(const Tensor& self, int dim, const Tensor& index, const Tensor& src,
                   ScatterReduce reduce);

}  // namespace pt
