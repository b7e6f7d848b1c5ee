// Reductions over any set of dimensions: brought to the kernels' three levels (outer, n, inner).
// Used by ops/reduce; kernels are those of csrc/cpu/reduce_*.cpp.
#pragma once

#include <bitset>

#include "cpu/kernel_table.h"
#include "cpu/reduce_args.h"
#include "op/value.h"

namespace pt {

using DimSet = std::bitset<kMaxDims>;
// A kernel by name, looked up once: const ReduceKernel kSum{"sum"}.
using ReduceKernel = Kernel<ReduceFn>;

inline DimSet all_dims(int ndim) {
  return ndim ? ~DimSet() >> static_cast<size_t>(kMaxDims - ndim) : DimSet();
}
inline DimSet one_dim(int dim, int ndim) {
  return ndim ? DimSet().set(static_cast<size_t>(dim)) : DimSet();
}
// The dimensions named by `dims` (none or empty: all). IndexError out of range, RuntimeError twice.
DimSet dim_set(const std::optional<IntList>& dims, int ndim);
Dims reduced_shape(const Tensor& self, const DimSet& dims, bool keepdim);
// How many elements become one.
int64_t reduced_count(const Tensor& self, const DimSet& dims);

// How a kernel is called: self is converted to `compute`, the results have the other dtypes, which
// must be those that the kernel writes.
struct ReduceCall {
  const ReduceKernel& kernel;
  DType compute, result;
  double p = 0;                   // see ReduceArgs
  DType result2 = DType::kInt64;  // of a second output
  bool splits = false;            // the result of results of parts is the result of the whole
};

// Reduces `self` over `dims` and returns a new tensor. With `second`, a second output is made.
Tensor run_reduction(const ReduceCall& call, const Tensor& self, const DimSet& dims, bool keepdim,
                     Tensor* second = nullptr);

}  // namespace pt
