// From a tensor and its indices to a Selection: masks become index tensors, index tensors are
// broadcast together, and the dimensions of the result are placed. Used by the ops of this folder.
#pragma once

#include "op/dispatch.h"
#include "ops/index/algorithms/rows.h"

namespace pt {

struct IndexedTensor {
  Selection selection;
  Dims shape;  // of the selected elements
};

// Indices of the cpu moved to the device of `self`. RuntimeError for those of another device.
std::vector<Tensor> indices_beside(const Tensor& self, TensorList indices);

// The elements of `self` that `indices` select, with PyTorch's checks and error wording.
IndexedTensor select_indices(const Tensor& self, TensorList indices);

// The slices of `self` along dim that a vector of indices names. int32 and int64; no wrapping.
Selection select_along(const Tensor& self, int dim, const Tensor& index);

// What an op that changes some elements of self writes to: a copy of self, self (in-place), or an
// out= tensor that has become a copy.
Tensor destination_or_copy(const Out& out, const Tensor& self);
// The source of such a write, contiguous and outside the destination's memory.
Tensor separate(const Tensor& source, const Tensor& dest);

// "Float", "Long": dtypes as PyTorch's messages about indexing name them.
const char* scalar_type_name(DType t);

// A contiguous int64 tensor with the values of an int32 or int64 one.
Tensor as_index(const Tensor& t);

}  // namespace pt
