// Reductions over any set of dimensions: brought to the kernels' three levels (outer, n, inner).
#pragma once

#include <bitset>

#include "cpu/reduce_args.h"
#include "op/value.h"

namespace pt {

using DimSet = std::bitset<kMaxDims>;

// The dimensions named by `dims` (none or empty: all). IndexError out of range, RuntimeError twice.
DimSet dim_set(const std::optional<IntList>& dims, int ndim, const char* op);
Dims reduced_shape(const Tensor& self, const DimSet& dims, bool keepdim);

// Runs the kernel of that name (in `compute` dtype: self is converted first) over `dims` and
// returns a tensor of dtype `result`. With `second`, a second output of dtype `result2` is filled.
Tensor run_reduction(const char* kernel, const Tensor& self, const DimSet& dims, bool keepdim,
                     DType compute, DType result, double p = 0, Tensor* second = nullptr,
                     DType result2 = DType::kInt64);

// self[..., None, ...] so that a reduced tensor broadcasts against its input.
Tensor restore_dims(const Tensor& reduced, const DimSet& dims, int ndim);

}  // namespace pt
